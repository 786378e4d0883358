package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"arc/cfn"
)

// AppStack is a stack of an app.
type AppStack struct {
	Stack
	Mark    cfn.Mark // the app, the stage and the further name
	Marked  bool     // it says so itself; else its name does, as Architect's do
	Changed time.Time
}

// AppStacks finds the stacks of an app in the account and region, sorted by
// their names: those that bear its mark, and those that Architect made under the
// names of its stages.
func (c Clients) AppStacks(ctx context.Context, app string) ([]AppStack, error) {
	stages := map[string]cfn.Mark{}
	front := ""
	for _, stage := range []string{cfn.StagePreview, "staging", "production"} {
		name := cfn.StackName(app, stage, "")
		stages[name] = cfn.Mark{App: app, Stage: stage}
		if stage == "staging" {
			front = strings.TrimSuffix(name, "Staging")
		}
	}
	var all []AppStack
	in := &cloudformation.DescribeStacksInput{}
	for {
		page, err := c.Stacks.DescribeStacks(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list the stacks: %w", err)
		}
		for i := range page.Stacks {
			s := &page.Stacks[i]
			name := aws.ToString(s.StackName)
			// A nested stack is its parent's matter.
			if !strings.HasPrefix(name, front) || s.ParentId != nil {
				continue
			}
			stack, err := c.describeStack(ctx, aws.ToString(s.StackId))
			if err != nil {
				return nil, err
			}
			one := AppStack{Stack: stack}
			if !stack.Exists {
				continue
			}
			if one.Changed = aws.ToTime(s.CreationTime); s.LastUpdatedTime != nil {
				one.Changed = *s.LastUpdatedTime
			}
			_, err = c.owned(ctx, stack, cfn.Mark{App: app})
			foreign, ok := errors.AsType[*ForeignError](err)
			switch {
			case ok && foreign.Mark != nil && foreign.Mark.App == app:
				one.Mark, one.Marked = *foreign.Mark, true
			case ok || err == nil:
				mark, named := stages[name]
				if !named || ok && foreign.Mark != nil {
					continue
				}
				one.Mark = mark
			default:
				return nil, err
			}
			all = append(all, one)
		}
		if page.NextToken == nil {
			break
		}
		in.NextToken = page.NextToken
	}
	slices.SortFunc(all, func(a, b AppStack) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}
