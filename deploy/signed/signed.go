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
}

// maxAnswer bounds an answer; those of AWS's JSON services are far below.
const maxAnswer = 16 << 20

// Call sends in as JSON and reads the answer into out. It tries again as the
// configuration's retryer says. An error of the service is a smithy.APIError
// inside of a smithy.OperationError, as with the SDK's own clients.
func (c *Client) Call(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err == nil {
		err = c.call(ctx, request{method: http.MethodPost, target: c.Target + "." + operation, body: body}, out)
	}
	if err != nil {
		return &smithy.OperationError{ServiceID: c.ID, OperationName: operation, Err: err}
	}
	return nil
}

// Get asks for what is at a path of a service of REST with JSON, with its query,
// and reads the answer into out. It is else as Call.
func (c *Client) Get(ctx context.Context, operation, path string, out any) error {
	if err := c.call(ctx, request{method: http.MethodGet, path: path}, out); err != nil {
		return &smithy.OperationError{ServiceID: c.ID, OperationName: operation, Err: err}
	}
	return nil
}

// Post sends a body to a path of a service of REST, once and no more: it may
// start something. It gives the headers and the body of the answer.
func (c *Client) Post(ctx context.Context, operation, path string, header map[string]string, body []byte) (http.Header, []byte, error) {
	endpoint, err := c.endpoint(ctx)
	if err == nil {
		var (
			answered http.Header
			answer   []byte
		)
		if answered, answer, err = c.send(ctx, endpoint, request{method: http.MethodPost, path: path, header: header, body: body}); err == nil {
			return answered, answer, nil
		}
	}
	return nil, nil, &smithy.OperationError{ServiceID: c.ID, OperationName: operation, Err: err}
}

// request is what is sent, as often as it takes.
type request struct {
	method, path string
	target       string // of a JSON protocol; "" = none
	header       map[string]string
	body         []byte
}

func (c *Client) call(ctx context.Context, r request, out any) error {
	endpoint, err := c.endpoint(ctx)
	if err != nil {
		return err
	}
	var retryer aws.Retryer = aws.NopRetryer{}
	if c.Config.Retryer != nil {
		retryer = c.Config.Retryer()
	}
	for attempt := 1; ; attempt++ {
		err := c.try(ctx, endpoint, r, out)
		if err == nil || ctx.Err() != nil || attempt >= retryer.MaxAttempts() || !retryer.IsErrorRetryable(err) {
			return err
		}
		wait, stop := retryer.RetryDelay(attempt, err)
		if stop != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return &aws.RequestCanceledError{Err: ctx.Err()}
		case <-time.After(wait):
		}
	}
}

// try sends the request once, and reads the answer into out.
func (c *Client) try(ctx context.Context, endpoint string, r request, out any) error {
	_, answer, err := c.send(ctx, endpoint, r)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("the answer is not the JSON that was expected: %w", err)
	}
	return nil
}

// send sends the request once.
func (c *Client) send(ctx context.Context, endpoint string, r request) (http.Header, []byte, error) {
	if r.path != "" {
		endpoint = strings.TrimSuffix(endpoint, "/") + r.path
	}
	req, err := http.NewRequestWithContext(ctx, r.method, endpoint, bytes.NewReader(r.body))
	if err != nil {
		return nil, nil, err
	}
	if r.target != "" {
		req.Header.Set("Content-Type", "application/x-amz-json-"+cmp.Or(c.Version, "1.1"))
		req.Header.Set("X-Amz-Target", r.target)
	}
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	if c.Config.Credentials == nil {
		return nil, nil, errors.New("no credentials")
	}
	keys, err := c.Config.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("credentials: %w", err)
	}
	sum := sha256.Sum256(r.body)
	if err := v4.NewSigner().SignHTTP(ctx, keys, req, hex.EncodeToString(sum[:]), c.Name, c.Config.Region, time.Now()); err != nil {
		return nil, nil, fmt.Errorf("signature: %w", err)
	}
	resp, err := c.Config.HTTPClient.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, nil, &aws.RequestCanceledError{Err: err}
		}
		return nil, nil, &smithyhttp.RequestSendError{Err: err}
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, nil, fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		return nil, nil, &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: resp}, Err: failure(resp, answer)}
	}
	return resp.Header, answer, nil
}

// failure reads the error that a service answered.
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

// endpoint is the service's address: what the environment or the profile say,
// or AWS's own.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func (c *Client) endpoint(ctx context.Context) (string, error) {
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
	if c.Config.BaseEndpoint != nil {
		return *c.Config.BaseEndpoint, nil
	}
	return c.own(ctx), nil
}

// own is AWS's own address of the service in the region.
// https://docs.aws.amazon.com/general/latest/gr/rande.html
func (c *Client) own(ctx context.Context) string {
	name, suffix, dual := c.Name, "amazonaws.com", "api.aws"
	for _, source := range c.Config.ConfigSources {
		if s, ok := source.(interface {
			GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error)
		}); ok {
			if state, found, err := s.GetUseFIPSEndpoint(ctx); err == nil && found && state == aws.FIPSEndpointStateEnabled {
				name += "-fips"
				break
			}
		}
	}
	for prefix, of := range map[string][2]string{
		"cn-":      {"amazonaws.com.cn", "api.amazonwebservices.com.cn"},
		"eusc-":    {"amazonaws.eu", "api.amazonwebservices.eu"},
		"us-iso-":  {"c2s.ic.gov", "api.aws.ic.gov"},
		"us-isob-": {"sc2s.sgov.gov", "api.aws.scloud"},
		"eu-isoe-": {"cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
		"us-isof-": {"csp.hci.ic.gov", "api.aws.hci.ic.gov"},
	} {
		if strings.HasPrefix(c.Config.Region, prefix) {
			suffix, dual = of[0], of[1]
		}
	}
	for _, source := range c.Config.ConfigSources {
		if s, ok := source.(interface {
			GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error)
		}); ok {
			if state, found, err := s.GetUseDualStackEndpoint(ctx); err == nil && found && state == aws.DualStackEndpointStateEnabled {
				suffix = dual
				break
			}
		}
	}
	return "https://" + name + "." + c.Config.Region + "." + suffix
}
