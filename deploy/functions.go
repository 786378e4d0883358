package deploy

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"arc/cfn/registry"
	"arc/deploy/signed"
)

// FunctionCode tells which code a function runs.
type FunctionCode struct {
	Name       string `json:"FunctionName"`
	CodeSHA256 string `json:"CodeSha256"` // of the zip, in base64
}

// lambdaFunctions is the one call of Lambda's that a deployment makes.
type lambdaFunctions struct{ client signed.Client }

func newLambdaFunctions(cfg aws.Config) *lambdaFunctions {
	return &lambdaFunctions{client: signed.Client{Config: cfg, ID: "Lambda", Name: "lambda"}}
}

// pageOfFunctions is the most that ListFunctions gives at once.
const pageOfFunctions = 50

// ListFunctions gives a page of the account's functions in the region, and the
// marker of the next one, "" when this was the last.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
func (l *lambdaFunctions) ListFunctions(ctx context.Context, marker string) (page []FunctionCode, next string, err error) {
	query := url.Values{"MaxItems": {strconv.Itoa(pageOfFunctions)}}
	if marker != "" {
		query.Set("Marker", marker)
	}
	var answer struct {
		Functions  []FunctionCode
		NextMarker string
	}
	err = l.client.Get(ctx, "ListFunctions", "/2015-03-31/functions/?"+query.Encode(), &answer)
	return answer.Functions, answer.NextMarker, err
}

// Invocation is what came of running a function.
type Invocation struct {
	Payload []byte // its result, or the error object
	Failed  string // "Unhandled" when the function failed; "" on success
	Log     string // the end of what it printed
}

// Invoke runs a function and waits for its result. It is tried once: a function
// does not run twice because its answer was lost.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func (l *lambdaFunctions) Invoke(ctx context.Context, name string, event []byte) (Invocation, error) {
	header, payload, err := l.client.Post(ctx, "Invoke", "/2015-03-31/functions/"+url.PathEscape(name)+"/invocations", map[string]string{
		"Content-Type": "application/json", "X-Amz-Log-Type": "Tail",
	}, event)
	if err != nil {
		return Invocation{}, err
	}
	log, err := base64.StdEncoding.DecodeString(header.Get("X-Amz-Log-Result"))
	if err != nil {
		log = nil // a log that cannot be read is no reason to hide the result
	}
	return Invocation{Payload: payload, Failed: header.Get("X-Amz-Function-Error"), Log: string(log)}, nil
}

// FindFunction gives the name of a function by its logical ID, in a stack or one
// nested in it; "" when it is not there.
func (c Clients) FindFunction(ctx context.Context, stackName, logicalID string) (string, error) {
	list, err := c.listResources(ctx, stackName)
	if err != nil {
		return "", err
	}
	for _, r := range list {
		if aws.ToString(r.LogicalResourceId) == logicalID && aws.ToString(r.ResourceType) == registry.LambdaFunction && r.ResourceStatus != types.ResourceStatusDeleteComplete {
			return aws.ToString(r.PhysicalResourceId), nil
		}
	}
	for _, r := range list {
		if aws.ToString(r.ResourceType) != registry.CloudFormationStack || aws.ToString(r.PhysicalResourceId) == "" {
			continue
		}
		name, err := c.FindFunction(ctx, aws.ToString(r.PhysicalResourceId), logicalID)
		if err != nil {
			return "", fmt.Errorf("nested stack %s: %w", aws.ToString(r.LogicalResourceId), err)
		}
		if name != "" {
			return name, nil
		}
	}
	return "", nil
}
