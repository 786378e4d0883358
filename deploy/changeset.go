package deploy

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"arc/cfn"
	"arc/deploy/s3"
)

// cleanupTime bounds what is still done after an interrupt.
const cleanupTime = 3 * time.Second

var (
	// errNoChanges: CloudFormation compared, and found nothing to do.
	errNoChanges = errors.New("no changes")
	// errOvertaken: another run got in between; look again.
	errOvertaken = errors.New("the stack has moved on")
)

// changeSet is a change set of this run.
type changeSet struct {
	name    string // unique: some endpoints find change sets by name alone, whatever the stack
	stackID string
	changes []types.Change
}

// makeChangeSet makes a change set and waits until it can be read.
func (r *run) makeChangeSet(ctx context.Context, stack Stack, bucket s3.Bucket) (*changeSet, error) {
	in := &cloudformation.CreateChangeSetInput{
		StackName:     aws.String(r.d.StackName),
		ChangeSetType: types.ChangeSetTypeUpdate,
		Capabilities:  []types.Capability{types.CapabilityCapabilityIam},
		Description:   aws.String("arc deploy"),
	}
	if !stack.Exists {
		in.ChangeSetType = types.ChangeSetTypeCreate
	}
	if r.template.Transform != nil {
		in.Capabilities = append(in.Capabilities, types.CapabilityCapabilityAutoExpand)
	}
	if r.hasNestedStacks() {
		in.IncludeNestedStacks = aws.Bool(true)
	}
	for _, name := range slices.Sorted(maps.Keys(r.template.Parameters)) {
		if value, ok := r.givenParameter(name, bucket); ok {
			in.Parameters = append(in.Parameters, types.Parameter{ParameterKey: aws.String(name), ParameterValue: aws.String(value)})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.d.Tags)) {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(key), Value: aws.String(r.d.Tags[key])})
	}
	if len(r.d.Template) > cfn.MaxInlineTemplate {
		url, err := r.uploadTemplate(ctx, bucket)
		if err != nil {
			return nil, err
		}
		in.TemplateURL = aws.String(url)
	} else {
		in.TemplateBody = aws.String(string(r.d.Template))
	}
	if err := r.stillOwned(ctx, bucket); err != nil {
		return nil, err
	}
	return r.createChangeSet(ctx, in)
}

func (r *run) createChangeSet(ctx context.Context, in *cloudformation.CreateChangeSetInput) (*changeSet, error) {
	set := &changeSet{name: r.changeSetPrefix() + newToken() + signature(r.d.By), stackID: r.d.StackName}
	in.ChangeSetName = aws.String(set.name)
	in.ClientToken = aws.String(set.name)
	made, err := r.Stacks.CreateChangeSet(ctx, in)
	var exists *types.AlreadyExistsException
	switch {
	case err == nil:
		set.stackID = aws.ToString(made.StackId)
	case errors.As(err, &exists):
		// Nobody else has this name: the answer to our first try was lost.
	case isNoChanges(err.Error()):
		return nil, errNoChanges
	case isBusy(err), isRefusal(err, "ValidationError", "already exists and cannot be created"), isMissingStack(err) && in.ChangeSetType == types.ChangeSetTypeUpdate:
		return nil, errOvertaken
	default:
		return nil, fmt.Errorf("make a change set for stack %s: %w", r.d.StackName, err)
	}
	if err := r.readChangeSet(ctx, set); err != nil {
		r.deleteChangeSet(ctx, set)
		return nil, err
	}
	return set, nil
}

// readChangeSet waits for CloudFormation to work out the changes, and reads them.
func (r *run) readChangeSet(ctx context.Context, set *changeSet) error {
	for pace := r.newPace(); ; {
		got, err := r.describeChangeSet(ctx, set.stackID, set.name)
		if err != nil {
			return err
		}
		set.stackID = aws.ToString(got.StackId)
		switch got.Status {
		case types.ChangeSetStatusCreateComplete:
			set.changes = got.Changes
			return nil
		case types.ChangeSetStatusFailed:
			reason := aws.ToString(got.StatusReason)
			if isNoChanges(reason) {
				return errNoChanges
			}
			return fmt.Errorf("CloudFormation refuses the change set for stack %s: %s", r.d.StackName, reason)
		case types.ChangeSetStatusCreatePending, types.ChangeSetStatusCreateInProgress:
		default: // being deleted
			return errOvertaken
		}
		if err := pace.wait(ctx); err != nil {
			return err
		}
	}
}

// describeChangeSet reads a change set with all pages of its changes.
func (r *run) describeChangeSet(ctx context.Context, stackID, nameOrID string) (*cloudformation.DescribeChangeSetOutput, error) {
	in := &cloudformation.DescribeChangeSetInput{ChangeSetName: aws.String(nameOrID), StackName: aws.String(stackID)}
	var all *cloudformation.DescribeChangeSetOutput
	for {
		page, err := r.Stacks.DescribeChangeSet(ctx, in)
		var missing *types.ChangeSetNotFoundException
		switch {
		case errors.As(err, &missing), isMissingStack(err):
			return nil, errOvertaken
		case err != nil:
			return nil, fmt.Errorf("read the change set of stack %s: %w", r.d.StackName, err)
		}
		if all == nil {
			all = page
		} else {
			all.Changes = append(all.Changes, page.Changes...)
		}
		if page.NextToken == nil {
			return all, nil
		}
		in.NextToken = page.NextToken
	}
}

// execute starts the change set.
func (r *run) execute(ctx context.Context, set *changeSet) error {
	_, err := r.Stacks.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{
		ChangeSetName:      aws.String(set.name),
		StackName:          aws.String(set.stackID),
		ClientRequestToken: aws.String(set.name),
	})
	var status *types.InvalidChangeSetStatusException
	var missing *types.ChangeSetNotFoundException
	switch {
	case err == nil:
		return nil
	case errors.As(err, &missing), isMissingStack(err):
		return errOvertaken
	case errors.As(err, &status), isBusy(err):
		// Either an answer of ours was lost, or another run was quicker.
		got, readErr := r.describeChangeSet(ctx, set.stackID, set.name)
		if readErr != nil {
			return readErr
		}
		switch got.ExecutionStatus {
		case types.ExecutionStatusExecuteInProgress, types.ExecutionStatusExecuteComplete, types.ExecutionStatusExecuteFailed:
			return nil
		}
		return errOvertaken
	}
	return fmt.Errorf("execute the change set of stack %s: %w", r.d.StackName, err)
}

// deleteChangeSet clears away, as well as it can, a change set that will not
// be executed. One that stays behind does no harm.
func (r *run) deleteChangeSet(ctx context.Context, set *changeSet) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	_, _ = r.Stacks.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{
		ChangeSetName: aws.String(set.name), StackName: aws.String(set.stackID),
	})
}

// givenParameter leaves a parameter that rests on its default to CloudFormation.
func (r *run) givenParameter(name string, bucket s3.Bucket) (string, bool) {
	if name == cfn.ArtifactBucketParameter {
		return bucket.Name, true
	}
	value, ok := r.d.Parameters[name]
	return value, ok
}

func (r *run) hasNestedStacks() bool {
	for _, res := range r.template.Resources {
		if res.Type == nestedStack {
			return true
		}
	}
	return false
}

// isNoChanges recognises the ways to say that an update would change nothing.
func isNoChanges(reason string) bool {
	return strings.Contains(reason, "didn't contain changes") || strings.Contains(reason, "No updates are to be performed")
}

// isBusy recognises the refusal of a stack that has an operation under way.
func isBusy(err error) bool {
	return isRefusal(err, "ValidationError", "_IN_PROGRESS state") || isCode(err, "OperationInProgressException")
}

func newToken() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
