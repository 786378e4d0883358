package invoke_test

import (
	"testing"

	"arc/cfn/iam"
	"arc/sandbox/activity"
	"arc/sandbox/invoke"
)

func TestDecide(t *testing.T) {
	const topic, queue = "arn:aws:sns:us-west-2:123456789012:news", "arn:aws:sqs:us-west-2:123456789012:jobs"
	for _, c := range []struct {
		policy string
		want   iam.Effect
	}{
		{`{"Statement":[]}`, iam.Denied},
		{`{"Statement":{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + queue + `","Condition":{"ArnEquals":{"aws:SourceArn":"` + topic + `"}}}}`, iam.Allowed},
		{`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"SQS:*","Resource":"*"}]}`, iam.Allowed},
		{`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["sqs:sendmessage"],"Resource":["x","arn:aws:sqs:*:*:jo?s"],"Condition":{"StringLike":{"AWS:SourceArn":"*:news"},"StringEquals":{"aws:SourceAccount":["1","123456789012"]}}}]}`, iam.Allowed},
		{`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"},{"Effect":"Deny","Principal":{"Service":["sns.amazonaws.com"]},"Action":"*","Resource":"*"}]}`, iam.Denied},
		{`{"Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:*","Resource":"*"}]}`, iam.Denied},
		{`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sqs:*","Resource":"*"}]}`, iam.Denied},
		{`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:ReceiveMessage","Resource":"*"}]}`, iam.Denied},
		{`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"` + queue + `2"}]}`, iam.Denied},
		{`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"` + topic + `2"}}}]}`, iam.Denied},
		{`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`, iam.Allowed},
		{`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}]}`, iam.Denied},
		{`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*","Condition":{"Bool":{"aws:PrincipalIsAWSService":"true"},"StringEquals":{"aws:PrincipalServiceName":"sns.amazonaws.com","aws:RequestedRegion":"us-west-2"},"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"},"NumericGreaterThan":{"aws:EpochTime":"1"}}}]}`, iam.Allowed},
		{`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*","Condition":{"StringNotLike":{"aws:SourceArn":"*:news"}}}]}`, iam.Denied},
		{`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*","Condition":{"StringEquals":{"aws:SourceOrgID":"o-1"}}}]}`, iam.Unknown},
		{`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`, iam.Allowed},
		{`no JSON`, iam.Unknown},
	} {
		r := invoke.Request{Principal: "sns.amazonaws.com", Action: "sqs:SendMessage", Resource: queue, Source: topic}
		got := invoke.Decide(r, invoke.Read([]string{c.policy})...)
		if got.Effect != c.want {
			t.Errorf("%s: %v", c.policy, got)
		}
		// What cannot be told is let through, and said once.
		said, judge := 0, invoke.Judge{}
		for range 2 {
			if may := judge.Allows(func(activity.Event) { said++ }, r, iam.Read(c.policy)); may != (c.want != iam.Denied) {
				t.Errorf("%s: allowed: %v", c.policy, may)
			}
		}
		if (said == 1) != (c.want == iam.Unknown) {
			t.Errorf("%s: told %d times", c.policy, said)
		}
	}
	if got := invoke.Decide(invoke.Request{Principal: "sns.amazonaws.com", Action: "sqs:SendMessage", Resource: queue, Source: topic}); got.Effect != iam.Denied {
		t.Errorf("without a policy: %v", got)
	}
}
