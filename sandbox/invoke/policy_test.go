package invoke_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"arc/sandbox/invoke"
)

// FuzzARNLike compares patterns with regular expressions made of them.
func FuzzARNLike(f *testing.F) {
	f.Add("arn:aws:execute-api:*:1:abc/*/GET/*", "arn:aws:execute-api:x:1:abc/$default/GET/a:b")
	f.Add("arn:*:s3:::b?", "arn:aws:s3:::bb")
	f.Add("*:*:*:*:*:*a*b*", "a:b:c:d:e:xaxxab")
	f.Fuzz(func(t *testing.T, pattern, arn string) {
		if strings.ContainsFunc(pattern+arn, func(r rune) bool { return r >= utf8.RuneSelf }) {
			return // regexp reads characters, and ARNs are ASCII
		}
		patterns, parts := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
		want := len(patterns) == len(parts)
		for i := 0; want && i < len(parts); i++ {
			var e strings.Builder
			for _, r := range patterns[i] {
				switch r {
				case '*':
					e.WriteString(".*")
				case '?':
					e.WriteString(".")
				default:
					e.WriteString(regexp.QuoteMeta(string(r)))
				}
			}
			want = regexp.MustCompile(`(?s)^` + e.String() + `$`).MatchString(parts[i])
		}
		if got := invoke.ARNLike(pattern, arn); got != want {
			t.Errorf("%q like %q: %v", arn, pattern, got)
		}
	})
}

func TestAllowed(t *testing.T) {
	const topic, queue = "arn:aws:sns:us-west-2:123456789012:news", "arn:aws:sqs:us-west-2:123456789012:jobs"
	for _, c := range []struct {
		policy string
		want   bool
	}{
		{``, false},
		{`{"Statement":{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + queue + `","Condition":{"ArnEquals":{"aws:SourceArn":"` + topic + `"}}}}`, true},
		{`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"SQS:*","Resource":"*"}]}`, true},
		{`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["sqs:sendmessage"],"Resource":["x","arn:aws:sqs:*:*:jo?s"],"Condition":{"StringLike":{"AWS:SourceArn":"*:news"},"StringEquals":{"aws:SourceAccount":["1","123456789012"]}}}]}`, true},
		{`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"},{"Effect":"Deny","Principal":{"Service":["sns.amazonaws.com"]},"Action":"*","Resource":"*"}]}`, false},
		{`{"Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:*","Resource":"*"}]}`, false},
		{`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sqs:*","Resource":"*"}]}`, false},
		{`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:ReceiveMessage","Resource":"*"}]}`, false},
		{`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"` + queue + `2"}]}`, false},
		{`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"` + topic + `2"}}}]}`, false},
		{`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`, false},
	} {
		got := invoke.Allowed(invoke.Request{Principal: "sns.amazonaws.com", Action: "sqs:SendMessage", Resource: queue, Source: topic}, c.policy)
		if got != c.want {
			t.Errorf("%s: %v", c.policy, got)
		}
	}
}
