package stack

import (
	"context"
	"slices"
	"time"
)

// changeSet is a change set of a stack. The engine's lock guards it.
type changeSet struct {
	id, name    string
	kind        string // "CREATE", "UPDATE", "IMPORT"
	token       string
	description string
	created     time.Time
	status      string
	reason      string
	execution   string
	template    *template
	changes     []ResourceChange
	options     updateOptions
	imports     map[string]string // IMPORT: physical IDs by logical ones
	onFailure   string
	nested      bool
	executedBy  string          // client request token of the execution
	filled      <-chan struct{} // closed when the comparison is done
}

// CreateChangeSetInput is the request of CreateChangeSet.
type CreateChangeSetInput struct {
	StackName           string
	ChangeSetName       string
	ChangeSetType       string // "CREATE", "UPDATE", "IMPORT"; "" is UPDATE
	TemplateBody        string
	TemplateURL         string
	UsePreviousTemplate bool
	Parameters          []Parameter
	Capabilities        []string
	NotificationARNs    []string
	RoleARN             string
	Tags                []Tag
	Description         string
	ClientToken         string
	OnStackFailure      string
	IncludeNestedStacks bool
	ResourcesToImport   []ResourceToImport // IMPORT
	DeploymentMode      string             // REVERT_DRIFT; "" = as on most
}

// CreateChangeSetOutput is the answer of CreateChangeSet.
type CreateChangeSetOutput struct {
	ID      string `xml:"Id"`
	StackID string `xml:"StackId"`
}

// CreateChangeSet starts the comparison of a stack with a template. Of type
// CREATE, or of type IMPORT where there is none, it makes the stack too, in
// REVIEW_IN_PROGRESS.
func (e *Engine) CreateChangeSet(ctx context.Context, in CreateChangeSetInput) (CreateChangeSetOutput, error) {
	if err := e.fault("CreateChangeSet", ""); err != nil {
		return CreateChangeSetOutput{}, err
	}
	if !validName(in.ChangeSetName) {
		return CreateChangeSetOutput{}, invalid("1 validation error detected: Value '%s' at 'changeSetName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", in.ChangeSetName)
	}
	if in.DeploymentMode != "" {
		// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
		return CreateChangeSetOutput{}, invalid("DeploymentMode %s: the local cloud does not look for drift; deploy without it, and what the template changes is set again", in.DeploymentMode)
	}
	if in.ChangeSetType == "" {
		in.ChangeSetType = "UPDATE"
	}
	st, isNew, err := e.changeSetStack(ctx, in)
	if err != nil {
		return CreateChangeSetOutput{}, err
	}
	e.mu.Lock()
	current := st.current
	e.mu.Unlock()
	src := source{
		body: in.TemplateBody, url: in.TemplateURL, usePrevious: in.UsePreviousTemplate,
		parameters: in.Parameters, capabilities: in.Capabilities,
	}
	t, err := e.prepare(ctx, src, st.ref, current)
	if err != nil {
		return CreateChangeSetOutput{}, err
	}
	cs := &changeSet{
		id: e.arn(st.ref.Region, "changeSet", in.ChangeSetName), name: in.ChangeSetName, kind: in.ChangeSetType, token: in.ClientToken,
		description: in.Description, created: now(), status: changeSetCreatePending, execution: executionUnavailable,
		template: t, onFailure: in.OnStackFailure, nested: in.IncludeNestedStacks,
		options: updateOptions{tags: in.Tags, capabilities: in.Capabilities, notifications: in.NotificationARNs, role: in.RoleARN},
	}
	if in.ChangeSetType == "IMPORT" {
		if cs.imports, err = e.toImport(in.ResourcesToImport, t); err != nil {
			return CreateChangeSetOutput{}, err
		}
	} else if len(in.ResourcesToImport) > 0 {
		return CreateChangeSetOutput{}, invalid("ResourcesToImport is of change sets of type IMPORT, and this one is of type %s", in.ChangeSetType)
	}
	return e.addChangeSet(st, isNew, cs)
}

// changeSetStack finds the stack that a change set is for, or makes the one
// that it is to create.
func (e *Engine) changeSetStack(ctx context.Context, in CreateChangeSetInput) (st *state, isNew bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	st, err = e.find(ctx, in.StackName)
	switch in.ChangeSetType {
	case "UPDATE":
		if err != nil {
			return nil, false, invalid("Stack [%s] does not exist", in.StackName)
		}
		if st.status == ReviewInProgress {
			return nil, false, st.mayUpdate()
		}
		return st, false, nil
	case "CREATE", "IMPORT":
		if err == nil && in.ChangeSetType == "IMPORT" && st.status != DeleteComplete && st.status != ReviewInProgress {
			return st, false, nil
		}
		if err == nil && st.status != DeleteComplete {
			if st.status != ReviewInProgress {
				return nil, false, invalid("Stack [%s] already exists and cannot be created again with the changeSet [%s].", st.ref.Name, in.ChangeSetName)
			}
			return st, false, nil
		}
		st = &state{}
		return st, true, e.enrol(st, e.region(ctx), in.StackName)
	}
	return nil, false, invalid("ChangeSetType %s is not one that CloudFormation has: CREATE, UPDATE or IMPORT", in.ChangeSetType)
}

func (e *Engine) addChangeSet(st *state, isNew bool, cs *changeSet) (CreateChangeSetOutput, error) {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return CreateChangeSetOutput{}, errStopping
	}
	if isNew {
		if there := e.live[liveKey(st.ref.Region, st.ref.Name)]; there != nil { // another request came first
			st = there
		} else {
			e.admit(st, ReviewInProgress)
			defer e.event(st, nil, ReviewInProgress, userInitiated)
		}
	}
	st.concludeChangeSets()
	// The name of one that has been executed is free again.
	st.changes = slices.DeleteFunc(st.changes, func(c *changeSet) bool {
		return c.name == cs.name && (c.execution == executionComplete || c.execution == executionFailed)
	})
	for _, there := range st.changes {
		if there.name == cs.name {
			defer e.mu.Unlock()
			if cs.token != "" && there.token == cs.token {
				return CreateChangeSetOutput{there.id, st.ref.ID}, nil
			}
			return CreateChangeSetOutput{}, &Error{Code: "AlreadyExistsException", Message: "ChangeSet " + cs.name + " already exists"}
		}
	}
	if cs.kind == "UPDATE" || cs.kind == "IMPORT" && st.status != ReviewInProgress {
		if err := st.mayUpdate(); err != nil {
			e.mu.Unlock()
			return CreateChangeSetOutput{}, err
		}
	}
	st.changes = append(st.changes, cs)
	filled := make(chan struct{})
	cs.filled = filled
	e.running.Add(1)
	e.mu.Unlock()
	go func() {
		defer e.running.Done()
		defer close(filled)
		e.fillChangeSet(st, cs)
	}()
	return CreateChangeSetOutput{cs.id, st.ref.ID}, nil
}

// fillChangeSet does the comparison.
func (e *Engine) fillChangeSet(st *state, cs *changeSet) {
	changes, err := e.compareFor(st, cs)
	if err == nil && cs.kind == "IMPORT" {
		err = e.onlyImports(e.ctx, st, cs.template, changes, cs.imports)
	}
	otherwise := e.differsOtherwise(st, cs.template, cs.options.tags)
	e.mu.Lock()
	defer e.mu.Unlock()
	cs.changes = changes
	switch {
	case err != nil:
		cs.status, cs.reason = changeSetFailed, err.Error()
		if apiError, ok := err.(*Error); ok {
			cs.reason = apiError.Message
		}
	case len(changes) == 0 && !otherwise:
		cs.status, cs.reason = changeSetFailed, noChanges
	default:
		cs.status, cs.execution = CreateComplete, executionAvailable
	}
}

// findChangeSet finds a change set by ARN, or by name within a stack. The
// caller holds the lock.
func (e *Engine) findChangeSet(ctx context.Context, name, stack string) (*state, *changeSet, error) {
	missing := &Error{Code: "ChangeSetNotFound", Message: "ChangeSet [" + name + "] does not exist", Status: 404}
	if stack != "" {
		st, err := e.find(ctx, stack)
		if err != nil {
			return nil, nil, err
		}
		st.concludeChangeSets()
		if i := slices.IndexFunc(st.changes, func(c *changeSet) bool { return c.name == name || c.id == name }); i >= 0 {
			return st, st.changes[i], nil
		}
		return nil, nil, missing
	}
	if !validName(name) {
		for _, st := range e.all {
			st.concludeChangeSets()
			if i := slices.IndexFunc(st.changes, func(c *changeSet) bool { return c.id == name }); i >= 0 {
				return st, st.changes[i], nil
			}
		}
		return nil, nil, missing
	}
	return nil, nil, invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
}
