package schedule_test

import (
	"context"
	"testing"
	"time"

	"arc/sandbox/invoke/clocktest"
	"arc/sandbox/schedule"
)

// fired takes the next time that was called, or fails.
func fired(t *testing.T, calls <-chan time.Time) time.Time {
	t.Helper()
	select {
	case at := <-calls:
		return at
	case <-time.After(10 * time.Second):
		t.Fatal("nothing fired")
	}
	return time.Time{}
}

func TestTimetable(t *testing.T) {
	begin := time.Date(2026, 3, 7, 12, 0, 0, 0, time.UTC)
	clock := clocktest.New(begin)
	table := schedule.NewTimetable(clock)
	defer table.Close()
	zone, err := schedule.Zone("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	nightly, err := schedule.Parse("cron(30 2 * * ? *)", zone, begin)
	if err != nil {
		t.Fatal(err)
	}
	calls := make(chan time.Time)
	first := table.Set("nightly", nightly, func(_ context.Context, at time.Time) { calls <- at })
	// The night of 8 March has no 2:30.
	want := time.Date(2026, 3, 9, 6, 30, 0, 0, time.UTC)
	if !first.Equal(want) {
		t.Fatalf("first time %s, want %s", first, want)
	}
	select {
	case at := <-calls:
		t.Fatalf("fired at the start: %s", at)
	default:
	}
	clock.Set(want)
	if at := fired(t, calls); !at.Equal(want) {
		t.Errorf("fired for %s, want %s", at, want)
	}
	// Three nights are slept through: one call makes up for them, with the time
	// that was the next one.
	clock.Set(want.Add(73 * time.Hour))
	if at := fired(t, calls); !at.Equal(want.Add(24 * time.Hour)) {
		t.Errorf("made up for %s", at)
	}
	clock.Set(want.Add(96 * time.Hour))
	if at := fired(t, calls); !at.Equal(want.Add(96 * time.Hour)) {
		t.Errorf("then fired for %s", at)
	}
	// What was taken out is not called; what follows shows that its time has come.
	table.Remove("nightly")
	hourly, err := schedule.Parse("rate(1 hour)", time.UTC, clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	other := make(chan time.Time)
	table.Set("hourly", hourly, func(_ context.Context, at time.Time) { other <- at })
	clock.Set(want.Add(120 * time.Hour))
	fired(t, other)
	select {
	case at := <-calls:
		t.Errorf("fired though taken out: %s", at)
	default:
	}
}
