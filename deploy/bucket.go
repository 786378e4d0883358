package deploy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"arc/deploy/s3"
	"arc/deploy/ssm"
)

// maxBucketTries bounds the names tried when others hold them already.
const maxBucketTries = 8

// bucketParameter is where an app's stages find the artifact bucket they share.
func bucketParameter(app string) string { return OwnFolder(app) + "/bucket" }

// OwnFolder is where deploy keeps in SSM what it has to remember of an app.
func OwnFolder(app string) string { return "/" + app + "/deploy" }

// findBucket gives the bucket to use: the one named by the user, the one
// recorded in SSM, or a new one.
func (r *run) findBucket(ctx context.Context) (s3.Bucket, error) {
	owner, err := r.owner(ctx)
	if err != nil {
		return s3.Bucket{}, err
	}
	if r.d.Bucket != "" {
		bucket := s3.Bucket{Name: r.d.Bucket, Owner: owner}
		return bucket, r.stillOwned(ctx, bucket)
	}
	recorded, err := r.readParameters(ctx, bucketParameter(r.d.App))
	if err != nil {
		return s3.Bucket{}, err
	}
	if name := recorded[bucketParameter(r.d.App)]; name != "" {
		mine, err := r.ownsBucket(ctx, s3.Bucket{Name: name, Owner: owner})
		if err != nil {
			return s3.Bucket{}, err
		}
		if mine {
			return s3.Bucket{Name: name, Owner: owner}, nil
		}
		r.note("the artifact bucket %s is gone or another account's; making a new one", name)
	}
	name, err := r.makeBucket(ctx, owner)
	if err != nil {
		return s3.Bucket{}, err
	}
	_, err = r.Parameters.PutParameter(ctx, &ssm.PutParameterInput{
		Name:  bucketParameter(r.d.App),
		Value: name,
		Type:  ssm.SecureString, // as existing Architect apps have it
		// A preview has no right to write over it. Another run at the same time
		// records the same name.
		Overwrite: recorded[bucketParameter(r.d.App)] != "",
	})
	if err != nil && !isCode(err, "ParameterAlreadyExists") {
		return s3.Bucket{}, fmt.Errorf("record the artifact bucket's name in SSM as %s: %w", bucketParameter(r.d.App), err)
	}
	return s3.Bucket{Name: name, Owner: owner}, nil
}

// owner is the account that all buckets of a run have to belong to: that of the
// credentials. It goes with every request, so that S3 refuses to hand code to a
// stranger's bucket: a name that was given up can be taken by anyone.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
func (r *run) owner(ctx context.Context) (string, error) {
	if r.account == "" {
		id, err := r.Identity.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return "", fmt.Errorf("find out the AWS account: %w", err)
		}
		r.account, r.caller = aws.ToString(id.Account), aws.ToString(id.Arn)
	}
	return r.account, nil
}

// stillOwned asks once more whose the bucket is, right before CloudFormation is
// told to read from it: it cannot be told whose it has to be.
func (r *run) stillOwned(ctx context.Context, bucket s3.Bucket) error {
	if bucket.Name == "" {
		return nil
	}
	mine, err := r.ownsBucket(ctx, bucket)
	if err == nil && !mine {
		err = fmt.Errorf("stack %s is left as it is: the artifact bucket %s is gone, or does not belong to account %s, or the role may not list it; name another one with @aws bucket",
			r.d.StackName, bucket.Name, bucket.Owner)
	}
	return err
}

// ownsBucket tells whether the bucket exists and belongs to the account.
func (r *run) ownsBucket(ctx context.Context, bucket s3.Bucket) (bool, error) {
	err := r.Objects.HeadBucket(ctx, bucket)
	switch {
	case err == nil:
		return true, nil
	case isCode(err, "NotFound", "NoSuchBucket", "Forbidden", "AccessDenied"):
		return false, nil
	}
	return false, fmt.Errorf("look for the artifact bucket %s: %w", bucket.Name, err)
}

// makeBucket makes a private, encrypted, versioned bucket. Its name follows
// from account, region and app, so that a run which was killed before it could
// record the name, or one that runs at the same time, arrives at the same bucket.
func (r *run) makeBucket(ctx context.Context, owner string) (string, error) {
	for try := range maxBucketTries {
		name := bucketName(r.d.App, owner, r.Region, try)
		err := r.Objects.CreateBucket(ctx, name)
		if isCode(err, "BucketAlreadyExists") {
			// Some endpoints say so of one's own buckets, too.
			mine, headErr := r.ownsBucket(ctx, s3.Bucket{Name: name, Owner: owner})
			if headErr != nil {
				return "", headErr
			}
			if !mine {
				continue
			}
		} else if err != nil && !isCode(err, "BucketAlreadyOwnedByYou") {
			return "", fmt.Errorf("make the artifact bucket %s: %w", name, err)
		}
		r.note("artifact bucket %s", name)
		return name, r.protectBucket(ctx, s3.Bucket{Name: name, Owner: owner})
	}
	return "", fmt.Errorf("make an artifact bucket: %d names are taken by other accounts; name a bucket of your own with @aws bucket", maxBucketTries)
}

func (r *run) protectBucket(ctx context.Context, bucket s3.Bucket) error {
	if err := r.Objects.PutPublicAccessBlock(ctx, bucket); err != nil {
		return fmt.Errorf("block public access to the artifact bucket %s: %w", bucket.Name, err)
	}
	if err := r.Objects.PutBucketEncryption(ctx, bucket); err != nil {
		return fmt.Errorf("encrypt the artifact bucket %s: %w", bucket.Name, err)
	}
	if err := r.Objects.PutBucketVersioning(ctx, bucket); err != nil {
		return fmt.Errorf("version the artifact bucket %s: %w", bucket.Name, err)
	}
	return nil
}

// bucketName stays within the 63 characters of a bucket's name.
func bucketName(app, account, region string, try int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%s/%s/%d", account, region, app, try))
	return BucketPrefix(app) + hex.EncodeToString(sum[:])[:5]
}

// BucketPrefix begins the name of an app's artifact bucket, unless @aws bucket
// names another one.
func BucketPrefix(app string) string {
	stem := strings.ReplaceAll(strings.ToLower(app), "_", "-")
	return strings.Trim(stem[:min(len(stem), 38)], "-") + "-cfn-deployments-"
}

// readParameters gives the values of those parameters that exist.
func (r *run) readParameters(ctx context.Context, names ...string) (map[string]string, error) {
	got, err := r.Parameters.GetParameters(ctx, &ssm.GetParametersInput{Names: names, WithDecryption: true})
	if err != nil {
		return nil, fmt.Errorf("read %s from SSM: %w", strings.Join(names, ", "), err)
	}
	values := map[string]string{}
	for _, p := range got.Parameters {
		values[p.Name] = p.Value
	}
	return values, nil
}
