package deploy

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"arc/deploy/s3"
)

// staticBucketID is the logical ID of the bucket that static files go to.
const staticBucketID = "StaticBucket"

// Static is the folder of files to publish into the stack's bucket.
type Static struct {
	Files  []StaticFile
	Prefix string // folder in the bucket that the files go to; nothing outside it is touched
	Prune  bool   // delete what lies in the bucket, under Prefix, and is not among Files
	// Ignore spares keys that contain one of these from pruning.
	Ignore []string
	// Bucket is a bucket of the user's own; "" = the stack's StaticBucket.
	Bucket string
}

// StaticFile is one file to publish.
type StaticFile struct {
	Path string // slash path that it is published under
	// Fingerprinted files have a hash of their content in their name. They are
	// published before the stack changes, and browsers may keep them for ever.
	Fingerprinted bool
	Open          func() (io.ReadSeekCloser, error)
}

// publishEarly publishes the fingerprinted files into a bucket that exists
// already, so that no page of the new version asks for a file that is not there.
func (r *run) publishEarly(ctx context.Context, stack Stack) error {
	static := r.d.Static
	if static == nil || !stack.Exists {
		return nil
	}
	early := slices.DeleteFunc(slices.Clone(static.Files), func(f StaticFile) bool { return !f.Fingerprinted })
	if len(early) == 0 {
		return nil
	}
	p, err := r.newPublisher(ctx, stack)
	if err != nil || p == nil {
		return err
	}
	return p.publish(ctx, early)
}

// publish makes the bucket hold the files, and with Prune nothing else.
func (r *run) publish(ctx context.Context, stack Stack) error {
	if r.d.Static == nil {
		return nil
	}
	p, err := r.newPublisher(ctx, stack)
	if err != nil {
		return err
	}
	if p == nil {
		return fmt.Errorf("publish static files: stack %s has no resource %s; add @static, or name a bucket", r.d.StackName, staticBucketID)
	}
	if err := p.publish(ctx, r.d.Static.Files); err != nil {
		return err
	}
	if r.d.Static.Prune {
		return p.prune(ctx)
	}
	return nil
}

// publisher knows what the bucket held when the run looked.
type publisher struct {
	r      *run
	bucket s3.Bucket
	etags  map[string]string // key → ETag, of all that lies under the prefix
}

// newPublisher gives nil when the stack has no bucket.
func (r *run) newPublisher(ctx context.Context, stack Stack) (*publisher, error) {
	bucket := r.d.Static.Bucket
	if bucket == "" {
		resources, err := r.resources(ctx, stack)
		if err != nil {
			return nil, err
		}
		for _, res := range resources {
			if aws.ToString(res.LogicalResourceId) == staticBucketID {
				bucket = aws.ToString(res.PhysicalResourceId)
			}
		}
	}
	if bucket == "" {
		return nil, nil
	}
	owner, err := r.owner(ctx)
	if err != nil {
		return nil, err
	}
	p := &publisher{r: r, bucket: s3.Bucket{Name: bucket, Owner: owner}, etags: map[string]string{}}
	for next := ""; ; {
		page, err := r.Objects.ListObjectsV2(ctx, p.bucket, p.key(""), next)
		if err != nil {
			return nil, fmt.Errorf("list bucket %s: %w", bucket, explainDenied(err))
		}
		for _, o := range page.Objects {
			p.etags[o.Key] = strings.Trim(o.ETag, `"`)
		}
		if next = page.Next; next == "" {
			return p, nil
		}
	}
}

// key gives the bucket's key for a path; the prefix itself for "".
func (p *publisher) key(path string) string {
	prefix := strings.Trim(p.r.d.Static.Prefix, "/")
	if prefix == "" {
		return path
	}
	return prefix + "/" + path
}

// publish uploads what is missing or differs. HTML goes last: it names the others.
func (p *publisher) publish(ctx context.Context, files []StaticFile) error {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b StaticFile) int { return strings.Compare(a.Path, b.Path) })
	sums, err := md5Sums(ctx, files)
	if err != nil {
		return err
	}
	stale, err := p.staleHeaders(ctx, files, sums)
	if err != nil {
		return err
	}
	// The file that speaks for its headers (see staleHeaders) goes up after
	// those that it speaks for.
	var phases [4][]int
	last := lastOfHeaders(files)
	for i, f := range files {
		if h := headersOf(f); p.etags[p.key(f.Path)] == sums[i] && !stale[h] {
			continue
		}
		phase := 0
		if isHTML(f.Path) {
			phase = 2
		}
		if last[headersOf(f)] == i {
			phase++
		}
		phases[phase] = append(phases[phase], i)
	}
	for _, phase := range phases {
		if err := p.uploadAll(ctx, files, sums, phase); err != nil {
			return err
		}
	}
	return nil
}

func (p *publisher) uploadAll(ctx context.Context, files []StaticFile, sums []string, which []int) error {
	var count atomic.Int64
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(parallelUploads)
	for _, i := range which {
		group.Go(func() error {
			if err := p.upload(groupCtx, files[i]); err != nil {
				return fmt.Errorf("publish %s: %w", files[i].Path, err)
			}
			count.Add(1)
			return nil
		})
	}
	err := group.Wait()
	p.r.outcome.Published += int(count.Load())
	if err == nil {
		for _, i := range which {
			p.etags[p.key(files[i].Path)] = sums[i]
		}
	}
	return err
}

func (p *publisher) upload(ctx context.Context, f StaticFile) error {
	body, err := f.Open()
	if err != nil {
		return err
	}
	defer body.Close()
	h := headersOf(f)
	put := s3.Put{Key: p.key(f.Path), Body: body, ContentType: h.contentType, CacheControl: h.cacheControl}
	if err := p.r.Uploads.PutObject(ctx, p.bucket, put); err != nil {
		return fmt.Errorf("store %s in bucket %s: %w", p.key(f.Path), p.bucket.Name, explainDenied(err))
	}
	p.r.progress(Step{Kind: "publish", Message: "published " + p.key(f.Path)})
	return nil
}

// staleHeaders finds headers that files of the right content were published
// without, by another version of this table or another tool. A listing does
// not tell them, and to ask for each file takes long; as all files of the same
// headers are published alike, one of them speaks for the rest.
func (p *publisher) staleHeaders(ctx context.Context, files []StaticFile, sums []string) (map[headers]bool, error) {
	speaker := map[headers]string{}
	for i, f := range files {
		if key := p.key(f.Path); p.etags[key] == sums[i] {
			speaker[headersOf(f)] = key
		}
	}
	stale := map[headers]bool{}
	for h, key := range speaker {
		got, err := p.r.Objects.HeadObject(ctx, p.bucket, key)
		if err != nil && !isCode(err, "NotFound", "NoSuchKey") {
			return nil, fmt.Errorf("look at %s in bucket %s: %w", key, p.bucket.Name, explainDenied(err))
		}
		stale[h] = err != nil || got.ContentType != h.contentType || got.CacheControl != h.cacheControl
	}
	return stale, nil
}

// lastOfHeaders gives for each kind of headers the index of the last file that has them.
func lastOfHeaders(files []StaticFile) map[headers]int {
	last := map[headers]int{}
	for i, f := range files {
		last[headersOf(f)] = i
	}
	return last
}

// prune deletes what lies under the prefix and is not among the files.
func (p *publisher) prune(ctx context.Context) error {
	wanted := map[string]bool{}
	for _, f := range p.r.d.Static.Files {
		wanted[p.key(f.Path)] = true
	}
	var gone []s3.Version
	for key := range p.etags {
		spared := slices.ContainsFunc(p.r.d.Static.Ignore, func(part string) bool { return part != "" && strings.Contains(key, part) })
		if !wanted[key] && !spared {
			gone = append(gone, s3.Version{Key: key})
		}
	}
	slices.SortFunc(gone, func(a, b s3.Version) int { return strings.Compare(a.Key, b.Key) })
	for batch := range slices.Chunk(gone, s3.MaxDeletions) {
		refused, err := p.r.Objects.DeleteObjects(ctx, p.bucket, batch)
		if err != nil {
			return fmt.Errorf("prune bucket %s: %w", p.bucket.Name, explainDenied(err))
		}
		if len(refused) > 0 {
			return fmt.Errorf("prune bucket %s: %s: %s", p.bucket.Name, refused[0].Key, refused[0].Message)
		}
		for _, o := range batch {
			p.r.progress(Step{Kind: "publish", Message: "pruned " + o.Key})
		}
	}
	return nil
}

// md5Sums gives the hex MD5 of each file, which is what S3's ETags are for
// objects that are not encrypted with a key of KMS; those are uploaded anew.
func md5Sums(ctx context.Context, files []StaticFile) ([]string, error) {
	sums := make([]string, len(files))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelUploads)
	for i, f := range files {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			file, err := f.Open()
			if err != nil {
				return fmt.Errorf("publish %s: %w", f.Path, err)
			}
			defer file.Close()
			sum := md5.New()
			if _, err := io.Copy(sum, file); err != nil {
				return fmt.Errorf("publish %s: %w", f.Path, err)
			}
			sums[i] = hex.EncodeToString(sum.Sum(nil))
			return nil
		})
	}
	return sums, group.Wait()
}

// explainDenied adds what most often lies behind S3's "access denied".
func explainDenied(err error) error {
	if isCode(err, "AccessDenied", "Forbidden") {
		return errors.Join(err, errors.New("the bucket may belong to another account, or the role lack rights on it"))
	}
	return err
}
