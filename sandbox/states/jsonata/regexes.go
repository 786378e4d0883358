package jsonata

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/dlclark/regexp2"
)

// compile reads a regular expression of ECMAScript. One that is at work for more than
// a second is given up.
// https://docs.jsonata.org/regex
func compile(pattern, flags string) (*regexp2.Regexp, error) {
	options := regexp2.RegexOptions(regexp2.ECMAScript)
	if strings.Contains(flags, "i") {
		options |= regexp2.IgnoreCase
	}
	if strings.Contains(flags, "m") {
		options |= regexp2.Multiline
	}
	re, err := regexp2.Compile(pattern, options)
	if err == nil {
		re.MatchTimeout = time.Second
	}
	return re, err
}

// matcher is the function that a regular expression is: it gives the first match,
// which has the next one.
func matcher(n *node) *native {
	re, _ := n.value.(*regexp2.Regexp)
	return &native{name: n.text, arity: 2, run: func(c *callee, args []any) (any, error) {
		if len(args) == 0 {
			return nil, nil
		}
		s, ok := args[0].(string)
		if !ok {
			return nil, nil
		}
		return c.match(re, []rune(s), 0, false)
	}}
}

// match is the match from a place on.
func (c *callee) match(re *regexp2.Regexp, s []rune, from int, again bool) (any, error) {
	if err := c.spend(1); err != nil {
		return nil, err
	}
	m, err := re.FindRunesMatchStartingAt(s, from)
	if err != nil {
		return nil, &Error{Code: tooLong}
	}
	if m == nil {
		return nil, nil
	}
	if again && m.Length == 0 {
		return nil, &Error{Code: "D1004", value: re.String()}
	}
	groups := &array{items: []any{}}
	for _, g := range m.Groups()[1:] {
		if len(g.Captures) == 0 {
			groups.items = append(groups.items, nil)
		} else {
			groups.items = append(groups.items, g.String())
		}
	}
	end := m.Index + m.Length
	out := newObject()
	out.set("match", m.String())
	out.set("start", float64(units(s[:m.Index])))
	out.set("end", float64(units(s[:end])))
	out.set("groups", groups)
	out.set("next", &native{run: func(c *callee, _ []any) (any, error) {
		if end >= len(s) {
			return nil, nil
		}
		return c.match(re, s, end, true)
	}})
	return out, nil
}

// units is how long characters are in UTF-16.
func units(s []rune) int {
	n := 0
	for _, r := range s {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

// found is a match, as functions use it.
type found struct {
	object     *object
	match      string
	start, end int
	groups     []any
}

// find asks a matcher, which may be any function, for a match.
func (c *callee) find(fn any, args ...any) (*found, error) {
	v, err := c.invoke(fn, args...)
	if err != nil || v == nil {
		return nil, err
	}
	o, ok := v.(*object)
	if !ok {
		return nil, &Error{Code: "T1010"}
	}
	start, isNumber := o.values["start"].(float64)
	groups, isList := o.values["groups"].(*array)
	if !isNumber && !isList && !isFunction(o.values["next"]) {
		return nil, &Error{Code: "T1010"}
	}
	m := &found{object: o, match: textArg(o.values["match"]), start: int(start), end: int(numberArg(o.values["end"]))}
	if isList {
		m.groups = groups.items
	}
	return m, nil
}

// each calls with up to so many matches.
func (c *callee) matches(fn any, s string, limit any, call func(m *found) error) error {
	m, err := c.find(fn, s)
	for n := 0.0; err == nil && m != nil && (limit == nil || n < numberArg(limit)); n++ {
		if err = call(m); err != nil {
			return err
		}
		m, err = c.find(m.object.values["next"])
	}
	return err
}

// regexes are the functions that take regular expressions.
func regexes() []entry {
	return []entry{
		{"contains", "<s-(sf):b>", 2, 0, false, func(c *callee, args []any) (any, error) {
			if part, ok := args[1].(string); ok {
				return strings.Contains(textArg(args[0]), part), nil
			}
			m, err := c.find(args[1], args[0])
			return m != nil, err
		}},
		{"match", "<s-f<s:o>n?:a<o>>", 3, 0, false, func(c *callee, args []any) (any, error) {
			if numberArg(args[2]) < 0 {
				return nil, &Error{Code: "D3040", value: args[2]}
			}
			out := sequenceOf()
			if args[2] == 0.0 {
				return out, nil
			}
			err := c.matches(args[1], textArg(args[0]), args[2], func(m *found) error {
				one := newObject()
				one.set("match", m.match)
				one.set("index", float64(m.start))
				one.set("groups", listOf(m.groups...))
				out.items = append(out.items, one)
				return nil
			})
			return out, err
		}},
		{"replace", "<s-(sf)(sf)n?:s>", 4, 0, false, replace},
		{"split", "<s-(sf)n?:a<s>>", 3, 0, false, split},
	}
}

func replace(c *callee, args []any) (any, error) {
	s, limit := textArg(args[0]), args[3]
	if args[1] == "" {
		return nil, &Error{Code: "D3010"}
	}
	if numberArg(limit) < 0 {
		return nil, &Error{Code: "D3011", value: limit}
	}
	if limit == 0.0 {
		return s, nil
	}
	if part, ok := args[1].(string); ok {
		n := -1
		if limit != nil {
			n = int(min(math.Ceil(numberArg(limit)), maxBytes))
		}
		with, isText := args[2].(string)
		if !isText {
			return nil, &Error{Code: "D3012", value: args[2]}
		}
		if err := c.holds(strings.Count(s, part)*len(with) + len(s)); err != nil {
			return nil, err
		}
		return strings.Replace(s, part, with, n), nil
	}
	var out strings.Builder
	at := 0
	err := c.matches(args[1], s, limit, func(m *found) error {
		out.WriteString(cut(s, at, m.start))
		with, isText := args[2].(string)
		if isText {
			with = m.substituted(with)
		} else {
			v, err := c.invoke(args[2], m.object)
			if err != nil {
				return err
			}
			if with, isText = v.(string); !isText {
				return &Error{Code: "D3012", value: v}
			}
		}
		out.WriteString(with)
		at = m.start + units([]rune(m.match))
		return c.holds(out.Len())
	})
	if err != nil {
		return nil, err
	}
	return out.String() + cut(s, at, -1), nil
}

// substituted has $0 and $1 … in the place of a match and its groups.
func (m *found) substituted(with string) string {
	var out strings.Builder
	for {
		before, rest, more := strings.Cut(with, "$")
		out.WriteString(before)
		if !more {
			return out.String()
		}
		with = rest
		switch {
		case strings.HasPrefix(rest, "$"):
			out.WriteByte('$')
			with = rest[1:]
			continue
		case strings.HasPrefix(rest, "0"):
			out.WriteString(m.match)
			with = rest[1:]
			continue
		}
		most := max(1, len(strconv.Itoa(len(m.groups))))
		digits := 0
		for digits < most && digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
			digits++
		}
		n, _ := strconv.Atoi(rest[:digits])
		if most > 1 && n > len(m.groups) {
			digits = min(digits, most-1)
			n, _ = strconv.Atoi(rest[:digits])
		}
		if digits == 0 {
			out.WriteByte('$')
			continue
		}
		if n > 0 && n <= len(m.groups) {
			out.WriteString(textArg(m.groups[n-1]))
		}
		with = rest[digits:]
	}
}

func split(c *callee, args []any) (any, error) {
	s, limit := textArg(args[0]), args[2]
	if numberArg(limit) < 0 {
		return nil, &Error{Code: "D3020", value: limit}
	}
	out := &array{items: []any{}}
	if limit == 0.0 {
		return out, nil
	}
	add := func(part string) {
		if limit == nil || float64(len(out.items)) < numberArg(limit) {
			out.items = append(out.items, part)
		}
	}
	if by, ok := args[1].(string); ok {
		if limit != nil {
			limit = float64(int(min(numberArg(limit), maxItems))) // only whole ones count
		}
		if s == "" && by == "" {
			return out, nil
		}
		for _, part := range strings.Split(s, by) {
			add(part)
		}
		return out, c.spend(len(out.items))
	}
	at := 0
	err := c.matches(args[1], s, limit, func(m *found) error {
		add(cut(s, at, m.start))
		at = m.end
		return c.spend(len(s))
	})
	add(cut(s, at, -1))
	return out, err
}
