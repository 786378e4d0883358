package s3

import (
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
)

// HeadBucket asks whether a bucket is there and belongs to the account; the
// codes of its errors are NotFound, Forbidden and BadRequest.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
func (c *Client) HeadBucket(ctx context.Context, b Bucket) error {
	_, err := c.exchange(ctx, call{operation: "HeadBucket", method: http.MethodHead, bucket: b}, nil)
	return err
}

// CreateBucket makes a bucket in the region of the configuration, of which the
// objects belong to the bucket's owner.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
func (c *Client) CreateBucket(ctx context.Context, name string) error {
	k := call{
		operation: "CreateBucket", method: http.MethodPut, bucket: Bucket{Name: name},
		header: map[string]string{"X-Amz-Object-Ownership": "BucketOwnerEnforced"},
	}
	var body []byte
	// The first region is told by none.
	if region := c.client.Config.Region; region != "us-east-1" {
		var err error
		if body, err = xml.Marshal(struct {
			XMLName            xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CreateBucketConfiguration"`
			LocationConstraint string
		}{LocationConstraint: region}); err != nil {
			return err
		}
	}
	_, err := c.exchange(ctx, k, body)
	return err
}

// PutPublicAccessBlock refuses everything that would open a bucket.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html
func (c *Client) PutPublicAccessBlock(ctx context.Context, b Bucket) error {
	return c.write(ctx, call{operation: "PutPublicAccessBlock", method: http.MethodPut, bucket: b, query: url.Values{"publicAccessBlock": {""}}}, struct {
		XMLName                                                                     xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ PublicAccessBlockConfiguration"`
		BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool
	}{BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true})
}

// PutBucketEncryption has a bucket encrypt its objects with S3's own keys.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
func (c *Client) PutBucketEncryption(ctx context.Context, b Bucket) error {
	return c.write(ctx, call{operation: "PutBucketEncryption", method: http.MethodPut, bucket: b, query: url.Values{"encryption": {""}}}, struct {
		XMLName   xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ServerSideEncryptionConfiguration"`
		Algorithm string   `xml:"Rule>ApplyServerSideEncryptionByDefault>SSEAlgorithm"`
	}{Algorithm: "AES256"})
}

// PutBucketVersioning has a bucket keep what is written over or deleted.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html
func (c *Client) PutBucketVersioning(ctx context.Context, b Bucket) error {
	return c.write(ctx, call{operation: "PutBucketVersioning", method: http.MethodPut, bucket: b, query: url.Values{"versioning": {""}}}, struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ VersioningConfiguration"`
		Status  string
	}{Status: "Enabled"})
}

// ListBuckets gives the names of all buckets.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
func (c *Client) ListBuckets(ctx context.Context) ([]string, error) {
	var list struct {
		Names []string `xml:"Buckets>Bucket>Name"`
	}
	if err := c.read(ctx, call{operation: "ListBuckets", method: http.MethodGet}, nil, &list); err != nil {
		return nil, err
	}
	slices.Sort(list.Names)
	return list.Names, nil
}
