// Package iam reads IAM policies, compares them by what they allow (not whether
// their text differs, but whether there is a request that one allows and the
// other does not), and decides single requests by them.
//
// Comparing is sound: where it says that rights are not widened, no request is
// newly allowed. Where it cannot tell, it says that they may be. Deciding is the
// other way round: it denies only what AWS would deny, and says what it cannot
// judge.
package iam

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Policy is what one or several policy documents say together.
type Policy struct {
	statements []statement
	named      []string // policies that are known by name only, and only allow
	unread     []string // what could not be read; texts of it
}

type statement struct {
	deny         bool
	actions      []pattern // letters in lower case
	notActions   bool
	resources    []pattern
	notResources bool
	principals   []string // "AWS:…", "Service:…" or "*"; nil = not a resource policy
	notPrincipal bool
	conditions   []condition
	variables    bool // ${aws:username} is filled in, as since the language's version of 2012
}

// Parse reads a policy document of a template: decoded JSON with intrinsics.
// What it does not understand is remembered, and makes comparisons unsure.
func Parse(document any) Policy {
	var p Policy
	if name, yes, no, ok := chosen(document); ok {
		return Parse(yes).When(name, true).And(Parse(no).When(name, false))
	}
	if isNoValue(document) {
		return p
	}
	m, ok := document.(map[string]any)
	if !ok || m["Statement"] == nil {
		if document != nil {
			p.unread = append(p.unread, canonical(document))
		}
		return p
	}
	if name, yes, no, ok := chosen(m["Statement"]); ok {
		of := func(statement any) any { return map[string]any{"Version": m["Version"], "Statement": statement} }
		if isNoValue(yes) {
			yes = []any{}
		}
		if isNoValue(no) {
			no = []any{}
		}
		return Parse(of(yes)).When(name, true).And(Parse(of(no)).When(name, false))
	}
	for _, v := range listOf(m["Statement"]) {
		branches, ok := branchesOf(v)
		var statements []statement
		for _, b := range branches {
			s, readable := parseStatement(b.statement)
			s.conditions = append(s.conditions, b.when...)
			s.variables = m["Version"] == "2012-10-17"
			statements = append(statements, s)
			ok = ok && readable
		}
		if !ok {
			p.unread = append(p.unread, canonical(v))
			continue
		}
		p.statements = append(p.statements, statements...)
	}
	return p
}

// Readable is the policy without what could not be read of it.
func (p Policy) Readable() Policy {
	p.unread = nil
	return p
}

// Unread reports whether there is something in the policy that could not be read.
func (p Policy) Unread() bool { return len(p.unread) > 0 }

// WithoutPrincipal is the policy of a resource without what it allows one
// principal, "AWS:${AWS::AccountId}" for the stack's own account.
func (p Policy) WithoutPrincipal(name string) Policy {
	q := Policy{named: p.named, unread: p.unread}
	for _, s := range p.statements {
		if !s.deny && !s.notPrincipal && slices.Contains(s.principals, name) {
			s.principals = slices.DeleteFunc(slices.Clone(s.principals), func(other string) bool { return other == name })
			if len(s.principals) == 0 {
				continue
			}
		}
		q.statements = append(q.statements, s)
	}
	return q
}

// Named is a managed policy, of which a template has only the ARN. Those of
// AWS allow and do not deny, but for two families; of others nothing is known.
func Named(arn any) Policy {
	name := patternOf(arn).text
	policy, aws := strings.CutPrefix(name[max(strings.Index(name, ":iam::"), 0):], ":iam::aws:policy/")
	if aws && !strings.HasPrefix(policy, "AWSDeny") && !strings.HasPrefix(policy, "AWSCompromised") {
		return Policy{named: []string{policy}}
	}
	return Policy{unread: []string{name}}
}

// recording are AWS's managed policies that only write logs and traces, or let a
// function stand in a VPC.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaBasicExecutionRole.html
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaVPCAccessExecutionRole.html
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSXRayDaemonWriteAccess.html
var recording = [...]string{
	"service-role/AWSLambdaBasicExecutionRole", "service-role/AWSLambdaVPCAccessExecutionRole", "service-role/AWSAppSyncPushToCloudWatchLogs",
	"AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess", "CloudWatchLambdaInsightsExecutionRolePolicy",
}

// harmless are the actions by which the first and the fourth of these log and trace,
// and one that nobody needs a right for.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
var harmless = [...]string{
	"logs:createloggroup", "logs:createlogstream", "logs:putlogevents",
	"xray:puttracesegments", "xray:puttelemetryrecords", "xray:getsamplingrules", "xray:getsamplingtargets", "xray:getsamplingstatisticsummaries",
	"sts:getcalleridentity",
}

// WithoutRecording is the policy without what endangers nobody: the managed policies
// of AWS that only log, trace or stay in a VPC, the same rights to log and to trace
// where they are written out, and those that nobody needs to be given.
func (p Policy) WithoutRecording() Policy {
	p.named = slices.DeleteFunc(slices.Clone(p.named), func(name string) bool { return slices.Contains(recording[:], unconditional(name)) })
	var statements []statement
	for _, s := range p.statements {
		if !s.deny && !s.notActions && s.principals == nil {
			s.actions = slices.DeleteFunc(slices.Clone(s.actions), func(action pattern) bool {
				return slices.Contains(harmless[:], strings.ToLower(action.text))
			})
			if len(s.actions) == 0 {
				continue
			}
		}
		statements = append(statements, s)
	}
	p.statements = statements
	return p
}

// And is what both policies together say.
func (p Policy) And(q Policy) Policy {
	return Policy{slices.Concat(p.statements, q.statements), slices.Concat(p.named, q.named), slices.Concat(p.unread, q.unread)}
}

// Empty reports whether the policy says nothing.
func (p Policy) Empty() bool { return len(p.statements)+len(p.named)+len(p.unread) == 0 }

func parseStatement(v any) (statement, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		return statement{}, false
	}
	s := statement{deny: m["Effect"] == "Deny"}
	if !s.deny && m["Effect"] != "Allow" {
		return s, false
	}
	known := map[string]bool{"Effect": true, "Sid": true, "Action": true, "NotAction": true, "Resource": true,
		"NotResource": true, "Principal": true, "NotPrincipal": true, "Condition": true}
	for key := range m {
		if !known[key] {
			return s, false
		}
	}
	actions, notActions := m["Action"], m["NotAction"]
	if (actions == nil) == (notActions == nil) {
		return s, false
	}
	s.notActions = notActions != nil
	for _, a := range append(listOf(actions), listOf(notActions)...) {
		p := patternOf(a)
		for i, letter := range p.symbols {
			if !letter.unknown() {
				p.symbols[i] = symbol(strings.ToLower(string(letter)))
			}
		}
		s.actions = append(s.actions, p.marked())
	}
	resources, notResources := m["Resource"], m["NotResource"]
	s.notResources = notResources != nil
	for _, r := range append(listOf(resources), listOf(notResources)...) {
		s.resources = append(s.resources, wholeARN(ownPartition(patternOf(r))).marked())
	}
	if resources == nil && notResources == nil {
		s.resources = []pattern{everything} // a trust policy, say: the resource is what it hangs on
	}
	s.notPrincipal = m["NotPrincipal"] != nil
	var okPrincipal, okCondition bool
	s.principals, okPrincipal = parsePrincipals(m["Principal"], m["NotPrincipal"])
	s.conditions, okCondition = parseConditions(m["Condition"])
	return s, okPrincipal && okCondition
}

// parsePrincipals reads Principal or NotPrincipal. {"AWS": "*"} and "*" are the
// same: everyone.
func parsePrincipals(principal, not any) ([]string, bool) {
	v := principal
	if v == nil {
		v = not
	}
	switch v := v.(type) {
	case nil:
		return nil, true
	case string:
		return []string{v}, v == "*"
	case map[string]any:
		out := []string{}
		for kind, values := range v {
			if kind == "Ref" || strings.HasPrefix(kind, "Fn::") {
				return nil, false
			}
			for _, value := range listOf(values) {
				text := patternOf(value).text
				if kind == "AWS" && text == "*" {
					out = append(out, "*")
					continue
				}
				if front, ok := strings.CutSuffix(text, ":root"); ok && kind == "AWS" {
					_, text, _ = strings.Cut(front, ":iam::") // an account is named by its number or by its root
					if text == "" {
						text = front + ":root"
					}
				}
				out = append(out, kind+":"+text)
			}
		}
		slices.Sort(out)
		return slices.Compact(out), true
	}
	return nil, false
}

func listOf(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// ownPartitionSymbol stands for the partition that a stack is in.
const ownPartitionSymbol symbol = "${AWS::Partition}"

// ownPartition reads "arn:aws:" as an ARN of the partition that the stack is
// in: one of another partition names nothing there is.
func ownPartition(p pattern) pattern {
	if strings.HasPrefix(p.text, "arn:aws:") {
		p.symbols = slices.Concat(letters("arn:"), []symbol{ownPartitionSymbol}, p.symbols[len("arn:aws"):])
	}
	return p
}

// wholeARN completes an ARN of too few fields with stars, as IAM does.
func wholeARN(p pattern) pattern {
	colons := 0
	for _, s := range p.symbols {
		if s == ":" {
			colons++
		}
		if s.unknown() && colons == 0 {
			return p
		}
	}
	if !strings.HasPrefix(p.text, "arn:") || colons >= 5 {
		return p
	}
	for ; colons < 5; colons++ {
		p.symbols = append(p.symbols, ":", anyText)
	}
	return p
}

// patternOf reads a string with the intrinsics that make one: Ref, Fn::GetAtt,
// Fn::Sub and Fn::Join. Any other is one unknown text.
func patternOf(v any) pattern {
	switch v := v.(type) {
	case string:
		return pattern{symbols: letters(v), text: v}
	case json.Number:
		return pattern{symbols: letters(v.String()), text: v.String()}
	case bool:
		return pattern{symbols: letters(fmt.Sprint(v)), text: fmt.Sprint(v)}
	case map[string]any:
		if len(v) != 1 {
			break
		}
		for fn, arg := range v {
			if p, ok := call(fn, arg); ok {
				return p
			}
		}
	}
	name := nameOf(v)
	return pattern{symbols: []symbol{symbol(name)}, text: name}
}

func call(fn string, arg any) (pattern, bool) {
	switch fn {
	case "Ref":
		if name, ok := arg.(string); ok {
			return unknownText(name), true
		}
	case "Fn::GetAtt":
		switch arg := arg.(type) {
		case string:
			return unknownText(arg), true
		case []any:
			if len(arg) == 2 {
				id, okID := arg[0].(string)
				attribute, okAttribute := arg[1].(string)
				return unknownText(id + "." + attribute), okID && okAttribute
			}
		}
	case "Fn::Sub":
		if text, ok := arg.(string); ok {
			return substituted(text, nil), true
		}
		if l, ok := arg.([]any); ok && len(l) == 2 {
			text, okText := l[0].(string)
			own, okOwn := l[1].(map[string]any)
			return substituted(text, own), okText && okOwn
		}
	case "Fn::Join":
		return joined(arg)
	}
	return pattern{}, false
}

func unknownText(name string) pattern {
	name = "${" + name + "}"
	return pattern{symbols: []symbol{symbol(name)}, text: name}
}

// substituted reads the text of a Sub. What it leaves to IAM (${!x}) is a
// policy variable.
func substituted(text string, own map[string]any) pattern {
	var p pattern
	add := func(more pattern) {
		p.symbols = append(p.symbols, more.symbols...)
		p.text += more.text
	}
	for text != "" {
		plain, rest, found := strings.Cut(text, "${")
		add(pattern{symbols: letters(plain), text: plain})
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			add(pattern{symbols: letters("${" + rest), text: "${" + rest})
			break
		}
		text = after
		if v, given := own[strings.TrimSpace(name)]; given {
			add(patternOf(v))
		} else {
			add(unknownText(strings.TrimSpace(name)))
		}
	}
	return p
}

func joined(arg any) (pattern, bool) {
	l, _ := arg.([]any)
	if len(l) != 2 {
		return pattern{}, false
	}
	between, ok := l[0].(string)
	parts, okParts := l[1].([]any)
	if !ok || !okParts {
		return pattern{}, false
	}
	var p pattern
	for i, part := range parts {
		if i > 0 {
			p.symbols = append(p.symbols, letters(between)...)
			p.text += between
		}
		more := patternOf(part)
		p.symbols = append(p.symbols, more.symbols...)
		p.text += more.text
	}
	return p, true
}

func canonical(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}

// Except is the policy without the rights over resources that are pinned to
// one that is given: to its reference, as a whole field behind no wildcard. The
// function is told the reference ("Jobs.Arn") and the whole pattern.
func (p Policy) Except(given func(reference, pattern string) bool) Policy {
	q := Policy{named: p.named, unread: p.unread}
	for _, s := range p.statements {
		if s.deny {
			q.statements = append(q.statements, s)
			continue
		}
		if s.forOnly(given) {
			continue
		}
		if !s.notResources {
			s.resources = slices.DeleteFunc(slices.Clone(s.resources), func(r pattern) bool { return pinned(r, given) })
			if len(s.resources) == 0 {
				continue
			}
		}
		q.statements = append(q.statements, s)
	}
	return q
}

func pinned(p pattern, given func(reference, pattern string) bool) bool {
	for i, s := range p.symbols {
		if s == anyText || s == anyOne {
			return false
		}
		if !s.unknown() {
			continue
		}
		startsField := i == 0 || p.symbols[i-1] == ":" || p.symbols[i-1] == "/"
		endsField := i+1 == len(p.symbols) || p.symbols[i+1] == ":" || p.symbols[i+1] == "/"
		if startsField && endsField && given(strings.Trim(string(s), "${}"), p.text) {
			return true
		}
	}
	return false
}

// forOnly reports whether a statement lets in nothing but what is given: its
// conditions say so of the source.
func (s statement) forOnly(given func(reference, pattern string) bool) bool {
	for _, c := range s.conditions {
		set, operator, ifExists := c.base()
		if c.key != "aws:sourcearn" || set != "" || ifExists || operator != "StringEquals" && operator != "ArnLike" {
			continue
		}
		only := len(c.values) > 0
		for _, v := range c.values {
			only = only && pinned(substituted(v, nil), given)
		}
		if only {
			return true
		}
	}
	return false
}
