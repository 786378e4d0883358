package ingress

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"arc/cfn/iam"
)

// TestDecide asks policies that authorizers write.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-aws-condition-keys.html
func TestDecide(t *testing.T) {
	const arn = "arn:aws:execute-api:us-east-1:123456789012:a1/dev/GET/pets"
	facts := Facts{Header: http.Header{"Referer": {"https://example.com/"}}, Context: func(name string) string {
		return map[string]string{"identity.sourceIp": "203.0.113.7", "identity.userAgent": "me", "requestTimeEpoch": "1700000000123"}[name]
	}}
	on := func(condition string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*","Condition":{` + condition + `}}]}`
	}
	for document, want := range map[string]string{
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"` + arn + `"}]}`:                                                            "allowed",
		`{"Statement":{"Effect":"Allow","Action":"execute-api:*","Resource":"arn:aws:execute-api:*:*:a1/dev/*"}}`:                                                                     "allowed",
		`{"Statement":{"Effect":"Allow","NotAction":"execute-api:ManageConnections","NotResource":"arn:aws:execute-api:*:*:other/*"}}`:                                                "allowed",
		`{"Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"},{"Effect":"Deny","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:*:*:*/pets"}]}`: "denied",
		`{"Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:*:*:*/POST/pets"}]}`:                                                           "not allowed",
		`{"Statement":[]}`:        "not allowed",
		`{}`:                      "has no Statement",
		`[`:                       "has no Statement",
		`{"Statement":null}`:      "has no Statement",
		`{"Statement":["Allow"]}`: "a statement is no object",
		`{"Statement":[{"Effect":"Perhaps","Action":"*","Resource":"*"}]}`:                 "has no Effect, Action or Resource that IAM reads",
		`{"Statement":[{"Action":"*","Resource":"*"}]}`:                                    "has no Effect, Action or Resource",
		`{"Statement":[{"Effect":"Allow","Resource":"*"}]}`:                                "has no Effect, Action or Resource",
		`{"Statement":[{"Effect":"Allow","Action":"*"}]}`:                                  "has no Effect, Action or Resource",
		`{"Statement":[{"Effect":"Allow","Action":"*","NotAction":"a:b","Resource":"*"}]}`: "has no Effect, Action or Resource",
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","NotResource":"a"}]}`: "has no Effect, Action or Resource",
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Resources":"*"}]}`:   "has what IAM does not read",
		on(`"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}`):                                "allowed",
		on(`"IpAddress":{"aws:SourceIp":"198.51.100.0/24"}`):                               "not allowed",
		on(`"StringEquals":{"aws:UserAgent":"me"}`):                                        "allowed",
		on(`"StringEquals":{"aws:UserAgent":"you"}`):                                       "not allowed",
		on(`"StringEquals":{"aws:Referer":"https://example.com/"}`):                        "allowed",
		on(`"Bool":{"aws:SecureTransport":"true"}`):                                        "allowed",
		on(`"Bool":{"aws:SecureTransport":"false"}`):                                       "not allowed",
		on(`"NumericEquals":{"aws:EpochTime":"1700000000"}`):                               "allowed",
		on(`"DateGreaterThan":{"aws:CurrentTime":"2023-11-14T22:13:19Z"}`):                 "allowed",
		on(`"DateGreaterThan":{"aws:CurrentTime":"2023-11-14T22:13:20Z"}`):                 "not allowed",
		on(`"StringEquals":{"aws:PrincipalTag/team":"a"}`):                                 "not allowed",
		on(`"StringEquals":{"aws:RequestedRegion":"us-east-1"}`):                           "unknown",
		on(`"Null":{"aws:TokenIssueTime":"true","aws:MultiFactorAuthPresent":"true","aws:MultiFactorAuthAge":"true","aws:PrincipalAccount":"true","aws:PrincipalArn":"true"}`): "allowed",
		on(`"Null":{"aws:PrincipalOrgID":"true","aws:PrincipalOrgPaths":"true","aws:PrincipalType":"true","aws:userid":"true","aws:username":"true"}`):                         "allowed",
		on(`"Null":{"aws:SourceVpc":"true","aws:SourceVpce":"true","aws:VpcSourceIp":"true","aws:PrincipalTag/team":"true"}`):                                                  "allowed",
	} {
		decision, err := Decide(json.RawMessage(document), arn, facts)
		got := "not allowed"
		switch {
		case err != nil:
			got = err.Error()
		case decision.Effect == iam.Allowed:
			got = "allowed"
		case decision.Effect == iam.Unknown:
			got = "unknown"
		case decision.Explicit:
			got = "denied"
		}
		if !strings.Contains(got, want) || want == "allowed" && got != want {
			t.Errorf("%s: %s, want %s", document, got, want)
		}
	}
	// What a request does not have is absent.
	none := Facts{Header: http.Header{}, Context: func(string) string { return "" }}
	if decision, err := Decide(json.RawMessage(on(`"Null":{"aws:SourceIp":"true","aws:UserAgent":"true","aws:Referer":"true","aws:EpochTime":"true"}`)), arn, none); err != nil || decision.Effect != iam.Allowed {
		t.Errorf("%+v %v", decision, err)
	}
}
