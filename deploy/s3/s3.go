// Package s3 is as much of S3's API as a deployment calls. Every call about a
// bucket names the account that it has to belong to.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
package s3

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"arc/deploy/signed"
)

// Client calls S3.
type Client struct{ client signed.Client }

// New makes a client of what the configuration says.
func New(cfg aws.Config) *Client {
	return &Client{client: signed.Client{Config: cfg, ID: "S3", Name: "s3"}}
}

// Bucket is a bucket and the account that it has to belong to: S3 refuses to
// touch another one's, since a name that was given up can be taken by anybody.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
type Bucket struct{ Name, Owner string }

// maxAnswer bounds an answer that is read whole; a page of 1,000 keys of 1,024
// bytes, each character escaped, stays below.
const maxAnswer = 16 << 20

// call is one request.
type call struct {
	operation, method string
	bucket            Bucket
	key               string // "" = the bucket itself
	query             url.Values
	header            map[string]string
	body              io.ReadSeeker
	sum               string // of body, in hexadecimal; "" = worked out
}

// send sends a call, and gives the answer of a success.
func (c *Client) send(ctx context.Context, k call) (*http.Response, error) {
	host, path, err := c.place(ctx, k.bucket.Name)
	if err != nil {
		return nil, &smithy.OperationError{ServiceID: c.client.ID, OperationName: k.operation, Err: err}
	}
	if k.key != "" || path == "" {
		path += "/" + escape(k.key)
	}
	if len(k.query) > 0 {
		path += "?" + k.query.Encode()
	}
	header := map[string]string{}
	maps.Copy(header, k.header)
	if k.bucket.Owner != "" {
		header["X-Amz-Expected-Bucket-Owner"] = k.bucket.Owner
	}
	if k.sum == "" {
		if k.sum, err = sumOf(k.body); err != nil {
			return nil, &smithy.OperationError{ServiceID: c.client.ID, OperationName: k.operation, Err: err}
		}
	}
	header["X-Amz-Content-Sha256"] = k.sum
	return c.client.Do(ctx, k.operation, signed.Request{
		Method: k.method, Host: host, Path: path, Header: header, Body: k.body, Sum: k.sum, Failure: failure,
	})
}

// write sends a document about a bucket.
func (c *Client) write(ctx context.Context, k call, document any) error {
	body, err := xml.Marshal(document)
	if err == nil {
		_, err = c.exchange(ctx, k, body)
	}
	return err
}

// exchange sends a body and reads the answer whole. S3 asks for the sum of what
// changes a bucket.
func (c *Client) exchange(ctx context.Context, k call, body []byte) ([]byte, error) {
	if body != nil {
		sum := md5.Sum(body)
		header := map[string]string{"Content-Md5": base64.StdEncoding.EncodeToString(sum[:])}
		maps.Copy(header, k.header)
		k.body, k.header = bytes.NewReader(body), header
	}
	resp, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, &smithy.OperationError{ServiceID: c.client.ID, OperationName: k.operation, Err: fmt.Errorf("read the answer: %w", err)}
	}
	return answer, nil
}

// read sends a call and reads the document of the answer.
func (c *Client) read(ctx context.Context, k call, body []byte, document any) error {
	answer, err := c.exchange(ctx, k, body)
	if err != nil {
		return err
	}
	// S3 begins the answer of a long operation before it knows how that ends.
	if err := inside(answer); err != nil {
		return &smithy.OperationError{ServiceID: c.client.ID, OperationName: k.operation, Err: err}
	}
	if err := xml.Unmarshal(answer, document); err != nil {
		return &smithy.OperationError{ServiceID: c.client.ID, OperationName: k.operation, Err: fmt.Errorf("the answer is not the XML that was expected: %w", err)}
	}
	return nil
}

// place is the host that has the bucket, and how a path on it begins. AWS wants
// a bucket's name in front of the host; no certificate covers one with a dot,
// and an endpoint of one's own knows no such hosts.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/dual-stack-endpoints.html
func (c *Client) place(ctx context.Context, bucket string) (host, path string, err error) {
	configured, err := c.client.Configured(ctx)
	if err != nil {
		return "", "", err
	}
	if configured != "" {
		return strings.TrimSuffix(configured, "/"), "/" + escape(bucket), nil
	}
	name, region := "s3", c.client.Config.Region
	if c.client.FIPS(ctx) {
		name += "-fips"
	}
	if c.client.DualStack(ctx) {
		name += ".dualstack"
	}
	host = name + "." + region + "." + signed.Suffix(region, false)
	if strings.ContainsRune(bucket, '.') || !isHostLabel(bucket) {
		return "https://" + host, "/" + escape(bucket), nil
	}
	return "https://" + bucket + "." + host, "", nil
}

func isHostLabel(name string) bool {
	for _, r := range name {
		if !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-') {
			return false
		}
	}
	return name != "" && len(name) <= 63 && name[0] != '-' && name[len(name)-1] != '-'
}

// escape writes a key as it stands in a path: S3 signs exactly that, with "/"
// and the unreserved characters as they are.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func escape(key string) string {
	var b strings.Builder
	for i := range len(key) {
		switch c := key[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~/", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// fault is the document of an error.
type fault struct {
	XMLName xml.Name `xml:"Error"`
	Code    string
	Message string
}

// failure reads an error that S3 answered. The answer to HEAD has no body; the
// status is the code then.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func failure(resp *http.Response, answer []byte) error {
	var said fault
	xml.Unmarshal(answer, &said) // what is no XML comes from something in between
	side := smithy.FaultClient
	if resp.StatusCode >= 500 {
		side = smithy.FaultServer
	}
	code := cmp.Or(said.Code, strings.ReplaceAll(http.StatusText(resp.StatusCode), " ", ""))
	return &smithy.GenericAPIError{Code: code, Message: said.Message, Fault: side}
}

// inside finds the error that a success's body may hold.
func inside(answer []byte) error {
	var said fault
	if err := xml.Unmarshal(answer, &said); err != nil {
		return nil // another document
	}
	return &smithy.GenericAPIError{Code: said.Code, Message: said.Message, Fault: smithy.FaultServer}
}

// sumOf is the SHA-256 of a body, in hexadecimal; of none without a body.
func sumOf(body io.ReadSeeker) (string, error) {
	sum := sha256.New()
	if body != nil {
		if _, err := body.Seek(0, io.SeekStart); err != nil {
			return "", fmt.Errorf("read what is sent: %w", err)
		}
		if _, err := io.Copy(sum, body); err != nil {
			return "", fmt.Errorf("read what is sent: %w", err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
