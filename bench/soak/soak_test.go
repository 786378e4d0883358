//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestSoak is a short sample of make soak: nothing is lost, nothing is left.
// Whether memory is flat, only a longer run can tell.
func TestSoak(t *testing.T) {
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is not installed", tool)
			}
			t.Skipf("%s is not installed", tool)
		}
	}
	dir := t.TempDir()
	arc := filepath.Join(dir, "arc")
	if out, err := exec.Command("go", "build", "-o", arc, "../../cmd/arc").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r, err := soak(t.Context(), options{arc: arc, dir: dir, length: 8 * time.Second, clients: 2, seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range r.lines() {
		if l.wrong != "" && l.wrong != "not flat" {
			t.Errorf("%s: %s, %s: %s", l.what, l.first, l.second, l.wrong)
		}
	}
	for _, left := range r.leftovers {
		t.Errorf("left over: %s", left)
	}
	if t.Failed() {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		t.Logf("%s", log[max(0, len(log)-4000):])
	}
}
