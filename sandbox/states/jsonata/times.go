package jsonata

import (
	"math"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// times are the functions of dates and times.
// https://docs.jsonata.org/date-time-functions
func times() []entry {
	return []entry{
		{"now", "<s?s?:s>", 2, 0, true, func(c *callee, args []any) (any, error) {
			return formatMillis(float64(c.now.UnixMilli()), args[0], args[1])
		}},
		{"millis", "<:n>", 0, 0, true, func(c *callee, _ []any) (any, error) { return float64(c.now.UnixMilli()), nil }},
		{"fromMillis", "<n-s?s?:s>", 3, 0, false, func(_ *callee, args []any) (any, error) {
			return formatMillis(numberArg(args[0]), args[1], args[2])
		}},
		{"toMillis", "<s-s?:n>", 2, 0, false, func(c *callee, args []any) (any, error) {
			if picture, ok := args[1].(string); ok {
				return parseTime(textArg(args[0]), picture, c.now)
			}
			return parseISO(textArg(args[0]))
		}},
	}
}

// iso is the form of timestamps.
var iso = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(\d{4})(?:-([01]\d))?(?:-([0-3]\d))?(?:T([0-2]\d):([0-5]\d):([0-5]\d)(?:\.(\d+))?)?(?:([+-])([0-2]\d):?([0-5]\d)|Z)?$`)
})

func parseISO(s string) (any, error) {
	m := iso().FindStringSubmatch(s)
	if m == nil {
		return nil, &Error{Code: "D3110", value: s}
	}
	n := func(i, missing int) int {
		if m[i] == "" {
			return missing
		}
		out, _ := strconv.Atoi(m[i]) // digits
		return out
	}
	nanos := 0
	if m[7] != "" {
		nanos, _ = strconv.Atoi((m[7] + "00000000")[:9]) // digits
	}
	t := time.Date(n(1, 0), time.Month(n(2, 1)), n(3, 1), n(4, 0), n(5, 0), n(6, 0), nanos/1e6*1e6, time.UTC)
	if int(t.Month()) != n(2, 1) || t.Day() != n(3, 1) && n(4, 0) != 24 || n(4, 0) > 24 {
		return nil, &Error{Code: "D3110", value: s}
	}
	away := time.Duration(n(9, 0))*time.Hour + time.Duration(n(10, 0))*time.Minute
	if m[8] == "-" {
		away = -away
	}
	return float64(t.Add(-away).UnixMilli()), nil
}

// maxMillis is the end of the year 9999, about.
const maxMillis = 253402300799999

// formatMillis writes a time after a picture, in a zone such as "+0100".
func formatMillis(f float64, picture, zone any) (any, error) {
	if math.IsNaN(f) || f < -62167219200000 || f > maxMillis {
		return nil, &Error{Code: "U1008", value: f}
	}
	hours, minutes := 0, 0
	if s, ok := zone.(string); ok {
		end := 0
		for end < len(s) && end < 5 && (s[end] >= '0' && s[end] <= '9' || end == 0 && (s[0] == '-' || s[0] == '+')) {
			end++
		}
		n, _ := strconv.Atoi(s[:end]) // 0 where there are no digits
		hours, minutes = int(math.Floor(float64(n)/100)), n%100
	}
	text := "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]"
	if s, ok := picture.(string); ok {
		text = s
	}
	parts, err := timePicture(text)
	if err != nil {
		return nil, err
	}
	at := time.UnixMilli(int64(f)).UTC().Add(time.Duration(hours*60+minutes) * time.Minute)
	out := ""
	for _, p := range parts {
		one, err := p.format(at, hours, minutes)
		if err != nil {
			return nil, err
		}
		out += one
	}
	return out, nil
}
