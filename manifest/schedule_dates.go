package manifest

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cutByComment reports whether a # follows what was read without a blank in
// between: an expression such as 2#1 loses its end to a comment then.
func (l *loader) cutByComment(where span) bool {
	lines := bytes.Split(l.sources[where.to.File], []byte("\n"))
	if n := where.to.Line; n < 1 || n > len(lines) {
		return false
	}
	line := lines[where.to.Line-1]
	return where.to.Col >= 1 && where.to.Col-1 < len(line) && line[where.to.Col-1] == '#'
}

// cronSense tells of what is a cron expression, and is not what was meant: an
// increment that passes its field, which AWS refuses for minutes, and dates that
// never come. It answers false when AWS would refuse it.
func (l *loader) cronSense(words []string, where span) bool {
	for i, f := range cronFields {
		for _, part := range strings.Split(words[i], ",") {
			_, step, _ := strings.Cut(part, "/")
			n, err := strconv.Atoi(step)
			if err != nil || n <= f.max-f.min || f.name == "year" {
				continue
			}
			hint := fmt.Sprintf("write an increment up to %d, or one value", f.max-f.min)
			if f.name == "minutes" {
				l.errorf(where, "cron-increment", hint+"; rate(1 hour) is every hour", "AWS refuses the increment of %s: the field %s ends at %d", part, f.name, f.max)
				return false
			}
			l.warnf(where, "cron-increment", hint, "the increment of %s passes the field %s, which ends at %d: at best it means the first value alone", part, f.name, f.max)
		}
	}
	if l.opts.Today != "" && !comes(words, l.opts.Today) {
		l.warnf(where, "cron-never", "correct day of month, month or year", "no such day comes any more: the function never runs")
	}
	return true
}

// comes reports whether a cron expression has a day from today (2006-01-02) on.
// Days that depend on weekdays (?, L, W, #) are taken to come in every month.
func comes(words []string, today string) bool {
	now, err := time.Parse(time.DateOnly, today)
	if err != nil {
		return true
	}
	days, _ := cronFields[2].values(words[2])
	months, _ := cronFields[3].values(words[3])
	years, _ := cronFields[5].values(words[5])
	for _, year := range years {
		if year < now.Year() {
			continue
		}
		for _, month := range months {
			if days == nil && (year > now.Year() || month >= int(now.Month())) {
				return true
			}
			for _, day := range days {
				date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
				if date.Day() == day && !date.Before(now) {
					return true
				}
			}
		}
	}
	return false
}

// values lists the numbers that a field stands for; nil and false when it holds
// what is no number.
func (f cronField) values(field string) ([]int, bool) {
	var all []int
	for _, part := range strings.Split(field, ",") {
		whole, step, stepped := strings.Cut(part, "/")
		from, to := f.min, f.max
		if whole != "*" {
			first, last, ranged := strings.Cut(whole, "-")
			low, ok := f.number(first)
			if !ok {
				return nil, false
			}
			high := low
			if ranged {
				if high, ok = f.number(last); !ok {
					return nil, false
				}
			} else if stepped {
				high = f.max
			}
			from, to = low, high
		}
		by := 1
		if n, err := strconv.Atoi(step); err == nil && n > 0 {
			by = n
		}
		if to < from {
			to += f.max - f.min + 1 // NOV-FEB goes round
		}
		for n := from; n <= to; n += by {
			all = append(all, (n-f.min)%(f.max-f.min+1)+f.min)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), true
}

func (f cronField) number(text string) (int, bool) {
	for i, name := range f.names {
		if strings.EqualFold(name, text) {
			return f.min + i, true
		}
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= f.min && n <= f.max
}
