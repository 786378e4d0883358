package deploy

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"arc/cfn"
)

// ForeignError refuses a stack that is not the app's: one that bears another
// mark, or that nothing shows arc or Architect to have made. Nothing was changed.
type ForeignError struct {
	StackName string
	Want      cfn.Mark
	Mark      *cfn.Mark // what the stack bears; nil: no mark
	Err       error     // why the mark cannot be read; nil otherwise
}

// Error says whose it is, as far as that is known.
func (e *ForeignError) Error() string {
	switch {
	case e.Err != nil:
		return fmt.Sprintf("stack %s is left as it is: whose it is cannot be read: %v", e.StackName, e.Err)
	case e.Mark != nil:
		return fmt.Sprintf("stack %s is left as it is: it belongs to %s, and not to %s", e.StackName, e.Mark, e.Want)
	}
	return fmt.Sprintf("stack %s is left as it is: nothing shows that arc or Architect made it for %s", e.StackName, e.Want)
}

// Unwrap is why the mark cannot be read.
func (e *ForeignError) Unwrap() error { return e.Err }

// Unmarked tells a stack that may be adopted: it bears no mark at all.
func (e *ForeignError) Unmarked() bool { return e.Mark == nil && e.Err == nil }

// Owned fails with a *ForeignError when a stack that exists is not the one that
// want says. A stack that is not there is no error.
func (c Clients) Owned(ctx context.Context, stackName string, want cfn.Mark) error {
	stack, err := c.describeStack(ctx, stackName)
	if err != nil {
		return err
	}
	_, err = c.owned(ctx, stack, want)
	return err
}

// owned tells whether it is known whose the stack is: that of one whose
// creation has hardly begun is not.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplateSummary.html
func (c Clients) owned(ctx context.Context, stack Stack, want cfn.Mark) (known bool, err error) {
	if !stack.Exists {
		return false, nil
	}
	summary, err := c.Stacks.GetTemplateSummary(ctx, &cloudformation.GetTemplateSummaryInput{StackName: aws.String(stack.ID)})
	if isMissingStack(err) || err != nil && stack.inProgress() && isCode(err, "ValidationError") {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read whose stack %s is: %w", stack.Name, err)
	}
	foreign := &ForeignError{StackName: stack.Name, Want: want}
	foreign.Mark, foreign.Err = cfn.ReadMark(aws.ToString(summary.Metadata))
	if foreign.Mark == nil {
		// There is none, or the endpoint tells it otherwise than as JSON.
		body, err := c.readTemplate(ctx, stack.ID)
		if isMissingStack(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		doc := parseOrEmpty(body)
		if foreign.Mark, foreign.Err = doc.Mark(); foreign.Mark == nil && foreign.Err == nil && doc.MadeBefore(want) {
			return true, nil
		}
	}
	if foreign.Mark == nil || *foreign.Mark != want {
		return true, foreign
	}
	return true, nil
}

// mayChange fails with a *ForeignError unless the stack is the deployment's, or
// bears no mark and is to be adopted. It asks once for each stack.
func (r *run) mayChange(ctx context.Context, stack Stack) error {
	if r.known[stack.ID] {
		return nil
	}
	known, err := r.owned(ctx, stack, r.mark)
	if foreign, ok := err.(*ForeignError); ok && r.d.Adopt && foreign.Unmarked() {
		r.note("stack %s bore no mark; it becomes that of %s", stack.Name, r.mark)
		err = nil
	}
	if err == nil && known {
		r.known[stack.ID] = true
	}
	return err
}
