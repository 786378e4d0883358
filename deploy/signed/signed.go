// Package signed calls AWS services without a package of the SDK for each:
// the SDK's own credentials, signer, endpoints' settings and retries, around
// requests that are written here. A service package brings one to two megabytes
// and up to two milliseconds of every start; a service of which we need four
// calls is not worth that.
package signed

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Client calls one service of a JSON protocol, or of REST with JSON.
type Client struct {
	Config aws.Config
	ID     string // the SDK's name of the service: "SSM"
	Name   string // what requests are signed for, and the endpoint begins with: "ssm"
	Target string // in front of an operation's name: "AmazonSSM"
	// Version of the JSON protocol: "1.0"; "" = 1.1.
	Version string

	skew atomic.Int64 // nanoseconds that the service's clock is ahead of ours
}

// maxAnswer bounds an answer; those of AWS's JSON services are far below.
const maxAnswer = 16 << 20

// Call sends in as JSON and reads the answer into out; nil = there is none. It tries again as the
// configuration's retryer says. An error of the service is a smithy.APIError
// inside of a smithy.OperationError, as with the SDK's own clients.
func (c *Client) Call(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return &smithy.OperationError{ServiceID: c.ID, OperationName: operation, Err: err}
	}
	return c.call(ctx, operation, Request{
		Method: http.MethodPost, Body: bytes.NewReader(body),
		Header: map[string]string{"Content-Type": "application/x-amz-json-" + cmp.Or(c.Version, "1.1"), "X-Amz-Target": c.Target + "." + operation},
	}, out)
}

// Get asks for what is at a path of a service of REST with JSON, with its query,
// and reads the answer into out. It is else as Call.
func (c *Client) Get(ctx context.Context, operation, path string, out any) error {
	return c.call(ctx, operation, Request{Method: http.MethodGet, Path: path}, out)
}

// Post sends a body to a path of a service of REST, once and no more: it may
// start something. It gives the headers and the body of the answer.
func (c *Client) Post(ctx context.Context, operation, path string, header map[string]string, body []byte) (http.Header, []byte, error) {
	resp, answer, err := c.whole(ctx, operation, Request{Method: http.MethodPost, Path: path, Header: header, Body: bytes.NewReader(body), Once: true})
	if err != nil {
		return nil, nil, err
	}
	return resp.Header, answer, nil
}

// Send sends in as JSON, nil for nothing, to a path of a service of REST, and
// reads the answer into out, where there is one. What it asks for must be the same
// when it is asked for twice: it is else as Call.
func (c *Client) Send(ctx context.Context, method, operation, path string, in, out any) error {
	r := Request{Method: method, Path: path}
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return &smithy.OperationError{ServiceID: c.ID, OperationName: operation, Err: err}
		}
		r.Header, r.Body = map[string]string{"Content-Type": "application/json"}, bytes.NewReader(body)
	}
	_, answer, err := c.whole(ctx, operation, r)
	if err != nil || len(answer) == 0 { // 204, as REST has it for what gives nothing
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return &smithy.OperationError{ServiceID: c.ID, OperationName: operation, Err: fmt.Errorf("the answer is not the JSON that was expected: %w", err)}
	}
	return nil
}

// Request is what is sent, as often as it takes.
type Request struct {
	Method string
	Host   string // "" = the service's endpoint; else scheme and host
	Path   string // with its query, escaped as it is signed
	Header map[string]string
	Body   io.ReadSeeker // nil = none
	// Sum is the SHA-256 of Body, in hexadecimal; "" = worked out here.
	Sum string
	// Once tells that it is not tried again.
	Once bool
	// Failure reads the service's errors; nil = those of the JSON protocols.
	Failure func(resp *http.Response, answer []byte) error
}

// Do sends a request and gives the answer of a success, whose body the caller
// closes. It tries again as the configuration's retryer says; errors are as
// those of Call.
func (c *Client) Do(ctx context.Context, operation string, r Request) (*http.Response, error) {
	resp, err := c.do(ctx, r)
	if err != nil {
		return nil, &smithy.OperationError{ServiceID: c.ID, OperationName: operation, Err: err}
	}
	return resp, nil
}

func (c *Client) call(ctx context.Context, operation string, r Request, out any) error {
	_, answer, err := c.whole(ctx, operation, r)
	if err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return &smithy.OperationError{ServiceID: c.ID, OperationName: operation, Err: fmt.Errorf("the answer is not the JSON that was expected: %w", err)}
	}
	return nil
}

// whole is Do with the answer's body. One that breaks off is asked for again.
func (c *Client) whole(ctx context.Context, operation string, r Request) (*http.Response, []byte, error) {
	var answer []byte
	resp, err := c.repeat(ctx, r, func(resp *http.Response) (err error) {
		defer resp.Body.Close()
		if answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, nil, &smithy.OperationError{ServiceID: c.ID, OperationName: operation, Err: err}
	}
	return resp, answer, nil
}

func (c *Client) do(ctx context.Context, r Request) (*http.Response, error) {
	return c.repeat(ctx, r, func(*http.Response) error { return nil })
}

// repeat sends a request until the answer is a success that read takes, or the
// retryer gives up.
func (c *Client) repeat(ctx context.Context, r Request, read func(*http.Response) error) (*http.Response, error) {
	if r.Host == "" {
		endpoint, err := c.Endpoint(ctx)
		if err != nil {
			return nil, err
		}
		r.Host = endpoint
	}
	if r.Body == nil {
		r.Body = bytes.NewReader(nil)
	}
	if r.Failure == nil {
		r.Failure = failure
	}
	if r.Sum == "" {
		sum := sha256.New()
		if _, err := io.Copy(sum, r.Body); err != nil {
			return nil, fmt.Errorf("read what is sent: %w", err)
		}
		r.Sum = hex.EncodeToString(sum.Sum(nil))
	}
	var retryer aws.Retryer = aws.NopRetryer{}
	if c.Config.Retryer != nil && !r.Once {
		retryer = c.Config.Retryer()
	}
	for attempt := 1; ; attempt++ {
		resp, err := c.send(ctx, r)
		if err == nil {
			err = read(resp)
		}
		if err == nil {
			return resp, nil
		}
		if ctx.Err() != nil || attempt >= retryer.MaxAttempts() {
			return nil, err
		}
		if c.setClock(err) {
			continue
		}
		if !retryer.IsErrorRetryable(err) {
			return nil, err
		}
		wait, stop := retryer.RetryDelay(attempt, err)
		if stop != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, &aws.RequestCanceledError{Err: ctx.Err()}
		case <-time.After(wait):
		}
	}
}

// send sends the request once.
func (c *Client) send(ctx context.Context, r Request) (*http.Response, error) {
	size, err := r.Body.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = r.Body.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, fmt.Errorf("read what is sent: %w", err)
	}
	address := r.Host
	if r.Path != "" {
		address = strings.TrimSuffix(address, "/") + r.Path
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, address, nil)
	if err != nil {
		return nil, err
	}
	if size > 0 {
		req.Body, req.ContentLength = io.NopCloser(r.Body), size
	}
	for name, value := range r.Header {
		req.Header.Set(name, value)
	}
	if c.Config.Credentials == nil {
		return nil, errors.New("no credentials")
	}
	keys, err := c.Config.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	// S3 signs the path as it is sent; everything else escapes it once more.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = c.Name == "s3" })
	if err := signer.SignHTTP(ctx, keys, req, r.Sum, c.Name, c.Config.Region, time.Now().Add(time.Duration(c.skew.Load()))); err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	resp, err := c.Config.HTTPClient.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, &aws.RequestCanceledError{Err: err}
		}
		return nil, &smithyhttp.RequestSendError{Err: err}
	}
	if resp.StatusCode/100 != 2 {
		defer resp.Body.Close()
		answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return nil, fmt.Errorf("read the answer: %w", err)
		}
		return nil, &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: resp}, Err: r.Failure(resp, answer)}
	}
	return resp, nil
}

// wrongClock is from where on the services find a signature too old or too new.
const wrongClock = 4 * time.Minute

// setClock follows the clock of a service that refused a signature because of
// ours, as the SDK's own clients do, and tells whether it did.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
func (c *Client) setClock(err error) bool {
	var (
		code interface{ ErrorCode() string }
		resp *smithyhttp.ResponseError
	)
	if !errors.As(err, &code) || !errors.As(err, &resp) {
		return false
	}
	switch code.ErrorCode() {
	case "InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure", "RequestTimeTooSkewed", "AccessDeniedException", http.StatusText(http.StatusForbidden):
	default:
		return false
	}
	theirs, err := http.ParseTime(resp.Response.Header.Get("Date"))
	if err != nil {
		return false
	}
	ahead := time.Until(theirs)
	if off := ahead - time.Duration(c.skew.Load()); off.Abs() <= wrongClock {
		return false
	}
	c.skew.Store(int64(ahead))
	return true
}

// failure reads the error that a service of a JSON protocol answered.
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization
func failure(resp *http.Response, answer []byte) error {
	var said struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"` // or Message: names are compared without case
	}
	// What is no JSON comes from something in between: a proxy.
	json.Unmarshal(answer, &said)
	code := resp.Header.Get("X-Amzn-ErrorType")
	for _, other := range []string{said.Code, said.Type, http.StatusText(resp.StatusCode)} {
		if code == "" {
			code = other
		}
	}
	code, _, _ = strings.Cut(code, ":")
	code = code[strings.LastIndex(code, "#")+1:]
	fault := smithy.FaultClient
	if resp.StatusCode >= 500 {
		fault = smithy.FaultServer
	}
	return &smithy.GenericAPIError{Code: code, Message: said.Message, Fault: fault}
}

// Endpoint is the service's address: what the environment or the profile say,
// or AWS's own.
func (c *Client) Endpoint(ctx context.Context) (string, error) {
	if configured, err := c.Configured(ctx); err != nil || configured != "" {
		return configured, err
	}
	name, dual := c.Name, c.DualStack(ctx)
	if c.FIPS(ctx) {
		name += "-fips"
	}
	return "https://" + name + "." + c.Config.Region + "." + Suffix(c.Config.Region, dual), nil
}

// Configured is the service's address that the environment, the profile or the
// configuration itself say; "" = AWS's own.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func (c *Client) Configured(ctx context.Context) (string, error) {
	ignored := false
	for _, source := range c.Config.ConfigSources {
		if s, ok := source.(interface {
			GetIgnoreConfiguredEndpoints(context.Context) (bool, bool, error)
		}); ok {
			if yes, found, err := s.GetIgnoreConfiguredEndpoints(ctx); err == nil && found {
				ignored = yes
				break
			}
		}
	}
	if !ignored {
		for _, source := range c.Config.ConfigSources {
			if s, ok := source.(interface {
				GetServiceBaseEndpoint(context.Context, string) (string, bool, error)
			}); ok {
				if url, found, err := s.GetServiceBaseEndpoint(ctx, c.ID); err != nil || found {
					return url, err
				}
			}
		}
	}
	return aws.ToString(c.Config.BaseEndpoint), nil
}

// FIPS tells whether the configuration asks for endpoints of FIPS 140.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-endpoints.html
func (c *Client) FIPS(ctx context.Context) bool {
	for _, source := range c.Config.ConfigSources {
		if s, ok := source.(interface {
			GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error)
		}); ok {
			if state, found, err := s.GetUseFIPSEndpoint(ctx); err == nil && found {
				return state == aws.FIPSEndpointStateEnabled
			}
		}
	}
	return false
}

// DualStack tells whether the configuration asks for endpoints that answer over
// IPv6, too.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-endpoints.html
func (c *Client) DualStack(ctx context.Context) bool {
	for _, source := range c.Config.ConfigSources {
		if s, ok := source.(interface {
			GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error)
		}); ok {
			if state, found, err := s.GetUseDualStackEndpoint(ctx); err == nil && found {
				return state == aws.DualStackEndpointStateEnabled
			}
		}
	}
	return false
}

// partition is a group of regions that AWS keeps apart from the others.
type partition struct{ prefix, name, suffix, dualStack string }

// partitionOf is the partition of a region.
// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
func partitionOf(region string) partition {
	for _, p := range []partition{
		{"cn-", "aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
		{"us-gov-", "aws-us-gov", "amazonaws.com", "api.aws"},
		{"eusc-", "aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu"},
		{"us-iso-", "aws-iso", "c2s.ic.gov", "api.aws.ic.gov"},
		{"us-isob-", "aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud"},
		{"eu-isoe-", "aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
		{"us-isof-", "aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
	} {
		if strings.HasPrefix(region, p.prefix) {
			return p
		}
	}
	return partition{"", "aws", "amazonaws.com", "api.aws"}
}

// Partition is the second part of the ARNs of a region.
func Partition(region string) string { return partitionOf(region).name }

// Suffix ends the names of a region's hosts.
// https://docs.aws.amazon.com/general/latest/gr/rande.html
func Suffix(region string, dualStack bool) string {
	p := partitionOf(region)
	if dualStack {
		return p.dualStack
	}
	return p.suffix
}
