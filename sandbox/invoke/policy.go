package invoke

import (
	"encoding/json"
	"slices"
	"strings"
)

// Request is what a service asks to do to another's resource.
type Request struct {
	Principal string // "sns.amazonaws.com"
	Action    string // "sqs:SendMessage"
	Resource  string // ARN
	Source    string // ARN of the resource on whose behalf; "" = none
}

// Allowed reports whether resource policies let a service do something: one
// statement allows it and none denies it. A condition that is not known here
// does not hold, so that nothing is allowed that AWS might refuse.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func Allowed(r Request, policies ...string) bool {
	allowed := false
	for _, text := range policies {
		var p struct{ Statement json.RawMessage }
		if json.Unmarshal([]byte(text), &p) != nil {
			continue
		}
		for _, s := range statements(p.Statement) {
			if !s.matches(r) {
				continue
			}
			if s.Effect == "Deny" {
				return false
			}
			allowed = allowed || s.Effect == "Allow"
		}
	}
	return allowed
}

// InNobodysName reports whether a service sends and invokes in no role's name, so
// that the other side's policy must allow it. Lambda's destinations and Scheduler
// go by a role, and nothing enforces roles here.
// https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
func InNobodysName(principal string) bool {
	switch principal {
	case "events.amazonaws.com", "sns.amazonaws.com", "s3.amazonaws.com":
		return true
	}
	return false
}

type statement struct {
	Effect                      string
	Principal, Action, Resource any
	Condition                   map[string]map[string]any
}

func statements(raw json.RawMessage) []statement {
	var many []statement
	if json.Unmarshal(raw, &many) == nil {
		return many
	}
	var one statement
	if json.Unmarshal(raw, &one) == nil {
		return []statement{one}
	}
	return nil
}

func (s statement) matches(r Request) bool {
	return s.isPrincipal(r.Principal) && anyLike(s.Action, strings.ToLower(r.Action), strings.ToLower) &&
		anyLike(s.Resource, r.Resource, nil) && s.holds(r)
}

func (s statement) isPrincipal(service string) bool {
	if s.Principal == "*" {
		return true
	}
	by, _ := s.Principal.(map[string]any)
	return slices.Contains(texts(by["Service"]), service) || slices.Contains(texts(by["AWS"]), "*")
}

// anyLike matches a text with patterns; fold is applied to each of them first.
func anyLike(patterns any, text string, fold func(string) string) bool {
	return slices.ContainsFunc(texts(patterns), func(p string) bool {
		if fold != nil {
			p = fold(p)
		}
		return Like(p, text)
	})
}

// holds reports whether all conditions do.
func (s statement) holds(r Request) bool {
	account := ""
	if parts := strings.SplitN(r.Source, ":", 6); len(parts) == 6 {
		account = parts[4]
	}
	known := map[string]string{"aws:sourcearn": r.Source, "aws:sourceaccount": account}
	for operator, keys := range s.Condition {
		for key, wanted := range keys {
			have, ok := known[strings.ToLower(key)]
			if !ok || !compare(operator, texts(wanted), have) {
				return false
			}
		}
	}
	return true
}

func compare(operator string, wanted []string, have string) bool {
	if plain, optional := strings.CutSuffix(operator, "IfExists"); optional {
		if have == "" {
			return true
		}
		operator = plain
	}
	var is func(want string) bool
	switch strings.TrimPrefix(operator, "ForAnyValue:") {
	case "ArnEquals", "ArnLike":
		is = func(want string) bool { return ARNLike(want, have) }
	case "StringEquals":
		is = func(want string) bool { return want == have }
	case "StringEqualsIgnoreCase":
		is = func(want string) bool { return strings.EqualFold(want, have) }
	case "StringLike":
		is = func(want string) bool { return Like(want, have) }
	default:
		return false
	}
	return have != "" && slices.ContainsFunc(wanted, is)
}

// texts reads a text or a list of them.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, item := range v {
			if text, ok := item.(string); ok {
				out = append(out, text)
			}
		}
		return out
	}
	return nil
}

// ARNLike compares an ARN with a pattern part by part; a * or ? never reaches
// over a colon, except in the last part, which may have colons of its own.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
func ARNLike(pattern, arn string) bool {
	patterns, parts := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	if len(patterns) != len(parts) {
		return false
	}
	for i := range parts {
		if !Like(patterns[i], parts[i]) {
			return false
		}
	}
	return true
}

// Like matches text with a pattern of * (any text) and ? (any byte).
func Like(pattern, text string) bool {
	p, t := 0, 0
	star, from := -1, 0 // the last *, and where in text what it stands for ends
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			from++
			p, t = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
