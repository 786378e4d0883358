package deploy

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Stack is a stack as it is deployed now.
type Stack struct {
	Exists       bool // false also for a stack that was only ever reviewed, or is deleted
	Name         string
	ID           string
	Status       string // "" when CloudFormation knows no such stack
	StatusReason string
	Outputs      map[string]string
	Parameters   map[string]string // NoEcho ones read "****"
	Tags         map[string]string
	Template     []byte // as it was sent; nil when the stack does not exist
	Protected    bool   // CloudFormation refuses to delete it
	// version changes with every operation on the stack, and with nothing else.
	version     string
	changeSetID string // of the last change set that was executed, "" where that is not told
}

// Describe reads a stack and its template. A stack that does not exist is not
// an error.
func (c Clients) Describe(ctx context.Context, stackName string) (Stack, error) {
	stack, err := c.describeStack(ctx, stackName)
	if err != nil || !stack.Exists {
		return stack, err
	}
	stack.Template, err = c.readTemplate(ctx, stack.ID)
	return stack, err
}

// readTemplate gives a stack's template as it was sent.
func (c Clients) readTemplate(ctx context.Context, stackID string) ([]byte, error) {
	got, err := c.Stacks.GetTemplate(ctx, &cloudformation.GetTemplateInput{
		StackName:     aws.String(stackID),
		TemplateStage: types.TemplateStageOriginal,
	})
	if err != nil {
		return nil, fmt.Errorf("read the template of stack %s: %w", stackID, err)
	}
	return []byte(aws.ToString(got.TemplateBody)), nil
}

// describeStack reads everything but the template. nameOrID may be the stack's
// ID, with which a deleted stack is still found.
func (c Clients) describeStack(ctx context.Context, nameOrID string) (Stack, error) {
	got, err := c.Stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(nameOrID)})
	if isMissingStack(err) || err == nil && len(got.Stacks) == 0 {
		return Stack{Name: nameOrID}, nil
	}
	if err != nil {
		return Stack{Name: nameOrID}, fmt.Errorf("describe stack %s: %w", nameOrID, err)
	}
	return newStack(got.Stacks[0]), nil
}

func newStack(s types.Stack) Stack {
	stack := Stack{
		Name:         aws.ToString(s.StackName),
		ID:           aws.ToString(s.StackId),
		Status:       string(s.StackStatus),
		StatusReason: aws.ToString(s.StackStatusReason),
		Outputs:      map[string]string{},
		Parameters:   map[string]string{},
		Tags:         map[string]string{},
		Protected:    aws.ToBool(s.EnableTerminationProtection),
	}
	stack.Exists = stack.Status != string(types.StackStatusReviewInProgress) && stack.Status != string(types.StackStatusDeleteComplete)
	for _, o := range s.Outputs {
		stack.Outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	for _, p := range s.Parameters {
		stack.Parameters[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
	}
	for _, t := range s.Tags {
		stack.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	stack.changeSetID = aws.ToString(s.ChangeSetId)
	stack.version = stack.changeSetID
	if s.LastUpdatedTime != nil {
		stack.version += "@" + s.LastUpdatedTime.UTC().Format(time.RFC3339Nano)
	}
	return stack
}

// inProgress tells that an operation on the stack is under way. A stack in
// review waits for a change set to be executed: nothing moves there.
func (s Stack) inProgress() bool {
	return strings.HasSuffix(s.Status, "_IN_PROGRESS") && s.Status != string(types.StackStatusReviewInProgress)
}

// listResources gives all pages of a stack's resources.
func (c Clients) listResources(ctx context.Context, stackID string) ([]types.StackResourceSummary, error) {
	in := &cloudformation.ListStackResourcesInput{StackName: aws.String(stackID)}
	var all []types.StackResourceSummary
	for {
		page, err := c.Stacks.ListStackResources(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list the resources of stack %s: %w", stackID, err)
		}
		all = append(all, page.StackResourceSummaries...)
		if page.NextToken == nil {
			return all, nil
		}
		in.NextToken = page.NextToken
	}
}
