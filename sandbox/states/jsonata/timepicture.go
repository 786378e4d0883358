package jsonata

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// part is a piece of a picture of times: a text, or a component in brackets.
// https://www.w3.org/TR/xpath-functions-31/#date-picture-string
type part struct {
	literal   string
	component byte // 0 = it is a text
	zulu      bool // Z for +00:00
	names     byte // 'u', 'l', 't' for names in upper, lower and title case; 0 = a number
	most      int  // characters of a name; 0 = all
	n         int  // digits of a year; -1 = all
	integer   *integer
}

// usual are the forms of components for which none is given.
var usual = map[byte]string{
	'Y': "1", 'M': "1", 'D': "1", 'd': "1", 'F': "n", 'W': "1", 'w': "1", 'X': "1", 'x': "1", 'H': "1", 'h': "1",
	'P': "n", 'm': "01", 's': "01", 'f': "1", 'Z': "01:01", 'z': "01:01", 'C': "n", 'E': "n",
}

func timePicture(picture string) (parts []part, err error) {
	literal := func(s string) {
		if s != "" {
			parts = append(parts, part{literal: strings.ReplaceAll(s, "]]", "]")})
		}
	}
	for picture != "" {
		before, rest, found := strings.Cut(picture, "[")
		literal(before)
		if !found {
			break
		}
		if strings.HasPrefix(rest, "[") {
			literal("[")
			picture = rest[1:]
			continue
		}
		marker, after, closed := strings.Cut(rest, "]")
		if !closed {
			return nil, &Error{Code: "D3135"}
		}
		p, err := component(strings.Join(strings.Fields(marker), ""))
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
		picture = after
	}
	return parts, nil
}

// component reads what stands in brackets: "Y0001", "MNn,3-3".
func component(marker string) (part, error) {
	if marker == "" {
		return part{}, &Error{Code: "D3132", value: ""}
	}
	p := part{component: marker[0], n: -1}
	form := marker[1:]
	least, hasWidth := 0, false
	if at := strings.LastIndexByte(marker, ','); at > 0 {
		form, hasWidth = marker[1:at], true
		low, high, _ := strings.Cut(marker[at+1:], "-")
		least, _ = strconv.Atoi(low)   // 0 where there is no limit
		p.most, _ = strconv.Atoi(high) // as above
		least, p.most = min(least, 100), min(p.most, 100)
	}
	modifier := ""
	if len(form) > 1 && strings.IndexByte("atco", form[len(form)-1]) >= 0 {
		form, modifier = form[:len(form)-1], form[len(form)-1:]
	}
	if form == "" {
		form = usual[p.component]
	}
	if form == "" || usual[p.component] == "" {
		return p, &Error{Code: "D3132", value: marker[:1]}
	}
	p.zulu = modifier == "t"
	var err error
	switch {
	case strings.HasPrefix(form, "n"):
		p.names = 'l'
	case strings.HasPrefix(form, "Nn"):
		p.names = 't'
	case strings.HasPrefix(form, "N"):
		p.names = 'u'
	case strings.IndexByte("YMDdFWwXxHhmsf", p.component) >= 0:
		if modifier != "" {
			form += ";" + modifier
		}
		if p.integer, err = integerPicture(form); err != nil {
			return p, err
		}
		p.integer.mandatory = max(p.integer.mandatory, least)
		if strings.IndexByte("YMD", p.component) >= 0 {
			if hasWidth && p.most > 0 {
				p.n, p.integer.mandatory = p.most, p.most
			} else if w := p.integer.mandatory + p.integer.optional; w >= 2 {
				p.n = w
			}
		}
	}
	if p.component == 'Z' || p.component == 'z' {
		if p.integer, err = integerPicture(form); err != nil {
			return p, err
		}
	}
	return p, nil
}

// weekOne is when the first week begins of a year or a month: the one with its first
// Thursday.
func weekOne(year int, month time.Month) time.Time {
	first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	day := (int(first.Weekday())+6)%7 + 1
	if day > 4 {
		return first.AddDate(0, 0, 8-day)
	}
	return first.AddDate(0, 0, 1-day)
}

func weeks(from, to time.Time) int { return int(math.Floor(to.Sub(from).Hours()/24/7)) + 1 }

// fragment is a component of a time, as a number.
func fragment(t time.Time, component byte) int {
	year, month, day := t.Date()
	today := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	switch component {
	case 'Y':
		return year
	case 'M':
		return int(month)
	case 'D':
		return day
	case 'd':
		return t.YearDay()
	case 'F':
		return (int(t.Weekday())+6)%7 + 1
	case 'X':
		out, _ := t.ISOWeek()
		return out
	case 'W':
		_, out := t.ISOWeek()
		return out
	case 'w', 'x':
		first := weekOne(year, month)
		next := weekOne(year, month+1)
		before := time.Date(year, month-1, 1, 0, 0, 0, 0, time.UTC)
		after := time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC)
		switch {
		case today.Before(first) && component == 'x':
			return int(before.Month())
		case today.Before(first):
			return weeks(weekOne(before.Year(), before.Month()), today)
		case !today.Before(next) && component == 'x':
			return int(after.Month())
		case !today.Before(next):
			return 1
		case component == 'x':
			return int(month)
		}
		return weeks(first, today)
	case 'H':
		return t.Hour()
	case 'h':
		return (t.Hour()+11)%12 + 1
	case 'P':
		return t.Hour() / 12
	case 'm':
		return t.Minute()
	case 's':
		return t.Second()
	case 'f':
		return t.Nanosecond() / 1e6
	}
	return 0
}

// format writes a part of a time.
func (p part) format(t time.Time, hours, minutes int) (string, error) {
	cased := func(s string) string {
		switch p.names {
		case 'u':
			s = strings.ToUpper(s)
		case 'l':
			s = strings.ToLower(s)
		}
		if p.most > 0 && len(s) > p.most {
			s = s[:p.most]
		}
		return s
	}
	v := fragment(t, p.component)
	switch {
	case p.component == 0:
		return p.literal, nil
	case p.component == 'Z' || p.component == 'z':
		return p.zone(hours, minutes)
	case p.component == 'P':
		return cased([]string{"am", "pm"}[v]), nil
	case p.component == 'C' || p.component == 'E':
		return "ISO", nil
	case p.names != 0 && (p.component == 'M' || p.component == 'x'):
		return cased(time.Month(v).String()), nil
	case p.names != 0 && p.component == 'F':
		return cased(time.Weekday(v % 7).String()), nil
	case p.names != 0:
		return "", &Error{Code: "D3133", value: string(p.component)}
	}
	if p.component == 'Y' && p.n >= 0 {
		v %= int(math.Pow(10, float64(min(p.n, 9))))
	}
	return p.number(v)
}

func (p part) number(v int) (string, error) {
	out, err := p.integer.format(float64(v))
	return textArg(out), err
}

// zone writes how far the zone is from UTC.
func (p part) zone(hours, minutes int) (string, error) {
	away := hours*100 + minutes
	if away == 0 && p.zulu {
		return "Z", nil
	}
	v := away
	size := p.integer.mandatory
	short := p.integer.every == 0 && size <= 2
	if short {
		v = hours
	} else if p.integer.every == 0 && size > 4 {
		return "", &Error{Code: "D3134", value: float64(size)}
	}
	out, err := p.number(v)
	if err != nil {
		return "", err
	}
	if short && minutes != 0 {
		out += ":" + (strconv.Itoa(100 + minutes))[1:]
	}
	if away >= 0 {
		out = "+" + out
	}
	if p.component == 'z' {
		out = "GMT" + out
	}
	return out, nil
}
