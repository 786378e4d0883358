package jsonata

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// pattern is a regular expression for what a part may be.
func (p part) pattern() (string, error) {
	switch {
	case p.component == 0:
		return regexp.QuoteMeta(p.literal), nil
	case p.component == 'Z' || p.component == 'z':
		out := "[-+][0-9]+"
		if p.component == 'z' {
			out = "GMT" + out
		}
		if p.integer.every > 0 {
			out += regexp.QuoteMeta(string(p.integer.marks[0].r)) + "[0-9]+"
		}
		return out, nil
	case p.names != 0:
		if strings.IndexByte("MxFP", p.component) < 0 {
			return "", &Error{Code: "D3133", value: string(p.component)}
		}
		return "[a-zA-Z]+", nil
	case p.integer == nil:
		return "", &Error{Code: "D3133", value: string(p.component)}
	}
	switch p.integer.primary {
	case 'a':
		return "[A-Za-z]+", nil
	case 'i':
		return "[MDCLXVImdclxvi]+", nil
	case 'w':
		return "[A-Za-z, -]+?", nil
	case '?':
		return "", &Error{Code: "D3130", value: p.integer.token}
	}
	out := "[0-9]+"
	if p.n > 0 {
		out = "[0-9]{" + strconv.Itoa(max(1, p.n-p.integer.optional)) + "," + strconv.Itoa(p.n) + "}"
	}
	if p.integer.ordinal {
		out += "(?:th|st|nd|rd)"
	}
	return out, nil
}

// read is the number that a part has; ok is false where it has none.
func (p part) read(s string) (int, bool) {
	switch {
	case p.component == 'Z' || p.component == 'z':
		return p.readZone(strings.TrimPrefix(strings.ToUpper(s), "GMT")), true
	case p.component == 'P':
		return map[string]int{"pm": 1}[strings.ToLower(s)], strings.EqualFold(s, "am") || strings.EqualFold(s, "pm")
	case p.names != 0:
		for i := 1; i <= 12; i++ {
			name := time.Month(i).String()
			if p.component == 'F' {
				name = time.Weekday(i % 7).String()
			}
			if p.most > 0 && len(name) > p.most {
				name = name[:p.most]
			}
			if name == s {
				return i, true
			}
		}
		return 0, false
	}
	v, err := p.integer.parse(s)
	f, ok := v.(float64)
	return int(f), ok && err == nil && math.Abs(f) < 1e15
}

// readZone is how many minutes a zone is from UTC.
func (p part) readZone(s string) int {
	hours, minutes := s, ""
	switch {
	case p.integer.every > 0:
		hours, minutes, _ = strings.Cut(s, string(p.integer.marks[0].r))
	case len(s) > 3:
		hours, minutes = s[:3], s[3:]
	}
	h, _ := strconv.Atoi(hours) // digits, as the pattern says
	m, _ := strconv.Atoi(minutes)
	return h*60 + m
}

// parseTime reads a time after a picture. What comes before the first component that
// is given is that of now, what comes after the last is the least that it can be.
func parseTime(s, picture string, now time.Time) (any, error) {
	parts, err := timePicture(picture)
	if err != nil {
		return nil, err
	}
	form := "(?is)^"
	for _, p := range parts {
		one, err := p.pattern()
		if err != nil {
			return nil, err
		}
		form += "(" + one + ")"
	}
	re, err := regexp.Compile(form + "$")
	if err != nil {
		return nil, &Error{Code: "D3136"}
	}
	m := re.FindStringSubmatch(s)
	if m == nil {
		return nil, nil
	}
	given := map[byte]int{}
	for i, p := range parts {
		if p.component == 0 {
			continue
		}
		if v, ok := p.read(m[i+1]); ok {
			given[p.component] = v
		}
	}
	if len(given) == 0 {
		return nil, nil
	}
	return assembled(given, now)
}

func assembled(given map[byte]int, now time.Time) (any, error) {
	has := func(any string, none string) bool {
		yes := false
		for i := range len(any) {
			yes = yes || given[any[i]] != 0
		}
		for i := range len(none) {
			yes = yes && given[none[i]] == 0
		}
		return yes
	}
	date, clock := "YMD", "Hmsf"
	byMonth := has("YMD", "XxWwd")
	switch {
	case !byMonth && has("Yd", "XMxWwD"):
		date = "YD"
	case has("Xxw", "YMWdD"):
		date = "XxwF"
	case has("XW", "YMxwdD"):
		date = "XWF"
	}
	if !has("Hmsf", "Ph") && has("Phmsf", "H") {
		clock = "Phmsf"
	}
	if date == "XxwF" || date == "XWF" {
		return nil, &Error{Code: "D3136"}
	}
	began, ended := false, false
	order := date + clock
	for i := range len(order) {
		c := order[i]
		if _, ok := given[c]; ok {
			began = true
			if ended {
				return nil, &Error{Code: "D3136"}
			}
			continue
		}
		if began {
			ended = true
			if c == 'M' || c == 'D' {
				given[c] = 1
			} else {
				given[c] = 0
			}
		} else {
			given[c] = fragment(now.UTC(), c)
		}
	}
	hour := given['H']
	if clock == "Phmsf" {
		hour = given['h']%12 + 12*given['P']
	}
	month, day := max(given['M'], 1), given['D']
	if date == "YD" {
		month, day = 1, given['d']
	}
	if max(given['Y'], month, day, hour, given['m'], given['s'], given['f']) > 1e6 {
		return nil, &Error{Code: "D3136"}
	}
	t := time.Date(given['Y'], time.Month(month), day, hour, given['m'], given['s'], given['f']*1e6, time.UTC)
	away := given['Z']
	if away == 0 {
		away = given['z']
	}
	return float64(t.UnixMilli() - int64(away)*60000), nil
}
