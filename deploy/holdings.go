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
	"arc/deploy/s3"
)

// holdings is what a stack has that its deletion loses or leaves behind.
type holdings struct {
	losses []Loss          // sorted by LogicalID
	kept   []Kept          // likewise
	static string          // the stack's own bucket of static files, when it goes with the stack
	known  map[string]bool // logical IDs of the template and of the stack
}

// look reads what the stack holds, through nested stacks.
func (w *destruction) look(ctx context.Context, stack Stack) (*holdings, error) {
	h := &holdings{kept: []Kept{}, known: map[string]bool{}}
	if err := w.lookInto(ctx, h, stack.ID, ""); err != nil {
		return nil, err
	}
	slices.SortFunc(h.losses, func(a, b Loss) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	slices.SortFunc(h.kept, func(a, b Kept) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	return h, nil
}

func (w *destruction) lookInto(ctx context.Context, h *holdings, stackID, within string) error {
	doc, err := w.processedTemplate(ctx, stackID)
	if err != nil {
		return err
	}
	for id := range doc.Resources {
		h.known[within+id] = true
	}
	resources, err := w.listResources(ctx, stackID)
	if err != nil {
		return err
	}
	for _, res := range resources {
		id, kind, physical := aws.ToString(res.LogicalResourceId), aws.ToString(res.ResourceType), aws.ToString(res.PhysicalResourceId)
		h.known[within+id] = true
		if physical == "" || res.ResourceStatus == types.ResourceStatusDeleteComplete || res.ResourceStatus == types.ResourceStatusDeleteSkipped {
			continue
		}
		switch {
		case doc.Resources[id].OutlivesRemoval():
			// A retained version goes with its function all the same.
			if kind != registry.LambdaVersion {
				snapshot := !strings.HasPrefix(doc.Resources[id].DeletionPolicy, "Retain")
				h.kept = append(h.kept, Kept{within + id, kind, physical, snapshot})
			}
		case kind == nestedStack:
			if err := w.lookInto(ctx, h, physical, within+id+"/"); err != nil {
				return err
			}
		case registry.Holds(kind, doc.Resources[id].Properties):
			h.losses = append(h.losses, Loss{LogicalID: within + id, Type: kind, PhysicalID: physical, Origin: w.origin(id)})
			if within+id == staticBucketID {
				h.static = physical
			}
		}
	}
	return nil
}

// processedTemplate reads the template whose resources the stack really has:
// that of a stack which another tool made may have gone through a macro.
func (w *destruction) processedTemplate(ctx context.Context, stackID string) (*cfn.Document, error) {
	got, err := w.Stacks.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: aws.String(stackID), TemplateStage: types.TemplateStageProcessed})
	if isMissingStack(err) {
		return &cfn.Document{}, nil // gone meanwhile
	}
	if err != nil {
		return nil, fmt.Errorf("read the template of stack %s: %w", stackID, err)
	}
	return parseOrEmpty([]byte(aws.ToString(got.TemplateBody))), nil
}

// empty deletes every object of a bucket with all its versions.
func (w *destruction) empty(ctx context.Context, bucket string) error {
	owner, err := w.owner(ctx)
	if err != nil {
		return err
	}
	place := s3.Bucket{Name: bucket, Owner: owner}
	for {
		// What was listed is deleted before more is listed, so each page is the first.
		doomed, err := w.Objects.ListObjectVersions(ctx, place)
		if isCode(err, "NoSuchBucket", "NotFound") {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list the versions in bucket %s: %w", bucket, explainDenied(err))
		}
		if len(doomed) == 0 {
			break
		}
		for batch := range slices.Chunk(doomed, s3.MaxDeletions) {
			refused, err := w.Objects.DeleteObjects(ctx, place, batch)
			if err != nil {
				return fmt.Errorf("empty bucket %s: %w", bucket, explainDenied(err))
			}
			if len(refused) > 0 {
				return fmt.Errorf("empty bucket %s: %s: %s", bucket, refused[0].Key, refused[0].Message)
			}
			w.done.Emptied += len(batch)
		}
	}
	if w.done.Emptied > 0 {
		w.note("emptied bucket %s: objects and old versions deleted: %d", bucket, w.done.Emptied)
	}
	return nil
}
