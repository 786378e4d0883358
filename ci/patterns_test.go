package ci

import (
	"slices"
	"strings"
	"testing"

	"arc/cfn"
)

// TestPatternsReachNoOtherStack: whatever apps there are in an account, and
// whatever their stages and stacks are called, no name in the policies of one
// role reaches what belongs to a stack of another: of the same app, or of one
// that is called like a part of it.
func TestPatternsReachNoOtherStack(t *testing.T) {
	apps := []string{"a", "shop", "shopper", "shop-staging", "shop-production", "staging", "production", "testing", "preview", "preview-shop", "shop-preview", "pr-shop", "shop-pr", "get", "x-staging-pr"}
	names := []string{"", "pr", "pr-7", "prod", "preprod", "production", "staging", "testing", "preview", "preview-7", "7", "shop", "a", "x", "functions-part"}
	type stack struct{ app, stage, name string }
	var stacks []stack
	for _, app := range apps {
		for _, stage := range []string{"testing", "preview", "staging", "production"} {
			for _, name := range names {
				if stage != "preview" || name != "" {
					stacks = append(stacks, stack{app, stage, name})
				}
			}
		}
	}
	for _, app := range apps {
		s := Setup{App: app, Region: "eu-central-1", Repository: Repository{Owner: "acme", Name: "shop"}, Branch: "main", Account: "111111111111", Role: app + "-github", Revision: revision}
		if len(s.Cautions()) == 0 || s.cut() {
			t.Fatalf("%s is too long for this test", app)
		}
		for _, r := range s.roles() {
			patterns := s.patterns(r)
			for _, other := range stacks {
				own := other.app == app && other.stage == r.stage && (r.stage == "preview" || other.name == "")
				name := cfn.StackName(other.app, other.stage, other.name)
				// One name is one stack: the mark in its template tells whose.
				own = own || name == cfn.StackName(app, r.stage, "")
				reached := ""
				for _, called := range []string{name, name + "-FunctionsPart-1ABC"} {
					for _, arn := range arnsOf(called, "111111111111") {
						for _, p := range patterns {
							if glob(p, arn) {
								reached = p + " reaches " + arn
							}
						}
					}
				}
				if own != (reached != "") {
					t.Errorf("%s of %s, stack %s (%+v): %s", r.name, app, name, other, reached)
				}
			}
		}
	}
}

// patterns are the names of resources in a role's policies, but for those that
// AWS makes up itself.
func (s Setup) patterns(r role) []string {
	var list []string
	for _, st := range s.permissions(r).Statement {
		for _, p := range st.Resource {
			byID := p == "*" || strings.Contains(p, ":apigateway:") || strings.Contains(p, ":layer:") || strings.Contains(p, ":event-source-mapping:") ||
				strings.Contains(p, ":distribution/") || strings.Contains(p, ":cache-policy/") || strings.Contains(p, ":origin-access-control/")
			if st.Effect == "Allow" && !byID {
				list = append(list, p)
			}
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

// arnsOf are the ARNs of what a stack makes.
func arnsOf(stack, account string) []string {
	var arns []string
	for typ, services := range made(stack, account) {
		if strings.HasPrefix(typ, "AWS::ApiGateway") {
			continue
		}
		for service, arn := range services {
			if service != "s3" || typ != "AWS::Lambda::Function" { // the artifact bucket's
				arns = append(arns, arn)
			}
		}
	}
	return append(arns, "arn:aws:cloudformation:eu-central-1:"+account+":stack/"+stack+"/0123")
}
