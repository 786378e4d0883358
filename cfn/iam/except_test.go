package iam

import (
	"fmt"
	"testing"
)

// TestExcept: what is pinned to something given is left out, by its resource or
// by the source that its conditions ask for, and nothing else.
func TestExcept(t *testing.T) {
	given := func(reference, _ string) bool { return reference == "Topic" }
	source := func(operator, key string, values ...any) map[string]any {
		return map[string]any{operator: map[string]any{key: values}}
	}
	ref := func(text string) any { return map[string]any{"Fn::Sub": text} }
	for name, c := range map[string]struct {
		resource  any
		condition map[string]any
		left      bool // the statement is still there
	}{
		"everything":               {"*", nil, true},
		"of the topic":             {ref("${Topic}"), nil, false},
		"of another":               {ref("${Other}"), nil, true},
		"from the topic":           {"*", source("ArnEquals", "aws:SourceArn", ref("${Topic}")), false},
		"like the topic":           {"*", source("ArnLike", "aws:SourceArn", ref("${Topic}")), false},
		"equal to the topic":       {"*", source("StringEquals", "AWS:SourceArn", ref("${Topic}")), false},
		"from the topic or others": {"*", source("ArnLike", "aws:SourceArn", ref("${Topic}"), "*"), true},
		"from another":             {"*", source("ArnLike", "aws:SourceArn", ref("${Other}")), true},
		"if there is a source":     {"*", source("ArnLikeIfExists", "aws:SourceArn", ref("${Topic}")), true},
		"any of several":           {"*", source("ForAnyValue:StringEquals", "aws:SourceArn", ref("${Topic}")), true},
		"from all but the topic":   {"*", source("ArnNotLike", "aws:SourceArn", ref("${Topic}")), true},
		"from its account":         {"*", source("StringEquals", "aws:SourceAccount", ref("${Topic}")), true},
	} {
		statement := map[string]any{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": c.resource, "Principal": "*"}
		if c.condition != nil {
			statement["Condition"] = c.condition
		}
		p := Parse(map[string]any{"Statement": []any{statement}}).Except(given)
		if left := len(p.statements) > 0; left != c.left {
			t.Errorf("%s: left is %t", name, left)
		}
		statement["Effect"] = "Deny" // what is denied stays denied
		if p := Parse(map[string]any{"Statement": []any{statement}}).Except(given); len(p.statements) != 1 {
			t.Errorf("%s: a Deny is gone", name)
		}
	}
}

// TestTooManyRequests: two millions are tried, and no more; then nothing is sure.
func TestTooManyRequests(t *testing.T) {
	policy := func(n int) Policy {
		statement := func(i int) map[string]any {
			return map[string]any{
				"Effect": "Allow", "Action": fmt.Sprintf("s3:Get%d*", i), "Resource": fmt.Sprintf("arn:aws:s3:::bucket%d/*", i),
				"Principal": map[string]any{"AWS": fmt.Sprintf("arn:aws:iam::%012d:root", i)},
			}
		}
		var all []any
		for i := range n {
			all = append(all, statement(i))
		}
		return Parse(map[string]any{"Statement": all})
	}
	kinds := func(n int) (kinds int, ok bool) {
		s := newSearch(policy(n).allows(), nil, nil)
		ok = s.prepare()
		return len(s.actions) * len(s.resources) * len(s.principals) * len(s.all()), ok
	}
	few, many := 0, 0
	for n := 2; n <= 64; n++ {
		got, ok := kinds(n)
		if ok != (got <= maxRequests) {
			t.Fatalf("%d statements, %d requests: tried is %t", n, got, ok)
		}
		if ok {
			few++
		} else {
			many++
		}
	}
	if few == 0 || many == 0 {
		t.Errorf("%d were tried, %d were too many", few, many)
	}
	if r := Compare(policy(1), policy(64)); r.Sure || r.Verdict == "equal" {
		t.Errorf("%s, sure %t", r.Verdict, r.Sure)
	}
}
