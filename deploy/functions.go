package deploy

import (
	"context"
	"net/url"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"

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
	return &lambdaFunctions{signed.Client{Config: cfg, ID: "Lambda", Name: "lambda"}}
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
