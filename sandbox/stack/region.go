package stack

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// regionKey is the key of a request's region in its context.
type regionKey struct{}

// WithRegion says that a request is for a region: the one in its signature, as
// on AWS. What is no name of a region is left out: it would become part of ARNs.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func WithRegion(ctx context.Context, region string) context.Context {
	if !isRegion(region) {
		return ctx
	}
	return context.WithValue(ctx, regionKey{}, region)
}

// RegionOf is the region that a request is for; "" = it does not say.
func RegionOf(ctx context.Context) string {
	region, _ := ctx.Value(regionKey{}).(string)
	return region
}

// RegionIn is the region that a request is for, or the one of the cloud, own,
// when it does not say. Providers are asked for the region of their stack.
func RegionIn(ctx context.Context, own string) string { return cmp.Or(RegionOf(ctx), own) }

func isRegion(s string) bool {
	return s != "" && len(s) <= 40 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// region is the one that a request is for: the engine's own when it does not say.
func (e *Engine) region(ctx context.Context) string {
	return RegionIn(ctx, e.options.Region)
}

// liveKey is how a stack that is not deleted is found: two regions may each have
// one of the same name.
func liveKey(region, name string) string { return region + "/" + name }

// in reports whether a stack is in the region of a request. One that names no
// region is asked by the program itself, of all.
func (st *state) in(ctx context.Context) bool {
	region := RegionOf(ctx)
	return region == "" || st.ref.Region == region
}

// tellElsewhere says, of an answer without stacks, where there are some: whoever
// asks with another region than they were made in would look for them in vain.
// The caller holds the lock.
func (e *Engine) tellElsewhere(ctx context.Context, found []*state) {
	region := e.region(ctx)
	if elsewhere := e.regions(); len(found) == 0 && len(elsewhere) > 0 && e.options.Warn != nil {
		e.options.Warn("there are no stacks in " + region + ", for which the request was signed; there are some in " + strings.Join(elsewhere, ", ") + ": set AWS_REGION, or --region")
	}
}

// setAside reports whether the data of a stack outlives it: it is the app's that
// runs from its source.
func (e *Engine) setAside(st *state) bool {
	root := st.root().ref
	return e.options.SetAside != nil && root.Region == e.options.Region && e.options.SetAside(root.Name)
}

// regions lists the regions that have stacks. The caller holds the lock.
func (e *Engine) regions() []string {
	var all []string
	for _, st := range e.live {
		all = append(all, st.ref.Region)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// regionOfARN is the region in the ARN of a stack.
func regionOfARN(arn string) string {
	parts := strings.SplitN(arn, ":", 5)
	if len(parts) < 5 {
		return ""
	}
	return parts[3]
}
