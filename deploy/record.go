package deploy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"arc/cfn"
	"arc/deploy/s3"
)

// Record is what is kept of the last deploy that changed a stack: in the
// artifact bucket, as tags, parameters and outputs would be a change of their own.
type Record struct {
	App, Stack string
	At         time.Time
	By         string   // ARN of who did it
	Commit     string   `json:",omitempty"` // "" = not known
	Dirty      bool     `json:",omitempty"` // there was more than the commit
	Arc        string   // version of the program
	Template   string   // SHA-256, in hexadecimal
	Keys       []string // of the code, sorted
	Seconds    float64  // how long it took
}

// RecordKey is where a stack's record lies in the artifact bucket.
func RecordKey(stackName string) string { return "deploys/" + stackName + ".json" }

// maxRecord bounds a record, in bytes.
const maxRecord = 4 << 20

// record keeps what was deployed. That it could not be kept is no failure of the
// deploy, but said.
func (r *run) record(ctx context.Context, bucket s3.Bucket, begun time.Time) {
	if bucket.Name == "" {
		return // nothing of the stack lies in a bucket
	}
	sum := sha256.Sum256(r.d.Template)
	rec := Record{
		App: r.d.App, Stack: r.d.StackName, At: time.Now().UTC().Truncate(time.Second), Commit: r.d.Source.Commit, Dirty: r.d.Source.Dirty, Arc: r.d.Source.Arc, By: r.caller,
		Template: hex.EncodeToString(sum[:]), Seconds: time.Since(begun).Seconds(),
	}
	for _, a := range r.d.Artifacts {
		rec.Keys = append(rec.Keys, a.Key)
	}
	slices.Sort(rec.Keys)
	rec.Keys = slices.Compact(rec.Keys)
	body, err := json.MarshalIndent(rec, "", "  ")
	if err == nil {
		err = r.Uploads.PutObject(ctx, bucket, s3.Put{Key: RecordKey(r.d.StackName), Body: bytes.NewReader(body), ContentType: "application/json"})
	}
	if err != nil {
		r.note("what was deployed, and by whom, could not be kept as %s in bucket %s (%s): arc status does not tell it", RecordKey(r.d.StackName), bucket.Name, Why(err))
	}
}

// LastDeploy reads the record of a stack's last deploy; nil when there is none.
func (c Clients) LastDeploy(ctx context.Context, app string, stack Stack) (*Record, error) {
	name := stack.Parameters[cfn.ArtifactBucketParameter]
	if name == "" {
		return nil, nil
	}
	account, err := c.Account(ctx)
	if err != nil {
		return nil, err
	}
	return c.readRecord(ctx, s3.Bucket{Name: name, Owner: account}, app, stack.Name)
}

func (c Clients) readRecord(ctx context.Context, bucket s3.Bucket, app, stackName string) (*Record, error) {
	var rec Record
	found, err := c.readNote(ctx, bucket, RecordKey(stackName), &rec)
	if err != nil || !found || rec.App != app || rec.Stack != stackName {
		return nil, err // or somebody else's words
	}
	return &rec, nil
}

// readNote reads a small JSON object of the artifact bucket. One that is not there,
// that may not be read, or that is no JSON is not found.
func (c Clients) readNote(ctx context.Context, bucket s3.Bucket, key string, into any) (found bool, err error) {
	got, err := c.Objects.GetObject(ctx, bucket, key, "")
	if isCode(err, "NoSuchKey", "NotFound", "NoSuchBucket", "AccessDenied", "Forbidden") {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %s in bucket %s: %w", key, bucket.Name, err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(io.LimitReader(got.Body, maxRecord))
	if err != nil {
		return false, fmt.Errorf("read %s in bucket %s: %w", key, bucket.Name, err)
	}
	return json.Unmarshal(body, into) == nil, nil
}

// maxExpectation bounds how long a deploy looks for how long the last one took,
// while CloudFormation is at work already.
const maxExpectation = 3 * time.Second

// expect tells how long the last deploy of the stack took. That it cannot be
// found out is no matter.
func (r *run) expect(ctx context.Context, bucket s3.Bucket) {
	if bucket.Name == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, maxExpectation)
	defer cancel()
	rec, err := r.readRecord(ctx, bucket, r.d.App, r.d.StackName)
	if err != nil || rec == nil || rec.Seconds <= 0 {
		return
	}
	took := time.Duration(rec.Seconds * float64(time.Second))
	r.progress(Step{Kind: "expected", Took: took, Message: fmt.Sprintf("the last deploy took %.0f s", rec.Seconds)})
}
