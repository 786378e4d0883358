package model

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestNextInvocations reads testdata/schedule_expressions.txt, of which every line was worked out
// with a calendar.
func TestNextInvocations(t *testing.T) {
	data, err := os.ReadFile("testdata/schedule_expressions.txt")
	if err != nil {
		t.Fatal(err)
	}
	const form = "2006-01-02T15:04"
	for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, "|")
		zone, err := time.LoadLocation(strings.TrimSpace(cells[1]))
		if err != nil {
			t.Fatal(err)
		}
		now, err := time.ParseInLocation(form, strings.TrimSpace(cells[2]), zone)
		if err != nil {
			t.Fatal(err)
		}
		times, ok := NextInvocations(strings.TrimSpace(cells[0]), now, 3)
		var texts []string
		for _, at := range times {
			texts = append(texts, at.Format(form))
		}
		got := strings.Join(texts, " ")
		if !ok {
			got = "not an expression"
		}
		if want := strings.TrimSpace(cells[3]); got != want {
			t.Errorf("line %d: %s\n got %s", i+1, line, got)
		}
	}
}

// TestInvocationsPerMonth: 730 hours are a twelfth of a year of 365 days.
func TestInvocationsPerMonth(t *testing.T) {
	for expression, want := range map[string]float64{
		"rate(1 minute)":            43_800,
		"rate(2 hours)":             365,
		"rate(0 hours)":             -1,
		"at(2030-01-01T00:00:00)":   0,
		"cron(0 5 * * ? *)":         365.0 / 12,
		"cron(0/15 * * * ? *)":      2920,
		"cron(0 8 L * ? *)":         1,
		"cron(0 8 ? * 2#1 *)":       1,
		"cron(0 8 ? JAN,JUL SUN *)": 9.0 / 12, // 5 Sundays in January 2027, 4 in July
		"cron(0 0 * * ? 2030)":      -1,
		"cron(0 0 x * ? *)":         -1,
		"every day":                 -1,
	} {
		if got := InvocationsPerMonth(expression); got != want {
			t.Errorf("%s fires %v times, want %v", expression, got, want)
		}
	}
}
