package nonblock_test

import (
	"bytes"
	"os"
	"strings"
	"syscall"
	"testing"

	"arc/sandbox/nonblock"
)

// TestContents reads what os.ReadFile does, of files shorter and longer than the buffer,
// and leaves no descriptor open.
func TestContents(t *testing.T) {
	before := descriptors(t)
	for _, name := range []string{"/proc/version", "/proc/cpuinfo", "/proc/self/limits"} {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{0, 16, 1 << 20} {
			got, err := nonblock.Contents(name, make([]byte, 0, size))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s into %d bytes: %d bytes %v, want %d", name, size, len(got), err, len(want))
			}
		}
	}
	if got, err := nonblock.Contents("/proc/version", []byte("kept ")); !strings.HasPrefix(string(got), "kept Linux") {
		t.Errorf("behind what was there: %q %v", got, err)
	}
	for name, want := range map[string]error{"/proc/none": syscall.ENOENT, "/proc": syscall.EISDIR, "/proc/a\x00b": syscall.EINVAL} {
		if got, err := nonblock.Contents(name, nil); err != want || len(got) > 0 {
			t.Errorf("%q: %q %v, want %v", name, got, err, want)
		}
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors are open, %d before", after, before)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
