package stack

import (
	"context"
	"strings"
	"time"
)

// DescribeEventsInput is the request of DescribeEvents.
type DescribeEventsInput struct {
	StackName, ChangeSetName, OperationID, NextToken string
	Filters                                          struct{ FailedEvents bool }
}

// OperationEvent is an event, with the operation that it belongs to.
type OperationEvent struct {
	EventID              string `xml:"EventId"`
	StackID              string `xml:"StackId"`
	OperationID          string `xml:"OperationId"`
	OperationType        string
	OperationStatus      string `xml:",omitempty"`
	EventType            string
	LogicalResourceID    string `xml:"LogicalResourceId"`
	PhysicalResourceID   string `xml:"PhysicalResourceId"`
	ResourceType         string
	Timestamp            time.Time
	ResourceStatus       string
	ResourceStatusReason string `xml:",omitempty"`
	ResourceProperties   string `xml:",omitempty"`
	ClientRequestToken   string `xml:",omitempty"`
}

// DescribeEventsOutput is the answer of DescribeEvents.
type DescribeEventsOutput struct {
	OperationEvents []OperationEvent `xml:"OperationEvents>member"`
	NextToken       string           `xml:",omitempty"`
}

// DescribeEvents tells what happened to a stack, newest first, by the operations
// that it happened in. An operation is known by its first event.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeEvents.html
func (e *Engine) DescribeEvents(ctx context.Context, in DescribeEventsInput) (DescribeEventsOutput, error) {
	if err := e.fault("DescribeEvents", ""); err != nil {
		return DescribeEventsOutput{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	name := in.StackName
	if name == "" && in.ChangeSetName != "" {
		st, _, err := e.findChangeSet(ctx, in.ChangeSetName, "")
		if err != nil {
			return DescribeEventsOutput{}, err
		}
		name = st.ref.ID
	}
	st, err := e.find(ctx, name)
	if err != nil {
		return DescribeEventsOutput{}, err
	}
	all := st.operations()
	var shown []OperationEvent
	for i := len(all) - 1; i >= 0; i-- {
		ev := all[i]
		if (in.OperationID == "" || ev.OperationID == in.OperationID) && (!in.Filters.FailedEvents || ev.EventType == "PROVISIONING_ERROR") {
			shown = append(shown, ev)
		}
	}
	shown, next, err := page(shown, in.NextToken)
	return DescribeEventsOutput{shown, next}, err
}

// operations are the events with their operations, oldest first. The caller holds
// the engine's lock.
func (st *state) operations() []OperationEvent {
	var out []OperationEvent
	id, kind := "", ""
	for _, ev := range st.events {
		ofStack := ev.PhysicalResourceID == st.ref.ID
		if ofStack && ev.ResourceStatusReason == userInitiated {
			id = ev.EventID
			switch {
			case strings.HasPrefix(ev.ResourceStatus, "CREATE"):
				kind = "CREATE_STACK"
			case strings.HasPrefix(ev.ResourceStatus, "DELETE"):
				kind = "DELETE_STACK"
			case strings.HasPrefix(ev.ResourceStatus, "REVIEW"):
				kind = "CREATE_CHANGESET"
			case strings.HasPrefix(ev.ResourceStatus, "UPDATE_ROLLBACK"):
				kind = "CONTINUE_ROLLBACK"
			default:
				kind = "UPDATE_STACK"
			}
		}
		one := OperationEvent{
			EventID: ev.EventID, StackID: ev.StackID, OperationID: id, OperationType: kind, EventType: "PROGRESS_EVENT",
			LogicalResourceID: ev.LogicalResourceID, PhysicalResourceID: ev.PhysicalResourceID, ResourceType: ev.ResourceType, Timestamp: ev.Timestamp,
			ResourceStatus: ev.ResourceStatus, ResourceStatusReason: ev.ResourceStatusReason, ResourceProperties: ev.ResourceProperties, ClientRequestToken: ev.ClientRequestToken,
		}
		switch {
		case ofStack:
			one.EventType, one.OperationStatus = "STACK_EVENT", "IN_PROGRESS"
			if !underWay(ev.ResourceStatus) {
				one.OperationStatus = "SUCCEEDED"
			}
			if strings.Contains(ev.ResourceStatus, "FAILED") || strings.Contains(ev.ResourceStatus, "ROLLBACK_COMPLETE") {
				one.OperationStatus = "FAILED"
			}
		case strings.HasSuffix(ev.ResourceStatus, "FAILED"):
			one.EventType = "PROVISIONING_ERROR"
		}
		out = append(out, one)
	}
	return out
}
