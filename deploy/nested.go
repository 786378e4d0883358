package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"arc/cfn"
)

// Templates are what a stack and its nested stacks are made of. Where a
// template asks for a macro (Transform: SAM, as Architect's stacks do), it is
// what the macro made of it.
type Templates struct {
	Root *cfn.Document
	// Nested has the nested stacks' templates by logical ID; of deeper ones with
	// the path in front: "A/B".
	Nested map[string]*cfn.Document
	// Unread tells of nested stacks that could not be read, by the same path,
	// why in a few words.
	Unread map[string]string
}

// maxNesting bounds stacks within stacks.
const maxNesting = 10

// parallelReads keeps below the rate at which CloudFormation throttles.
const parallelReads = 6

// Templates reads what a stack that Describe found is made of. Only a root that
// cannot be read is an error.
func (c Clients) Templates(ctx context.Context, stack Stack) (Templates, error) {
	root, err := c.expand(ctx, stack.ID, stack.Template)
	if err != nil {
		return Templates{}, err
	}
	reader := nestedReader{Clients: c, t: Templates{Root: root, Nested: map[string]*cfn.Document{}, Unread: map[string]string{}}}
	reader.slots = make(chan struct{}, parallelReads)
	reader.below(ctx, "", stack.ID, root)
	return reader.t, ctx.Err()
}

// expand gives a stack's template as CloudFormation runs it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html
func (c Clients) expand(ctx context.Context, stackID string, original []byte) (*cfn.Document, error) {
	doc, err := cfn.Parse(original)
	if err == nil && doc.Transform == nil {
		return doc, nil
	}
	if err != nil && !bytes.Contains(original, []byte("Transform")) {
		return nil, fmt.Errorf("stack %s: %w", stackID, err)
	}
	got, err := c.Stacks.GetTemplate(ctx, &cloudformation.GetTemplateInput{
		StackName: aws.String(stackID), TemplateStage: types.TemplateStageProcessed,
	})
	if err != nil {
		return nil, fmt.Errorf("read the processed template of stack %s: %w", stackID, err)
	}
	if doc, err = cfn.Parse([]byte(aws.ToString(got.TemplateBody))); err != nil {
		return nil, fmt.Errorf("stack %s: %w", stackID, err)
	}
	return doc, nil
}

// nestedReader reads nested stacks, several at a time.
type nestedReader struct {
	Clients
	slots chan struct{}
	mu    sync.Mutex
	t     Templates
}

// below reads the nested stacks of a template.
func (r *nestedReader) below(ctx context.Context, within, stackID string, doc *cfn.Document) {
	var wanted []string
	for id, def := range doc.Resources {
		if def.Type == nestedStack {
			wanted = append(wanted, id)
		}
	}
	if len(wanted) == 0 || strings.Count(within, "/") == maxNesting {
		return
	}
	ids, err := r.nestedIDs(ctx, stackID)
	var all sync.WaitGroup
	for _, id := range wanted {
		all.Go(func() {
			inner, err := r.read(ctx, ids[id], err)
			r.mu.Lock()
			if err != nil {
				r.t.Unread[within+id] = Why(err)
			} else {
				r.t.Nested[within+id] = inner
			}
			r.mu.Unlock()
			if err == nil {
				r.below(ctx, within+id+"/", ids[id], inner)
			}
		})
	}
	all.Wait()
}

// read gives the template of one nested stack, unless its ID could not be read.
func (r *nestedReader) read(ctx context.Context, stackID string, err error) (*cfn.Document, error) {
	if err != nil {
		return nil, err
	}
	if stackID == "" {
		return nil, errors.New("it was not made")
	}
	r.slots <- struct{}{}
	defer func() { <-r.slots }()
	original, err := r.readTemplate(ctx, stackID)
	if err != nil {
		return nil, err
	}
	return r.expand(ctx, stackID, original)
}

// eachStack visits a stack and those nested in it, down to maxNesting, with their
// resources that are there. within is the path of the nested ones: "A/B/". A
// nested stack that has gone meanwhile is left out.
func (c Clients) eachStack(ctx context.Context, stackID, within string, visit func(stackID, within string, resources []types.StackResourceSummary) error) error {
	list, err := c.listResources(ctx, stackID)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(r types.StackResourceSummary) bool {
		return aws.ToString(r.PhysicalResourceId) == "" || r.ResourceStatus == types.ResourceStatusDeleteComplete
	})
	if err := visit(stackID, within, list); err != nil {
		return err
	}
	if strings.Count(within, "/") == maxNesting {
		return nil
	}
	for _, r := range list {
		if aws.ToString(r.ResourceType) != nestedStack {
			continue
		}
		id := aws.ToString(r.LogicalResourceId)
		if err := c.eachStack(ctx, aws.ToString(r.PhysicalResourceId), within+id+"/", visit); err != nil && !isMissingStack(err) {
			return fmt.Errorf("nested stack %s: %w", id, err)
		}
	}
	return nil
}

// nestedIDs gives the IDs of a stack's nested stacks by logical ID.
func (r *nestedReader) nestedIDs(ctx context.Context, stackID string) (map[string]string, error) {
	resources, err := r.listResources(ctx, stackID)
	ids := map[string]string{}
	for _, res := range resources {
		if aws.ToString(res.ResourceType) == nestedStack {
			ids[aws.ToString(res.LogicalResourceId)] = aws.ToString(res.PhysicalResourceId)
		}
	}
	return ids, err
}
