package stack

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// nested provides AWS::CloudFormation::Stack: a stack as a resource of another.
type nested struct{ e *Engine }

func (n nested) Create(ctx context.Context, req Request) (Resource, error) {
	src, err := nestedSource(req.Properties)
	if err != nil {
		return Resource{}, err
	}
	st := &state{onFailure: "ROLLBACK", tags: nestedTags(req.Properties)}
	if err := n.e.enrol(st, req.Stack.Region, req.Name(128)); err != nil {
		return Resource{}, err
	}
	t, err := n.e.prepare(ctx, src, st.ref, nil)
	if err != nil {
		return Resource{}, err
	}
	n.e.mu.Lock()
	st.parent, err = n.e.there(req.Stack.ID)
	if err == nil {
		st.current, st.capabilities = t, st.parent.capabilities
		n.e.admit(st, CreateInProgress)
	}
	n.e.mu.Unlock()
	if err != nil {
		return Resource{}, err
	}
	n.e.makeStack(ctx, st, t)
	made, err := n.outcome(st, CreateComplete)
	if err != nil {
		// What could not be made is taken away again here: a failed Create
		// leaves nothing for Delete.
		n.e.removeStack(ctx, st, nil, false)
		return Resource{}, fmt.Errorf("Embedded stack %s was not successfully created: %w", st.ref.ID, err) //nolint:staticcheck // CloudFormation's words
	}
	return made, nil
}

func (n nested) Update(ctx context.Context, req Request) (Resource, error) {
	src, err := nestedSource(req.Properties)
	if err != nil {
		return Resource{}, err
	}
	n.e.mu.Lock()
	st, err := n.e.there(req.PhysicalID)
	if err == nil {
		err = st.mayUpdate()
	}
	var current *template
	if err == nil {
		current = st.current
	}
	n.e.mu.Unlock()
	if err != nil {
		return Resource{}, err
	}
	t, err := n.e.prepare(ctx, src, st.ref, current)
	if err != nil {
		return Resource{}, err
	}
	changed, err := n.e.differs(st, t, nil)
	if err != nil {
		return Resource{}, err
	}
	if !changed {
		return n.outcome(st, st.status)
	}
	n.e.changeStack(ctx, st, t)
	made, err := n.outcome(st, UpdateComplete)
	if err != nil {
		return made, fmt.Errorf("Embedded stack %s was not successfully updated: %w", st.ref.ID, err) //nolint:staticcheck // CloudFormation's words
	}
	return made, nil
}

func (n nested) Delete(ctx context.Context, req Request) error {
	n.e.mu.Lock()
	st, err := n.e.there(req.PhysicalID)
	gone := err != nil || st.status == DeleteComplete
	n.e.mu.Unlock()
	if gone {
		return nil
	}
	n.e.removeStack(ctx, st, nil, false)
	if _, err := n.outcome(st, DeleteComplete); err != nil {
		return fmt.Errorf("Embedded stack %s was not successfully deleted: %w", st.ref.ID, err) //nolint:staticcheck // CloudFormation's words
	}
	return nil
}

// revert brings a nested stack back to the template that it had before its
// parent's update, which may no longer be behind its TemplateURL.
func (n nested) revert(ctx context.Context, res *resource) error {
	n.e.mu.Lock()
	st, err := n.e.there(res.physicalID)
	undone := err == nil && (st.current == res.inner || res.inner == nil)
	if err == nil && !undone {
		err = st.mayUpdate()
	}
	n.e.mu.Unlock()
	if err != nil {
		return err
	}
	if !undone {
		n.e.changeStack(ctx, st, res.inner)
		if _, err := n.outcome(st, UpdateComplete); err != nil {
			return fmt.Errorf("Embedded stack %s was not successfully updated: %w", st.ref.ID, err) //nolint:staticcheck // CloudFormation's words
		}
	}
	made, err := n.outcome(st, st.status)
	n.e.mu.Lock()
	defer n.e.mu.Unlock()
	res.attributes = made.Attributes
	return err
}

// templateOf gives the present template of a stack; nil when there is none.
func (e *Engine) templateOf(id string) *template {
	e.mu.Lock()
	defer e.mu.Unlock()
	st, err := e.there(id)
	if err != nil {
		return nil
	}
	return st.current
}

// outcome gives the nested stack as a resource, or why it is not as wanted.
func (n nested) outcome(st *state, wanted string) (Resource, error) {
	n.e.mu.Lock()
	defer n.e.mu.Unlock()
	made := Resource{PhysicalID: st.ref.ID, Attributes: map[string]any{}}
	for _, out := range st.outputs {
		made.Attributes["Outputs."+out.OutputKey] = out.OutputValue
	}
	if st.status == wanted {
		return made, nil
	}
	for _, ev := range slices.Backward(st.events) {
		if ev.ResourceType == stackType && ev.PhysicalResourceID == st.ref.ID && ev.ResourceStatusReason != "" {
			return made, fmt.Errorf("%s", ev.ResourceStatusReason)
		}
	}
	return made, fmt.Errorf("it is in %s", st.status)
}

func nestedSource(properties map[string]any) (source, error) {
	url, _ := properties["TemplateURL"].(string)
	if url == "" {
		return source{}, fmt.Errorf("a nested stack needs a TemplateURL")
	}
	src := source{url: url, trusted: true}
	given, _ := properties["Parameters"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(given)) {
		value, ok := parameterText(given[name])
		if !ok {
			return source{}, fmt.Errorf("parameter %s of a nested stack must be a string", name)
		}
		src.parameters = append(src.parameters, Parameter{ParameterKey: name, ParameterValue: value})
	}
	return src, nil
}

// parameterText spells a value as a parameter: lists are joined with commas.
func parameterText(v any) (string, bool) {
	list, ok := v.([]any)
	if !ok {
		return text(v)
	}
	joined := ""
	for i, el := range list {
		s, ok := text(el)
		if !ok {
			return "", false
		}
		if i > 0 {
			joined += ","
		}
		joined += s
	}
	return joined, true
}

func nestedTags(properties map[string]any) []Tag {
	list, _ := properties["Tags"].([]any)
	var tags []Tag
	for _, el := range list {
		m, _ := el.(map[string]any)
		key, _ := text(m["Key"])
		value, _ := text(m["Value"])
		tags = append(tags, Tag{key, value})
	}
	return tags
}
