package stack

import "context"

// DescribeChangeSetInput is the request of DescribeChangeSet.
type DescribeChangeSetInput struct {
	ChangeSetName         string
	StackName             string
	NextToken             string
	IncludePropertyValues bool
}

// DescribeChangeSet tells a change set's state and changes, a page at a time. Of one
// that is being compared it may wait (Options.Patience).
func (e *Engine) DescribeChangeSet(ctx context.Context, in DescribeChangeSetInput) (ChangeSetDescription, error) {
	if err := e.fault("DescribeChangeSet", ""); err != nil {
		return ChangeSetDescription{}, err
	}
	e.patient(ctx, func() <-chan struct{} {
		if _, cs, err := e.findChangeSet(ctx, in.ChangeSetName, in.StackName); err == nil && cs.status == changeSetCreatePending {
			return cs.filled
		}
		return nil
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	st, cs, err := e.findChangeSet(ctx, in.ChangeSetName, in.StackName)
	if err != nil {
		return ChangeSetDescription{}, err
	}
	changes, next, err := page(cs.changes, in.NextToken)
	if err != nil {
		return ChangeSetDescription{}, err
	}
	out := ChangeSetDescription{
		ChangeSetName: cs.name, ChangeSetID: cs.id, StackID: st.ref.ID, StackName: st.ref.Name,
		Description: cs.description, Parameters: cs.template.params.shown(), CreationTime: cs.created,
		ExecutionStatus: cs.execution, Status: cs.status, StatusReason: cs.template.params.hide(cs.reason),
		NotificationARNs: cs.options.notifications, Capabilities: cs.options.capabilities, Tags: cs.options.tags,
		NextToken: next, IncludeNestedStacks: cs.nested, OnStackFailure: cs.onFailure,
	}
	for _, change := range changes {
		if in.IncludePropertyValues {
			change.BeforeContext, change.AfterContext = contextJSON(change.before), contextJSON(change.after)
		} else {
			change.Details = withoutValues(change.Details)
		}
		out.Changes = append(out.Changes, Change{Type: "Resource", ResourceChange: change})
	}
	return out, nil
}

func contextJSON(properties map[string]any) string {
	if properties == nil {
		return ""
	}
	return asJSON(map[string]any{"Properties": properties})
}

func withoutValues(details []ChangeDetail) []ChangeDetail {
	out := make([]ChangeDetail, len(details))
	for i, d := range details {
		d.Target.BeforeValue, d.Target.AfterValue = "", ""
		out[i] = d
	}
	return out
}

// ListChangeSetsInput is the request of ListChangeSets.
type ListChangeSetsInput struct{ StackName, NextToken string }

// ListChangeSetsOutput is the answer of ListChangeSets.
type ListChangeSetsOutput struct {
	Summaries []ChangeSetSummary `xml:"Summaries>member"`
	NextToken string             `xml:",omitempty"`
}

// ListChangeSets lists the change sets of a stack.
func (e *Engine) ListChangeSets(ctx context.Context, in ListChangeSetsInput) (ListChangeSetsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	st, err := e.find(ctx, in.StackName)
	if err != nil {
		return ListChangeSetsOutput{}, err
	}
	st.concludeChangeSets()
	sets, next, err := page(st.changes, in.NextToken)
	out := ListChangeSetsOutput{NextToken: next}
	for _, cs := range sets {
		out.Summaries = append(out.Summaries, ChangeSetSummary{
			StackID: st.ref.ID, StackName: st.ref.Name, ChangeSetID: cs.id, ChangeSetName: cs.name,
			ExecutionStatus: cs.execution, Status: cs.status, StatusReason: cs.template.params.hide(cs.reason),
			CreationTime: cs.created, Description: cs.description, IncludeNestedStacks: cs.nested,
		})
	}
	return out, err
}
