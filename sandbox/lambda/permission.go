package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

// permission is a statement of a function's policy.
type permission struct {
	function      string // name
	qualifier     string // the alias or version that it is for; "" = the function itself
	action        string
	principal     string
	sourceARN     string // pattern; "" = any
	sourceAccount string // "" = any
}

func (s *Service) createPermission(_ context.Context, req stack.Request) (stack.Resource, error) {
	var p struct{ Action, FunctionName, Principal, SourceArn, SourceAccount string }
	if err := stack.Read(req.Properties, &p, "EventSourceToken", "FunctionUrlAuthType", "InvokedViaFunctionUrl", "PrincipalOrgID"); err != nil {
		return stack.Resource{}, err
	}
	for _, required := range []struct{ name, value string }{{"Action", p.Action}, {"FunctionName", p.FunctionName}, {"Principal", p.Principal}} {
		if required.value == "" {
			return stack.Resource{}, fmt.Errorf("property %s: is required", required.name)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.owner(p.FunctionName)
	if err != nil {
		return stack.Resource{}, err
	}
	id := req.Name(100)
	s.resources.permissions[id] = permission{f.Name, unlatest(p.FunctionName), p.Action, p.Principal, p.SourceArn, p.SourceAccount}
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"Id": id}}, nil
}

func (s *Service) deletePermission(_ context.Context, req stack.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.resources.permissions, req.PhysicalID)
	return nil
}

// Policies are the statements by which a function, or an alias or version of it,
// lets roles and accounts call it, as a policy in JSON.
func (s *Service) Policies(arn string) (list []string) {
	name, _ := splitName(arn)
	qualifier := unlatest(arn)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.resources.permissions {
		if p.function != name || p.qualifier != qualifier || p.sourceARN != "" || p.sourceAccount != "" || strings.HasSuffix(p.principal, ".amazonaws.com") {
			continue
		}
		text, _ := json.Marshal(map[string]any{"Statement": map[string]any{ // texts: cannot fail
			"Effect": "Allow", "Principal": map[string]string{"AWS": p.principal}, "Action": p.action, "Resource": arn,
		}})
		list = append(list, string(text))
	}
	return list
}

// unlatest is the alias or version in what a function is called by; $LATEST,
// which has no policy of its own, counts as the function itself.
func unlatest(called string) string {
	if _, qualifier := splitName(called); qualifier != latest {
		return qualifier
	}
	return ""
}

// Permit gives nil when a service ("apigateway.amazonaws.com") may invoke a
// function in the name of one of the sources, which are all that may be meant.
// The error is invoke.ErrNotFound when there is no such function, alias or
// version, else it says which permission is missing.
func (s *Service) Permit(function, principal string, sources ...string) error {
	for _, source := range sources {
		if s.Allowed(function, principal, source) {
			return nil
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.resolve(function) == nil {
		return fmt.Errorf("function %s: %w", function, invoke.ErrNotFound)
	}
	elsewhere := ""
	name, _ := splitName(function)
	for _, p := range s.resources.permissions {
		if p.function == name && p.qualifier != unlatest(function) {
			elsewhere = "; one with another alias or version there, or with none, does not count"
		}
	}
	return fmt.Errorf("%s may not invoke it: there is no AWS::Lambda::Permission with the Action lambda:InvokeFunction, the FunctionName %s, and a SourceArn that %s matches%s",
		principal, function, sources[0], elsewhere)
}

// PermitURL gives nil when everybody may call a function by its URL, which asks for
// no signature; else the error says which permission is missing.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
func (s *Service) PermitURL(function string) error {
	name, _ := splitName(function)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.resources.permissions {
		if p.function == name && p.qualifier == unlatest(function) && p.principal == "*" &&
			(p.action == "lambda:InvokeFunctionUrl" || p.action == "lambda:*" || p.action == "*") {
			return nil
		}
	}
	return fmt.Errorf("not everybody may call it: there is no AWS::Lambda::Permission with the Action lambda:InvokeFunctionUrl, the FunctionName %s, the Principal * and the FunctionUrlAuthType NONE", function)
}

// Allowed reports whether a service ("apigateway.amazonaws.com") may invoke a
// function on behalf of a resource, given by ARN. It asks the permissions that
// stacks have made, as Lambda does: one for an alias or a version counts for
// that alone, and one for the function for calls that name neither.
// https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
// https://docs.aws.amazon.com/lambda/latest/dg/using-aliases.html#versioning-permissions-alias
func (s *Service) Allowed(function, principal, sourceARN string) bool {
	name, _ := splitName(function)
	qualifier := unlatest(function)
	account := ""
	if parts := strings.SplitN(sourceARN, ":", 6); len(parts) == 6 {
		account = parts[4]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.resources.permissions {
		if p.function == name && p.qualifier == qualifier &&
			(p.action == "lambda:InvokeFunction" || p.action == "lambda:*" || p.action == "*") &&
			(p.principal == principal || p.principal == "*") &&
			(p.sourceARN == "" || invoke.ARNLike(p.sourceARN, sourceARN)) &&
			(p.sourceAccount == "" || p.sourceAccount == account) {
			return true
		}
	}
	return false
}
