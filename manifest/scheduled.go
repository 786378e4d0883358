package manifest

import (
	_ "embed"
	"strings"

	"arc/manifest/syntax"
)

// Schedule is one line of @scheduled.
type Schedule struct {
	Name       string
	Expression string // "rate(1 day)" or "cron(0 6 * * ? *)", in AWS's form
	Timezone   string // IANA name; "" = UTC
	Function   *Function
	Pos        syntax.Pos
}

const scheduleUsage = "write rate(1 day), or cron(0 6 * * ? *)"

// readScheduled reads @scheduled.
func (l *loader) readScheduled() {
	p := l.pragma("scheduled")
	if p == nil {
		return
	}
	for _, n := range l.namedItems(p, nameRule{min: 1, max: 242, words: true}) {
		s := Schedule{Name: n.name, Function: n.function, Pos: n.pos}
		ok := false
		if n.bare {
			s.Expression, ok = l.shortSchedule(n)
		} else {
			ok = l.scheduleMap(&s, n)
		}
		if ok {
			l.app.Schedules = append(l.app.Schedules, s)
		}
	}
}

// shortSchedule reads "name rate(1 day)".
func (l *loader) shortSchedule(n named) (expression string, ok bool) {
	if len(n.rest) == 0 {
		l.errorf(at(n.value), "schedule-missing", scheduleUsage+" after the name", "%s has neither rate nor cron", n.name)
		return "", false
	}
	text := joinValues(n.rest)
	where := atAll(n.rest)
	kind, fields, ok := strings.Cut(text, "(")
	inner, closed := strings.CutSuffix(fields, ")")
	if !ok || !closed || strings.Contains(inner, ")") || kind != "rate" && kind != "cron" {
		hint := scheduleUsage
		if near := syntax.Near(kind, []string{"rate", "cron"}); ok && near != "" && near != kind {
			hint = "did you mean " + near + "?"
		}
		if ok && !closed && (kind == "rate" || kind == "cron") {
			hint = "close the parenthesis"
			if l.cutByComment(where) {
				l.errorf(where, "cron-comment", "put it in quotes: \"cron(0 6 ? * 2#1 *)\"", "the expression ends at # with %s, for what follows is a comment", text)
				return "", false
			}
		}
		l.errorf(where, "schedule-form", hint, "%s is neither rate(…) nor cron(…)", text)
		return "", false
	}
	return l.expression(kind, inner, where)
}

// scheduleMap reads the lines "rate 1 day", "cron 0 6 * * ? *" and "timezone".
func (l *loader) scheduleMap(s *Schedule, n named) bool {
	spec := findPragma(pragmas, "scheduled")
	var given []line
	ok := true
	for _, ln := range n.keys {
		switch set := spec.setting(ln.key.Text); set.name {
		case "timezone":
			ok = l.readTimezone(s, set, ln) && ok
		default:
			given = append(given, ln)
		}
	}
	switch {
	case len(given) == 0:
		l.errorf(at(n.value), "schedule-missing", "write rate 1 day, or cron 0 6 * * ? *, below the name", "%s has neither rate nor cron", n.name)
		return false
	case len(given) > 1 && given[0].key.Text != given[1].key.Text:
		l.errorf(at(given[1].key), "schedule-both", "remove one of the two", "%s has both rate and cron", n.name)
		return false
	}
	ln := given[len(given)-1]
	if len(ln.values) == 0 {
		l.errorf(at(ln.key), "schedule-missing", "write rate 1 day, or cron 0 6 * * ? *", "%s has no value", ln.key.Text)
		return false
	}
	text := ln.text()
	// "rate rate(1 day)": the short form's parentheses do no harm.
	if inner, found := strings.CutPrefix(text, ln.key.Text+"("); found {
		text = strings.TrimSuffix(inner, ")")
	}
	expression, valid := l.expression(ln.key.Text, text, atAll(ln.values))
	s.Expression = expression
	return ok && valid
}

//go:embed zones.txt
var zoneList string

func (l *loader) readTimezone(s *Schedule, set *setting, ln line) bool {
	v, ok := l.single(set, ln)
	if !ok {
		return false
	}
	zones := strings.Fields(zoneList)
	for _, z := range zones {
		if z == v.Text {
			s.Timezone = z
			return true
		}
	}
	hint := "write an IANA name, such as Europe/Berlin"
	for _, z := range zones {
		city := z[strings.LastIndex(z, "/")+1:]
		if strings.EqualFold(z, v.Text) || strings.EqualFold(city, v.Text) {
			hint = "did you mean " + z + "?"
			break
		}
	}
	if strings.HasPrefix(hint, "write") {
		hint = nearHint(v.Text, zones, hint)
	}
	l.errorf(at(v), "timezone", hint, "there is no time zone %q", v.Text)
	return false
}
