// Package ssm is as much of the Parameter Store's API as a deployment calls.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Operations.html
package ssm

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"arc/deploy/signed"
)

// SecureString is the type of a parameter that is kept encrypted.
const SecureString = "SecureString"

// Parameter is a parameter that was read.
type Parameter struct {
	Name, Type       string
	Value            string // a secret
	Version          int64
	LastModifiedDate Time
}

// Time is a time that the API tells in seconds.
type Time struct{ time.Time }

// UnmarshalJSON reads seconds with a fraction.
func (t *Time) UnmarshalJSON(data []byte) error {
	var seconds float64
	if err := json.Unmarshal(data, &seconds); err != nil {
		return fmt.Errorf("time %s: %w", data, err)
	}
	t.Time = time.UnixMilli(int64(seconds * 1000)).UTC()
	return nil
}

// GetParametersInput names up to ten parameters.
type GetParametersInput struct {
	Names          []string
	WithDecryption bool
}

// GetParametersOutput is what there is of them.
type GetParametersOutput struct{ Parameters []Parameter }

// GetParametersByPathInput asks for a page of the parameters below a path.
type GetParametersByPathInput struct {
	Path           string
	WithDecryption bool
	NextToken      string `json:",omitempty"`
}

// GetParametersByPathOutput is a page; NextToken is "" on the last one.
type GetParametersByPathOutput struct {
	Parameters []Parameter
	NextToken  string
}

// DescribeParametersInput asks for a page of the parameters that a filter finds.
type DescribeParametersInput struct {
	ParameterFilters []Filter
	NextToken        string `json:",omitempty"`
}

// Filter finds parameters by what is known of them besides their value.
type Filter struct {
	Key, Option string // Name Equals, Path OneLevel
	Values      []string
}

// DescribeParametersOutput is a page; NextToken is "" on the last one.
type DescribeParametersOutput struct {
	Parameters []Metadata
	NextToken  string
}

// Metadata is a parameter without its value.
type Metadata struct {
	Name, Type, Description string
	Version                 int64
	LastModifiedDate        Time
}

// PutParameterInput is a parameter to write.
type PutParameterInput struct {
	Name, Value, Type string
	Description       string `json:",omitempty"`
	Overwrite         bool
}

// PutParameterOutput tells which version of the parameter that made.
type PutParameterOutput struct{ Version int64 }

// DeleteParametersInput names up to ten parameters.
type DeleteParametersInput struct{ Names []string }

// DeleteParametersOutput names those that there were.
type DeleteParametersOutput struct{ DeletedParameters []string }

// Client calls the API.
type Client struct{ client signed.Client }

// New makes a client of the configuration's region and rights.
func New(cfg aws.Config) *Client {
	return &Client{client: signed.Client{Config: cfg, ID: "SSM", Name: "ssm", Target: "AmazonSSM"}}
}

// GetParameters reads parameters by name; those that there are not are left out.
func (c *Client) GetParameters(ctx context.Context, in *GetParametersInput) (*GetParametersOutput, error) {
	out := &GetParametersOutput{}
	return out, c.client.Call(ctx, "GetParameters", in, out)
}

// GetParametersByPath reads the parameters directly below a path.
func (c *Client) GetParametersByPath(ctx context.Context, in *GetParametersByPathInput) (*GetParametersByPathOutput, error) {
	out := &GetParametersByPathOutput{}
	return out, c.client.Call(ctx, "GetParametersByPath", in, out)
}

// DescribeParameters lists parameters without their values.
func (c *Client) DescribeParameters(ctx context.Context, in *DescribeParametersInput) (*DescribeParametersOutput, error) {
	out := &DescribeParametersOutput{}
	return out, c.client.Call(ctx, "DescribeParameters", in, out)
}

// PutParameter writes a parameter.
func (c *Client) PutParameter(ctx context.Context, in *PutParameterInput) (*PutParameterOutput, error) {
	out := &PutParameterOutput{}
	return out, c.client.Call(ctx, "PutParameter", in, out)
}

// DeleteParameters removes parameters; those that there are not are no error.
func (c *Client) DeleteParameters(ctx context.Context, in *DeleteParametersInput) (*DeleteParametersOutput, error) {
	out := &DeleteParametersOutput{}
	return out, c.client.Call(ctx, "DeleteParameters", in, out)
}
