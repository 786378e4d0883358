package rights

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"arc/cfn/iam"
	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

// Errand says why a service may not do something in the name of a role: the role
// does not trust it, or lacks the right. nil = it may, or that cannot be told.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_terms-and-concepts.html
func (g *Guard) Errand(ctx context.Context, e invoke.Errand) *Denial {
	if g.options.Off || e.Role == "" {
		return nil
	}
	name := e.Role[strings.LastIndexByte(e.Role, '/')+1:]
	c := Caller{
		ARN:  stack.ARN(g.options.Region, "sts", "", g.options.Account, "assumed-role/"+name+"/"+e.Session),
		Role: e.Role, Name: e.Called, Function: functionOf(e.For),
	}
	if role, ok := g.role(e.Role); ok && role.Trust != nil {
		d := invoke.Decide(invoke.Request{Principal: e.Service, Action: "sts:AssumeRole", Resource: e.Role, Source: e.For}, *role.Trust)
		if d.Effect == iam.Denied {
			g.say("trust-"+e.Role+e.Service, activity.Event{Kind: activity.Notice, Function: e.Called, Text: fmt.Sprintf(
				"%s: its role %s may not be taken by %s:\n  its AssumeRolePolicyDocument needs {\"Effect\":\"Allow\",\"Principal\":{\"Service\":%q},\"Action\":\"sts:AssumeRole\"}\n  --no-iam lets everything through",
				c.Called(), name, e.Service, e.Service)})
			return &Denial{Message: fmt.Sprintf("%s is not authorized to perform: sts:AssumeRole on resource: %s", e.Service, e.Role), Untrusted: true}
		}
	}
	if e.Action == "" {
		return nil
	}
	return g.ask(c, question{action: e.Action, resource: e.Resource}, (&http.Request{Header: http.Header{}}).WithContext(ctx))
}

// functionOf is the ARN when it is that of a function, for which the manifest has
// lines.
func functionOf(arn string) string {
	if field := strings.SplitN(arn, ":", 4); len(field) == 4 && field[2] == "lambda" {
		return arn
	}
	return ""
}
