package iam

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// condition is one line of a Condition block. All of a statement's must hold.
type condition struct {
	operator string // "StringEquals", with "ForAnyValue:" and "IfExists"
	key      string // lower case
	values   []string
}

func (c condition) String() string {
	if c.operator == templateCondition {
		return "the condition " + c.key + " " + c.values[0]
	}
	return c.operator + " " + c.key + " " + strings.Join(c.values, ", ")
}

func parseConditions(v any) ([]condition, bool) {
	if v == nil {
		return nil, true
	}
	block, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	var out []condition
	for operator, keys := range block {
		m, ok := keys.(map[string]any)
		if !ok || strings.HasPrefix(operator, "Fn::") {
			return nil, false
		}
		for key, values := range m {
			if key == "Ref" || strings.HasPrefix(key, "Fn::") {
				return nil, false
			}
			c := condition{operator: operator, key: strings.ToLower(key)}
			for _, v := range listOf(values) {
				c.values = append(c.values, patternOf(v).text)
			}
			slices.Sort(c.values)
			c.values = slices.Compact(c.values)
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b condition) int { return strings.Compare(a.String(), b.String()) })
	return out, true
}

// base splits an operator: "ForAnyValue:StringLikeIfExists" → "ForAnyValue:",
// "StringLike", true.
func (c condition) base() (set, operator string, ifExists bool) {
	operator = c.operator
	if name, ok := strings.CutPrefix(operator, "ForAnyValue:"); ok {
		set, operator = "ForAnyValue:", name
	} else if name, ok := strings.CutPrefix(operator, "ForAllValues:"); ok {
		set, operator = "ForAllValues:", name
	}
	operator, ifExists = strings.CutSuffix(operator, "IfExists")
	switch operator { // two spellings of one
	case "ArnEquals":
		operator = "ArnLike"
	case "ArnNotEquals":
		operator = "ArnNotLike"
	}
	return set, operator, ifExists
}

// implies reports whether a request that meets c also meets d.
func (c condition) implies(d condition) bool {
	if c.key != d.key {
		return false
	}
	set, op, ifExists := c.base()
	setD, opD, ifExistsD := d.base()
	if set != setD || ifExists && !ifExistsD {
		return false
	}
	switch {
	case op == opD && strings.Contains(op, "Not"):
		return eachIn(d.values, c.values, operatorMatch(op))
	case op == opD && (op == "IpAddress" || strings.HasSuffix(op, "Equals") || strings.HasSuffix(op, "Like")):
		return eachIn(c.values, d.values, operatorMatch(op))
	case op == opD && (strings.Contains(op, "Less") || strings.Contains(op, "Greater")):
		return tighter(op, c.values, d.values)
	case op == "StringEquals" && opD == "StringLike":
		return eachIn(c.values, d.values, func(value, pattern string) bool {
			return !strings.ContainsAny(value, "*?") && like(value, pattern)
		})
	case op == "StringEquals" && opD == "StringEqualsIgnoreCase":
		return eachIn(c.values, d.values, strings.EqualFold)
	}
	return op == opD && slices.Equal(c.values, d.values)
}

// eachIn reports whether each value lies in one of the others.
func eachIn(values, others []string, in func(value, other string) bool) bool {
	for _, v := range values {
		if !slices.ContainsFunc(others, func(o string) bool { return in(v, o) }) {
			return false
		}
	}
	return true
}

func operatorMatch(op string) func(value, other string) bool {
	switch op {
	case "StringLike", "StringNotLike":
		return like
	case "ArnLike", "ArnNotLike":
		return likeARN
	case "IpAddress", "NotIpAddress":
		return inRange
	case "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase":
		return strings.EqualFold
	}
	return func(a, b string) bool { return a == b }
}

// like reports whether all that one pattern matches is matched by another.
func like(value, pattern string) bool { return covers(letters(pattern), letters(value)) }

// likeARN is like for ARNs, of which each field is matched by itself.
func likeARN(value, pattern string) bool {
	if value == pattern || pattern == "*" {
		return true
	}
	values, patterns := strings.SplitN(value, ":", 6), strings.SplitN(pattern, ":", 6)
	if len(values) != len(patterns) {
		return false
	}
	for i := range values {
		if !like(values[i], patterns[i]) {
			return false
		}
	}
	return true
}

func inRange(value, other string) bool {
	a, okA := prefix(value)
	b, okB := prefix(other)
	return value == other || okA && okB && b.Bits() <= a.Bits() && b.Contains(a.Addr())
}

func prefix(text string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p.Masked(), true
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

// tighter compares single bounds of numbers, and of dates in the same form.
func tighter(op string, values, others []string) bool {
	if len(values) != 1 || len(others) != 1 {
		return slices.Equal(values, others)
	}
	a, errA := strconv.ParseFloat(values[0], 64)
	b, errB := strconv.ParseFloat(others[0], 64)
	order := 0
	switch {
	case values[0] == others[0]:
		return true
	case strings.HasPrefix(op, "Numeric") && errA == nil && errB == nil:
		order = 1
		if a < b {
			order = -1
		}
	case strings.HasPrefix(op, "Date") && isUTC(values[0]) && isUTC(others[0]):
		order = strings.Compare(values[0], others[0])
	default:
		return false
	}
	if strings.Contains(op, "Less") {
		return order <= 0
	}
	return order >= 0
}

// isUTC accepts 2026-11-23T00:00:00Z, of which the order of texts is that of times.
func isUTC(text string) bool {
	return len(text) == len("2026-11-23T00:00:00Z") && text[10] == 'T' && text[19] == 'Z'
}
