// Package schedule is when things happen: it reads the rate, cron and at
// expressions of EventBridge and EventBridge Scheduler and gives the times at
// which they fire (Times), and it calls at these times (Timetable).
package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones, also where the machine has none (Windows)
)

// Times are the moments at which a schedule fires.
type Times interface {
	// Next is the first of them after t; zero when there is none.
	Next(t time.Time) time.Time
}

// Zone finds a time zone by its IANA name; "" is UTC.
func Zone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" { // which is nobody's name but Go's
		return nil, fmt.Errorf("%q is no time zone: write an IANA name, such as Europe/Berlin", name)
	}
	return zone, nil
}

// Parse reads an expression: rate(5 minutes), cron(0 6 * * ? *), and
// at(2026-11-29T06:00:00). Zone is where cron and at are meant; a rate is a
// length of time, from is when it begins to count. A day of a rate is 24 hours,
// also where the clocks change.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
func Parse(expression string, zone *time.Location, from time.Time) (Times, error) {
	kind, rest, open := strings.Cut(expression, "(")
	inner, closed := strings.CutSuffix(rest, ")")
	if !open || !closed {
		return nil, fmt.Errorf("%q is none of rate(…), cron(…) and at(…)", expression)
	}
	var (
		times Times
		err   error
	)
	switch kind {
	case "rate":
		times, err = parseRate(inner, from)
	case "cron":
		times, err = parseCron(inner, zone)
	case "at":
		times, err = parseAt(inner, zone)
	default:
		err = fmt.Errorf("it is none of rate(…), cron(…) and at(…)")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", expression, err)
	}
	return times, nil
}

// rate fires every so often.
type rate struct {
	from  time.Time
	every time.Duration
}

func parseRate(text string, from time.Time) (Times, error) {
	words := strings.Fields(text)
	if len(words) != 2 {
		return nil, fmt.Errorf("a rate is a number and a unit: rate(5 minutes)")
	}
	n, err := strconv.Atoi(words[0])
	if err != nil || n < 1 || n > 1_000_000 {
		return nil, fmt.Errorf("%q is not a whole number above 0", words[0])
	}
	unit, ok := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[strings.TrimSuffix(words[1], "s")]
	if !ok {
		return nil, fmt.Errorf("%q is none of minutes, hours and days", words[1])
	}
	return rate{from, time.Duration(n) * unit}, nil
}

// Next is after a whole number of intervals, the first of them one interval
// after the beginning.
func (r rate) Next(t time.Time) time.Time {
	passed := t.Sub(r.from)
	if passed < 0 {
		return r.from.Add(r.every)
	}
	return r.from.Add((passed/r.every + 1) * r.every)
}

// at fires once.
type at time.Time

func parseAt(text string, zone *time.Location) (Times, error) {
	t, err := time.ParseInLocation("2006-01-02T15:04:05", text, zone)
	if err != nil {
		return nil, fmt.Errorf("%q is no time of the form 2026-11-29T06:00:00", text)
	}
	if t.Format("2006-01-02T15:04:05") != text {
		return at{}, nil // the clock jumps over it
	}
	return at(first(t)), nil
}

func (a at) Next(t time.Time) time.Time {
	if time.Time(a).After(t) {
		return time.Time(a)
	}
	return time.Time{}
}

// Between keeps the times from start to end; zero = no bound.
func Between(times Times, start, end time.Time) Times { return between{times, start, end} }

type between struct {
	times      Times
	start, end time.Time
}

func (b between) Next(t time.Time) time.Time {
	if !b.start.IsZero() && t.Before(b.start) {
		t = b.start.Add(-time.Nanosecond) // the bound itself is in
	}
	next := b.times.Next(t)
	if !b.end.IsZero() && next.After(b.end) {
		return time.Time{}
	}
	return next
}

// first is the earlier one of two moments that have the same time on the clock.
func first(t time.Time) time.Time {
	// No zone is put back by more than a few hours.
	for _, back := range []time.Duration{2 * time.Hour, time.Hour, 30 * time.Minute, 20 * time.Minute} {
		if earlier := t.Add(-back); sameClock(earlier, t) {
			return earlier
		}
	}
	return t
}

func sameClock(a, b time.Time) bool {
	return a.Format(time.DateTime) == b.Format(time.DateTime)
}
