package ci

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"arc/cfn/iam"
)

// request is what IAM is asked: may this be done to that, and in which
// circumstances is it asked.
type request struct {
	action, resource string
	context          map[string]string
}

// allows puts a request to a policy, of which all circumstances are known. Who
// asks is one whom the policy is about.
func (d document) allows(q request) bool {
	text, err := json.Marshal(d)
	if err != nil {
		return false
	}
	context := map[string][]string{}
	for key, value := range q.context {
		context[strings.ToLower(key)] = []string{value}
	}
	asked := iam.Request{Action: q.action, Resource: q.resource, Principal: "arn:", Context: context, Whole: true}
	return iam.Decide(asked, iam.Policies{Identity: []iam.Policy{iam.Read(string(text))}}).Effect == iam.Allowed
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
