package deploy

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/google/go-cmp/cmp"

	"arc/deploy/why"
)

// nestedStacks answers for nested stacks that all have the same template, and
// for nothing else. Only arn:gone has a stack within it.
type nestedStacks struct{ Stacks }

func (nestedStacks) GetTemplate(_ context.Context, in *cloudformation.GetTemplateInput, _ ...func(*cloudformation.Options)) (*cloudformation.GetTemplateOutput, error) {
	return &cloudformation.GetTemplateOutput{TemplateBody: aws.String(`{"Resources": {
		"Jobs": {"Type": "AWS::SQS::Queue", "Properties": {}},
		"Kept": {"Type": "AWS::SQS::Queue", "Properties": {}, "DeletionPolicy": "Retain"},
		"Topic": {"Type": "AWS::SNS::Topic", "Properties": {}}}}`)}, nil
}

func (nestedStacks) ListStackResources(_ context.Context, in *cloudformation.ListStackResourcesInput, _ ...func(*cloudformation.Options)) (*cloudformation.ListStackResourcesOutput, error) {
	resource := func(id, kind string) types.StackResourceSummary {
		return types.StackResourceSummary{LogicalResourceId: aws.String(id), ResourceType: aws.String(kind), PhysicalResourceId: aws.String("arn:" + id)}
	}
	out := []types.StackResourceSummary{resource("Jobs", "AWS::SQS::Queue"), resource("Kept", "AWS::SQS::Queue"), resource("Topic", "AWS::SNS::Topic")}
	if *in.StackName == "arn:gone" {
		out = append(out, resource("Deeper", nestedStack))
	}
	return &cloudformation.ListStackResourcesOutput{StackResourceSummaries: out}, nil
}

func (nestedStacks) DescribeChangeSet(context.Context, *cloudformation.DescribeChangeSetInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeChangeSetOutput, error) {
	return &cloudformation.DescribeChangeSetOutput{Changes: []types.Change{{ResourceChange: &types.ResourceChange{
		Action: types.ChangeActionRemove, LogicalResourceId: aws.String("Jobs"), ResourceType: aws.String("AWS::SQS::Queue"),
	}}}}, nil
}

func (nestedStacks) DescribeStackEvents(_ context.Context, in *cloudformation.DescribeStackEventsInput, _ ...func(*cloudformation.Options)) (*cloudformation.DescribeStackEventsOutput, error) {
	event := func(id, kind, physicalID, status, reason string, at int) types.StackEvent {
		return types.StackEvent{
			StackId: in.StackName, LogicalResourceId: aws.String(id), ResourceType: aws.String(kind), PhysicalResourceId: aws.String(physicalID),
			ResourceStatus: types.ResourceStatus(status), ResourceStatusReason: aws.String(reason), Timestamp: aws.Time(time.Unix(int64(at), 0)),
		}
	}
	return &cloudformation.DescribeStackEventsOutput{StackEvents: []types.StackEvent{
		event("Inner", nestedStack, *in.StackName, "CREATE_FAILED", "the following failed: [Jobs]", 14),
		event("Other", "AWS::SQS::Queue", "", "CREATE_FAILED", "Resource creation cancelled", 13),
		event("Jobs", "AWS::SQS::Queue", "", "CREATE_FAILED", "the name is taken", 12),
		event("Jobs", "AWS::SQS::Queue", "", "CREATE_FAILED", "an older story", 2),
	}}, nil
}

func TestLossesWithinNestedStacks(t *testing.T) {
	deployed := []byte(`{"Resources": {"Gone": {"Type": "AWS::CloudFormation::Stack", "Properties": {}}}}`)
	r := &run{Clients: Clients{Stacks: nestedStacks{}}, template: parseOrEmpty(nil)}
	changes := []types.Change{
		{ResourceChange: &types.ResourceChange{
			Action: types.ChangeActionModify, LogicalResourceId: aws.String("Part"), ResourceType: aws.String(nestedStack),
			PhysicalResourceId: aws.String("arn:part"), ChangeSetId: aws.String("arn:set"),
		}},
		{ResourceChange: &types.ResourceChange{
			Action: types.ChangeActionRemove, LogicalResourceId: aws.String("Gone"), ResourceType: aws.String(nestedStack), PhysicalResourceId: aws.String("arn:gone"),
		}},
	}
	losses, err := r.losses(t.Context(), changes, deployed, "")
	if err != nil {
		t.Fatal(err)
	}
	const queue = "AWS::SQS::Queue"
	want := []Loss{
		{LogicalID: "Part/Jobs", Type: queue},
		{LogicalID: "Gone/Jobs", Type: queue, PhysicalID: "arn:Jobs"},
		{LogicalID: "Gone/Deeper/Jobs", Type: queue, PhysicalID: "arn:Jobs"},
	}
	if diff := cmp.Diff(want, losses); diff != "" {
		t.Error(diff)
	}
}

func TestFailureWithinANestedStack(t *testing.T) {
	r := &run{Clients: Clients{Stacks: nestedStacks{}}, d: Deployment{StackName: "DemoStaging"}}
	f := &follower{r: r, since: time.Unix(10, 0), seen: []why.Event{
		{StackID: "arn:outer", LogicalID: "DemoStaging", PhysicalID: "arn:outer", Type: nestedStack, Status: "CREATE_IN_PROGRESS", Timestamp: time.Unix(10, 0)},
		{StackID: "arn:outer", LogicalID: "Inner", PhysicalID: "arn:inner", Type: nestedStack, Status: "CREATE_FAILED", Timestamp: time.Unix(30, 0), Reason: "Embedded stack arn:inner was not successfully created"},
	}}
	want := "Jobs (AWS::SQS::Queue) failed: the name is taken; stack DemoStaging is now in ROLLBACK_COMPLETE: nothing was made; correct the cause and deploy again"
	if got := f.failure(t.Context(), "ROLLBACK_COMPLETE").Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
