package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"arc/cfn/iam"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

// permission is a statement of a function's policy.
type permission struct {
	function  string // name
	qualifier string // the alias or version that it is for; "" = the function itself
	statement map[string]any
	policy    iam.Policy // the statement, read
}

func (s *Service) createPermission(_ context.Context, req stack.Request) (stack.Resource, error) {
	var p permissionProperties
	if err := stack.Read(req.Properties, &p); err != nil {
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
	made := permission{function: f.Name, qualifier: unlatest(p.FunctionName)}
	resource := f.ARN
	if made.qualifier != "" {
		resource += ":" + made.qualifier
	}
	made.statement = p.statement(id, resource)
	made.policy = iam.Parse(map[string]any{"Version": "2012-10-17", "Statement": made.statement})
	s.resources.permissions[id] = made
	s.resources.decided = nil
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"Id": id}}, nil
}

// permissionProperties are those of a permission.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-permission.html
type permissionProperties struct {
	Action, FunctionName, Principal, SourceArn, SourceAccount string
	EventSourceToken, FunctionUrlAuthType, PrincipalOrgID     string
	InvokedViaFunctionUrl                                     bool
}

// statement is what Lambda writes into the function's policy.
// https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
func (p permissionProperties) statement(id, resource string) map[string]any {
	statement := map[string]any{"Sid": id, "Effect": "Allow", "Action": p.Action, "Resource": resource, "Principal": principalOf(p.Principal)}
	condition := map[string]any{}
	if p.SourceArn != "" {
		condition["ArnLike"] = map[string]any{"AWS:SourceArn": p.SourceArn}
	}
	equals := map[string]any{}
	for key, value := range map[string]string{
		"AWS:SourceAccount": p.SourceAccount, "lambda:EventSourceToken": p.EventSourceToken,
		"lambda:FunctionUrlAuthType": p.FunctionUrlAuthType, "aws:PrincipalOrgID": p.PrincipalOrgID,
	} {
		if value != "" {
			equals[key] = value
		}
	}
	if len(equals) > 0 {
		condition["StringEquals"] = equals
	}
	if p.InvokedViaFunctionUrl {
		condition["Bool"] = map[string]any{"lambda:InvokedViaFunctionUrl": "true"}
	}
	if len(condition) > 0 {
		statement["Condition"] = condition
	}
	return statement
}

func (s *Service) deletePermission(_ context.Context, req stack.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.resources.permissions, req.PhysicalID)
	s.resources.decided = nil
	return nil
}

// Policies are the statements of a function's policy, or of an alias' or version's
// of it, in JSON.
func (s *Service) Policies(arn string) (list []string) {
	name, _ := splitName(arn)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.permissionsOf(name, unlatest(arn)) {
		text, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": p.statement}) // texts: cannot fail
		list = append(list, string(text))
	}
	return list
}

// permissionsOf are those of a function, or of an alias or version, by statement
// ID. The caller holds the lock.
func (s *Service) permissionsOf(function, qualifier string) (list []permission) {
	for _, id := range slices.Sorted(maps.Keys(s.resources.permissions)) {
		if p := s.resources.permissions[id]; p.function == function && p.qualifier == qualifier {
			list = append(list, p)
		}
	}
	return list
}

// policiesOf is the ARN by which policies know a function, or an alias or version of
// it, and its permissions. The caller holds the lock.
func (s *Service) policiesOf(called string) (arn string, policies []iam.Policy) {
	name, _ := splitName(called)
	qualifier := unlatest(called)
	for _, p := range s.permissionsOf(name, qualifier) {
		policies = append(policies, p.policy)
	}
	if f := s.functions[name]; f != nil {
		arn = f.ARN
	}
	if qualifier != "" {
		arn += ":" + qualifier
	}
	return arn, policies
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
// no signature; else the error says which of the two permissions is missing.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
func (s *Service) PermitURL(function string) error {
	s.mu.Lock()
	resource, policies := s.policiesOf(function)
	s.mu.Unlock()
	policy := iam.Together(policies...)
	for _, needed := range urlPermissions {
		d := iam.Decide(iam.Request{
			Action: needed.action, Resource: resource, Principal: "anonymous", Whole: true,
			Context: map[string][]string{"lambda:functionurlauthtype": {"NONE"}, "lambda:invokedviafunctionurl": {"true"}},
		}, iam.Policies{Resource: &policy})
		if d.Effect == iam.Denied {
			return fmt.Errorf("not everybody may call it: there is no AWS::Lambda::Permission with the Action %s, the FunctionName %s, the Principal * and %s", needed.action, function, needed.condition)
		}
	}
	return nil
}

// urlPermissions are the two actions that a call by URL needs, since October 2025.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
var urlPermissions = [...]struct{ action, condition string }{
	{"lambda:InvokeFunctionUrl", "the FunctionUrlAuthType NONE"},
	{"lambda:InvokeFunction", "InvokedViaFunctionUrl true"},
}

// Allowed reports whether a service ("apigateway.amazonaws.com") may invoke a
// function on behalf of a resource, given by ARN. It asks the permissions that
// stacks have made, as Lambda does: one for an alias or a version counts for
// that alone, and one for the function for calls that name neither.
// https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
// https://docs.aws.amazon.com/lambda/latest/dg/using-aliases.html#versioning-permissions-alias
func (s *Service) Allowed(function, principal, sourceARN string) bool {
	by := question{function, principal, sourceARN}
	s.mu.Lock()
	allowed, known := s.resources.decided[by]
	if known {
		s.mu.Unlock()
		return allowed
	}
	resource, policies := s.policiesOf(function)
	if s.resources.decided == nil || len(s.resources.decided) >= mostDecided {
		s.resources.decided = map[question]bool{}
	}
	decided := s.resources.decided
	s.mu.Unlock()
	allowed = s.judge.Allows(s.options.Tell, invoke.Request{Principal: principal, Action: "lambda:InvokeFunction", Resource: resource, Source: sourceARN}, policies...)
	s.mu.Lock()
	defer s.mu.Unlock()
	decided[by] = allowed // of the permissions that were asked: others have another map
	return allowed
}

// question is what Allowed was asked. The answer stays what it is until a permission
// or a function comes or goes: no condition of a permission is one of time.
type question struct{ function, principal, source string }

// mostDecided bounds what is kept of answers; paths of requests are in sources.
const mostDecided = 500
