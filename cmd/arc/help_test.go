package main

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestHelpWidth: every help fits a terminal of 80 columns.
func TestHelpWidth(t *testing.T) {
	s := &session{env: func(string) string { return "" }}
	for _, c := range s.app().Commands {
		code, help, _ := invoke(t, "help", c.Name)
		if code != 0 || c.Name != "help" && !strings.Contains(help, "Usage: arc "+c.Name) {
			t.Errorf("arc help %s: exit code %d\n%s", c.Name, code, help)
		}
		for line := range strings.Lines(help) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("arc help %s: %d columns: %s", c.Name, n, line)
			}
		}
	}
}
