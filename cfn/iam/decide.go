package iam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Request is one request to AWS, as IAM is asked about it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/intro-structure.html#intro-structure-request
type Request struct {
	Action    string // "dynamodb:PutItem"
	Resource  string // ARN; "*" when the action knows no resources
	Account   string // that the resource belongs to
	Principal string // ARN of a user, a role or a role's session, or "sns.amazonaws.com"
	Role      string // of a session: ARN of its role, as policies name it; "" = none
	// Context holds condition keys, in lower case. A key without values is known
	// to be absent; one that is not there is not known.
	Context map[string][]string
	// Lookup is asked for keys that Context does not have; nil = nobody is.
	Lookup func(key string) (values []string, known bool)
	Whole  bool // that is all there is: what nobody knows is absent
}

// Policies are those that bear on a request.
type Policies struct {
	Identity []Policy // of the caller; nil = none allows anything
	Boundary *Policy  // the caller's permissions boundary; nil = none
	Session  *Policy  // that the session was begun with; nil = none
	Resource *Policy  // of the resource itself; nil = none
	// Explicit says that the resource's own policy must let the caller's account
	// in before the caller's policies count, as roles' and keys' must.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
	Explicit bool
}

// Effect is what becomes of a request.
type Effect string

// The effects.
const (
	Allowed Effect = "allowed"
	Denied  Effect = "denied"
	// Unknown is what cannot be told: it hangs on a condition key of which
	// nothing is known, say.
	Unknown Effect = "unknown"
)

// Layer is a kind of policy, in the words of AWS's messages.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
type Layer string

// The layers.
const (
	IdentityLayer Layer = "identity-based policy"
	BoundaryLayer Layer = "permissions boundary"
	SessionLayer  Layer = "session policy"
	ResourceLayer Layer = "resource-based policy"
)

// Decision is what Decide finds.
type Decision struct {
	Effect   Effect
	Explicit bool     // Denied: a statement says so
	Layer    Layer    // Denied: the kind of policy that does, or that lacks the right
	Unknown  []string // Unknown: what it hangs on; sorted
}

// Because is the end of AWS's message about a request that is denied.
func (d Decision) Because(action string) string {
	if !d.Explicit {
		return fmt.Sprintf("because no %s allows the %s action", d.Layer, action)
	}
	article := "a"
	if d.Layer == IdentityLayer {
		article = "an"
	}
	return fmt.Sprintf("with an explicit deny in %s %s", article, d.Layer)
}

// Read reads a policy document as services keep it: JSON without intrinsics.
// What is no JSON is remembered as something that could not be read.
func Read(text string) Policy {
	var document any
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	if err := d.Decode(&document); err != nil || document == nil {
		return Policy{unread: []string{"a policy that is no JSON"}}
	}
	return Parse(document)
}

// Together is several policies as one.
func Together(policies ...Policy) Policy {
	if len(policies) == 1 {
		return policies[0]
	}
	var all Policy
	for _, p := range policies {
		all.statements = append(all.statements, p.statements...)
		all.named = append(all.named, p.named...)
		all.unread = append(all.unread, p.unread...)
	}
	return all
}

// truth is whether something holds: no, perhaps, yes. Of several the least is
// whether all hold, the greatest whether one does.
type truth int

const (
	no truth = iota
	perhaps
	yes
)

func (t truth) not() truth { return yes - t }

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// verdict is what one layer says of a request.
type verdict struct {
	deny, allow truth
	// Of a policy of a resource: whether it lets in the very caller, the role that
	// it is a session of, and the account.
	caller, role, account truth
}

// Decide says what becomes of a request by the rules of evaluation. What hangs on
// something that is not known is Unknown, unless it is denied without it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func Decide(r Request, p Policies) Decision {
	d := &decider{Request: r, action: strings.ToLower(r.Action), unknown: map[string]bool{}}
	identity := d.ask(Together(p.Identity...), false)
	boundary, session, resource := verdict{allow: yes}, verdict{allow: yes}, verdict{}
	if p.Boundary != nil {
		boundary = d.ask(*p.Boundary, false)
	}
	if p.Session != nil {
		session = d.ask(*p.Session, false)
	}
	if p.Resource != nil {
		resource = d.ask(*p.Resource, true)
	}
	deny := no
	for _, of := range []struct {
		verdict
		layer Layer
	}{{identity, IdentityLayer}, {resource, ResourceLayer}, {boundary, BoundaryLayer}, {session, SessionLayer}} {
		if of.deny == yes {
			return Decision{Effect: Denied, Explicit: true, Layer: of.layer}
		}
		deny = max(deny, of.deny)
	}
	allowed := d.allowed(p, identity, boundary, session, resource)
	switch {
	case allowed == no:
		return Decision{Effect: Denied, Layer: d.lacking(identity, boundary, session, resource)}
	case allowed == yes && deny == no:
		return Decision{Effect: Allowed}
	}
	var unknown []string
	for what := range d.unknown {
		unknown = append(unknown, what)
	}
	slices.Sort(unknown)
	return Decision{Effect: Unknown, Unknown: unknown}
}

// allowed puts the layers together. A resource's policy that names a session
// itself lets it in whatever bounds it; one that names the role does not.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-eval-logic
func (d *decider) allowed(p Policies, identity, boundary, session, resource verdict) truth {
	if !strings.HasPrefix(d.Principal, "arn:") {
		return resource.caller // a service has no policies of its own
	}
	bounds := min(boundary.allow, session.allow)
	own := min(identity.allow, bounds)
	if !d.sameAccount() {
		return min(own, max(resource.caller, resource.role, resource.account))
	}
	if p.Explicit {
		own = min(own, resource.account)
	}
	return max(own, resource.caller, min(resource.role, bounds))
}

// lacking is the layer that AWS's message is about when none denies.
func (d *decider) lacking(identity, boundary, session, resource verdict) Layer {
	switch {
	case !strings.HasPrefix(d.Principal, "arn:"):
		return ResourceLayer
	case identity.allow == no && resource.role == no:
		return IdentityLayer
	case boundary.allow == no:
		return BoundaryLayer
	case session.allow == no:
		return SessionLayer
	}
	return ResourceLayer
}

func (d *decider) sameAccount() bool {
	return d.Account == "" || Field(d.Principal, 4) == d.Account
}

// Field is a part of an ARN between colons, from 0 on, of which the sixth is all that is
// left; "" = there is none.
func Field(arn string, n int) string {
	for range n {
		_, rest, ok := strings.Cut(arn, ":")
		if !ok {
			return ""
		}
		arn = rest
	}
	if n < 5 {
		arn, _, _ = strings.Cut(arn, ":")
	}
	return arn
}

// decider is a request that is being decided.
type decider struct {
	Request
	action  string          // in lower case
	unknown map[string]bool // what it may hang on
}

// perhaps notes what something hangs on.
func (d *decider) perhaps(format string, args ...any) truth {
	d.unknown[fmt.Sprintf(format, args...)] = true
	return perhaps
}

// ask puts the request to the statements of a policy.
func (d *decider) ask(p Policy, ofResource bool) verdict {
	var v verdict
	for _, s := range p.statements {
		about, how := d.about(s, ofResource)
		switch {
		case about == no:
		case s.deny:
			v.deny = max(v.deny, about)
		default:
			v.allow = max(v.allow, about)
			switch how {
			case theCaller:
				v.caller = max(v.caller, about)
			case theRole:
				v.role = max(v.role, about)
			case theAccount:
				v.account = max(v.account, about)
			}
		}
	}
	if len(p.unread) > 0 {
		about := d.perhaps("what its policies say cannot be read: %s", p.unread[0])
		v = verdict{max(v.deny, about), max(v.allow, about), max(v.caller, about), max(v.role, about), max(v.account, about)}
	}
	for _, name := range p.named {
		if name == "AdministratorAccess" {
			v.allow = yes
		} else if v.allow == no {
			v.allow = d.perhaps("what the policy %s allows is not known here", name)
		}
	}
	return v
}

// match is how a statement's principals name a caller.
type match int

const (
	nobody match = iota
	theAccount
	theRole
	theCaller
)

// about says whether a statement is about the request, and how its principals
// name the caller.
func (d *decider) about(s statement, ofResource bool) (truth, match) {
	if slices.ContainsFunc(s.actions, d.isAction) == s.notActions {
		return no, nobody
	}
	how := theCaller
	if ofResource {
		if how = d.named(s); how == nobody {
			return no, nobody
		}
	}
	holds := d.onResource(s)
	for _, c := range s.conditions {
		if holds == no {
			return no, nobody
		}
		holds = min(holds, d.holds(s, c))
	}
	return holds, how
}

// isAction says whether a pattern is about the action. Actions have no variables.
func (d *decider) isAction(p pattern) bool { return p.glob != "" && glob(p.glob, d.action) }

// named says how the principals of a statement name the caller. Who is named by
// NotPrincipal is who is not meant.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func (d *decider) named(s statement) match {
	how := nobody
	for _, p := range s.principals {
		kind, who, _ := strings.Cut(p, ":")
		switch {
		case p == "*", who == d.Principal && (kind == "AWS" || kind == "Service"):
			how = theCaller
		case kind == "AWS" && d.Role != "" && who == d.Role:
			how = max(how, theRole)
		case kind == "AWS" && strings.HasPrefix(d.Principal, "arn:") && who == Field(d.Principal, 4):
			how = max(how, theAccount)
		}
	}
	if s.notPrincipal {
		if how == nobody {
			return theCaller
		}
		return nobody
	}
	return how
}

// onResource says whether a statement is about the resource of the request.
func (d *decider) onResource(s statement) truth {
	about := no
	for _, p := range s.resources {
		about = max(about, d.matchesResource(s, p))
		if about == yes {
			break
		}
	}
	if s.notResources {
		return about.not()
	}
	return about
}

func (d *decider) matchesResource(s statement, p pattern) truth {
	if p.text == "*" {
		return yes
	}
	if p.glob != "" {
		return truthOf(globARN(p.glob, d.Resource))
	}
	text, known := d.filled(s, p.symbols, p.text)
	if known != yes {
		return known
	}
	return truthOf(globARN(text, d.Resource))
}

// The wildcards of a pattern that is filled in. What variables hold has none.
const (
	anyMark = "\x01"
	oneMark = "\x02"
)

// marked is the pattern with its text for glob, if all of it is known.
func (p pattern) marked() pattern {
	var b strings.Builder
	for _, sym := range p.symbols {
		switch {
		case sym == anyText:
			b.WriteString(anyMark)
		case sym == anyOne:
			b.WriteString(oneMark)
		case sym == ownPartitionSymbol && strings.HasPrefix(p.text, "arn:aws:"):
			b.WriteString("aws")
		case sym.unknown():
			return p
		default:
			b.WriteString(string(sym))
		}
	}
	p.glob = b.String()
	return p
}

// filled is a pattern with its variables filled in, and whether that can be done:
// one that the request has no value for matches nothing.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func (d *decider) filled(s statement, symbols []symbol, text string) (string, truth) {
	var b strings.Builder
	b.Grow(len(text))
	for _, sym := range symbols {
		switch {
		case sym == anyText:
			b.WriteString(anyMark)
		case sym == anyOne:
			b.WriteString(oneMark)
		case !sym.unknown():
			b.WriteString(string(sym))
		case sym == ownPartitionSymbol && strings.HasPrefix(text, "arn:aws:"):
			b.WriteString("aws")
		case !strings.HasPrefix(string(sym), "${!"):
			return "", d.perhaps("what %s is, is not known", sym)
		case !s.variables:
			b.WriteString("${" + string(sym[3:]))
		default:
			value, known := d.variable(strings.TrimSuffix(string(sym[3:]), "}"))
			if known != yes {
				return "", known
			}
			b.WriteString(value)
		}
	}
	return b.String(), yes
}

// variable is the value of a policy variable.
func (d *decider) variable(name string) (string, truth) {
	if name == "*" || name == "?" || name == "$" {
		return name, yes
	}
	name, otherwise, hasOther := strings.Cut(name, ",")
	values, known := d.values(strings.ToLower(strings.TrimSpace(name)))
	switch {
	case !known:
		return "", d.perhaps("the condition key %s is not known here", strings.TrimSpace(name))
	case len(values) == 1:
		return values[0], yes
	case hasOther:
		return strings.Trim(strings.TrimSpace(otherwise), "'"), yes
	}
	return "", no
}

// values are those of a condition key, none when it is absent.
func (d *decider) values(key string) (values []string, known bool) {
	values, known = d.Context[key]
	if !known && d.Lookup != nil {
		values, known = d.Lookup(key)
	}
	return values, known || d.Whole
}

// globARN matches an ARN part by part; wildcards reach over no colon but in the
// last part.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func globARN(pattern, arn string) bool {
	for range 5 {
		want, patternAfter, ok := strings.Cut(pattern, ":")
		have, arnAfter, too := strings.Cut(arn, ":")
		if ok != too || !glob(want, have) {
			return false
		}
		if !ok {
			return true
		}
		pattern, arn = patternAfter, arnAfter
	}
	return glob(pattern, arn)
}

// glob matches a text with a pattern whose wildcards are marks.
func glob(pattern, text string) bool {
	p, t := 0, 0
	star, from := -1, 0 // the last one, and where in text what it stands for ends
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == anyMark[0]:
			star, from = p, t
			p++
		case p < len(pattern) && pattern[p] == oneMark[0]:
			_, size := firstRune(text[t:])
			p, t = p+1, t+size
		case p < len(pattern) && pattern[p] == text[t]:
			p, t = p+1, t+1
		case star >= 0:
			from++
			p, t = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], anyMark) == ""
}
