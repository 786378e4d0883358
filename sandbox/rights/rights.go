// Package rights decides who may do what in the local cloud: it tells callers by
// the keys that they sign with, reads from a request what IAM is asked about it
// (operations.txt), decides by the caller's and the resource's policies, and
// refuses in the words and the form of AWS. What it cannot judge is let through,
// and said. Whoever signs with any other key is the administrator, who may do
// everything.
package rights

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"arc/cfn/iam"
	"arc/sandbox/activity"
	"arc/sandbox/door"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Role is what a role may do.
type Role struct {
	ID       string // "AROA…"
	Identity []iam.Policy
	Boundary *iam.Policy // nil = none
	Trust    *iam.Policy // who may assume it
}

// Options are what a Guard needs from its surroundings. All functions may be nil.
type Options struct {
	Account, Region, Partition string
	// Off lets everything through: callers are told apart, and nothing is asked.
	Off bool
	// Role is what a role may do now; false = there is no such role here.
	Role func(arn string) (Role, bool)
	// Resource are the policies of a resource itself, as JSON.
	Resource func(service, arn string) []string
	// Find is the ARN's end of what a request names: a role with its path, a secret
	// with its ending; "" = there is none.
	Find func(service, name string) string
	// PartitionKey is the attribute by which a table is divided; "" = not known.
	PartitionKey func(table string) string
	// Remedy is the line of the manifest that gives a function a right: where it
	// goes, and what it says; "" = there is none.
	Remedy func(function, action, resource string) string
	Tell   activity.Tell // of what is refused, and what cannot be judged
}

// Guard decides about requests.
type Guard struct {
	Keys    Keys
	options Options

	mu   sync.Mutex
	told map[string]bool // what was said already
}

// New makes a guard.
func New(options Options) *Guard {
	options.Tell = options.Tell.Or()
	return &Guard{options: options, told: map[string]bool{}}
}

// Wrap puts the guard in front of a service.
func (g *Guard) Wrap(e wire.Endpoint) wire.Endpoint {
	next, service := e.Handler, e.Service
	if next == nil {
		return e
	}
	e.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, ok := g.Keys.Caller(door.ScopeOf(r).Key)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		r = r.WithContext(With(r.Context(), caller))
		if why := g.judge(service, caller, r); why != nil {
			refuse(w, r, service, why)
			return
		}
		next.ServeHTTP(w, r)
	})
	return e
}

// Denial is why a request is refused.
type Denial struct {
	Message   string
	Expired   bool // the caller's keys have ended
	Untrusted bool // the role does not let the service take it
}

// Error is AWS's message.
func (d *Denial) Error() string { return d.Message }

// judge says why a request is refused; nil = it is not.
func (g *Guard) judge(service string, c Caller, r *http.Request) *Denial {
	if !c.Until.IsZero() && time.Now().After(c.Until) {
		return &Denial{Message: "The security token included in the request is expired", Expired: true}
	}
	if g.options.Off || service == "execute-api" {
		return nil // the gateway asks by itself: it knows whose connection it is
	}
	name, of := operationOf(service, r)
	questions, known := g.questions(stack.RegionIn(r.Context(), g.options.Region), service, name, of)
	if !known {
		g.say("may-"+c.ARN+service+name, activity.Event{Kind: activity.Notice, Function: c.Name,
			Text: fmt.Sprintf("%s: what %s %s of %s takes is not known here: let through", c.Called(), r.Method, name, service)})
		return nil
	}
	for _, q := range questions {
		if why := g.ask(c, q, r); why != nil {
			return why
		}
	}
	return nil
}

// May says why a request's caller may not do something with a resource; nil = it
// may, or it cannot be told.
func (g *Guard) May(r *http.Request, action, resource string) *Denial {
	return g.Allow(door.ScopeOf(r).Key, r, action, resource)
}

// Allow is May for whoever has a key. conditions are keys that the call tells, in
// lower case, each with its value.
func (g *Guard) Allow(key string, r *http.Request, action, resource string, conditions ...[2]string) *Denial {
	c, ok := g.Keys.Caller(key)
	if !ok || g.options.Off {
		return nil
	}
	return g.ask(c, question{action: action, resource: resource, told: conditions}, r)
}

// ask puts one question, and tells what comes of it.
func (g *Guard) ask(c Caller, q question, r *http.Request) *Denial {
	d, ok := g.decide(c, q, r)
	if !ok {
		g.say("role-"+c.Role, activity.Event{Kind: activity.Notice, Function: c.Name,
			Text: fmt.Sprintf("%s: its role %s is not one of this cloud: everything is let through", c.Called(), c.Role)})
		return nil
	}
	switch d.Effect {
	case iam.Unknown:
		g.say("unknown-"+c.ARN+q.action+strings.Join(d.Unknown, ""), activity.Event{Kind: activity.Notice, Function: c.Name, Resource: q.resource,
			Text: fmt.Sprintf("%s: %s: %s: let through", c.Called(), q.action, strings.Join(d.Unknown, ", "))})
	case iam.Denied:
		g.tellDenial(c, q, d)
		return &Denial{Message: fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", c.ARN, q.action, q.resource, d.Because(q.action))}
	}
	return nil
}

// decide is what becomes of one question; ok is false when the caller's role is
// not known.
func (g *Guard) decide(c Caller, q question, r *http.Request) (d iam.Decision, ok bool) {
	policies, ok := g.policies(c, q)
	if !ok {
		return d, false
	}
	d = iam.Decide(g.request(c, q, r), policies)
	if d.Effect == iam.Denied && logGroup(q.resource) {
		// AWS asks about a log group as about its streams, and policies name either.
		streams := q
		streams.resource += ":log-stream:"
		d = iam.Decide(g.request(c, streams, r), policies)
	}
	return d, true
}

func logGroup(resource string) bool {
	return strings.Contains(resource, ":log-group:") && !strings.Contains(resource, ":log-stream:")
}

// policies are those that bear on a question; ok is false when the caller's role
// is not known.
func (g *Guard) policies(c Caller, q question) (p iam.Policies, ok bool) {
	if c.Role != "" {
		if g.options.Role == nil {
			return p, false
		}
		role, ok := g.options.Role(c.Role)
		if !ok {
			return p, false
		}
		p.Identity, p.Boundary = role.Identity, role.Boundary
	}
	for _, text := range c.Policies {
		p.Identity = append(p.Identity, iam.Read(text))
	}
	if len(c.Session) > 0 {
		var session []iam.Policy
		for _, text := range c.Session {
			session = append(session, iam.Read(text))
		}
		all := iam.Together(session...)
		p.Session = &all
	}
	service := iam.Field(q.resource, 2)
	if q.action == "sts:AssumeRole" {
		p.Explicit, p.Resource = true, &iam.Policy{}
		if role, ok := g.role(q.resource); ok && role.Trust != nil {
			p.Resource = role.Trust
		}
		return p, true
	}
	if g.options.Resource != nil {
		var own []iam.Policy
		for _, text := range g.options.Resource(service, q.resource) {
			own = append(own, iam.Read(text))
		}
		if len(own) > 0 {
			all := iam.Together(own...)
			p.Resource = &all
		}
	}
	return p, true
}

// RoleID is the ID of a role; false = there is no such role here.
func (g *Guard) RoleID(arn string) (string, bool) {
	r, ok := g.role(arn)
	return r.ID, ok
}

func (g *Guard) role(arn string) (Role, bool) {
	if g.options.Role == nil {
		return Role{}, false
	}
	return g.options.Role(arn)
}

// request is the question as IAM is asked it.
func (g *Guard) request(c Caller, q question, r *http.Request) iam.Request {
	account := g.options.Account
	if strings.Count(q.resource, ":") >= 5 {
		account = cmp.Or(iam.Field(q.resource, 4), account)
	}
	return iam.Request{Action: q.action, Resource: q.resource, Account: account, Principal: c.ARN, Role: c.Role,
		Lookup: func(key string) ([]string, bool) {
			if values, known := g.value(q, key); known {
				return values, true
			}
			return g.global(c, account, r, key)
		}}
}

// absent are the condition keys that no call of a function's session has.
var absent = [...]string{
	"aws:username", "aws:multifactorauthpresent", "aws:multifactorauthage", "aws:federatedprovider", "aws:sourceidentity",
	"aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:sourcearn", "aws:sourceaccount",
}

// global is the value of a condition key that is known of every request.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func (g *Guard) global(c Caller, account string, r *http.Request, key string) (values []string, known bool) {
	one := func(value string) ([]string, bool) {
		if value == "" {
			return nil, true
		}
		return []string{value}, true
	}
	if user, ok := strings.CutPrefix(c.ARN, fmt.Sprintf("arn:%s:iam::%s:user/", g.options.Partition, g.options.Account)); ok {
		switch key {
		case "aws:username":
			return one(user)
		case "aws:principaltype":
			return one("User")
		}
	}
	switch key {
	case "aws:principalarn":
		return one(cmp.Or(c.Role, c.ARN))
	case "aws:principalaccount":
		return one(g.options.Account)
	case "aws:principaltype":
		return one("AssumedRole")
	case "aws:userid":
		return one(c.ID)
	case "aws:requestedregion":
		return one(stack.RegionIn(r.Context(), g.options.Region))
	case "aws:currenttime":
		return one(time.Now().UTC().Format(time.RFC3339))
	case "aws:epochtime":
		return one(strconv.FormatInt(time.Now().Unix(), 10))
	case "aws:resourceaccount":
		return one(account)
	case "aws:useragent":
		return one(r.UserAgent())
	case "aws:referer":
		return one(r.Referer())
	case "aws:securetransport":
		return one("true") // deployed, every SDK calls by https; that it does not here is no mistake of the app's
	case "aws:viaawsservice", "aws:principalisawsservice":
		return one("false")
	case "lambda:sourcefunctionarn":
		return one(c.Function)
	}
	return nil, slices.Contains(absent[:], key)
}

// say tells something once.
func (g *Guard) say(what string, e activity.Event) {
	g.mu.Lock()
	was := g.told[what]
	g.told[what] = true
	g.mu.Unlock()
	if !was {
		g.options.Tell(e)
	}
}

// Forget has what was said already said again: policies have changed.
func (g *Guard) Forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.told)
}

// tellDenial says what was refused, and what allows it: the statement for the
// role, and the line of the manifest.
func (g *Guard) tellDenial(c Caller, q question, d iam.Decision) {
	lines := []string{fmt.Sprintf("%s: denied: %s", c.Called(), q.action), "  on " + q.resource, "  " + d.Because(q.action)}
	if !d.Explicit {
		lines = append(lines, fmt.Sprintf("  %s needs %s", needy(c, d.Layer), statementFor(q)))
		if c.Function != "" && d.Layer == iam.IdentityLayer && g.options.Remedy != nil {
			if remedy := g.options.Remedy(c.Function, q.action, q.resource); remedy != "" {
				lines = append(lines, "  "+remedy)
			}
		}
	}
	lines = append(lines, "  --no-iam lets everything through")
	g.say("denied-"+c.ARN+q.action+q.resource, activity.Event{Kind: activity.Notice, Function: c.Name, Resource: q.resource, Text: strings.Join(lines, "\n")})
}

// needy is what lacks a statement.
func needy(c Caller, layer iam.Layer) string {
	switch {
	case layer != iam.IdentityLayer:
		return "its " + string(layer)
	case c.Role != "":
		return "its role " + c.Role[strings.LastIndexByte(c.Role, '/')+1:]
	}
	return "its policy"
}

// statementFor allows what was asked.
func statementFor(q question) string {
	text, _ := json.Marshal(struct{ Effect, Action, Resource string }{"Allow", q.action, q.resource}) // texts: cannot fail
	return string(text)
}

// Actions are the IAM actions that the table knows of a service, sorted.
func Actions(service string) []string {
	var list []string
	for _, ops := range operations()[service] {
		for _, op := range ops {
			list = append(list, op.action)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
