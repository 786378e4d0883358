package schedule_test

import (
	"bufio"
	"os"
	"strings"
	"testing"
	"time"

	"arc/sandbox/schedule"
)

// TestTimes reads testdata/times.txt: an expression, a zone and a time, each
// line below it the next time at which it fires, in UTC and on its clock.
func TestTimes(t *testing.T) {
	file, err := os.Open("testdata/times.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	const form = "2006-01-02 15:04:05"
	var (
		times schedule.Times
		now   time.Time
		count int
	)
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case !strings.HasPrefix(line, "\t"):
			parts := strings.Split(line, " | ")
			zone, err := schedule.Zone(parts[1])
			if err != nil {
				t.Fatal(err)
			}
			if now, err = time.ParseInLocation(form, parts[2], time.UTC); err != nil {
				t.Fatal(err)
			}
			if times, err = schedule.Parse(parts[0], zone, now); err != nil {
				t.Fatalf("line %d: %v", n, err)
			}
		default:
			count++
			next := times.Next(now)
			got := "never"
			if !next.IsZero() {
				got = next.UTC().Format(form)
			}
			if want := strings.TrimSpace(line); got != want {
				t.Errorf("line %d: %s, want %s", n, got, want)
			}
			now = next
		}
	}
	if count < 40 {
		t.Errorf("only %d times were looked at", count)
	}
}

func TestMistakes(t *testing.T) {
	for _, text := range []string{
		"", "rate", "rate(5)", "rate(0 minutes)", "rate(-1 days)", "rate(5 weeks)", "rate(1.5 hours)", "rate(5 minutes", "every(5 minutes)",
		"cron(0 6 * * ?)", "cron(0 6 * * * *)", "cron(0 6 ? * ? *)", "cron(60 6 * * ? *)", "cron(0 24 * * ? *)", "cron(0 6 32 * ? *)", "cron(0 6 0 * ? *)",
		"cron(0 6 * 13 ? *)", "cron(0 6 ? * 8 *)", "cron(0 6 ? * MON#6 *)", "cron(0 6 ? * MO *)", "cron(0 6 * * ? 1969)", "cron(*/0 6 * * ? *)",
		"cron(0 6 40W * ? *)", "cron(a 6 * * ? *)", "cron(1- 6 * * ? *)", "at(2026-11-29)", "at(2026-02-30T06:00:00)", "at(2026-11-29T06:00:00Z)",
	} {
		if _, err := schedule.Parse(text, time.UTC, time.Time{}); err == nil {
			t.Errorf("%q was read", text)
		}
	}
	for _, name := range []string{"Europe/Nowhere", "Local", "../etc/passwd"} {
		if _, err := schedule.Zone(name); err == nil {
			t.Errorf("the zone %q was read", name)
		}
	}
}

// A bound counts itself in, and a rate with a start begins to count there.
func TestBetween(t *testing.T) {
	day := func(d, hour int) time.Time { return time.Date(2026, 11, d, hour, 0, 0, 0, time.UTC) }
	daily, err := schedule.Parse("cron(0 6 * * ? *)", time.UTC, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	times := schedule.Between(daily, day(10, 6), day(11, 6))
	if got := times.Next(day(1, 0)); !got.Equal(day(10, 6)) {
		t.Errorf("first: %s", got)
	}
	if got := times.Next(day(10, 6)); !got.Equal(day(11, 6)) {
		t.Errorf("second: %s", got)
	}
	if got := times.Next(day(11, 6)); !got.IsZero() {
		t.Errorf("after the end: %s", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("cron(0/15 8-17 ? * MON-FRI *)")
	f.Add("cron(0 6 L-1 * ? *)")
	f.Add("rate(999999999999 days)")
	f.Add("at(2026-11-29T06:00:00)")
	berlin, err := schedule.Zone("Europe/Berlin")
	if err != nil {
		f.Fatal(err)
	}
	now := time.Date(2026, 10, 24, 22, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		times, err := schedule.Parse(text, berlin, now)
		if err != nil {
			return
		}
		if next := times.Next(now); !next.IsZero() && !next.After(now) {
			t.Errorf("%q: %s is not after %s", text, next, now)
		}
	})
}
