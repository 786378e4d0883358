package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"arc/cfn"
	"arc/deploy/s3"
)

// maxRounds bounds how often a run begins anew because another one changed
// the stack between its look and its change set.
const maxRounds = 10

// run is one call of Deploy.
type run struct {
	Clients
	d         Deployment
	template  *cfn.Document
	mark      cfn.Mark
	account   string          // of the credentials, once it was asked for
	caller    string          // likewise, the ARN of who has them
	known     map[string]bool // IDs of stacks that the run may change
	proofs    sync.Mutex      // guards sums and believed
	sums      sums
	kept      Sums                                    // of earlier runs; nil = none
	believed  map[string]bool                         // keys whose hash is from kept; guarded by proofs
	listed    map[string][]types.StackResourceSummary // by ID and version of the stack
	progress  Progress
	executing bool
	destroys  bool     // it is there to delete the stack
	changed   bool     // the change set is executed
	marked    []string // functions that were changed directly
	resumed   bool     // the stack is what an earlier run of the same plan made of it
	outcome   Outcome
}

// newRun checks what can be checked before anything is asked of AWS.
func (dp *Deployer) newRun(d Deployment) (*run, error) {
	if len(d.Template) > cfn.MaxTemplate {
		return nil, fmt.Errorf("template of stack %s: %d bytes, CloudFormation takes at most %d; split the app", d.StackName, len(d.Template), cfn.MaxTemplate)
	}
	doc, err := cfn.Parse(d.Template)
	if err != nil {
		return nil, fmt.Errorf("template of stack %s: %w", d.StackName, err)
	}
	mark, err := doc.Mark()
	if err == nil && mark == nil {
		err = errors.New("it does not say in its Metadata whose stack it makes")
	}
	if err != nil {
		return nil, fmt.Errorf("template of stack %s: %w", d.StackName, err)
	}
	r := &run{
		Clients: dp.Clients, d: d, template: doc, mark: *mark, progress: dp.oneAtATime(), outcome: Outcome{StackName: d.StackName},
		known: map[string]bool{}, sums: sums{}, kept: dp.Sums, believed: map[string]bool{}, listed: map[string][]types.StackResourceSummary{},
	}
	if err := r.checkParameters(); err != nil {
		return nil, err
	}
	return r, nil
}

// oneAtATime is the deployer's progress, whose calls do not overlap.
func (dp *Deployer) oneAtATime() Progress {
	var one sync.Mutex
	return func(s Step) {
		if dp.Progress == nil {
			return
		}
		one.Lock()
		defer one.Unlock()
		dp.Progress(s)
	}
}

func (r *run) checkParameters() error {
	var errs []error
	for name := range r.d.Parameters {
		if _, ok := r.template.Parameters[name]; !ok {
			errs = append(errs, fmt.Errorf("template of stack %s: it has no parameter %s to give a value to", r.d.StackName, name))
		}
	}
	for name := range r.template.Parameters {
		if _, ok := r.parameter(name, ""); !ok {
			errs = append(errs, fmt.Errorf("template of stack %s: parameter %s has neither a value nor a default", r.d.StackName, name))
		}
	}
	return joinSorted(errs)
}

func (r *run) note(format string, args ...any) {
	r.progress(Step{Kind: "note", Message: fmt.Sprintf(format, args...)})
}

func (r *run) origin(logicalID string) string {
	if r.d.Origin == nil {
		return ""
	}
	return r.d.Origin(logicalID)
}

// bring looks at the stack, does what its state asks for, and looks again,
// until the stack is what it should be.
func (r *run) bring(ctx context.Context) error {
	for range maxRounds {
		stack, err := r.describeStack(ctx, r.d.StackName)
		if err != nil {
			return err
		}
		if err := r.mayChange(ctx, stack); err != nil {
			return err
		}
		if err := r.stillAsPlanned(ctx, stack); err != nil {
			return err
		}
		switch {
		case stack.inProgress() && r.d.NoWait:
			return r.leave(stack.ID)
		case stack.inProgress():
			err = r.attach(ctx, stack)
		case stack.Status == string(types.StackStatusRollbackComplete):
			err = r.deleteRolledBack(ctx, stack)
		case isStuck(stack.Status):
			return &FailedError{StackName: stack.Name, Status: stack.Status}
		default:
			err = r.change(ctx, stack)
			if err == nil {
				return nil
			}
		}
		if err != nil && !errors.Is(err, errOvertaken) {
			return err
		}
	}
	return fmt.Errorf("stack %s: other deployments keep changing it; deploy again when they are done", r.d.StackName)
}

// isStuck names the states that no change set leads out of.
func isStuck(status string) bool {
	switch types.StackStatus(status) {
	case types.StackStatusCreateFailed, types.StackStatusRollbackFailed, types.StackStatusDeleteFailed, types.StackStatusUpdateRollbackFailed:
		return true
	}
	return false
}

// change brings a stack at rest to its new state.
func (r *run) change(ctx context.Context, stack Stack) error {
	begun := time.Now()
	if stack.Exists {
		var err error
		if stack.Template, err = r.readTemplate(ctx, stack.ID); isMissingStack(err) {
			return errOvertaken
		} else if err != nil {
			return err
		}
		if same, err := r.unchanged(ctx, stack); err != nil {
			return err
		} else if same {
			return r.finishUnchanged(ctx, stack)
		}
	}
	if err := r.publishEarly(ctx, stack); err != nil {
		return err
	}
	bucket, err := r.upload(ctx)
	if err != nil {
		return err
	}
	set, err := r.makeChangeSet(ctx, stack, bucket)
	if errors.Is(err, errNoChanges) && stack.Exists {
		if err := r.rememberSecrets(ctx, stack); err != nil {
			return err
		}
		return r.finishUnchanged(ctx, stack)
	}
	if err != nil {
		return err
	}
	r.reportChanges(set)
	if err := r.confirm(ctx, set); err != nil {
		r.deleteChangeSet(ctx, set)
		return err
	}
	if err := r.refuseRuntimes(set); err != nil {
		r.deleteChangeSet(ctx, set)
		return err
	}
	if err := r.refuseLoss(ctx, set, stack.Template); err != nil {
		r.deleteChangeSet(ctx, set)
		return err
	}
	if err := r.readBack(ctx, set, stack.Template); err != nil {
		r.deleteChangeSet(ctx, set)
		return err
	}
	if err := r.unmark(ctx, stack, set); err != nil {
		r.deleteChangeSet(ctx, set)
		return err
	}
	published, err := r.republish(ctx, stack, set)
	if err != nil {
		r.deleteChangeSet(ctx, set)
		return errors.Join(err, published())
	}
	err = r.apply(ctx, set, bucket, stack.Exists)
	if !r.executing && !r.d.NoWait { // else AWS is about to publish still, and the next deploy puts it back
		err = errors.Join(err, published())
	}
	if err != nil {
		return err
	}
	r.outcome.Created = !stack.Exists
	if err := r.finish(ctx, set); err != nil {
		return err
	}
	r.record(ctx, bucket, begun)
	return nil
}

// upload finds the artifact bucket and fills it, when the template needs one.
func (r *run) upload(ctx context.Context) (s3.Bucket, error) {
	_, needed := r.template.Parameters[cfn.ArtifactBucketParameter]
	if !needed && len(r.d.Artifacts) == 0 && len(r.d.Template) <= cfn.MaxInlineTemplate {
		return s3.Bucket{}, nil
	}
	bucket, err := r.findBucket(ctx)
	if err != nil {
		return bucket, err
	}
	n, err := r.uploadArtifacts(ctx, bucket)
	r.outcome.Uploaded += n
	return bucket, err
}

// apply executes the change set and follows it to its end. existed tells that
// the stack was there before, and may have a record.
func (r *run) apply(ctx context.Context, set *changeSet, bucket s3.Bucket, existed bool) error {
	if err := r.stillOwned(ctx, bucket); err != nil {
		r.deleteChangeSet(ctx, set)
		return err
	}
	follower, err := r.newFollower(ctx, set.stackID)
	if err == nil {
		// From here on an interrupt may leave AWS at work, even if no answer came.
		r.executing = true
		err = r.execute(ctx, set)
	}
	if err != nil {
		r.executing = r.executing && ctx.Err() != nil
		if !r.executing {
			r.deleteChangeSet(ctx, set)
		}
		return err
	}
	if r.d.NoWait {
		return r.leave(set.stackID)
	}
	if existed {
		r.expect(ctx, bucket)
	}
	follower.others = r.listen(ctx, bucket)
	status, err := follower.toEnd(ctx)
	if err != nil {
		return err
	}
	r.executing = false
	switch types.StackStatus(status) {
	case types.StackStatusCreateComplete, types.StackStatusUpdateComplete:
		r.changed = true
		return nil
	}
	return follower.failure(ctx, status)
}

func (r *run) reportChanges(set *changeSet) {
	for _, c := range set.changes {
		rc := c.ResourceChange
		if rc == nil {
			continue
		}
		step := Step{Kind: "change-set", LogicalID: aws.ToString(rc.LogicalResourceId), Type: aws.ToString(rc.ResourceType), Status: string(rc.Action)}
		verb := map[types.ChangeAction]string{types.ChangeActionAdd: "add", types.ChangeActionRemove: "remove"}[rc.Action]
		switch {
		case rc.Replacement == types.ReplacementTrue:
			step.Status, verb = "Replace", "replace"
		case rc.Replacement == types.ReplacementConditional:
			step.Status, verb = "MayReplace", "change or replace"
		case verb == "":
			verb = "change"
		}
		step.Message = fmt.Sprintf("will %s %s (%s)", verb, step.LogicalID, step.Type)
		r.progress(step)
	}
}

// finish reads what the change led to, and does what waits for it.
func (r *run) finish(ctx context.Context, set *changeSet) error {
	stack, err := r.describeStack(ctx, set.stackID)
	if err != nil {
		return err
	}
	clear(r.listed)
	r.outcome.StackID, r.outcome.Outputs = stack.ID, stack.Outputs
	// Secrets are remembered with the version of the stack that holds them,
	// which may be the next one already when another run is under way.
	if stack.inProgress() || stack.changeSetID != "" && !strings.Contains(stack.changeSetID, set.name) {
		r.noteOvertaken(stack)
		return r.publish(ctx, stack)
	}
	if err := r.rememberSecrets(ctx, stack); err != nil {
		return err
	}
	return r.finishWith(ctx, stack)
}

// resources lists what a stack at rest holds, once for each of its versions.
func (r *run) resources(ctx context.Context, stack Stack) ([]types.StackResourceSummary, error) {
	key := stack.ID + " " + stack.version + " " + stack.Status
	if all, ok := r.listed[key]; ok {
		return all, nil
	}
	all, err := r.listResources(ctx, stack.ID)
	if err == nil {
		r.listed[key] = all
	}
	return all, err
}

// noteOvertaken tells why a run does not look at what its stack runs.
func (r *run) noteOvertaken(stack Stack) {
	r.note("stack %s was changed by another run since%s; that one compares what it runs with what was packaged", r.d.StackName, whoBegan(stack.begunBy(), "began"))
}

func (r *run) finishUnchanged(ctx context.Context, stack Stack) error {
	r.outcome.Unchanged = true
	return r.finishWith(ctx, stack)
}

// finishWith looks whether the stack runs what was packaged, also when it was
// left alone: an earlier run may have found that it does not, and ended there.
func (r *run) finishWith(ctx context.Context, stack Stack) error {
	r.outcome.StackID, r.outcome.Outputs = stack.ID, stack.Outputs
	if err := r.verify(ctx, stack); err != nil {
		return err
	}
	return r.publish(ctx, stack)
}
