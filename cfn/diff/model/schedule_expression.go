package model

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// NextInvocations gives the next n times at which a schedule fires after now, in
// now's time zone. rate(…) counts from now on, since only AWS knows when it was
// started. It gives fewer when the schedule ends, and ok is false when the
// expression is not one of rate, cron and at.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
func NextInvocations(expression string, now time.Time, n int) (times []time.Time, ok bool) {
	kind, rest, _ := strings.Cut(strings.TrimSpace(expression), "(")
	fields := strings.Fields(strings.TrimSuffix(rest, ")"))
	switch {
	case kind == "rate" && len(fields) == 2:
		step, ok := rateStep(fields[0], fields[1])
		if !ok {
			return nil, false
		}
		for i := range n {
			times = append(times, now.Add(step*time.Duration(i+1)))
		}
		return times, true
	case kind == "at" && len(fields) == 1:
		t, err := time.ParseInLocation("2006-01-02T15:04:05", fields[0], now.Location())
		if err != nil {
			return nil, false
		}
		if t.After(now) && n > 0 {
			times = append(times, t)
		}
		return times, true
	case kind == "cron" && len(fields) == 6:
		return nextCron(fields, now, n)
	}
	return nil, false
}

// InvocationsPerMonth is how often a schedule fires in a month of 730 hours, on the
// average of a year without a leap day; 0 for one that fires once, < 0 when it
// cannot be told.
func InvocationsPerMonth(expression string) float64 {
	kind, rest, _ := strings.Cut(strings.TrimSpace(expression), "(")
	fields := strings.Fields(strings.TrimSuffix(rest, ")"))
	switch {
	case kind == "rate" && len(fields) == 2:
		if step, ok := rateStep(fields[0], fields[1]); ok {
			return float64(730*time.Hour) / float64(step)
		}
	case kind == "at":
		return 0
	case kind == "cron" && len(fields) == 6 && fields[5] == "*":
		minutes, ok1 := cronSet(fields[0], 0, 59, nil)
		hours, ok2 := cronSet(fields[1], 0, 23, nil)
		months, ok3 := cronSet(fields[3], 1, 12, monthNames)
		if !ok1 || !ok2 || !ok3 {
			return -1
		}
		days := 0
		for day := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() == 2027; day = day.AddDate(0, 0, 1) {
			fires, ok := runsOn(day, fields[2], fields[4])
			if !ok {
				return -1
			}
			if fires && months[int(day.Month())] {
				days++
			}
		}
		return float64(days*len(minutes)*len(hours)) / 12
	}
	return -1
}

func rateStep(value, unit string) (time.Duration, bool) {
	n, err := strconv.Atoi(value)
	step, known := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[strings.TrimSuffix(unit, "s")]
	return time.Duration(n) * step, err == nil && n > 0 && known
}

var (
	monthNames = strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")
	dayNames   = strings.Fields("SUN MON TUE WED THU FRI SAT")
)

// nextCron walks from day to day: at most through the years that a cron
// expression may fire in again after a 29 February.
func nextCron(fields []string, now time.Time, n int) (times []time.Time, ok bool) {
	minutes, ok1 := cronSet(fields[0], 0, 59, nil)
	hours, ok2 := cronSet(fields[1], 0, 23, nil)
	months, ok3 := cronSet(fields[3], 1, 12, monthNames)
	years, ok4 := cronSet(fields[5], 1970, 2199, nil)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return nil, false
	}
	const searched = 41 * 366
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	for range searched {
		if len(times) == n {
			break
		}
		if years[day.Year()] && months[int(day.Month())] {
			fires, ok := runsOn(day, fields[2], fields[4])
			if !ok {
				return nil, false
			}
			if fires {
				times = appendTimes(times, day, hours, minutes, now, n)
			}
		}
		day = day.AddDate(0, 0, 1)
	}
	return times, true
}

// appendTimes adds a day's firings after now. A time that the clock leaps over
// on this day is left out.
func appendTimes(times []time.Time, day time.Time, hours, minutes map[int]bool, now time.Time, n int) []time.Time {
	for h := range 24 {
		for m := range 60 {
			if !hours[h] || !minutes[m] || len(times) == n {
				continue
			}
			t := time.Date(day.Year(), day.Month(), day.Day(), h, m, 0, 0, day.Location())
			if t.After(now) && t.Hour() == h && t.Minute() == m {
				times = append(times, t)
			}
		}
	}
	return times
}

// cronSet reads a field of numbers, names, ranges and steps.
func cronSet(field string, low, high int, names []string) (map[int]bool, bool) {
	set := map[int]bool{}
	for _, part := range strings.Split(field, ",") {
		whole, stepText, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			var err error
			if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
				return nil, false
			}
		}
		from, to := low, high
		if whole != "*" && whole != "?" {
			first, last, ranged := strings.Cut(whole, "-")
			var okFrom, okTo bool
			from, okFrom = cronValue(first, low, names)
			to, okTo = from, true
			if ranged {
				to, okTo = cronValue(last, low, names)
			} else if stepped {
				to = high
			}
			if !okFrom || !okTo || from < low || to > high {
				return nil, false
			}
			if from > to { // FRI-MON goes over the end
				for v := from; v <= high; v += step {
					set[v] = true
				}
				from = low
			}
		}
		for v := from; v <= to; v += step {
			set[v] = true
		}
	}
	return set, true
}

func cronValue(text string, low int, names []string) (int, bool) {
	if i := slices.Index(names, strings.ToUpper(text)); i >= 0 {
		return low + i, true
	}
	v, err := strconv.Atoi(text)
	return v, err == nil
}

// runsOn reports whether day of month and day of week allow a day. One of
// the two fields is "?".
func runsOn(day time.Time, daysOfMonth, daysOfWeek string) (fires, ok bool) {
	if daysOfMonth != "?" {
		return anyPart(daysOfMonth, func(part string) (bool, bool) { return onDayOfMonth(day, part) })
	}
	return anyPart(daysOfWeek, func(part string) (bool, bool) { return onDayOfWeek(day, part) })
}

func anyPart(field string, check func(string) (bool, bool)) (fires, ok bool) {
	for _, part := range strings.Split(strings.ToUpper(field), ",") {
		yes, ok := check(part)
		if !ok {
			return false, false
		}
		fires = fires || yes
	}
	return fires, true
}

// onDayOfMonth knows L (the last), L-3, LW, and 15W: the weekday nearest to
// the 15th of the same month.
func onDayOfMonth(day time.Time, part string) (fires, ok bool) {
	last := time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	switch {
	case part == "L":
		return day.Day() == last, true
	case part == "LW":
		return day.Day() == nearestWeekday(day, last, last), true
	case strings.HasPrefix(part, "L-"):
		back, err := strconv.Atoi(part[2:])
		return day.Day() == last-back, err == nil
	case strings.HasSuffix(part, "W"):
		n, err := strconv.Atoi(strings.TrimSuffix(part, "W"))
		return err == nil && n <= last && day.Day() == nearestWeekday(day, n, last), err == nil
	}
	set, ok := cronSet(part, 1, 31, nil)
	return set[day.Day()], ok
}

func nearestWeekday(month time.Time, n, last int) int {
	switch time.Date(month.Year(), month.Month(), n, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if n == 1 {
			return 3
		}
		return n - 1
	case time.Sunday:
		if n == last {
			return n - 2
		}
		return n + 1
	}
	return n
}

// onDayOfWeek knows 6L (the last Friday), 2#1 (the first Monday) and L (Saturday).
func onDayOfWeek(day time.Time, part string) (fires, ok bool) {
	today := int(day.Weekday()) + 1
	if name, nth, found := strings.Cut(part, "#"); found {
		weekday, okDay := cronValue(name, 1, dayNames)
		n, err := strconv.Atoi(nth)
		return today == weekday && (day.Day()-1)/7+1 == n, okDay && err == nil
	}
	if part == "L" {
		return today == 7, true
	}
	if name, isLast := strings.CutSuffix(part, "L"); isLast {
		weekday, okDay := cronValue(name, 1, dayNames)
		return today == weekday && day.AddDate(0, 0, 7).Month() != day.Month(), okDay
	}
	set, ok := cronSet(part, 1, 7, dayNames)
	return set[today], ok
}
