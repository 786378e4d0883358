package stack

// compareFor compares a stack with a change set's template. When nested stacks
// are to be looked into, each in which something would change gets a change
// set of its own, which can be described, but is only executed through the
// root's; and those in which nothing would change are not listed.
func (e *Engine) compareFor(st *state, cs *changeSet) ([]ResourceChange, error) {
	if !cs.nested {
		return e.compare(st, cs.template)
	}
	return e.compareWith(st, cs.template, func(res *resource, properties map[string]any) (string, error) {
		return e.nestedChangeSet(cs.name, res, properties)
	})
}

// nestedChangeSet compares one nested stack with what its parent's change set
// would make of it.
func (e *Engine) nestedChangeSet(name string, res *resource, properties map[string]any) (id string, err error) {
	e.mu.Lock()
	st, err := e.there(res.physicalID)
	var current *template
	if err == nil {
		current = st.current
	}
	e.mu.Unlock()
	if err != nil {
		return "", err
	}
	src, err := nestedSource(properties)
	if err != nil {
		return "", invalid("%v", err)
	}
	t, err := e.prepare(e.ctx, src, st.ref, current)
	if err != nil {
		return "", err
	}
	inner := &changeSet{
		id: e.arn(st.ref.Region, "changeSet", name), name: name, kind: "UPDATE", created: now(), template: t, nested: true,
		status: CreateComplete, execution: executionUnavailable,
	}
	if inner.changes, err = e.compareFor(st, inner); err != nil {
		return "", err
	}
	if len(inner.changes) == 0 && !e.differsOtherwise(st, t, nil) {
		return "", nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	st.changes = append(st.changes, inner)
	return inner.id, nil
}
