package ingress

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"arc/cfn/iam"
)

// Decide says what an authorizer's policy document says of calling an ARN of
// execute-api. What cannot be read is an error, so that nobody is let in or kept
// out by half of a policy.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func Decide(document json.RawMessage, arn string, f Facts) (iam.Decision, error) {
	var p struct{ Statement any }
	if err := json.Unmarshal(document, &p); err != nil || p.Statement == nil {
		return iam.Decision{}, errors.New("its policyDocument has no Statement")
	}
	list, ok := p.Statement.([]any)
	if !ok {
		list = []any{p.Statement}
	}
	for _, v := range list {
		statement, ok := v.(map[string]any)
		if !ok {
			return iam.Decision{}, errors.New("its policyDocument cannot be read: a statement is no object")
		}
		if (statement["Action"] == nil) == (statement["NotAction"] == nil) || (statement["Resource"] == nil) == (statement["NotResource"] == nil) ||
			statement["Effect"] != "Allow" && statement["Effect"] != "Deny" {
			return iam.Decision{}, errors.New("a statement of its policyDocument has no Effect, Action or Resource that IAM reads")
		}
	}
	policy := iam.Read(string(document))
	if policy.Unread() {
		return iam.Decision{}, errors.New("its policyDocument has what IAM does not read: a statement's Principal or Condition, or a member of another name")
	}
	// It is the policy of whoever calls, who is known to nobody else.
	return iam.Decide(iam.Request{Action: "execute-api:Invoke", Resource: arn, Principal: "arn:", Lookup: f.condition}, iam.Policies{Identity: []iam.Policy{policy}}), nil
}

// Facts are what the conditions of a policy may ask of a request.
type Facts struct {
	Header http.Header
	// Context is the value of $context.NAME; "" = there is none.
	Context func(name string) string
}

// condition is the value of a condition key of a request to an API. Those that are
// told of signed requests alone, and of private APIs, are absent.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-aws-condition-keys.html
func (f Facts) condition(key string) (values []string, known bool) {
	one := func(value string) ([]string, bool) {
		if value == "" {
			return nil, true
		}
		return []string{value}, true
	}
	switch key {
	case "aws:sourceip":
		return one(f.Context("identity.sourceIp"))
	case "aws:useragent":
		return one(f.Context("identity.userAgent"))
	case "aws:referer":
		return one(f.Header.Get("Referer"))
	case "aws:securetransport":
		return one("true") // deployed, an API is called by https alone
	case "aws:currenttime", "aws:epochtime":
		return one(seconds(f.Context("requestTimeEpoch")))
	case "aws:tokenissuetime", "aws:multifactorauthpresent", "aws:multifactorauthage", "aws:principalaccount", "aws:principalarn",
		"aws:principalorgid", "aws:principalorgpaths", "aws:principaltype", "aws:userid", "aws:username",
		"aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip":
		return nil, true
	}
	return nil, strings.HasPrefix(key, "aws:principaltag/")
}

// seconds is a time in milliseconds since 1970 in seconds, as conditions have it.
func seconds(milliseconds string) string {
	return milliseconds[:max(len(milliseconds)-3, 0)]
}
