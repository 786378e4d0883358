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
	name, c := g.taker(e)
	if role, ok := g.role(e.Role); ok && role.Trust != nil && !e.Taken {
		switch d := g.trusts(*role.Trust, e); d.Effect {
		case iam.Unknown:
			g.say("trust-"+e.Role+e.Service, activity.Event{Kind: activity.Notice, Function: e.Called, Text: fmt.Sprintf(
				"%s: whether %s may take its role %s: %s: let through", c.Called(), e.Service, name, strings.Join(d.Unknown, ", "))})
		case iam.Denied:
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

// Lets reports, and tells nobody, whether a role lets its taker do an errand.
func (g *Guard) Lets(e invoke.Errand) bool {
	if g.options.Off || e.Role == "" {
		return true
	}
	_, c := g.taker(e)
	return !g.lacks(c, question{action: e.Action, resource: e.Resource}, &http.Request{Header: http.Header{}})
}

// taker is who does an errand, with the name of the role that is taken for it.
func (g *Guard) taker(e invoke.Errand) (role string, c Caller) {
	role = e.Role[strings.LastIndexByte(e.Role, '/')+1:]
	return role, Caller{
		ARN:  stack.ARN(g.options.Region, "sts", "", g.options.Account, "assumed-role/"+role+"/"+e.Session),
		Role: e.Role, Name: e.Called, Function: functionOf(e.For),
	}
}

// regionOf is where a service does an errand: in that of the resource on whose behalf.
func (g *Guard) regionOf(e invoke.Errand) string {
	if parts := strings.SplitN(e.For, ":", 6); len(parts) == 6 && parts[3] != "" {
		return parts[3]
	}
	return g.options.Region
}

// trusts decides whether a role lets a service take it.
func (g *Guard) trusts(trust iam.Policy, e invoke.Errand) iam.Decision {
	r := invoke.Request{Principal: e.Service, Action: "sts:AssumeRole", Resource: e.Role, Source: e.For}
	scheduler := e.Service == "scheduler.amazonaws.com"
	if scheduler {
		// Scheduler takes roles on behalf of the schedule's group.
		// https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
		// https://docs.aws.amazon.com/scheduler/latest/UserGuide/doc-history.html (September 7, 2023)
		if front, end, ok := strings.Cut(r.Source, ":schedule/"); ok {
			group, _, _ := strings.Cut(end, "/")
			r.Source = front + ":schedule-group/" + group
		}
	}
	lookup := func(key string) ([]string, bool) {
		if key == "aws:sourcearn" && !scheduler {
			return nil, false // on whose behalf the others take one is not known
		}
		return r.Value(key)
	}
	d := iam.Decision{}
	// It is called so in China, and in a region, too.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-services-in-opt-in-regions
	region := strings.Replace(e.Service, ".amazonaws.com", "."+g.regionOf(e)+".amazonaws.com", 1)
	names := []string{e.Service, region}
	if g.options.Partition == "aws-cn" {
		names = append(names, e.Service+".cn", region+".cn")
	}
	for _, name := range names {
		d = iam.Decide(iam.Request{Action: r.Action, Resource: r.Resource, Principal: name, Lookup: lookup}, iam.Policies{Resource: &trust})
		if d.Effect != iam.Denied || d.Explicit {
			break
		}
	}
	return d
}

// functionOf is the ARN when it is that of a function, for which the manifest has
// lines.
func functionOf(arn string) string {
	if field := strings.SplitN(arn, ":", 4); len(field) == 4 && field[2] == "lambda" {
		return arn
	}
	return ""
}
