package manifest

import (
	"testing"
	"time"
)

// TestRefused looks at each of AWS's three days, the day before and the day itself.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		runtime, today  string
		create, refused bool
	}{
		{"nodejs18.x", "2027-07-28", true, false},
		{"nodejs18.x", "2027-07-29", true, true},
		{"nodejs18.x", "2027-07-29", false, false},
		{"nodejs18.x", "2027-08-30", false, false},
		{"nodejs18.x", "2027-08-31", false, true},
		{"nodejs14.x", "2026-11-29", true, true},
		{"nodejs14.x", "2026-11-29", false, false},
		{"nodejs22.x", "2026-11-29", true, false},
		{"deno", "2026-11-29", true, false},
	} {
		if got := Refused(c.runtime, c.today, c.create) != ""; got != c.refused {
			t.Errorf("%s on %s, create %t: refused is %t", c.runtime, c.today, c.create, got)
		}
	}
	if Retired("nodejs18.x", "2025-08-31") != "" || Retired("nodejs18.x", "2025-09-01") == "" {
		t.Error("the warning begins with the day of deprecation")
	}
}

// TestRetirements holds the table beside the runtimes that a manifest may name:
// each of those has its days, they are days, and they are in order.
func TestRetirements(t *testing.T) {
	named := map[string]bool{}
	for _, f := range runtimeFamilies {
		for _, name := range append(append([]string{}, f.versions...), f.retired...) {
			named[name] = true
			if _, known := retirements[name]; !known && name != "deno" && name != "java25" {
				t.Errorf("%s has no days in the table", name)
			}
		}
	}
	for name, r := range retirements {
		if !named[name] {
			t.Errorf("%s is in the table and in no family", name)
		}
		for _, day := range []string{r.Deprecated, r.NoCreate, r.NoUpdate} {
			if _, err := time.Parse(time.DateOnly, day); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if r.NoCreate > r.NoUpdate {
			t.Errorf("%s: updates end before creation does", name)
		}
	}
}
