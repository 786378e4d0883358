package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Drifted is a resource that is not as its template says.
type Drifted struct {
	LogicalID, Type string
	Gone            bool     // somebody deleted it
	Properties      []string // paths of those that differ, sorted
}

// driftPause is between two looks at a detection.
const driftPause = 2 * time.Second

// Drift has CloudFormation compare a stack's resources with its template, which
// takes a while, and gives those that differ, sorted by logical ID. Nothing is
// known of resources of types that CloudFormation does not compare.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
func (c Clients) Drift(ctx context.Context, stackName string) ([]Drifted, error) {
	begun, err := c.Stacks.DetectStackDrift(ctx, &cloudformation.DetectStackDriftInput{StackName: aws.String(stackName)})
	if err != nil {
		return nil, fmt.Errorf("detect the drift of stack %s: %w", stackName, err)
	}
	for {
		got, err := c.Stacks.DescribeStackDriftDetectionStatus(ctx, &cloudformation.DescribeStackDriftDetectionStatusInput{StackDriftDetectionId: begun.StackDriftDetectionId})
		if err != nil {
			return nil, fmt.Errorf("detect the drift of stack %s: %w", stackName, err)
		}
		if got.DetectionStatus == types.StackDriftDetectionStatusDetectionFailed {
			return nil, fmt.Errorf("detect the drift of stack %s: %s", stackName, aws.ToString(got.DetectionStatusReason))
		}
		if got.DetectionStatus == types.StackDriftDetectionStatusDetectionComplete {
			break
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(driftPause):
		}
	}
	var all []Drifted
	in := &cloudformation.DescribeStackResourceDriftsInput{
		StackName:                       aws.String(stackName),
		StackResourceDriftStatusFilters: []types.StackResourceDriftStatus{types.StackResourceDriftStatusModified, types.StackResourceDriftStatusDeleted},
	}
	for {
		page, err := c.Stacks.DescribeStackResourceDrifts(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("read the drift of stack %s: %w", stackName, err)
		}
		for _, r := range page.StackResourceDrifts {
			d := Drifted{LogicalID: aws.ToString(r.LogicalResourceId), Type: aws.ToString(r.ResourceType), Gone: r.StackResourceDriftStatus == types.StackResourceDriftStatusDeleted}
			for _, p := range r.PropertyDifferences {
				d.Properties = append(d.Properties, aws.ToString(p.PropertyPath))
			}
			slices.Sort(d.Properties)
			all = append(all, d)
		}
		if page.NextToken == nil {
			break
		}
		in.NextToken = page.NextToken
	}
	slices.SortFunc(all, func(a, b Drifted) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	return all, nil
}
