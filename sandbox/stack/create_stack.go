package stack

import (
	"context"
)

// CreateStackInput is the request of CreateStack. Stack policies and rollback
// triggers are taken and not enforced.
type CreateStackInput struct {
	StackName                   string
	TemplateBody                string
	TemplateURL                 string
	Parameters                  []Parameter
	Capabilities                []string
	DisableRollback             bool
	OnFailure                   string
	TimeoutInMinutes            int
	NotificationARNs            []string
	RoleARN                     string
	StackPolicyBody             string
	Tags                        []Tag
	ClientRequestToken          string
	EnableTerminationProtection bool
}

// validName reports whether a stack or a change set may have the name: up to
// 128 letters, digits and hyphens, a letter first. (As a regular expression,
// it took a tenth of the start of every command to compile.)
func validName(name string) bool {
	for i, r := range name {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r != '-' && (r < '0' || r > '9')) {
			return false
		}
	}
	return name != "" && len(name) <= 128
}

// CreateStack starts the creation of a stack. The creation goes on when ctx ends.
func (e *Engine) CreateStack(ctx context.Context, in CreateStackInput) (StackOutput, error) {
	if err := e.fault("CreateStack", ""); err != nil {
		return StackOutput{}, err
	}
	if in.DisableRollback && in.OnFailure != "" {
		return StackOutput{}, invalid("You may specify either DisableRollback or OnFailure, but not both.")
	}
	src := source{direct: true, body: in.TemplateBody, url: in.TemplateURL, parameters: in.Parameters, capabilities: in.Capabilities}
	st := &state{
		tags: in.Tags, capabilities: in.Capabilities, notifications: in.NotificationARNs, role: in.RoleARN,
		disableRollback: in.DisableRollback, onFailure: in.OnFailure, timeout: in.TimeoutInMinutes,
		caller:    context.WithoutCancel(ctx),
		protected: in.EnableTerminationProtection, policy: in.StackPolicyBody, token: in.ClientRequestToken,
	}
	if st.disableRollback {
		st.onFailure = "DO_NOTHING"
	}
	if err := e.startCreate(ctx, st, in.StackName, src); err != nil {
		return StackOutput{}, err
	}
	return StackOutput{st.ref.ID}, nil
}

// startCreate gives st its name and template and begins its creation. When a
// request with the same token has made the stack already, st becomes that one.
func (e *Engine) startCreate(ctx context.Context, st *state, name string, src source) error {
	if err := e.enrol(st, e.region(ctx), name); err != nil {
		return err
	}
	t, err := e.prepare(ctx, src, st.ref, nil)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if there := e.live[liveKey(st.ref.Region, name)]; there != nil {
		if st.token != "" && there.tokens[st.token] == "CreateStack" {
			st.ref = there.ref
			return nil
		}
		return &Error{Code: "AlreadyExistsException", Message: "Stack [" + name + "] already exists"}
	}
	if e.closed {
		return errStopping
	}
	st.current = t
	st.tokens[st.token] = "CreateStack"
	e.admit(st, CreateInProgress)
	e.begin(st, func(ctx context.Context) { e.makeStack(ctx, st, t) })
	return nil
}

// enrol gives a new stack its identity.
func (e *Engine) enrol(st *state, region, name string) error {
	if !validName(name) {
		return invalid("1 validation error detected: Value '%s' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", name)
	}
	st.ref = Ref{Name: name, ID: e.arn(region, "stack", name), Region: region, Account: e.options.Account}
	st.created = now()
	st.resources = map[string]*resource{}
	st.tokens = map[string]string{}
	return nil
}

// admit puts a new stack among the others. The caller holds the lock.
func (e *Engine) admit(st *state, status string) {
	st.status = status
	e.all = append(e.all, st)
	e.live[liveKey(st.ref.Region, st.ref.Name)] = st
}

var errStopping = &Error{Code: "ServiceUnavailable", Message: "the local cloud is stopping", Status: 503}
