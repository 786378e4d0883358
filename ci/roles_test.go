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

// TestWhoMayTakeWhichRole: of all runs of workflows, on GitHub and elsewhere,
// each role lets in one kind.
func TestWhoMayTakeWhichRole(t *testing.T) {
	const main = "refs/heads/main"
	for _, run := range []struct{ subject, ref, repository, id, want string }{
		{"repo:acme/shop:pull_request", "refs/pull/7/merge", "acme/shop", "34", "preview"},
		{"repo:acme@12/shop@34:pull_request", "refs/pull/7/merge", "acme/shop", "34", "preview"},
		{"repo:acme/shop:ref:refs/heads/main", main, "acme/shop", "34", "plan staging"},
		{"repo:acme@12/shop@34:ref:refs/heads/main", main, "acme/shop", "34", "plan staging"},
		{"repo:acme/shop:environment:production", main, "acme/shop", "34", "production"},
		{"repo:acme@12/shop@34:environment:production", main, "acme/shop", "34", "production"},
		// A branch's own workflow may name the environment.
		{"repo:acme/shop:environment:production", "refs/heads/mine", "acme/shop", "34", ""},
		{"repo:acme/shop:environment:production", "refs/heads/main2", "acme/shop", "34", ""},
		{"repo:acme/shop:environment:production", "refs/tags/main", "acme/shop", "34", ""},
		{"repo:acme/shop:environment:production", "refs/pull/7/merge", "acme/shop", "34", ""},
		{"repo:acme/shop:environment:production", "", "acme/shop", "34", ""},
		{"repo:acme/shop:environment:Production", main, "acme/shop", "34", ""},
		{"repo:acme/shop:ref:refs/heads/main2", "refs/heads/main2", "acme/shop", "34", ""},
		{"repo:acme/shop:ref:refs/tags/main", "refs/tags/main", "acme/shop", "34", ""},
		{"repo:acme/shop2:pull_request", "refs/pull/7/merge", "acme/shop2", "35", ""},
		{"repo:mallory/shop:pull_request", "refs/pull/7/merge", "mallory/shop", "36", ""},
		// The name, given up and taken by somebody else.
		{"repo:acme/shop:pull_request", "refs/pull/7/merge", "acme/shop", "98", ""},
		{"repo:acme/shop:ref:refs/heads/main", main, "acme/shop", "98", ""},
		{"repo:acme/shop:environment:production", main, "acme/shop", "98", ""},
		{"repo:acme@99/shop@98:environment:production", main, "acme/shop", "98", ""},
		{"repo:acme@12/shop@34:environment:production:evil", main, "acme/shop", "34", ""},
		{"repo:acme/shop:*", main, "acme/shop", "34", ""},
	} {
		s := shop()
		var got []string
		for _, r := range s.roles() {
			ask := request{action: "sts:AssumeRoleWithWebIdentity", context: map[string]string{
				issuer + ":sub": run.subject, issuer + ":aud": "sts.amazonaws.com", issuer + ":ref": run.ref, issuer + ":repository": run.repository, issuer + ":repository_id": run.id,
			}}
			if s.trust(r).allows(ask) {
				got = append(got, r.name)
			}
			ask.context[issuer+":aud"] = "https://github.com/acme"
			if s.trust(r).allows(ask) {
				t.Errorf("%s takes %s with another audience", run.subject, r.name)
			}
		}
		slices.Sort(got)
		if strings.Join(got, " ") != run.want {
			t.Errorf("%+v may take %q", run, got)
		}
	}
	s := shop()
	s.Repository = Repository{Owner: "acme", Name: "shop"}
	for _, r := range s.roles() {
		conditions := s.trust(r).Statement[0].Condition["StringEquals"]
		if subs := conditions[issuer+":sub"]; len(subs) != 1 || strings.ContainsAny(subs[0], "*?@") || !slices.Equal(conditions[issuer+":repository"], []string{"acme/shop"}) {
			t.Errorf("%s: %q", r.name, conditions)
		}
	}
}
