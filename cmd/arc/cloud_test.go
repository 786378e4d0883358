package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSaidLast: why a local cloud did not start begins where its message does, and what
// the one who started it has said himself is not said again.
func TestSaidLast(t *testing.T) {
	stack := strings.Repeat("    at somewhere\n", 14)
	for _, c := range []struct{ name, log, want string }{
		{"every message whole", "app.arc:5:1: plugin one: gone\n" + stack + "app.arc:6:1: plugin two: gone\n" + stack, "app.arc:5:1: plugin one: gone\n" + stack + "app.arc:6:1: plugin two: gone\n" + stack},
		{"the error alone", "app.arc:1:1: warning: old\n    @html\nlocal cloud at http://127.0.0.1:2222\nerror: stack A: no\n  hint: do\n", "error: stack A: no\n  hint: do\n"},
		{"too much", "first\n" + strings.Repeat("    more\n", 30) + "second\n" + strings.Repeat("    more\n", 70), "… what it said before is in LOG\nsecond\n" + strings.Repeat("    more\n", 70)},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "log")
			if err := os.WriteFile(file, []byte(c.log), 0o600); err != nil {
				t.Fatal(err)
			}
			got := strings.ReplaceAll(saidLast(file), file, "LOG")
			if d := cmp.Diff(strings.TrimSpace(c.want), got); d != "" {
				t.Error(d)
			}
		})
	}
}
