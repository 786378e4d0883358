package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"arc/cfn"
	"arc/cfn/registry"
)

// FunctionLog is where a function of a stack logs to.
type FunctionLog struct {
	LogicalID string
	Function  string // its name
	Group     string // its log group, which may not be there before it has run
}

// ownLogGroups begins the group of a function whose template names none.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
const ownLogGroups = "/aws/lambda/"

// FunctionLogs lists the functions of a stack, and of those nested in it, with
// their log groups, sorted by logical ID.
func (c Clients) FunctionLogs(ctx context.Context, stackName string) ([]FunctionLog, error) {
	return c.functionLogsWithin(ctx, stackName, 0)
}

func (c Clients) functionLogsWithin(ctx context.Context, stackName string, depth int) ([]FunctionLog, error) {
	if depth > maxNesting {
		return nil, nil
	}
	list, err := c.listResources(ctx, stackName)
	if err != nil {
		return nil, err
	}
	got, err := c.Stacks.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: aws.String(stackName), TemplateStage: types.TemplateStageProcessed})
	if err != nil {
		return nil, fmt.Errorf("read the template of stack %s: %w", stackName, err)
	}
	doc := parseOrEmpty([]byte(aws.ToString(got.TemplateBody)))
	physical := map[string]string{}
	for _, r := range list {
		if r.ResourceStatus != types.ResourceStatusDeleteComplete {
			physical[aws.ToString(r.LogicalResourceId)] = aws.ToString(r.PhysicalResourceId)
		}
	}
	var all []FunctionLog
	for _, r := range list {
		id, name := aws.ToString(r.LogicalResourceId), physical[aws.ToString(r.LogicalResourceId)]
		switch {
		case name == "":
		case aws.ToString(r.ResourceType) == registry.LambdaFunction:
			all = append(all, FunctionLog{LogicalID: id, Function: name, Group: logGroupOf(doc, id, name, physical)})
		case aws.ToString(r.ResourceType) == registry.CloudFormationStack:
			inner, err := c.functionLogsWithin(ctx, name, depth+1)
			if err != nil {
				return nil, fmt.Errorf("nested stack %s: %w", id, err)
			}
			all = append(all, inner...)
		}
	}
	slices.SortFunc(all, func(a, b FunctionLog) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	return all, nil
}

// logGroupOf is the group that a function's template names, or its own.
func logGroupOf(doc *cfn.Document, id, function string, physical map[string]string) string {
	config, _ := doc.Resources[id].Properties["LoggingConfig"].(map[string]any)
	switch group := config["LogGroup"].(type) {
	case string:
		return group
	case map[string]any:
		if ref, ok := group["Ref"].(string); ok && physical[ref] != "" {
			return physical[ref]
		}
	}
	return ownLogGroups + function
}
