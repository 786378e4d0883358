package s3

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/aws/smithy-go"
)

// MaxDeletions is what one call deletes.
const MaxDeletions = 1000

// Put is an object to write.
type Put struct {
	Key          string
	Body         io.ReadSeeker
	ContentType  string
	CacheControl string // "" = none
	// Checksum is the SHA-256 of Body in base64. S3 refuses other bytes, and keeps
	// the sum for those who ask. "" = the body is held against its signature alone.
	Checksum string
}

// PutObject writes an object.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
func (c *Client) PutObject(ctx context.Context, b Bucket, p Put) error {
	k := call{operation: "PutObject", method: http.MethodPut, bucket: b, key: p.Key, body: p.Body, header: map[string]string{}}
	for name, value := range map[string]string{"Content-Type": p.ContentType, "Cache-Control": p.CacheControl} {
		if value != "" {
			k.header[name] = value
		}
	}
	if p.Checksum != "" {
		sum, err := base64.StdEncoding.DecodeString(p.Checksum)
		if err != nil {
			return fmt.Errorf("checksum %q of %s is not base64", p.Checksum, p.Key)
		}
		k.sum = hex.EncodeToString(sum)
		k.header["X-Amz-Checksum-Sha256"], k.header["X-Amz-Sdk-Checksum-Algorithm"] = p.Checksum, "SHA256"
	}
	_, err := c.exchange(ctx, k, nil)
	return err
}

// Head is how an object is sent to those who ask for it.
type Head struct{ ContentType, CacheControl string }

// HeadObject asks for what S3 tells of an object; the codes of its errors are
// NotFound, Forbidden and BadRequest.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
func (c *Client) HeadObject(ctx context.Context, b Bucket, key string) (Head, error) {
	resp, err := c.send(ctx, call{operation: "HeadObject", method: http.MethodHead, bucket: b, key: key})
	if err != nil {
		return Head{}, err
	}
	resp.Body.Close()
	return Head{ContentType: resp.Header.Get("Content-Type"), CacheControl: resp.Header.Get("Cache-Control")}, nil
}

// HeadObjectChecksum is the SHA-256 of an object in base64, which S3 worked out itself
// when it came. "" of one that came without, or in parts, whose sum is one of
// sums. Errors are as those of HeadObject; of an object that is encrypted with a
// key of KMS, the caller needs the right to decrypt with it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
func (c *Client) HeadObjectChecksum(ctx context.Context, b Bucket, key string) (string, error) {
	resp, err := c.send(ctx, call{
		operation: "HeadObject", method: http.MethodHead, bucket: b, key: key,
		header: map[string]string{"X-Amz-Checksum-Mode": "ENABLED"},
	})
	if err != nil {
		return "", err
	}
	resp.Body.Close()
	if resp.Header.Get("X-Amz-Checksum-Type") == "COMPOSITE" {
		return "", nil
	}
	return resp.Header.Get("X-Amz-Checksum-Sha256"), nil
}

// Got is an object, or a piece of it, on its way.
type Got struct {
	Body  io.ReadCloser
	Range string // its Content-Range; "" = the whole
}

// GetObject asks for an object; span is a Range header, "" = all of it. The
// caller closes the body.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
func (c *Client) GetObject(ctx context.Context, b Bucket, key, span string) (Got, error) {
	k := call{operation: "GetObject", method: http.MethodGet, bucket: b, key: key, header: map[string]string{"Accept-Encoding": "identity"}}
	if span != "" {
		k.header["Range"] = span
	}
	resp, err := c.send(ctx, k)
	if err != nil {
		return Got{}, err
	}
	return Got{resp.Body, resp.Header.Get("Content-Range")}, nil
}

// Listed is an object of a listing.
type Listed struct {
	Key  string
	ETag string // with its quotes
	Size int64
}

// Listing is a page of a bucket's objects; Next is "" on the last one.
type Listing struct {
	Objects []Listed
	Next    string
}

// ListObjectsV2 lists a page of the objects whose keys begin with prefix; next is
// "" for the first page.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
func (c *Client) ListObjectsV2(ctx context.Context, b Bucket, prefix, next string) (Listing, error) {
	query := url.Values{"list-type": {"2"}, "encoding-type": {"url"}}
	if prefix != "" {
		query.Set("prefix", prefix)
	}
	if next != "" {
		query.Set("continuation-token", next)
	}
	var page struct {
		Contents              []Listed
		EncodingType          string
		IsTruncated           bool
		NextContinuationToken string
	}
	k := call{operation: "ListObjectsV2", method: http.MethodGet, bucket: b, query: query}
	if err := c.read(ctx, k, nil, &page); err != nil {
		return Listing{}, err
	}
	for i := range page.Contents {
		if err := decode(&page.Contents[i].Key, page.EncodingType); err != nil {
			return Listing{}, &smithy.OperationError{ServiceID: c.client.ID, OperationName: k.operation, Err: err}
		}
	}
	list := Listing{Objects: page.Contents}
	if page.IsTruncated {
		list.Next = page.NextContinuationToken
	}
	return list, nil
}

// Version is one version of an object, or the mark of its deletion; "" = the
// object of a bucket that keeps none.
type Version struct {
	Key       string
	VersionID string `xml:"VersionId,omitempty"`
}

// ListObjectVersions lists the first page of a bucket's versions and marks.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
func (c *Client) ListObjectVersions(ctx context.Context, b Bucket) ([]Version, error) {
	var page struct {
		EncodingType string
		Version      []Version
		DeleteMarker []Version
	}
	k := call{operation: "ListObjectVersions", method: http.MethodGet, bucket: b, query: url.Values{"versions": {""}, "encoding-type": {"url"}}}
	if err := c.read(ctx, k, nil, &page); err != nil {
		return nil, err
	}
	all := append(page.Version, page.DeleteMarker...)
	for i := range all {
		if err := decode(&all[i].Key, page.EncodingType); err != nil {
			return nil, &smithy.OperationError{ServiceID: c.client.ID, OperationName: k.operation, Err: err}
		}
	}
	return all, nil
}

// decode reads a key of a listing: XML has no room for some characters.
func decode(key *string, encoding string) error {
	if encoding != "url" {
		return nil
	}
	plain, err := url.QueryUnescape(*key)
	if err != nil {
		return fmt.Errorf("the answer names a key that cannot be read: %w", err)
	}
	*key = plain
	return nil
}

// Refused is a version that could not be deleted.
type Refused struct{ Key, Code, Message string }

// DeleteObjects deletes at most MaxDeletions versions, and gives those that S3
// refused to.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
func (c *Client) DeleteObjects(ctx context.Context, b Bucket, gone []Version) ([]Refused, error) {
	body, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Delete"`
		Quiet   bool
		Object  []Version
	}{Quiet: true, Object: gone})
	if err != nil {
		return nil, err
	}
	var answer struct{ Error []Refused }
	if err := c.read(ctx, call{operation: "DeleteObjects", method: http.MethodPost, bucket: b, query: url.Values{"delete": {""}}}, body, &answer); err != nil {
		return nil, err
	}
	return answer.Error, nil
}
