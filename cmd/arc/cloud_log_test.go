package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBoundedLog writes more than a log may hold: the last lines are there, in
// two files, neither larger than it may be.
func TestBoundedLog(t *testing.T) {
	const most = 1000
	file := filepath.Join(t.TempDir(), "cloud.log")
	out, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	log := newBoundedLog(out, file, most)
	for i := range 1000 {
		fmt.Fprintf(log, "line %d\n", i)
	}
	both := ""
	for _, name := range []string{file + ".1", file} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) > most+200 {
			t.Errorf("%s has %d bytes", name, len(text))
		}
		both += string(text)
	}
	for i := 950; i < 1000; i++ {
		if !strings.Contains(both, fmt.Sprintf("line %d\n", i)) {
			t.Errorf("line %d is lost", i)
		}
	}
	if !strings.Contains(both, "what was before is in "+file+".1") {
		t.Errorf("no word of what was before:\n%s", both)
	}
}
