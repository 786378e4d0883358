package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"arc/cfn"
	"arc/deploy/s3"
	"arc/deploy/ssm"
)

// Destruction names a stack to delete, and what may be lost with it.
type Destruction struct {
	App  string   // under whose name deploy keeps what it knows of the stack in SSM
	Mark cfn.Mark // whose stack it has to be
	// Stage, when it is not "", ends with the stack, and with it the AppSecret
	// that was made for it.
	Stage     string
	StackName string
	AllowLoss []string // logical IDs of data-holding resources that may be deleted
	Force     bool     // all of them may be
	// By names who destroys, for whoever works on the same stack meanwhile; "" = nobody.
	By string
	// Origin gives the manifest position of a resource for error messages; nil
	// or "" when there is none.
	Origin func(logicalID string) string
}

// Destroyed is what a destruction did.
type Destroyed struct {
	StackName string
	Missing   bool   // there was no such stack
	Emptied   int    // objects and old versions that were deleted from the static bucket
	Kept      []Kept // what the stack's template says is to outlive it, sorted by LogicalID
}

// Kept is a resource that outlives its stack.
type Kept struct {
	LogicalID  string // "Nested/Table" within a nested stack
	Type       string
	PhysicalID string
	Snapshot   bool // only a snapshot of it does
}

// destruction is one call of Destroy.
type destruction struct {
	*run
	order Destruction
	done  Destroyed
}

// Destroy deletes a stack and what deploy remembers of its secrets. The bucket
// of static files is emptied first, when the stack made it: CloudFormation
// deletes no bucket that holds anything. What several stacks share or the user
// made stays: the artifact bucket, a named bucket of static files, environment
// variables.
//
// It fails with a *ForeignError when the stack is not the one that Mark says; with
// a *LossError, and leaves everything as it is, when data would
// be lost that neither AllowLoss nor Force gives up; with a *NotDestroyedError
// when CloudFormation cannot delete the stack; with an *InterruptedError or a
// *GoesOnError when it could not be followed to its end. A stack that does not exist is
// no error. Killing it at any moment and running it again gives the same end
// state.
func (dp *Deployer) Destroy(ctx context.Context, order Destruction) (Destroyed, error) {
	d := Deployment{App: order.App, Stage: order.Stage, StackName: order.StackName, Origin: order.Origin, By: order.By}
	w := &destruction{
		run:   &run{Clients: dp.Clients, d: d, destroys: true, mark: order.Mark, known: map[string]bool{}, progress: dp.oneAtATime()},
		order: order,
		done:  Destroyed{StackName: order.StackName, Missing: true, Kept: []Kept{}},
	}
	err := w.bring(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		err = &InterruptedError{StackName: order.StackName, Deleting: true, Executing: w.executing, Changed: w.changed, Err: ctx.Err()}
	case err != nil && w.executing:
		err = w.goesOn(ctx, err)
	}
	return w.done, err
}

// bring looks at the stack, does what its state asks for, and looks again,
// until the stack is gone.
func (w *destruction) bring(ctx context.Context) error {
	for range maxRounds {
		stack, err := w.describeStack(ctx, w.d.StackName)
		if err != nil {
			return err
		}
		if err := w.mayChange(ctx, stack); err != nil {
			return err
		}
		switch {
		case stack.Status == "" || stack.Status == string(types.StackStatusDeleteComplete):
			return errors.Join(w.forgetSecrets(ctx), w.forgetAppSecret(ctx))
		case stack.inProgress():
			w.done.Missing = false
			if err := w.attach(ctx, stack); err != nil {
				return err
			}
		default:
			w.done.Missing = false
			if err := w.remove(ctx, stack); err != nil {
				return err
			}
			return errors.Join(w.forgetSecrets(ctx), w.forgetAppSecret(ctx))
		}
	}
	return fmt.Errorf("stack %s: deployments keep changing it; destroy it when they are done", w.d.StackName)
}

// remove deletes a stack at rest.
func (w *destruction) remove(ctx context.Context, stack Stack) error {
	if stack.Protected {
		return fmt.Errorf("stack %s is protected from deletion; aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name %s lifts that", stack.Name, stack.Name)
	}
	// One that was only ever reviewed has neither template nor resources.
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
	holdings := &holdings{kept: []Kept{}}
	if stack.Exists {
		var err error
		if holdings, err = w.look(ctx, stack); err != nil {
			return err
		}
	}
	if err := w.refuse(holdings); err != nil {
		return err
	}
	w.done.Kept = holdings.kept
	if holdings.static != "" {
		if err := w.empty(ctx, holdings.static); err != nil {
			return err
		}
	}
	follower, err := w.newFollower(ctx, stack.ID)
	if err != nil {
		return err
	}
	if w.d.By != "" {
		bucket := s3.Bucket{Name: stack.Parameters[cfn.ArtifactBucketParameter]}
		if bucket.Owner, err = w.owner(ctx); err != nil {
			return err
		}
		follower.others = w.listen(ctx, bucket)
	}
	w.executing = true
	_, err = w.Stacks.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: aws.String(stack.ID), ClientRequestToken: aws.String("arc-" + newToken() + signature(w.d.By))})
	if err != nil {
		w.executing = ctx.Err() != nil // an interrupt may leave AWS at work, even if no answer came
		return fmt.Errorf("delete stack %s: %w", stack.Name, err)
	}
	if stack.Status == string(types.StackStatusReviewInProgress) {
		w.executing = false
		return nil // nothing was ever made in it, so no event tells of the end
	}
	status, err := follower.toEnd(ctx)
	if err != nil {
		return err
	}
	w.executing = false
	if status != string(types.StackStatusDeleteComplete) {
		return w.failure(ctx, stack, status)
	}
	w.changed = true
	return nil
}

// refuse fails with a LossError when something would be lost that was not
// given up, and with another error when what was given up is not there: that
// is a typing mistake, and the run may be about another stack than was meant.
func (w *destruction) refuse(h *holdings) error {
	for _, id := range w.order.AllowLoss {
		if !h.known[id] {
			return fmt.Errorf("stack %s has no resource %s to be lost; it is left as it is", w.d.StackName, id)
		}
	}
	if w.order.Force {
		return nil
	}
	losses := slices.DeleteFunc(h.losses, func(l Loss) bool { return slices.Contains(w.order.AllowLoss, l.LogicalID) })
	if len(losses) == 0 {
		return nil
	}
	return &LossError{StackName: w.d.StackName, Losses: losses}
}

// forgetSecrets removes what deploy keeps in SSM to recognise the stack's secrets.
func (w *destruction) forgetSecrets(ctx context.Context) error {
	name := secretsParameter(w.d.App, w.d.StackName)
	// A parameter that does not exist is no error of this call.
	if _, err := w.Parameters.DeleteParameters(ctx, &ssm.DeleteParametersInput{Names: []string{name}}); err != nil {
		return fmt.Errorf("remove %s from SSM: %w", name, err)
	}
	return nil
}

// NotDestroyedError tells that CloudFormation could not delete a stack, and why.
type NotDestroyedError struct {
	StackName string
	Status    string // of the stack afterwards
	Reason    string // CloudFormation's own summary
	Failures  []FailedDeletion
}

// FailedDeletion is a resource that could not be deleted.
type FailedDeletion struct {
	LogicalID  string // "Nested/Table" within a nested stack
	Type       string
	PhysicalID string
	Reason     string
}

// Error says which state the stack is left in, and what could not be deleted.
func (e *NotDestroyedError) Error() string {
	lines := []string{fmt.Sprintf("stack %s could not be deleted and is now in %s", e.StackName, e.Status)}
	if len(e.Failures) == 0 && e.Reason != "" {
		lines[0] += ": " + e.Reason
	}
	for _, f := range e.Failures {
		lines = append(lines, fmt.Sprintf("  %s (%s) %s: %s", f.LogicalID, f.Type, f.PhysicalID, f.Reason))
	}
	return strings.Join(append(lines, "remove the cause, then destroy it again"), "\n")
}

// failure gives the error for a stack whose deletion ended in status.
func (w *destruction) failure(ctx context.Context, stack Stack, status string) error {
	failed := &NotDestroyedError{StackName: stack.Name, Status: status}
	if now, err := w.describeStack(ctx, stack.ID); err == nil {
		failed.Reason = now.StatusReason
	}
	var err error
	if failed.Failures, err = w.failedDeletions(ctx, stack.ID, ""); err != nil {
		failed.Reason = err.Error()
	}
	return failed
}

// failedDeletions looks into nested stacks: of those the parent only tells
// that something in them failed.
func (w *destruction) failedDeletions(ctx context.Context, stackID, within string) ([]FailedDeletion, error) {
	resources, err := w.listResources(ctx, stackID)
	if err != nil {
		return nil, err
	}
	var failures []FailedDeletion
	for _, res := range resources {
		if res.ResourceStatus != types.ResourceStatusDeleteFailed {
			continue
		}
		id := within + aws.ToString(res.LogicalResourceId)
		if aws.ToString(res.ResourceType) == nestedStack && aws.ToString(res.PhysicalResourceId) != "" {
			if inner, err := w.failedDeletions(ctx, *res.PhysicalResourceId, id+"/"); err == nil && len(inner) > 0 {
				failures = append(failures, inner...)
				continue
			}
		}
		failures = append(failures, FailedDeletion{id, aws.ToString(res.ResourceType), aws.ToString(res.PhysicalResourceId), aws.ToString(res.ResourceStatusReason)})
	}
	slices.SortFunc(failures, func(a, b FailedDeletion) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	return failures, nil
}
