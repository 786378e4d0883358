package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"arc/cfn"
	"arc/sandbox/lambda"
	"arc/sandbox/stack"
	"arc/source"
)

// liveBucket holds the one zip of a live app that is not in the project: arc's
// own asset function.
const liveBucket = "arc-live"

// Run brings the app up, or up to date after a change of its template, and
// returns the stack's outputs.
func (c *Cloud) Run(ctx context.Context, app App) (map[string]string, error) {
	if err := c.portFree(app); err != nil {
		return nil, err
	}
	c.live.set(app)
	defer c.live.making()()
	c.pages.Turn(app.Reload)
	if err := c.putAsset(app.AssetKey); err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(app.Objects)) {
		if err := c.s3.Put(liveBucket, key, app.Objects[key]); err != nil {
			return nil, err
		}
	}
	parameters := maps.Clone(app.Parameters)
	if doc, err := cfn.Parse(app.Template); err != nil {
		return nil, fmt.Errorf("stack %s: %w", app.StackName, err)
	} else if _, needed := doc.Parameters[cfn.ArtifactBucketParameter]; needed { // by an app with functions
		if parameters == nil {
			parameters = map[string]string{}
		}
		parameters[cfn.ArtifactBucketParameter] = liveBucket
	}
	if err := c.engine.Apply(ctx, app.StackName, app.Template, parameters, nil); err != nil {
		return nil, err
	}
	c.lambda.Relocate()
	if err := c.serveStatic(ctx, app); err != nil {
		return nil, err
	}
	c.warm(app)
	return c.engine.Outputs(app.StackName), nil
}

// portFree looks at the app's port before its stack is made, so that a busy one
// is one plain error instead of a rolled back stack.
func (c *Cloud) portFree(app App) error {
	if c.live.is(app.StackName) {
		return nil // it is ours already
	}
	port := app.Port
	if port == 0 {
		port = DefaultAppPort
	}
	f, err := c.listen(port, app.Exact)
	if err != nil {
		return err
	}
	f.Close()
	return nil
}

// putAsset stores the asset function's zip where the template looks for it.
func (c *Cloud) putAsset(key string) error {
	if key == "" {
		return nil
	}
	var zip bytes.Buffer
	if err := source.Asset().WriteZip(&zip); err != nil {
		return fmt.Errorf("asset function: %w", err)
	}
	if err := c.s3.Put(liveBucket, key, zip.Bytes()); err != nil {
		return fmt.Errorf("asset function: %w", err)
	}
	return nil
}

// serveStatic shows the static folder in the app's bucket, as it is at every moment.
func (c *Cloud) serveStatic(ctx context.Context, app App) error {
	if app.Static == "" {
		return nil
	}
	bucket := c.physicalID(ctx, app.StackName, app.Bucket)
	if bucket == "" {
		return nil // the app has no bucket of its own
	}
	// Seen from the project, as a deploy sees it: the folder may be a link to
	// another place in the project, and one that is made later is found.
	name, err := filepath.Rel(c.opts.Project, app.Static)
	if err != nil || !filepath.IsLocal(name) {
		return fmt.Errorf("static folder %s: lies outside the project", app.Static)
	}
	folder, err := source.StaticFolder(c.root.FS(), filepath.ToSlash(name))
	if err != nil {
		return err
	}
	if app.Published != "" {
		folder = source.PublishedFolder(folder, app.Published)
	}
	prefix := strings.Trim(app.Prefix, "/")
	if prefix != "" {
		prefix += "/"
	}
	return c.s3.Serve(bucket, prefix, folder)
}

// physicalID is the ID of a stack's resource; "" when there is none.
func (c *Cloud) physicalID(ctx context.Context, stackName, logicalID string) string {
	found, err := c.engine.DescribeStackResource(ctx, stack.DescribeStackResourceInput{StackName: stackName, LogicalResourceID: logicalID})
	if err != nil {
		return ""
	}
	return found.StackResourceDetail.PhysicalResourceID
}

// warm starts workers for the functions that will be called first: the first
// of them at once, so that it has the processors to itself, the rest when it
// has most likely started.
func (c *Cloud) warm(app App) {
	for i, id := range app.Warm {
		start := func() {
			for _, fn := range c.lambda.Functions() {
				if isLive(fn, app.Functions[id]) {
					c.lambda.Warm(fn.Name)
				}
			}
		}
		if i == 0 {
			start()
		} else {
			time.AfterFunc(warmRest, start)
		}
	}
}

// warmRest is how long a first worker has the machine to itself.
const warmRest = 150 * time.Millisecond

// Changed says that the code of some live functions is different now: their
// workers finish what they are at and are not used again. Open WebSockets stay
// open.
func (c *Cloud) Changed(affected func(LiveFunction) bool) {
	c.lambda.RetireLive(func(ref stack.Ref, logicalID string) bool {
		code, ok := c.live.function(ref.Name, logicalID)
		if !ok || !affected(code) {
			return false
		}
		code.Code.Outdate()
		return true
	})
}

// Saved has the live app's open pages reload, if they are to.
func (c *Cloud) Saved() { c.pages.Reload() }

// BeforeCalls has fresh called before each call of a live function, so that it
// can say that the function has changed. It replaces what was set before.
func (c *Cloud) BeforeCalls(fresh func(LiveFunction)) { c.fresh.Store(&fresh) }

// freshen is where lambda asks whether a live function has changed.
func (c *Cloud) freshen(ref stack.Ref, logicalID string) {
	fresh := c.fresh.Load()
	if fresh == nil {
		return
	}
	if code, ok := c.live.function(ref.Name, logicalID); ok {
		(*fresh)(code)
	}
}

// isLive reports whether a function runs that code. It may be one of a nested
// stack, so its stack's name does not tell.
func isLive(fn lambda.Function, code LiveFunction) bool {
	return code.Dir != "" && fn.Dir == code.Dir && fn.Label == code.Label
}
