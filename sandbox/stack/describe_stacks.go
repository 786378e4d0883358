package stack

import (
	"context"
	"slices"
)

// DescribeStacksInput is the request of DescribeStacks.
type DescribeStacksInput struct{ StackName, NextToken string }

// DescribeStacksOutput is the answer of DescribeStacks.
type DescribeStacksOutput struct {
	Stacks    []Description `xml:"Stacks>member"`
	NextToken string        `xml:",omitempty"`
}

// DescribeStacks tells one stack, or all that are not deleted, newest first. Of one
// that is being made, changed or deleted it may wait (Options.Patience): the waiters
// of SDKs look at once and then sleep for 30 s.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
func (e *Engine) DescribeStacks(ctx context.Context, in DescribeStacksInput) (DescribeStacksOutput, error) {
	if err := e.fault("DescribeStacks", ""); err != nil {
		return DescribeStacksOutput{}, err
	}
	if in.StackName != "" {
		e.patient(ctx, func() <-chan struct{} {
			if st, err := e.find(ctx, in.StackName); err == nil && underWay(st.status) {
				return st.done
			}
			return nil
		})
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var stacks []*state
	if in.StackName != "" {
		st, err := e.find(ctx, in.StackName)
		if err != nil {
			return DescribeStacksOutput{}, err
		}
		stacks = []*state{st}
	} else {
		for _, st := range slices.Backward(e.all) {
			if st.status != DeleteComplete && st.in(ctx) {
				stacks = append(stacks, st)
			}
		}
		e.tellElsewhere(ctx, stacks)
	}
	stacks, next, err := page(stacks, in.NextToken)
	out := DescribeStacksOutput{NextToken: next}
	for _, st := range stacks {
		out.Stacks = append(out.Stacks, st.describe())
	}
	return out, err
}

// describe tells a stack. The caller holds the engine's lock.
func (st *state) describe() Description {
	d := Description{
		StackID: st.ref.ID, StackName: st.ref.Name, ChangeSetID: st.executed,
		CreationTime: st.created, DeletionTime: st.deleted, LastUpdatedTime: st.updated,
		StackStatus: st.status, StackStatusReason: st.shownReason(), DisableRollback: st.disableRollback,
		NotificationARNs: st.notifications, TimeoutInMinutes: st.timeout, Capabilities: st.capabilities,
		Outputs: st.outputs, RoleARN: st.role, Tags: st.tags, EnableTerminationProtection: st.protected,
		DriftInformation: Drift{"NOT_CHECKED"},
	}
	if st.current != nil {
		d.Description = st.current.doc.Description
		d.Parameters = st.current.params.shown()
	}
	if st.parent != nil {
		d.ParentID, d.RootID = st.parent.ref.ID, st.root().ref.ID
	}
	return d
}

// shownReason leaves out the words that only an event carries.
func (st *state) shownReason() string {
	if st.reason == userInitiated && st.status != DeleteInProgress && st.status != ReviewInProgress {
		return ""
	}
	return st.reason
}

// ListStacksInput is the request of ListStacks.
type ListStacksInput struct {
	NextToken         string
	StackStatusFilter []string
}

// ListStacksOutput is the answer of ListStacks.
type ListStacksOutput struct {
	StackSummaries []Summary `xml:"StackSummaries>member"`
	NextToken      string    `xml:",omitempty"`
}

// ListStacks lists stacks, deleted ones too, newest first.
func (e *Engine) ListStacks(ctx context.Context, in ListStacksInput) (ListStacksOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []Summary
	for _, st := range slices.Backward(e.all) {
		if !st.in(ctx) || len(in.StackStatusFilter) > 0 && !slices.Contains(in.StackStatusFilter, st.status) {
			continue
		}
		d := st.describe()
		all = append(all, Summary{
			StackID: d.StackID, StackName: d.StackName, TemplateDescription: d.Description,
			CreationTime: d.CreationTime, LastUpdatedTime: d.LastUpdatedTime, DeletionTime: d.DeletionTime,
			StackStatus: d.StackStatus, StackStatusReason: d.StackStatusReason,
			ParentID: d.ParentID, RootID: d.RootID, DriftInformation: d.DriftInformation,
		})
	}
	all, next, err := page(all, in.NextToken)
	return ListStacksOutput{all, next}, err
}

// DescribeStackEventsInput is the request of DescribeStackEvents.
type DescribeStackEventsInput struct{ StackName, NextToken string }

// DescribeStackEventsOutput is the answer of DescribeStackEvents.
type DescribeStackEventsOutput struct {
	StackEvents []Event `xml:"StackEvents>member"`
	NextToken   string  `xml:",omitempty"`
}

// DescribeStackEvents tells what happened to a stack, newest first. A token
// counts from the oldest event, so that new ones do not shift the pages.
func (e *Engine) DescribeStackEvents(ctx context.Context, in DescribeStackEventsInput) (DescribeStackEventsOutput, error) {
	if err := e.fault("DescribeStackEvents", ""); err != nil {
		return DescribeStackEventsOutput{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	st, err := e.find(ctx, in.StackName)
	if err != nil {
		return DescribeStackEventsOutput{}, err
	}
	events := st.events
	if in.NextToken != "" {
		n, err := pageNumber(in.NextToken)
		if err != nil || n-st.forgotten > len(events) {
			return DescribeStackEventsOutput{}, errNextToken
		}
		events = events[:max(n-st.forgotten, 0)] // what was left may be forgotten by now
	}
	out := DescribeStackEventsOutput{}
	for len(events) > 0 && len(out.StackEvents) < pageSize {
		out.StackEvents = append(out.StackEvents, *events[len(events)-1])
		events = events[:len(events)-1]
	}
	if len(events) > 0 {
		out.NextToken = pageToken(st.forgotten + len(events))
	}
	return out, nil
}
