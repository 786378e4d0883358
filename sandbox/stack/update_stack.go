package stack

import (
	"context"
	"slices"
)

// UpdateStackInput is the request of UpdateStack.
type UpdateStackInput struct {
	StackName           string
	TemplateBody        string
	TemplateURL         string
	UsePreviousTemplate bool
	Parameters          []Parameter
	Capabilities        []string
	DisableRollback     bool
	NotificationARNs    []string
	RoleARN             string
	StackPolicyBody     string
	Tags                []Tag
	ClientRequestToken  string
}

// UpdateStack starts the update of a stack. An update that would change
// nothing is refused.
func (e *Engine) UpdateStack(ctx context.Context, in UpdateStackInput) (StackOutput, error) {
	if err := e.fault("UpdateStack", ""); err != nil {
		return StackOutput{}, err
	}
	src := source{
		direct: true,
		body:   in.TemplateBody, url: in.TemplateURL, usePrevious: in.UsePreviousTemplate,
		parameters: in.Parameters, capabilities: in.Capabilities,
	}
	opts := updateOptions{in.Tags, in.Capabilities, in.NotificationARNs, in.RoleARN, in.DisableRollback, in.ClientRequestToken}
	st, _, err := e.startUpdate(ctx, in.StackName, src, opts)
	if err != nil {
		return StackOutput{}, err
	}
	return StackOutput{st.ref.ID}, nil
}

// updateOptions are what an update sets besides the template. Nil tags,
// capabilities and notifications leave what there is.
type updateOptions struct {
	tags            []Tag
	capabilities    []string
	notifications   []string
	role            string
	disableRollback bool
	token           string
}

// startUpdate begins an update. done is closed when it has ended.
func (e *Engine) startUpdate(ctx context.Context, name string, src source, opts updateOptions) (st *state, done <-chan struct{}, err error) {
	e.mu.Lock()
	st, err = e.find(ctx, name)
	var current *template
	if err == nil {
		if opts.token != "" && st.tokens[opts.token] == "UpdateStack" {
			defer e.mu.Unlock()
			return st, st.done, nil
		}
		current = st.current
		if err = st.mayUpdate(); err == nil {
			st.caller = context.WithoutCancel(ctx)
		}
	}
	e.mu.Unlock()
	if err != nil {
		return nil, nil, err
	}
	t, err := e.prepare(ctx, src, st.ref, current)
	if err != nil {
		return nil, nil, err
	}
	changed, err := e.differs(st, t, opts.tags)
	if err != nil {
		return nil, nil, err
	}
	if !changed {
		return nil, nil, errNoUpdates
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := st.mayUpdate(); err != nil { // another request may have come first
		return nil, nil, err
	}
	if e.closed {
		return nil, nil, errStopping
	}
	st.tokens[opts.token] = "UpdateStack"
	e.beginUpdate(st, t, opts)
	return st, st.done, nil
}

// errNoUpdates says that an update would change nothing.
var errNoUpdates = invalid("No updates are to be performed.")

// beginUpdate begins an update that passed every check. The caller holds the lock.
func (e *Engine) beginUpdate(st *state, t *template, opts updateOptions) {
	st.concludeChangeSets()
	if opts.tags != nil {
		st.tags = opts.tags
	}
	if opts.capabilities != nil {
		st.capabilities = opts.capabilities
	}
	if opts.notifications != nil {
		st.notifications = opts.notifications
	}
	if opts.role != "" {
		st.role = opts.role
	}
	st.disableRollback = opts.disableRollback
	st.token = opts.token
	st.status, st.reason = UpdateInProgress, userInitiated
	e.begin(st, func(ctx context.Context) { e.changeStack(ctx, st, t) })
}

// mayUpdate refuses an update in a status that allows none. The caller holds the lock.
func (st *state) mayUpdate() error {
	if !updatable(st.status) {
		return invalid("Stack:%s is in %s state and can not be updated.", st.ref.ID, st.status)
	}
	return nil
}

// differs reports whether bringing st to t would change anything.
func (e *Engine) differs(st *state, t *template, tags []Tag) (bool, error) {
	changes, err := e.compare(st, t)
	if err != nil {
		return false, err
	}
	return len(changes) > 0 || e.differsOtherwise(st, t, tags), nil
}

// differsOtherwise looks at what is no resource: outputs, parameters, tags.
func (e *Engine) differsOtherwise(st *state, t *template, tags []Tag) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if st.current == nil {
		return true
	}
	return !sameJSON(st.current.doc.Outputs, t.doc.Outputs) ||
		!sameJSON(st.current.params.given, t.params.given) ||
		tags != nil && !slices.Equal(sortedTags(tags), sortedTags(st.tags))
}
