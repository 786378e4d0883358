package gateway

import (
	"encoding/json"
	"fmt"
	"slices"

	"arc/sandbox/invoke"
)

// decision is what a policy says of one request.
type decision int

const (
	implicitly decision = iota // nothing allows it
	allowed
	explicitly // something denies it
)

// words are one text or a list of them.
type words []string

// UnmarshalJSON reads either.
func (w *words) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*w = words{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(w))
}

func (w words) match(text string) bool {
	return slices.ContainsFunc(w, func(pattern string) bool { return invoke.Like(pattern, text) })
}

// decide says what an authorizer's policy document says of calling an ARN of
// execute-api. What it does not read is an error, so that nobody is let in or kept
// out by half of a policy.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func decide(document json.RawMessage, arn string) (decision, error) {
	var p struct{ Statement json.RawMessage }
	if err := json.Unmarshal(document, &p); err != nil || p.Statement == nil {
		return implicitly, fmt.Errorf("its policyDocument has no Statement")
	}
	type statement struct {
		Effect           string
		Action, Resource words
		Condition        map[string]any
	}
	var list []statement
	if json.Unmarshal(p.Statement, &list) != nil {
		list = make([]statement, 1)
		if err := json.Unmarshal(p.Statement, &list[0]); err != nil {
			return implicitly, fmt.Errorf("its policyDocument cannot be read: %w", err)
		}
	}
	said := implicitly
	for _, s := range list {
		switch {
		case len(s.Action) == 0 || len(s.Resource) == 0 || s.Effect != "Allow" && s.Effect != "Deny":
			return implicitly, fmt.Errorf("a statement of its policyDocument has no Effect, Action or Resource that the local cloud reads")
		case len(s.Condition) > 0:
			return implicitly, fmt.Errorf("its policyDocument has a Condition, which the local cloud does not decide")
		case !s.Action.match("execute-api:Invoke") || !s.Resource.match(arn):
		case s.Effect == "Deny":
			return explicitly, nil
		default:
			said = allowed
		}
	}
	return said, nil
}
