package deploy

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"arc/cfn/registry"
	"arc/deploy/signed"
)

// FunctionCode tells which code a function runs.
type FunctionCode struct {
	Name       string `json:"FunctionName"`
	CodeSHA256 string `json:"CodeSha256"` // of the zip, in base64
	// Description tells a function that was changed past CloudFormation: ChangedDirectly.
	Description string
}

// lambdaFunctions are the calls of Lambda's that a deployment makes.
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
	found, err := c.Resources(ctx, stackName, registry.LambdaFunction)
	return found[logicalID], err
}

// Resources gives the physical IDs of a stack's resources of a type by their
// logical ones, with those of stacks nested in it, whose logical IDs arc never
// uses twice. A stack that does not exist has none.
func (c Clients) Resources(ctx context.Context, stackName, typ string) (map[string]string, error) {
	found := map[string]string{}
	err := c.eachStack(ctx, stackName, "", func(_, _ string, resources []types.StackResourceSummary) error {
		for _, r := range resources {
			if aws.ToString(r.ResourceType) == typ {
				found[aws.ToString(r.LogicalResourceId)] = aws.ToString(r.PhysicalResourceId)
			}
		}
		return nil
	})
	if isMissingStack(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Schedules is the one call of EventBridge Scheduler's that is made.
type Schedules struct{ client signed.Client }

func newSchedules(cfg aws.Config) *Schedules {
	return &Schedules{signed.Client{Config: cfg, ID: "Scheduler", Name: "scheduler"}}
}

// Target gives the ARN of what a schedule invokes, by the schedule's own ARN.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_GetSchedule.html
func (s *Schedules) Target(ctx context.Context, arn string) (string, error) {
	_, path, ok := strings.Cut(arn, ":schedule/")
	group, name, whole := strings.Cut(path, "/")
	if !ok || !whole {
		return "", fmt.Errorf("%q is not the ARN of a schedule", arn)
	}
	var out struct {
		Target struct{ Arn string }
	}
	err := s.client.Get(ctx, "GetSchedule", "/schedules/"+url.PathEscape(name)+"?groupName="+url.QueryEscape(group), &out)
	return out.Target.Arn, err
}

// sha256Base64 is the hash of bytes as Lambda and S3 tell it.
func sha256Base64(data []byte) string {
	sum := sha256.Sum256(data)
	return base64.StdEncoding.EncodeToString(sum[:])
}
