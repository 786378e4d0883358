package ci

import (
	"slices"
	"strings"
	"testing"
)

// request is what IAM is asked: may this be done to that, and in which
// circumstances is it asked.
type request struct {
	action, resource string
	context          map[string]string
}

// allows evaluates a policy as IAM does: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (d document) allows(q request) bool {
	allowed := false
	for _, st := range d.Statement {
		if matches(st.Action, q.action, true) && (st.Resource == nil || matches(st.Resource, q.resource, false)) && st.holds(q.context) {
			if st.Effect == "Deny" {
				return false
			}
			allowed = true
		}
	}
	return allowed
}

func (s statement) holds(context map[string]string) bool {
	for operator, keys := range s.Condition {
		for key, values := range keys {
			if operator == "StringEquals" && !slices.Contains(values, context[key]) || operator == "ArnLike" && !matches(values, context[key], false) {
				return false
			}
		}
	}
	return true
}

func matches(patterns []string, text string, fold bool) bool {
	if fold {
		text = strings.ToLower(text)
	}
	return slices.ContainsFunc(patterns, func(p string) bool {
		if fold {
			p = strings.ToLower(p)
		}
		return glob(p, text)
	})
}

// glob is IAM's: * stands for anything, slashes too.
func glob(pattern, text string) bool {
	before, after, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == text
	}
	rest, ok := strings.CutPrefix(text, before)
	for i := 0; ok && i <= len(rest); i++ {
		if glob(after, rest[i:]) {
			return true
		}
	}
	return false
}

func TestWhoMayTakeWhichRole(t *testing.T) {
	s := shop()
	subjects := map[string]string{
		"repo:acme/shop:pull_request":                      "preview",
		"repo:acme@12/shop@34:pull_request":                "preview",
		"repo:acme/shop:ref:refs/heads/main":               "plan staging",
		"repo:acme@12/shop@34:ref:refs/heads/main":         "plan staging",
		"repo:acme/shop:environment:production":            "production",
		"repo:acme@12/shop@34:environment:production":      "production",
		"repo:acme/shop:environment:Production":            "",
		"repo:acme/shop:ref:refs/heads/main2":              "",
		"repo:acme/shop:ref:refs/tags/main":                "",
		"repo:acme/shop2:pull_request":                     "",
		"repo:mallory/shop:pull_request":                   "",
		"repo:acme@99/shop@98:environment:production":      "", // the name, taken by somebody else
		"repo:acme@12/shop@34:environment:production:evil": "",
		"repo:acme/shop:*":                                 "",
	}
	for subject, want := range subjects {
		var got []string
		for _, r := range s.roles() {
			ask := request{action: "sts:AssumeRoleWithWebIdentity", context: map[string]string{issuer + ":sub": subject, issuer + ":aud": "sts.amazonaws.com"}}
			if s.trust(r).allows(ask) {
				got = append(got, r.name)
			}
			ask.context[issuer+":aud"] = "https://github.com/acme"
			if s.trust(r).allows(ask) {
				t.Errorf("%s takes %s with another audience", subject, r.name)
			}
		}
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%s may take %q, want %q", subject, got, want)
		}
	}
	s.Repository = Repository{Owner: "acme", Name: "shop"}
	for _, r := range s.roles() {
		if subs := s.trust(r).Statement[0].Condition["StringEquals"][issuer+":sub"]; len(subs) != 1 || strings.ContainsAny(subs[0], "*?@") {
			t.Errorf("%s: %q", r.name, subs)
		}
	}
}
