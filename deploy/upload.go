package deploy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"
)

// parallelUploads keeps a slow line busy without tripping S3's limits.
const parallelUploads = 8

// uploadArtifacts stores the artifacts that the bucket lacks and counts them.
// deployed is the template that the stack has now, when its artifacts came
// from the same bucket: a key that it names was uploaded before, so nobody
// needs to ask.
func (r *run) uploadArtifacts(ctx context.Context, bucket artifactBucket, deployed []byte) (int, error) {
	var count atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelUploads)
	seen := map[string]bool{}
	for _, a := range r.d.Artifacts {
		// Functions that share a folder share the key.
		if seen[a.Key] || strings.Contains(string(deployed), a.Key) {
			continue
		}
		seen[a.Key] = true
		group.Go(func() error {
			uploaded, err := r.uploadArtifact(ctx, bucket, a)
			if err != nil {
				return fmt.Errorf("upload %s: %w", a.Label, err)
			}
			if uploaded {
				count.Add(1)
			}
			return nil
		})
	}
	err := group.Wait()
	return int(count.Load()), err
}

func (r *run) uploadArtifact(ctx context.Context, bucket artifactBucket, a Artifact) (bool, error) {
	if exists, err := r.hasObject(ctx, bucket, a.Key); err != nil || exists {
		return false, err
	}
	// The body must be readable again for a retry, and eight packages at once
	// may be larger than memory allows.
	file, err := os.CreateTemp("", "arc-upload-*")
	if err != nil {
		return false, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	os.Remove(file.Name()) // where the system allows it, a killed run leaves nothing behind
	if err := a.Write(file); err != nil {
		return false, err
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return false, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return false, err
	}
	if err := r.putArtifact(ctx, bucket, a.Key, file); err != nil {
		return false, err
	}
	r.progress(Step{Kind: "upload", Message: fmt.Sprintf("uploaded %s (%.1f KB)", a.Label, float64(size)/1000)})
	return true, nil
}

// uploadTemplate stores a template that is too long to be sent inline, and
// gives its URL in the one form that CloudFormation takes everywhere.
func (r *run) uploadTemplate(ctx context.Context, bucket artifactBucket) (string, error) {
	sum := sha256.Sum256(r.d.Template)
	key := hex.EncodeToString(sum[:]) + "-template.json"
	exists, err := r.hasObject(ctx, bucket, key)
	if err == nil && !exists {
		err = r.putArtifact(ctx, bucket, key, strings.NewReader(string(r.d.Template)))
	}
	if err != nil {
		return "", fmt.Errorf("upload the template: %w", err)
	}
	suffix := "amazonaws.com"
	if strings.HasPrefix(r.Region, "cn-") {
		suffix = "amazonaws.com.cn"
	}
	return fmt.Sprintf("https://%s.s3.%s.%s/%s", bucket.name, r.Region, suffix, key), nil
}

// hasObject tells whether the bucket holds the key. Without the right to list
// the bucket S3 says "forbidden" of a key that is missing.
func (r *run) hasObject(ctx context.Context, bucket artifactBucket, key string) (bool, error) {
	_, err := r.Objects.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: aws.String(bucket.name), Key: aws.String(key), ExpectedBucketOwner: bucket.owner,
	})
	if err == nil {
		return true, nil
	}
	if isCode(err, "NotFound", "NoSuchKey", "Forbidden", "AccessDenied") {
		return false, nil
	}
	return false, fmt.Errorf("look for %s in bucket %s: %w", key, bucket.name, err)
}

func (r *run) putArtifact(ctx context.Context, bucket artifactBucket, key string, body io.ReadSeeker) error {
	contentType := "application/zip"
	if strings.HasSuffix(key, ".json") {
		contentType = "application/json"
	}
	_, err := r.Uploads.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(bucket.name), Key: aws.String(key), ExpectedBucketOwner: bucket.owner,
		Body: body, ContentType: aws.String(contentType),
	})
	if err != nil {
		return fmt.Errorf("store %s in bucket %s: %w", key, bucket.name, err)
	}
	return nil
}
