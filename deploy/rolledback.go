package deploy

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// deleteRolledBack clears away what is left of a stack whose creation failed:
// CloudFormation takes no other change of it.
func (r *run) deleteRolledBack(ctx context.Context, stack Stack) error {
	resources, err := r.listResources(ctx, stack.ID)
	if err != nil {
		return err
	}
	for _, res := range resources {
		switch res.ResourceStatus {
		case types.ResourceStatusDeleteComplete, types.ResourceStatusDeleteSkipped:
		default:
			return &FailedError{
				StackName: stack.Name, Status: stack.Status, LogicalID: aws.ToString(res.LogicalResourceId),
				Type: aws.ToString(res.ResourceType), Reason: "its creation was rolled back, but it is still there", Origin: r.origin(aws.ToString(res.LogicalResourceId)),
			}
		}
	}
	r.note("stack %s was never made: its creation failed and was rolled back; clearing it away", stack.Name)
	follower, err := r.newFollower(ctx, stack.ID)
	if err != nil {
		return err
	}
	_, err = r.Stacks.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: aws.String(stack.ID), ClientRequestToken: aws.String("arc-" + newToken())})
	if err != nil {
		return fmt.Errorf("delete the rolled-back stack %s: %w", stack.Name, err)
	}
	status, err := follower.toEnd(ctx)
	if err != nil {
		return err
	}
	if status != string(types.StackStatusDeleteComplete) {
		return follower.failure(ctx, status)
	}
	return nil
}
