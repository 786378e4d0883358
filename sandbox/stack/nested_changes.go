package stack

// compareNested looks into the nested stacks that are listed as modified. One
// in which nothing changes is no longer listed; the others get a change set of
// their own, which can be described, but only executed through the root's.
func (e *Engine) compareNested(st *state, cs *changeSet, changes []ResourceChange) ([]ResourceChange, error) {
	out := []ResourceChange{}
	for _, change := range changes {
		if change.ResourceType != stackType || change.Action != "Modify" {
			out = append(out, change)
			continue
		}
		inner, err := e.nestedChangeSet(st, cs, change)
		if err != nil {
			return nil, err
		}
		if inner != nil {
			change.ChangeSetID = inner.id
			out = append(out, change)
		}
	}
	return out, nil
}

// nestedChangeSet compares one nested stack; nil means nothing changes in it.
func (e *Engine) nestedChangeSet(parent *state, cs *changeSet, change ResourceChange) (*changeSet, error) {
	e.mu.Lock()
	st, err := e.find(change.PhysicalResourceID)
	var current *template
	if err == nil {
		current = st.current
	}
	e.mu.Unlock()
	if err != nil {
		return nil, err
	}
	c := &comparison{e: e, st: parent, t: cs.template, old: map[string]*resource{}, changes: map[string]*ResourceChange{}}
	e.mu.Lock()
	for id, r := range parent.resources {
		copied := *r
		c.old[id] = &copied
	}
	e.mu.Unlock()
	properties, _, err := c.evaluate(change.LogicalResourceID, cs.template)
	if err != nil {
		return nil, err
	}
	src, err := nestedSource(properties)
	if err != nil {
		return nil, err
	}
	t, err := e.prepare(e.ctx, src, st.ref, current)
	if err != nil {
		return nil, err
	}
	inner := &changeSet{
		id: e.arn("changeSet", cs.name), name: cs.name, kind: "UPDATE", created: now(), template: t, nested: true,
		status: CreateComplete, execution: executionUnavailable,
	}
	if inner.changes, err = e.compare(st, t); err != nil {
		return nil, err
	}
	if inner.changes, err = e.compareNested(st, inner, inner.changes); err != nil {
		return nil, err
	}
	if len(inner.changes) == 0 && !e.differsOtherwise(st, t, nil) {
		return nil, nil
	}
	e.mu.Lock()
	st.changes = append(st.changes, inner)
	e.mu.Unlock()
	return inner, nil
}
