package deploy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"golang.org/x/sync/errgroup"

	"arc/cfn"
)

// The name of an object in the artifact bucket is a hash of what was packaged,
// and anyone can work that out. So a name proves nothing of the bytes: who may
// write to the bucket may have been there first, or come in between. What is
// stored is compared by S3's checksum before the change, the templates as
// CloudFormation read them before it is executed, and the code as Lambda runs it
// afterwards.

// TamperedError tells that CloudFormation or Lambda got something else than was
// packaged.
type TamperedError struct {
	StackName string
	Changed   bool     // the stack was changed; otherwise it is as it was
	What      []string // a line each
}

// Error says what is not as it was sent.
func (e *TamperedError) Error() string {
	head := fmt.Sprintf("stack %s is left as it is: CloudFormation was given something else than was sent", e.StackName)
	if e.Changed {
		head = fmt.Sprintf("stack %s runs something else than was packaged", e.StackName)
	}
	return head + ":\n  " + strings.Join(e.What, "\n  ")
}

// sums are the SHA-256 hashes of artifacts, in base64, by key.
type sums map[string]string

// sum gives the hash of an artifact's bytes, which are packed for it unless an
// earlier run has kept the hash.
func (r *run) sum(a Artifact) (string, error) {
	r.proofs.Lock()
	known := r.sums[a.Key]
	if known == "" && r.kept != nil && !isTemplate(a.Key) {
		if known = r.kept.Get(path.Base(a.Key)); known != "" {
			r.sums[a.Key], r.believed[a.Key] = known, true
		}
	}
	r.proofs.Unlock()
	if known != "" {
		return known, nil
	}
	return r.pack(a)
}

// prove is sum for a hash that something was found to differ from: it is not
// believed, but worked out.
func (r *run) prove(a Artifact) (string, error) {
	r.proofs.Lock()
	known, believed := r.sums[a.Key], r.believed[a.Key]
	r.proofs.Unlock()
	if known != "" && !believed {
		return known, nil
	}
	return r.pack(a)
}

func (r *run) pack(a Artifact) (string, error) {
	hash := sha256.New()
	if err := a.Write(hash); err != nil {
		return "", err
	}
	return r.remember(a.Key, hash.Sum(nil)), nil
}

func (r *run) remember(key string, sum []byte) string {
	text := base64.StdEncoding.EncodeToString(sum)
	r.proofs.Lock()
	defer r.proofs.Unlock()
	r.sums[key] = text
	delete(r.believed, key)
	if r.kept != nil && !isTemplate(key) {
		r.kept.Put(path.Base(key), text)
	}
	return text
}

// isTemplate tells the template of a nested stack from a zip.
func isTemplate(key string) bool { return path.Ext(key) == ".json" }

// readBack refuses a change set whose templates are not those that were sent: the
// stack's own, when it went through the bucket, and those of nested stacks.
// Those that CloudFormation made no change set for are looked at afterwards, by
// verify. deployed is the template that the stack has: some that stand in for AWS
// on this machine tell that one, or none.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html
func (r *run) readBack(ctx context.Context, set *changeSet, deployed []byte) error {
	tampered := &TamperedError{StackName: r.d.StackName}
	if len(r.d.Template) > cfn.MaxInlineTemplate {
		got, err := r.changeSetTemplate(ctx, set.name, set.stackID)
		if err != nil {
			return err
		}
		switch {
		case sameTemplate(got, r.d.Template):
		case r.Local && (len(parseOrEmpty(got).Resources) == 0 || sameTemplate(got, deployed)):
			r.note("this endpoint does not tell the template of a change set: what it was given is not compared with what was sent")
		default:
			tampered.What = append(tampered.What, "the template in the change set: somebody else wrote "+r.templateKey()+" to the artifact bucket meanwhile")
		}
	}
	parts, err := r.parts()
	if err != nil {
		return err
	}
	for _, c := range set.changes {
		rc := c.ResourceChange
		if rc == nil || rc.ChangeSetId == nil || aws.ToString(rc.ResourceType) != nestedStack || rc.Action == types.ChangeActionRemove {
			continue
		}
		id := aws.ToString(rc.LogicalResourceId)
		part, ok := parts[id]
		if !ok {
			continue // of the user's own, with a template from elsewhere
		}
		got, err := r.changeSetTemplate(ctx, *rc.ChangeSetId, aws.ToString(rc.PhysicalResourceId))
		if err != nil {
			return err
		}
		if !sameTemplate(got, part.body) {
			tampered.What = append(tampered.What, id+": the template of the nested stack: somebody else wrote "+part.key+" to the artifact bucket meanwhile")
		}
	}
	if len(tampered.What) > 0 {
		return tampered
	}
	return nil
}

func (r *run) changeSetTemplate(ctx context.Context, changeSet, stack string) ([]byte, error) {
	in := &cloudformation.GetTemplateInput{ChangeSetName: aws.String(changeSet), TemplateStage: types.TemplateStageOriginal}
	if stack != "" {
		in.StackName = aws.String(stack)
	}
	got, err := r.Stacks.GetTemplate(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("read the template of change set %s: %w", changeSet, err)
	}
	return []byte(aws.ToString(got.TemplateBody)), nil
}

// part is the template of a nested stack.
type part struct {
	key  string
	body []byte
	doc  *cfn.Document
}

// parts gives the nested stacks' templates among the artifacts, by the logical
// IDs of the nested stacks.
func (r *run) parts() (map[string]part, error) {
	parts := map[string]part{}
	for _, a := range r.d.Artifacts {
		if !isTemplate(a.Key) {
			continue
		}
		var body bytes.Buffer
		if err := a.Write(&body); err != nil {
			return nil, fmt.Errorf("%s: %w", a.Label, err)
		}
		doc, err := cfn.Parse(body.Bytes())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Label, err)
		}
		for id, res := range r.template.Resources {
			if res.Type == nestedStack && strings.Contains(fmt.Sprint(res.Properties["TemplateURL"]), a.Key) {
				parts[id] = part{a.Key, body.Bytes(), doc}
			}
		}
	}
	return parts, nil
}

// running is a function that should run an artifact.
type running struct{ logicalID, key string }

// verify compares what runs with what was packaged: the code of every function,
// and the templates of nested stacks. It fails with a *TamperedError.
// https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
func (r *run) verify(ctx context.Context, stack Stack) error {
	artifacts := map[string]Artifact{}
	for _, a := range r.d.Artifacts {
		artifacts[a.Key] = a
	}
	if len(artifacts) == 0 {
		return nil
	}
	tampered := &TamperedError{StackName: r.d.StackName, Changed: true}
	functions := map[string]running{} // by physical name
	add := func(doc *cfn.Document, resources []types.StackResourceSummary, within string) {
		for _, res := range resources {
			id := aws.ToString(res.LogicalResourceId)
			code, _ := doc.Resources[id].Properties["Code"].(map[string]any)
			key, _ := code["S3Key"].(string)
			if _, ours := artifacts[key]; ours && aws.ToString(res.PhysicalResourceId) != "" {
				functions[*res.PhysicalResourceId] = running{within + id, key}
			}
		}
	}
	resources, err := r.resources(ctx, stack)
	if err != nil {
		return err
	}
	add(r.template, resources, "")
	parts, err := r.parts()
	if err != nil {
		return err
	}
	for _, res := range resources {
		part, ok := parts[aws.ToString(res.LogicalResourceId)]
		if !ok || aws.ToString(res.PhysicalResourceId) == "" {
			continue
		}
		inner, err := r.listResources(ctx, *res.PhysicalResourceId)
		if err != nil {
			return err
		}
		add(part.doc, inner, *res.LogicalResourceId+"/")
		body, err := r.readTemplate(ctx, *res.PhysicalResourceId)
		if err != nil {
			return err
		}
		if !sameTemplate(body, part.body) {
			tampered.What = append(tampered.What, *res.LogicalResourceId+": another template than "+part.key)
		}
	}
	if err := r.sumAll(ctx, artifacts, functions); err != nil {
		return err
	}
	other, err := r.otherCode(ctx, artifacts, functions)
	if err != nil {
		return err
	}
	if tampered.What = append(tampered.What, other...); len(tampered.What) > 0 {
		now, err := r.describeStack(ctx, stack.ID)
		if err != nil {
			return err
		}
		if now.version != stack.version || now.inProgress() || !now.Exists {
			r.noteOvertaken(now)
			return nil
		}
		tampered.What = append(tampered.What, "find out who else may write to the artifact bucket, or change functions, and take that from them; then change the code, so that it gets another key, and deploy again")
		return tampered
	}
	return r.putBack(ctx, stack, r.marked)
}

// sumAll works out the hashes of what the functions should run.
func (r *run) sumAll(ctx context.Context, artifacts map[string]Artifact, functions map[string]running) error {
	wanted := map[string]bool{}
	for _, f := range functions {
		wanted[f.key] = true
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for key := range wanted {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if _, err := r.sum(artifacts[key]); err != nil {
				return fmt.Errorf("%s: %w", artifacts[key].Label, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// verifyTries is how often the list of functions is read before it is believed
// that one runs something else: a list may be a moment behind.
const verifyTries = 4

// otherCode lists the functions that do not run what they should, a line each.
func (r *run) otherCode(ctx context.Context, artifacts map[string]Artifact, functions map[string]running) ([]string, error) {
	for pace, try := r.newPace(), 1; ; try++ {
		wrong, err := r.compareCode(ctx, functions)
		if len(wrong) > 0 && try == 1 {
			for _, f := range functions {
				if _, err := r.prove(artifacts[f.key]); err != nil {
					return nil, fmt.Errorf("%s: %w", artifacts[f.key].Label, err)
				}
			}
			wrong, err = r.compareCode(ctx, functions)
		}
		if err != nil || len(wrong) == 0 || try == verifyTries {
			return wrong, err
		}
		if err := pace.wait(ctx); err != nil {
			return nil, err
		}
	}
}

func (r *run) compareCode(ctx context.Context, functions map[string]running) ([]string, error) {
	if len(functions) == 0 {
		return nil, nil
	}
	seen := 0
	var wrong []string
	r.marked = nil
	for marker := ""; ; {
		page, next, err := r.Functions.ListFunctions(ctx, marker)
		if err != nil {
			return nil, fmt.Errorf("compare the code that stack %s runs with what was packaged: %w", r.d.StackName, err)
		}
		for _, f := range page {
			should, ok := functions[f.Name]
			if !ok {
				continue
			}
			seen++
			if ChangedDirectly(f.Description) {
				r.marked = append(r.marked, should.logicalID)
				continue
			}
			if want := r.sums[should.key]; f.CodeSHA256 != want {
				wrong = append(wrong, fmt.Sprintf("%s (%s): its code has the hash %s, and %s has %s", should.logicalID, f.Name, f.CodeSHA256, should.key, want))
			}
		}
		if marker = next; marker == "" || seen == len(functions) {
			break
		}
	}
	if seen < len(functions) {
		wrong = append(wrong, fmt.Sprintf("%d of %d functions are not in Lambda's list", len(functions)-seen, len(functions)))
	}
	slices.Sort(wrong)
	return wrong, nil
}

// copyHashing writes an artifact and gives its hash.
func copyHashing(w io.Writer, a Artifact) ([]byte, error) {
	hash := sha256.New()
	err := a.Write(io.MultiWriter(w, hash))
	return hash.Sum(nil), err
}
