package invoke

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"arc/cfn/iam"
	"arc/sandbox/activity"
)

// Request is what a service asks to do to another's resource.
type Request struct {
	Principal string // "sns.amazonaws.com"
	Action    string // "sqs:SendMessage"
	Resource  string // ARN
	Source    string // ARN of the resource on whose behalf; "" = none
}

// Statement is what a resource's policy needs in order to allow the request, and no
// more.
func (r Request) Statement() string {
	s := struct {
		Effect    string
		Principal struct{ Service string }
		Action    string
		Resource  string
		Condition any `json:",omitempty"`
	}{Effect: "Allow", Action: r.Action, Resource: r.Resource}
	s.Principal.Service = r.Principal
	if r.Source != "" {
		s.Condition = map[string]any{"ArnEquals": map[string]string{"aws:SourceArn": r.Source}}
	}
	text, _ := json.Marshal(s) // texts: cannot fail
	return string(text)
}

// Decide says whether resource policies let a service do something: one statement
// allows it and none denies it. What hangs on a condition key that is not known
// here is iam.Unknown.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func Decide(r Request, policies ...iam.Policy) iam.Decision {
	all := iam.Together(policies...)
	return iam.Decide(iam.Request{Action: r.Action, Resource: r.Resource, Principal: r.Principal, Lookup: r.Value}, iam.Policies{Resource: &all})
}

// Value is that of a condition key of a request that a service makes itself; known
// is false when it cannot be told.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func (r Request) Value(key string) (values []string, known bool) {
	value := ""
	switch key {
	case "aws:sourcearn":
		value = r.Source
	case "aws:sourceaccount":
		if parts := strings.SplitN(r.Source, ":", 6); len(parts) == 6 {
			value = parts[4]
			if of := strings.SplitN(r.Resource, ":", 6); value == "" && len(of) == 6 {
				value = of[4] // a bucket's ARN has none, and there is one account here
			}
		}
	case "aws:principalisawsservice", "aws:securetransport":
		value = "true" // services call each other by https
	case "aws:viaawsservice", "lambda:invokedviafunctionurl":
		value = "false"
	case "aws:principalservicename":
		value = r.Principal
	case "aws:currenttime":
		value = time.Now().UTC().Format(time.RFC3339)
	case "aws:epochtime":
		value = fmt.Sprint(time.Now().Unix())
	case "aws:requestedregion":
		if parts := strings.SplitN(r.Resource, ":", 6); len(parts) == 6 {
			value = parts[3]
		}
	case "aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:userid", "aws:username", "aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip":
		// A service is no principal of an account, and comes from no network of one.
	default:
		return nil, false
	}
	if value == "" {
		return nil, true
	}
	return []string{value}, true
}

// Judge lets services do what policies allow, and what cannot be told: of that it
// tells once. The zero value is ready to use.
type Judge struct {
	mu   sync.Mutex
	told map[Request]bool
}

// Allows reports whether a service may do something to a resource that has the
// policies.
func (j *Judge) Allows(tell activity.Tell, r Request, policies ...iam.Policy) bool {
	d := Decide(r, policies...)
	if d.Effect == iam.Unknown {
		j.mu.Lock()
		was := j.told[r]
		if j.told == nil {
			j.told = map[Request]bool{}
		}
		j.told[r] = true
		j.mu.Unlock()
		if !was {
			tell.Or().Notice("%s: %s on %s: %s: let through", r.Principal, r.Action, r.Resource, strings.Join(d.Unknown, ", "))
		}
	}
	return d.Effect != iam.Denied
}

// Documents are the policies of a resource, as JSON: its attribute ("" = none), and
// those that stacks put beside it, by their physical IDs, in the order of these.
func Documents(attribute string, beside map[string]string) (list []string) {
	if attribute != "" {
		list = append(list, attribute)
	}
	for _, id := range slices.Sorted(maps.Keys(beside)) {
		list = append(list, beside[id])
	}
	return list
}

// Read reads policies in JSON.
func Read(policies []string) []iam.Policy {
	var list []iam.Policy
	for _, text := range policies {
		list = append(list, iam.Read(text))
	}
	return list
}

// InNobodysName reports whether a message is sent in no role's name, so that the
// other side's policy must allow it. Lambda's destinations and Scheduler go by a
// role, and so do the targets of rules that have one.
// https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
func (m Message) InNobodysName() bool {
	if m.Role != "" || m.Unasked {
		return false
	}
	switch m.Principal {
	case "events.amazonaws.com", "sns.amazonaws.com", "s3.amazonaws.com":
		return true
	}
	return false
}

// Errand is what a service does in the name of a role that it was given.
type Errand struct {
	Service string // "lambda.amazonaws.com", which takes the role
	Role    string // ARN; "" = it goes by no role, and may
	Session string // what the service calls its session of the role
	For     string // ARN of the resource on whose behalf
	Called  string // in people's words; "" = the session's ARN
	// Taken says that the role was taken by another role before, so that its trust in
	// the service is not asked.
	Taken bool
	// Action and Resource are what it does: "sqs:SendMessage" to an ARN. "" = to
	// take the role is all.
	Action, Resource string
}

// Permit says why a service may not do an errand: the role does not trust it, or
// lacks the right. nil = it may, or that cannot be told.
type Permit func(ctx context.Context, e Errand) error

// Ask asks; a nil Permit lets everything through.
func (p Permit) Ask(ctx context.Context, e Errand) error {
	if p == nil || e.Role == "" {
		return nil
	}
	return p(ctx, e)
}

// ActionOf is what it takes to hand a message to the resource with an ARN; "" = no
// right is known.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html
func ActionOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return map[string]string{"lambda": "lambda:InvokeFunction", "sqs": "sqs:SendMessage", "sns": "sns:Publish", "events": "events:PutEvents", "states": "states:StartExecution"}[parts[2]]
}
