package sandbox

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"arc/cfn/registry"
	"arc/sandbox/iam"
	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
	"arc/sandbox/lambda"
	"arc/sandbox/rights"
	"arc/sandbox/stack"
)

// guardRights makes the guard that decides who may do what, and the roles that it
// goes by.
func (c *Cloud) guardRights() {
	c.roles = iam.New(Account, c.opts.Region)
	c.guard = rights.New(rights.Options{
		Account: Account, Region: c.opts.Region, Partition: stack.Partition(c.opts.Region), Off: c.opts.NoRights,
		Role: c.roles.Rights, Resource: c.resourcePolicies, Find: c.findResource, Remedy: c.rightsRemedy, PartitionKey: func(table string) string { return c.tables.PartitionKey(table) }, Tell: c.tell,
	})
	for _, as := range c.opts.As {
		c.guard.Keys.Know(as.AccessKeyID, rights.Caller{
			ARN: stack.ARN(c.opts.Region, "iam", "", Account, "user/"+as.Name), ID: "AIDA" + as.AccessKeyID[4:], Policies: []string{as.Policy},
		})
	}
}

// As is a caller who may do what a policy says.
type As struct {
	Name        string // of a user that there is not
	AccessKeyID string // any secret goes with it
	Policy      string // JSON
}

// keys are those of a function: a session of its role, named after it as Lambda
// names it. A function without a role is the administrator.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
func (c *Cloud) keys(fn lambda.Function) rights.Credentials {
	caller, ok := c.callerOf(fn)
	if !ok {
		return rights.Credentials{AccessKeyID: "local", SecretAccessKey: "local", SessionToken: "local"}
	}
	return c.guard.Keys.For(caller)
}

// callerOf is a function as a caller; false = it is the administrator.
func (c *Cloud) callerOf(fn lambda.Function) (rights.Caller, bool) {
	if fn.Role == "" {
		return rights.Caller{}, false
	}
	id, _ := c.guard.RoleID(fn.Role)
	role := fn.Role[strings.LastIndexByte(fn.Role, '/')+1:]
	caller := rights.Caller{
		ARN: stack.ARN(c.opts.Region, "sts", "", Account, "assumed-role/"+role+"/"+fn.Name), ID: id + ":" + fn.Name,
		Role: fn.Role, Function: fn.ARN, Name: fn.Label,
	}
	if !strings.HasPrefix(fn.Label, "@") {
		caller.Name = "function " + fn.Label
	}
	return caller, true
}

// policed is a service whose resources have policies of their own.
type policed interface {
	// Policies are those of a resource, as JSON.
	Policies(arn string) []string
}

// resourcePolicies are the policies of a resource itself.
func (c *Cloud) resourcePolicies(service, arn string) []string {
	for _, s := range c.servicesOf(service) {
		if p, ok := s.(policed); ok {
			return p.Policies(arn)
		}
	}
	return nil
}

// findResource is the end of the ARN of what a request names.
func (c *Cloud) findResource(service, name string) string {
	for _, s := range c.servicesOf(service) {
		if f, ok := s.(interface{ Find(name string) string }); ok {
			return f.Find(name)
		}
	}
	return ""
}

// rightsRemedy is the line of the manifest that gives a function a right: what
// @uses calls it, where the app has the resource, and else that policies name one
// that allows it.
func (c *Cloud) rightsRemedy(function, action, resource string) string {
	known, _ := c.lambda.Function(function)
	c.live.mu.Lock()
	app := c.live.app
	c.live.mu.Unlock()
	config := ""
	for _, fn := range app.Functions {
		if fn.Label == known.Label {
			config = fn.Config
		}
	}
	if config == "" {
		return "in its config.arc: a line of @uses, or policies below @aws" // deployed: no manifest is known here
	}
	for _, use := range app.Uses {
		if !slices.Contains(use.Actions, action) {
			continue
		}
		if id := c.physicalID(context.Background(), app.StackName, use.LogicalID); id != "" && slices.Contains(strings.FieldsFunc(resource, func(r rune) bool { return r == ':' || r == '/' }), id[strings.LastIndexAny(id, ":/")+1:]) {
			return "in " + config + ", below @uses: " + use.Line
		}
	}
	return "in " + config + ", below @aws: policies architect-default-policies, and\n  the ARN of a policy with it"
}

// mayManage asks whether a request's caller may do something with a connection.
func (c *Cloud) mayManage(r *http.Request, action, resource string) error {
	if why := c.guard.May(r, action, resource); why != nil {
		return why
	}
	return nil
}

// permit asks whether a service may do something in the name of a role.
func (c *Cloud) permit(ctx context.Context, e invoke.Errand) error {
	if why := c.guard.Errand(ctx, e); why != nil {
		return why
	}
	return nil
}

// mayHandle asks whether a stack operation may do a step on a resource.
func (c *Cloud) mayHandle(ctx context.Context, step string, req stack.Request, role string) error {
	if why := c.guard.MayHandle(ctx, step, req, role); why != nil {
		return why
	}
	return nil
}

// mayInvoke asks whether the caller of a stack operation may have CloudFormation invoke
// a function.
func (c *Cloud) mayInvoke(ctx context.Context, function string) error {
	return c.mayHandle(ctx, "Create", stack.Request{Type: registry.CloudFormationCustomResource, Properties: map[string]any{"ServiceToken": function}}, "")
}

// decideInvoke asks whether whoever signed for an API, or for a function's URL, may call
// it.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html#awslambda-policy-keys
func (c *Cloud) decideInvoke(who ingress.Identity, action, resource string) error {
	var conditions [][2]string
	if strings.HasPrefix(action, "lambda:") {
		conditions = [][2]string{{"lambda:functionurlauthtype", "AWS_IAM"}, {"lambda:invokedviafunctionurl", "true"}}
	}
	if why := c.guard.Allow(who.AccessKey, &http.Request{Header: http.Header{}}, action, resource, conditions...); why != nil {
		return why
	}
	return nil
}
