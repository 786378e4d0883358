package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/diff/face"

	"github.com/urfave/cli/v2"
)

// otherDeploys are the flags that make something else of a deploy, with the
// flags that go with each.
func otherDeploys() map[string][]string {
	stage := []string{"production", "p", "stage", "name", "n", "preview", "json"}
	return map[string][]string{
		"dry-run": stage,
		"eject":   stage,
		"static":  append([]string{"local", "prune"}, stage...),
		"direct":  append([]string{"local"}, stage...),
	}
}

// otherDeploy tells which of them was asked for; "" = none.
func otherDeploy(ctx *cli.Context) (string, error) {
	others, chosen := otherDeploys(), ""
	for _, name := range slices.Sorted(maps.Keys(others)) {
		if !ctx.Bool(name) {
			continue
		}
		if chosen != "" {
			return "", withHint(fmt.Errorf("--%s and --%s do different things", chosen, name), "write one of them")
		}
		chosen = name
	}
	if chosen == "" {
		return "", nil
	}
	for _, f := range ctx.Command.Flags {
		name := f.Names()[0]
		if ctx.IsSet(name) && name != chosen && !slices.Contains(others[chosen], name) {
			return "", withHint(fmt.Errorf("--%s has no effect with --%s", name, chosen), "leave one of them out")
		}
	}
	return chosen, nil
}

// dryRun is what a deploy would do, as far as it can be told without an account.
type dryRun struct {
	StackName     string   `json:"stackName"`
	Resources     int      `json:"resources"` // with those of nested stacks
	TemplateBytes int      `json:"templateBytes"`
	Zips          []dryZip `json:"zips"`
	Files         int      `json:"files"`
}

// dryZip is a function's zip.
type dryZip struct {
	Label string `json:"label"`
	Key   string `json:"key"`
	Bytes int64  `json:"bytes"`
}

// dryRun compiles and packs what a deploy would send, and compares it with the
// last commit. It asks nothing of AWS and writes nothing.
func (s *session) dryRun(ctx *cli.Context) error {
	p, err := s.openManifest()
	if err != nil {
		return err
	}
	defer p.close()
	opts := stageOptions(ctx)
	b, err := s.compile(p, opts)
	if err != nil {
		return err
	}
	would, err := b.dryRun(p)
	if err != nil {
		return err
	}
	if ctx.Bool("json") {
		return s.done(would)
	}
	if err := s.reviewHead(ctx.Context, p, b); err != nil {
		return err
	}
	all := int64(0)
	for _, z := range would.Zips {
		if _, err := fmt.Fprintf(s.stdout, "zip    %s (%s)\n", z.Label, bytesText(z.Bytes)); err != nil {
			return err
		}
		all += z.Bytes
	}
	if _, err := fmt.Fprintf(s.stdout, "would deploy %s: %s, %s (%s), %s\n", would.StackName, count(would.Resources, "resource"),
		count(len(would.Zips), "zip"), bytesText(all), count(would.Files, "file")); err != nil {
		return err
	}
	s.note("no account was asked: what is uploaded already, and variables of arc env, are not known;\narc diff compares with what is deployed, and arc package prints the template")
	return nil
}

func (b *build) dryRun(p *project) (dryRun, error) {
	would := dryRun{StackName: b.stack.Name, Resources: len(b.stack.Template.Resources), TemplateBytes: len(b.template), Zips: []dryZip{}}
	for _, part := range b.stack.Parts {
		doc, err := cfn.Parse(part.Body)
		if err != nil {
			return would, fmt.Errorf("nested stack %s: %w", part.LogicalID, err)
		}
		would.Resources += len(doc.Resources)
	}
	for _, a := range b.artifacts() {
		if filepath.Ext(a.Key) != ".zip" {
			continue
		}
		var size counter
		if err := a.Write(&size); err != nil {
			return would, fmt.Errorf("%s: %w", a.Label, err)
		}
		would.Zips = append(would.Zips, dryZip{a.Label, a.Key, int64(size)})
	}
	slices.SortFunc(would.Zips, func(a, b dryZip) int { return strings.Compare(a.Label, b.Label) })
	if published := p.publication(b.assets, b.options.Stage, false); published != nil {
		would.Files = len(published.Files)
	}
	return would, nil
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(data []byte) (int, error) {
	*c += counter(len(data))
	return len(data), nil
}

// reviewHead prints what changes since the last commit, where there is one.
func (s *session) reviewHead(ctx context.Context, p *project, b *build) error {
	p.compared = true
	before, err := s.baseSide(ctx, p, b.options, "HEAD")
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		s.note("what changes is not told: there is no commit to compare with (%v)", err)
		return nil
	}
	if before.build == nil {
		return nil // which was said
	}
	after, err := s.builtSide("working tree", p, b, before.unread)
	if err != nil {
		return err
	}
	review, err := compose(ctx, &before, &after, "")
	if err != nil {
		return err
	}
	return face.Text(s.stdout, review, face.TextOptions{Paint: s.paintSign, Width: columns(s.stdout)})
}

// eject writes everything that a deploy would send, for who deploys it by other
// means.
func (s *session) eject(ctx *cli.Context) error {
	if ctx.NArg() > 1 {
		return withHint(fmt.Errorf("--eject takes one folder, but got %q as well", ctx.Args().Get(1)), "arc deploy --eject FOLDER")
	}
	p, err := s.openManifest()
	if err != nil {
		return err
	}
	defer p.close()
	b, err := s.compile(p, stageOptions(ctx))
	if err != nil {
		return err
	}
	dir := ctx.Args().First()
	if dir == "" {
		dir = b.stack.Name
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return withHint(fmt.Errorf("the folder %s is not empty", dir), "delete it, or name another one: arc deploy --eject FOLDER")
	}
	files, err := b.writeTo(dir)
	if err != nil {
		return err
	}
	if ctx.Bool("json") {
		return s.done(struct {
			StackName string   `json:"stackName"`
			Folder    string   `json:"folder"`
			Files     []string `json:"files"`
		}{b.stack.Name, dir, files})
	}
	s.note("wrote the template and %s of %s to %s; nothing in it needs arc", count(len(b.bundles), "zip"), b.stack.Name, dir)
	bucket := "BUCKET"
	if p.app.AWS.Bucket != "" {
		bucket = p.app.AWS.Bucket
	}
	large := ""
	if len(b.template) > cfn.MaxInlineTemplate {
		large = " --s3-bucket " + bucket
	}
	_, err = fmt.Fprintf(s.stdout, "aws s3 sync %s s3://%s\naws cloudformation deploy --stack-name %s \\\n  --template-file %s --capabilities CAPABILITY_IAM%s \\\n  --parameter-overrides %s=%s\n",
		dir, bucket, b.stack.Name, filepath.ToSlash(filepath.Join(dir, "template.json")), large, cfn.ArtifactBucketParameter, bucket)
	return err
}

// writeTo writes the template, those of nested stacks and the zips into a folder,
// under the keys that the template knows them by.
func (b *build) writeTo(dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if err := root.WriteFile("template.json", b.template, 0o666); err != nil {
		return nil, err
	}
	files := []string{"template.json"}
	for _, a := range b.artifacts() {
		name := filepath.FromSlash(a.Key)
		if err := root.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			return nil, err
		}
		w, err := root.Create(name)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(a.Write(io.Writer(w)), w.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", a.Label, err)
		}
		files = append(files, a.Key)
	}
	slices.Sort(files)
	return files, nil
}
