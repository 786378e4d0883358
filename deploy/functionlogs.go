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
	var all []FunctionLog
	err := c.eachStack(ctx, stackName, "", func(stackID, _ string, resources []types.StackResourceSummary) error {
		physical := map[string]string{}
		var functions []string
		for _, r := range resources {
			id := aws.ToString(r.LogicalResourceId)
			physical[id] = aws.ToString(r.PhysicalResourceId)
			if aws.ToString(r.ResourceType) == registry.LambdaFunction {
				functions = append(functions, id)
			}
		}
		if len(functions) == 0 {
			return nil
		}
		got, err := c.Stacks.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: aws.String(stackID), TemplateStage: types.TemplateStageProcessed})
		if err != nil {
			return fmt.Errorf("read the template of stack %s: %w", stackID, err)
		}
		doc := parseOrEmpty([]byte(aws.ToString(got.TemplateBody)))
		for _, id := range functions {
			all = append(all, FunctionLog{LogicalID: id, Function: physical[id], Group: logGroupOf(doc, id, physical[id], physical)})
		}
		return nil
	})
	if err != nil {
		return nil, err
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
