package deploy

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"arc/deploy/why"
)

// errLeft: CloudFormation was told to go ahead, and nobody waits for it.
var errLeft = errors.New("CloudFormation goes on by itself")

// leave ends a run that is not to wait.
func (r *run) leave(stackID string) error {
	r.outcome.StackID, r.outcome.Running = stackID, true
	return errLeft
}

// Follow follows what is under way on a stack to its end, or tells how its last
// operation ended: with a *FailedError when it failed. It changes nothing.
func (dp *Deployer) Follow(ctx context.Context, stackID string) (Outcome, error) {
	r := &run{Clients: dp.Clients, d: Deployment{StackName: stackID}, progress: dp.oneAtATime(), outcome: Outcome{StackName: stackID}}
	stack, err := r.describeStack(ctx, stackID)
	if err != nil {
		return r.outcome, err
	}
	if stack.ID == "" {
		return r.outcome, fmt.Errorf("there is no stack %s", stackID)
	}
	r.d.StackName, r.outcome.StackName, r.outcome.StackID = stack.Name, stack.Name, stack.ID
	if stack.inProgress() {
		if err := r.attach(ctx, stack); err != nil {
			if ctx.Err() != nil {
				err = &InterruptedError{StackName: stack.Name, Executing: true, Err: ctx.Err()}
			}
			return r.outcome, err
		}
		if stack, err = r.describeStack(ctx, stack.ID); err != nil {
			return r.outcome, err
		}
	}
	r.outcome.Outputs = stack.Outputs
	switch types.StackStatus(stack.Status) {
	case types.StackStatusCreateComplete, types.StackStatusUpdateComplete:
		return r.outcome, nil
	}
	failed := &FailedError{StackName: stack.Name, Status: stack.Status}
	events, err := r.LastOperation(ctx, stack.ID)
	if err != nil {
		return r.outcome, errors.Join(failed, err)
	}
	if failed.Cause, _ = why.First(events); failed.Cause != nil {
		failed.LogicalID, failed.Type, failed.Reason = failed.Cause.LogicalID(), failed.Cause.Type, failed.Cause.Reason
	}
	return r.outcome, failed
}
