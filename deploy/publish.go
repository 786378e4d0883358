package deploy

import (
	"context"
	"fmt"
)

// Publish brings the static files of d to its stack, which is there already, and
// changes nothing else.
func (dp *Deployer) Publish(ctx context.Context, d Deployment) (Outcome, error) {
	r, err := dp.newRun(d)
	if err != nil {
		return Outcome{StackName: d.StackName}, err
	}
	stack, err := r.describeStack(ctx, d.StackName)
	switch {
	case err != nil:
		return r.outcome, err
	case stack.Absent():
		return r.outcome, fmt.Errorf("stack %s is not there yet; deploy it once, and its files with it", d.StackName)
	case stack.inProgress():
		return r.outcome, fmt.Errorf("stack %s is in %s; publish its files when that is over", d.StackName, stack.Status)
	}
	if err := r.mayChange(ctx, stack); err != nil {
		return r.outcome, err
	}
	r.outcome.StackID, r.outcome.Outputs, r.outcome.Unchanged = stack.ID, stack.Outputs, true
	return r.outcome, r.publish(ctx, stack)
}
