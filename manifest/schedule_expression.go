package manifest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// expression checks the fields of a rate or cron expression and gives it in
// AWS's form.
func (l *loader) expression(kind, fields string, where span) (string, bool) {
	words := strings.Fields(fields)
	var code, hint, message string
	if kind == "rate" {
		for i := range words {
			words[i] = strings.ToLower(words[i])
		}
		code, hint, message = rateProblem(words)
	} else {
		code, hint, message = cronProblem(words)
	}
	if code != "" {
		if l.cutByComment(where) {
			code, hint = "cron-comment", "put the expression in quotes"
			message = fmt.Sprintf("the expression ends at # with %q, for what follows is a comment", fields)
		}
		l.errorf(where, code, hint, "%s", message)
		return "", false
	}
	if kind == "cron" && !l.cronSense(words, where) {
		return "", false
	}
	return kind + "(" + strings.Join(words, " ") + ")", true
}

func rateProblem(words []string) (code, hint, message string) {
	units := []string{"minutes", "hours", "days", "minute", "hour", "day"}
	if len(words) != 2 {
		return "rate-fields", "write rate(5 minutes)", fmt.Sprintf("a rate is a number and a unit, but here is %q", strings.Join(words, " "))
	}
	n, err := strconv.Atoi(words[0])
	if err != nil || n < 1 {
		return "rate-value", "write a whole number from 1 up", "a rate cannot be " + words[0]
	}
	unit := words[1]
	if n == 1 {
		slices.Reverse(units)
	}
	if !slices.Contains(units, unit) {
		return "rate-unit", nearHint(unit, units, "write minutes, hours or days"), "a rate cannot be in " + unit
	}
	if plural := strings.HasSuffix(unit, "s"); plural && n == 1 {
		return "rate-plural", "write rate(1 " + strings.TrimSuffix(unit, "s") + ")", "AWS wants the singular after 1, but here is " + unit
	} else if !plural && n > 1 {
		return "rate-plural", "write rate(" + words[0] + " " + unit + "s)", "AWS wants the plural after " + words[0] + ", but here is " + unit
	}
	return "", "", ""
}

// cronField is one of the six fields of an AWS cron expression
// (EventBridge Scheduler user guide, "Schedule types").
type cronField struct {
	name     string
	min, max int
	names    []string // names[0] stands for min
	special  string   // letters allowed beside digits and , - * /
	noSlash  bool
}

var cronFields = []cronField{
	{name: "minutes", min: 0, max: 59},
	{name: "hours", min: 0, max: 23},
	{name: "day of month", min: 1, max: 31, special: "?LW"},
	{name: "month", min: 1, max: 12, names: strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")},
	{name: "day of week", min: 1, max: 7, names: strings.Fields("SUN MON TUE WED THU FRI SAT"), special: "?L#", noSlash: true},
	{name: "year", min: 1970, max: 2199},
}

func cronProblem(words []string) (code, hint, message string) {
	if len(words) != len(cronFields) {
		hint = "write minutes, hours, day of month, month, day of week and year: cron(0 6 * * ? *)"
		if len(words) == 5 {
			hint = "AWS has a sixth field, the year: add *"
		}
		return "cron-fields", hint, fmt.Sprintf("a cron expression has six fields, but this one has %d", len(words))
	}
	for i, f := range cronFields {
		if why := f.problem(words[i]); why != "" {
			return "cron-field", f.usage(), fmt.Sprintf("the field %s cannot be %s: %s", f.name, words[i], why)
		}
	}
	days, weekdays := words[2], words[4]
	if days != "?" && weekdays != "?" {
		if weekdays == "*" {
			weekdays = "?"
		} else {
			days = "?"
		}
		return "cron-days", fmt.Sprintf("write cron(%s %s %s %s %s %s)", words[0], words[1], days, words[3], weekdays, words[5]),
			"AWS takes a day of month or a day of week; the other one must be ?"
	}
	if days == "?" && weekdays == "?" {
		return "cron-days", fmt.Sprintf("write cron(%s %s * %s ? %s)", words[0], words[1], words[3], words[5]),
			"day of month and day of week cannot both be ?"
	}
	return "", "", ""
}

func (f cronField) usage() string {
	limits := fmt.Sprintf("write %d to %d", f.min, f.max)
	if len(f.names) > 0 {
		limits += fmt.Sprintf(", or %s to %s", f.names[0], f.names[len(f.names)-1])
	}
	return limits + ", or *"
}

// problem says what is wrong with a field; "" when nothing is.
func (f cronField) problem(field string) string {
	for _, part := range strings.Split(field, ",") {
		if part == "*" || part == "?" && strings.Contains(f.special, "?") {
			continue
		}
		if why := f.partProblem(part); why != "" {
			return why
		}
	}
	return ""
}

func (f cronField) partProblem(part string) string {
	whole, step, stepped := strings.Cut(part, "/")
	if stepped {
		if f.noSlash {
			return "it takes no /"
		}
		if n, err := strconv.Atoi(step); err != nil || n < 1 {
			return "after / stands a whole number from 1 up"
		}
		if whole == "*" {
			return ""
		}
	}
	if f.specialPart(whole) {
		return ""
	}
	from, to, ranged := strings.Cut(whole, "-")
	if !f.valid(from) || ranged && !f.valid(to) {
		return "there is no such value"
	}
	return ""
}

// specialPart accepts L, 3L, LW, 15W and 3#2.
func (f cronField) specialPart(part string) bool {
	if f.special == "" {
		return false
	}
	upper := strings.ToUpper(part)
	if upper == "L" || strings.Contains(f.special, "W") && (upper == "LW" || strings.HasPrefix(upper, "L-")) {
		return true
	}
	if strings.Contains(f.special, "W") && strings.HasSuffix(upper, "W") {
		return f.valid(upper[:len(upper)-1])
	}
	if strings.Contains(f.special, "#") {
		if day, nth, ok := strings.Cut(upper, "#"); ok {
			n, err := strconv.Atoi(nth)
			return f.valid(day) && err == nil && n >= 1 && n <= 5
		}
		if strings.HasSuffix(upper, "L") {
			return f.valid(upper[:len(upper)-1])
		}
	}
	return false
}

func (f cronField) valid(text string) bool {
	_, ok := f.number(text)
	return ok
}
