package iam

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

func firstRune(text string) (rune, int) { return utf8.DecodeRuneInString(text) }

// holds says whether the request meets a condition.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
func (d *decider) holds(s statement, c condition) truth {
	set, operator, ifExists := c.base()
	values, known := d.values(c.key)
	if !known {
		return d.perhaps("the condition key %s is not known here", c.key)
	}
	if strings.EqualFold(operator, "Null") {
		return d.null(c, len(values) == 0)
	}
	negated, compare := operatorOf(operator)
	if compare == nil {
		return d.perhaps("the operator %s is not known here", c.operator)
	}
	if len(values) == 0 {
		return truthOf(ifExists || set == "ForAllValues:" || set == "" && negated)
	}
	// Of a key of one value, and of several without a set operator, one is to be
	// among the policy's values, or, negated, none.
	met := no
	if set == "ForAllValues:" || set == "" && negated {
		met = yes
	}
	for _, value := range values {
		one := d.among(s, c.values, value, compare)
		if negated {
			one = one.not()
		}
		if set == "ForAllValues:" || set == "" && negated {
			met = min(met, one)
		} else {
			met = max(met, one)
		}
	}
	return met
}

func (d *decider) null(c condition, absent bool) truth {
	for _, want := range c.values {
		if strings.EqualFold(want, strconv.FormatBool(absent)) {
			return yes
		}
	}
	return no
}

// among says whether a value of the request is one of a policy's.
func (d *decider) among(s statement, wanted []string, value string, compare comparison) truth {
	met := no
	for _, want := range wanted {
		text, known := d.filled(s, letters(want), want)
		if known == yes {
			known = truthOf(compare(text, value))
		}
		met = max(met, known)
	}
	return met
}

// comparison compares a policy's value, whose wildcards are marks, with one of a
// request.
type comparison func(want, have string) bool

// operatorOf is how an operator compares, and whether it holds when nothing is
// equal; nil when it is none of AWS's.
func operatorOf(operator string) (negated bool, compare comparison) {
	name := strings.ToLower(operator)
	if rest := strings.Replace(name, "not", "", 1); rest != name {
		name, negated = rest, true
	}
	switch name {
	case "stringequals", "binaryequals":
		return negated, literally(func(want, have string) bool { return want == have })
	case "stringequalsignorecase":
		return negated, literally(strings.EqualFold)
	case "stringlike":
		return negated, glob
	case "arnequals", "arnlike":
		return negated, globARN
	case "bool":
		return negated, literally(func(want, have string) bool {
			return strings.EqualFold(want, have) && (strings.EqualFold(have, "true") || strings.EqualFold(have, "false"))
		})
	case "ipaddress":
		return negated, literally(func(want, have string) bool {
			network, ok := prefix(want)
			address, err := netip.ParseAddr(have)
			return ok && err == nil && network.Contains(address)
		})
	}
	if kind, ok := strings.CutPrefix(name, "numeric"); ok {
		return negated, ordered(kind, func(text string) (float64, bool) {
			n, err := strconv.ParseFloat(text, 64)
			return n, err == nil
		})
	}
	if kind, ok := strings.CutPrefix(name, "date"); ok {
		return negated, ordered(kind, dateOf)
	}
	return false, nil
}

// literally compares without wildcards: a star is a star.
func literally(same func(want, have string) bool) comparison {
	return func(want, have string) bool {
		return same(strings.NewReplacer(anyMark, "*", oneMark, "?").Replace(want), have)
	}
}

// ordered compares numbers and dates.
func ordered(kind string, read func(string) (float64, bool)) comparison {
	var is func(have, want float64) bool
	switch kind {
	case "equals":
		is = func(have, want float64) bool { return have == want }
	case "lessthan":
		is = func(have, want float64) bool { return have < want }
	case "lessthanequals":
		is = func(have, want float64) bool { return have <= want }
	case "greaterthan":
		is = func(have, want float64) bool { return have > want }
	case "greaterthanequals":
		is = func(have, want float64) bool { return have >= want }
	default:
		return nil
	}
	return func(want, have string) bool {
		a, okA := read(have)
		b, okB := read(want)
		return okA && okB && is(a, b)
	}
}

// dateForms are those of ISO 8601 that W3C's note names, in which AWS has dates.
// https://www.w3.org/TR/NOTE-datetime
var dateForms = [...]string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01", "2006"}

// dateOf reads a date, in a form of ISO 8601 or as seconds since 1970.
func dateOf(text string) (float64, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && len(text) != len("2006") {
		return float64(n), true
	}
	for _, form := range dateForms {
		if t, err := time.Parse(form, text); err == nil {
			return float64(t.UnixMilli()) / 1000, true
		}
	}
	return 0, false
}
