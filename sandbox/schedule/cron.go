package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// cron fires when the clock of its zone shows what its six fields say. What the
// clock jumps over in spring does not happen; what it shows twice in autumn
// happens the first time only.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time
type cron struct {
	zone                          *time.Location
	minutes, hours, months, years set
	day                           func(year int, month time.Month, day int) bool
}

// set is the values that a field takes.
type set map[int]bool

// field is what a field of a cron expression may hold.
type field struct {
	name     string
	min, max int
	names    []string // of the values from min on
}

const (
	firstYear = 1970
	lastYear  = 2199
)

var monthNames = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
var dayNames = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}

func parseCron(text string, zone *time.Location) (Times, error) {
	words := strings.Fields(text)
	if len(words) != 6 {
		return nil, fmt.Errorf("a cron expression has six fields (minutes, hours, day of the month, month, day of the week, year), not %d", len(words))
	}
	c := cron{zone: zone}
	for _, f := range []struct {
		field
		word string
		into *set
	}{
		{field{"minutes", 0, 59, nil}, words[0], &c.minutes},
		{field{"hours", 0, 23, nil}, words[1], &c.hours},
		{field{"month", 1, 12, monthNames}, words[3], &c.months},
		{field{"year", firstYear, lastYear, nil}, words[5], &c.years},
	} {
		values, err := f.parse(f.word)
		if err != nil {
			return nil, err
		}
		*f.into = values
	}
	var err error
	c.day, err = parseDays(words[2], words[4])
	return c, err
}

// parse reads a field: numbers, names, ranges, steps, with commas between them.
func (f field) parse(word string) (set, error) {
	values := set{}
	for part := range strings.SplitSeq(word, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			n, err := strconv.Atoi(stepText)
			if err != nil || n < 1 {
				return nil, f.wrong(part)
			}
			step = n
		}
		low, high := f.min, f.max
		if span != "*" {
			from, to, ranged := strings.Cut(span, "-")
			var ok bool
			if low, ok = f.number(from); !ok {
				return nil, f.wrong(part)
			}
			switch {
			case ranged:
				if high, ok = f.number(to); !ok {
					return nil, f.wrong(part)
				}
			case !stepped: // 5/10 goes on to the end
				high = low
			}
		}
		if high < low { // FRI-MON, 22-2
			for n := low; n <= f.max; n += step {
				values[n] = true
			}
			low = f.min + (step-(f.max-low+1)%step)%step
		}
		for n := low; n <= high; n += step {
			values[n] = true
		}
	}
	return values, nil
}

func (f field) wrong(part string) error {
	return fmt.Errorf("%s: %q is none of *, a number from %d to %d, a range and a step", f.name, part, f.min, f.max)
}

// number reads a value by its number or name.
func (f field) number(text string) (int, bool) {
	for i, name := range f.names {
		if strings.EqualFold(name, text) {
			return f.min + i, true
		}
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= f.min && n <= f.max
}

// parseDays reads the two fields of which one is a ?.
func parseDays(ofMonth, ofWeek string) (func(int, time.Month, int) bool, error) {
	switch {
	case ofMonth == "?" && ofWeek == "?", ofMonth != "?" && ofWeek != "?":
		return nil, fmt.Errorf("one of the day of the month and the day of the week must be ?, and only one")
	case ofWeek == "?":
		return parseOfMonth(ofMonth)
	}
	return parseOfWeek(ofWeek)
}

// lastDay is the last day of a month.
func lastDay(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func weekday(year int, month time.Month, day int) time.Weekday {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday()
}

func parseOfMonth(word string) (func(int, time.Month, int) bool, error) {
	f := field{"day of the month", 1, 31, nil}
	if word == "L" {
		return func(year int, month time.Month, day int) bool { return day == lastDay(year, month) }, nil
	}
	if number, near := strings.CutSuffix(word, "W"); near {
		n, ok := f.number(number)
		if !ok && number != "L" {
			return nil, f.wrong(word)
		}
		return func(year int, month time.Month, day int) bool {
			last := lastDay(year, month)
			wanted := n
			if number == "L" {
				wanted = last
			}
			return wanted <= last && day == nearestWorkday(year, month, wanted, last)
		}, nil
	}
	values, err := f.parse(word)
	return func(_ int, _ time.Month, day int) bool { return values[day] }, err
}

// nearestWorkday is the day from Monday to Friday of the same month that is
// nearest to a day.
func nearestWorkday(year int, month time.Month, day, last int) int {
	switch weekday(year, month, day) {
	case time.Saturday:
		if day == 1 {
			return 3
		}
		return day - 1
	case time.Sunday:
		if day == last {
			return day - 2
		}
		return day + 1
	}
	return day
}

func parseOfWeek(word string) (func(int, time.Month, int) bool, error) {
	f := field{"day of the week", 1, 7, dayNames}
	if word == "L" {
		word = "7"
	}
	if text, last := strings.CutSuffix(word, "L"); last {
		n, ok := f.number(text)
		if !ok {
			return nil, f.wrong(word)
		}
		return func(year int, month time.Month, day int) bool {
			return int(weekday(year, month, day))+1 == n && day+7 > lastDay(year, month)
		}, nil
	}
	if text, which, nth := strings.Cut(word, "#"); nth {
		n, ok := f.number(text)
		w, err := strconv.Atoi(which)
		if !ok || err != nil || w < 1 || w > 5 {
			return nil, f.wrong(word)
		}
		return func(year int, month time.Month, day int) bool {
			return int(weekday(year, month, day))+1 == n && (day-1)/7+1 == w
		}, nil
	}
	values, err := f.parse(word)
	return func(year int, month time.Month, day int) bool { return values[int(weekday(year, month, day))+1] }, err
}

// Next looks through the calendar from the minute after t on.
func (c cron) Next(t time.Time) time.Time {
	from := t.In(c.zone)
	year, month, day := from.Date()
	for ; year <= lastYear; year, month, day = year+1, time.January, 1 {
		if !c.years[year] {
			continue
		}
		for ; month <= time.December; month, day = month+1, 1 {
			if !c.months[int(month)] {
				continue
			}
			for last := lastDay(year, month); day <= last; day++ {
				if c.day(year, month, day) {
					if next := c.on(year, month, day, t); !next.IsZero() {
						return next
					}
				}
			}
		}
	}
	return time.Time{}
}

// on is the first time of a day that is after t.
func (c cron) on(year int, month time.Month, day int, t time.Time) time.Time {
	for hour := range 24 {
		if !c.hours[hour] {
			continue
		}
		for minute := range 60 {
			if !c.minutes[minute] {
				continue
			}
			at := time.Date(year, month, day, hour, minute, 0, 0, c.zone)
			if at.Hour() != hour || at.Minute() != minute || at.Day() != day {
				continue // the clock jumps over it
			}
			if at = first(at); at.After(t) {
				return at
			}
		}
	}
	return time.Time{}
}
