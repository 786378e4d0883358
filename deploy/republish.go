package deploy

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"arc/cfn/registry"
)

// againMark begins the description of a function of which a version is published
// again. It is taken off when that is done; where arc is killed before, the next
// deploy puts the function back, as one that was changed directly.
const againMark = "published again, as it was, at "

// republish lets CloudFormation publish a version of a function that was published as
// it is, before provisioned concurrency was taken from it: Lambda has no second
// version to give of the same code and configuration, and versions stay when they
// leave a template. So the function is given another description while it is
// published. What is given is called at the end, whatever comes of the stack.
// https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
func (r *run) republish(ctx context.Context, stack Stack, set *changeSet) (end func() error, err error) {
	marked := map[string]string{} // physical names, and the descriptions to be
	end = func() error {
		for name, description := range marked {
			if err := r.describe(context.WithoutCancel(ctx), name, description); err != nil {
				return fmt.Errorf("%s: give it its own description back: %w; the next deploy does", name, err)
			}
		}
		return nil
	}
	if !stack.Exists {
		return end, nil
	}
	for _, c := range set.changes {
		id := r.publishes(c.ResourceChange)
		if id == "" || slices.ContainsFunc(set.changes, func(other types.Change) bool {
			return other.ResourceChange != nil && aws.ToString(other.ResourceChange.LogicalResourceId) == id
		}) {
			continue // it is another one afterwards
		}
		resources, err := r.resources(ctx, stack)
		if err != nil {
			return end, err
		}
		name := physicalID(resources, id)
		if name == "" {
			continue
		}
		now, err := r.settled(ctx, name, functionState{})
		if err != nil {
			continue // CloudFormation says what is wrong with it
		}
		last, err := r.lastVersion(ctx, name)
		if err != nil {
			return end, fmt.Errorf("read the versions of %s: %w", id, err)
		}
		if last == nil || last.CodeSHA256 != now.CodeSHA256 || last.Description != now.Description {
			continue
		}
		marked[name] = now.Description
		if err := r.describe(ctx, name, againMark+time.Now().UTC().Format(time.RFC3339)); err != nil {
			return end, fmt.Errorf("mark %s, of which version %s is published again: %w", id, last.Version, err)
		}
	}
	return end, nil
}

// publishes gives the logical ID of the function of which a change makes a version; ""
// = it makes none.
func (r *run) publishes(c *types.ResourceChange) string {
	if c == nil || c.Action != types.ChangeActionAdd || aws.ToString(c.ResourceType) != registry.LambdaVersion {
		return ""
	}
	ref, _ := r.template.Resources[aws.ToString(c.LogicalResourceId)].Properties["FunctionName"].(map[string]any)
	id, _ := ref["Ref"].(string)
	return id
}

// lastVersion is the newest version of a function that is published; nil = none is.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListVersionsByFunction.html
func (r *run) lastVersion(ctx context.Context, name string) (*functionState, error) {
	var last *functionState
	for marker := ""; ; {
		var page struct {
			Versions   []functionState
			NextMarker string
		}
		if err := r.Functions.Send(ctx, http.MethodGet, "ListVersionsByFunction", name, "versions?Marker="+url.QueryEscape(marker), nil, &page); err != nil {
			return nil, err
		}
		for _, v := range page.Versions { // oldest first
			if v.Version != "$LATEST" {
				last = &v
			}
		}
		if marker = page.NextMarker; marker == "" {
			return last, nil
		}
	}
}

// describe gives a function a description, and waits until it has it.
func (r *run) describe(ctx context.Context, name, description string) error {
	var now functionState
	if err := r.Functions.Send(ctx, http.MethodPut, "UpdateFunctionConfiguration", name, "configuration", map[string]any{"Description": description}, &now); err != nil {
		return err
	}
	_, err := r.settled(ctx, name, now)
	return err
}
