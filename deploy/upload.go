package deploy

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"arc/cfn"
	"arc/deploy/s3"
	"arc/deploy/signed"
)

// parallelUploads keeps a slow line busy without tripping S3's limits.
const parallelUploads = 8

// uploadArtifacts stores the artifacts that the bucket lacks, or has other bytes
// of, and counts them.
func (r *run) uploadArtifacts(ctx context.Context, bucket s3.Bucket) (int, error) {
	var count atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelUploads)
	seen := map[string]bool{}
	for _, a := range r.d.Artifacts {
		// Functions that share a folder share the key.
		if seen[a.Key] {
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

func (r *run) uploadArtifact(ctx context.Context, bucket s3.Bucket, a Artifact) (bool, error) {
	stored, err := r.storedObject(ctx, bucket, a.Key)
	if err != nil {
		return false, err
	}
	if stored.sum != "" {
		sum, err := r.sum(a)
		if err == nil && stored.sum != sum {
			sum, err = r.prove(a)
		}
		if err != nil || stored.sum == sum {
			return false, err
		}
		r.warnPlanted(bucket, a.Key)
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
	sum, err := copyHashing(file, a)
	if err != nil {
		return false, err
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return false, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return false, err
	}
	if err := r.putArtifact(ctx, bucket, a.Key, file, r.remember(a.Key, sum)); err != nil {
		return false, err
	}
	r.progress(Step{Kind: "upload", Message: fmt.Sprintf("uploaded %s (%.1f KB)", a.Label, float64(size)/1000)})
	return true, nil
}

// uploadTemplate stores a template that is too long to be sent inline, and
// gives its URL in the one form that CloudFormation takes everywhere.
func (r *run) uploadTemplate(ctx context.Context, bucket s3.Bucket) (string, error) {
	key := r.templateKey()
	hash := sha256.Sum256(r.d.Template)
	sum := base64.StdEncoding.EncodeToString(hash[:])
	stored, err := r.storedObject(ctx, bucket, key)
	if err == nil && stored.sum != sum {
		if stored.sum != "" {
			r.warnPlanted(bucket, key)
		}
		err = r.putArtifact(ctx, bucket, key, strings.NewReader(string(r.d.Template)), sum)
	}
	if err != nil {
		return "", fmt.Errorf("upload the template: %w", err)
	}
	return fmt.Sprintf("https://%s.s3.%s.%s/%s", bucket.Name, r.Region, signed.Suffix(r.Region, false), key), nil
}

// templateKey is where a long template goes: beside the stage's code.
func (r *run) templateKey() string {
	sum := sha256.Sum256(r.d.Template)
	return cfn.Options{Stage: r.mark.Stage, Name: r.mark.Name}.ArtifactKey(hex.EncodeToString(sum[:]) + "-template.json")
}

// storedObject is what the bucket has under a key.
type storedObject struct {
	sum string // SHA-256 of its bytes, in base64; "" when there is none or it cannot be known
}

// storedObject asks S3 for the hash that it worked out itself when the object
// came. Nothing is known of one that came without that hash, in parts (whose
// hash is one of hashes), encrypted with a key that the caller does not have, or
// not at all. Without the right to list the bucket S3 says "forbidden" of a key
// that is missing.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
func (r *run) storedObject(ctx context.Context, bucket s3.Bucket, key string) (storedObject, error) {
	sum, err := r.Objects.HeadObjectChecksum(ctx, bucket, key)
	switch {
	case err == nil:
		return storedObject{sum}, nil
	case isCode(err, "NotFound", "NoSuchKey", "Forbidden", "AccessDenied", "BadRequest"):
		return storedObject{}, nil
	}
	return storedObject{}, fmt.Errorf("look for %s in bucket %s: %w", key, bucket.Name, err)
}

// warnPlanted tells of an object whose name is that of something else.
func (r *run) warnPlanted(bucket s3.Bucket, key string) {
	r.note("warning: %s in bucket %s is not what its name says; somebody else wrote it. It is stored anew: find out who may write there", key, bucket.Name)
}

func (r *run) putArtifact(ctx context.Context, bucket s3.Bucket, key string, body io.ReadSeeker, sum string) error {
	contentType := "application/zip"
	if strings.HasSuffix(key, ".json") {
		contentType = "application/json"
	}
	err := r.Uploads.PutObject(ctx, bucket, s3.Put{Key: key, Body: body, ContentType: contentType, Checksum: sum})
	if err != nil {
		return fmt.Errorf("store %s in bucket %s: %w", key, bucket.Name, err)
	}
	return nil
}
