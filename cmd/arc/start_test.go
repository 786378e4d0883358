package main

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// What a package of ours may do before main, by GODEBUG=inittrace: figures that
// are the same on every machine. Regular expressions and tables are made when
// they are first asked for (sync.OnceValue).
const (
	maxInitBytes  = 16 << 10
	maxInitAllocs = 200
)

func TestStart(t *testing.T) {
	// This test's own program runs as arc under that name (main_test.go).
	cmd := &exec.Cmd{Path: os.Args[0], Args: []string{"arc", "version"}, Env: append(os.Environ(), "GODEBUG=inittrace=1")}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ours := 0
	for _, m := range regexp.MustCompile(`(?m)^init (\S+) @.* (\d+) bytes, (\d+) allocs$`).FindAllStringSubmatch(string(out), -1) {
		if m[1] != "main" && !strings.HasPrefix(m[1], "arc/") {
			continue
		}
		ours++
		bytes, _ := strconv.Atoi(m[2])
		allocs, _ := strconv.Atoi(m[3])
		if bytes > maxInitBytes || allocs > maxInitAllocs {
			t.Errorf("%s allocates %d bytes, %d times, before main; the most is %d bytes, %d times", m[1], bytes, allocs, maxInitBytes, maxInitAllocs)
		}
	}
	if ours < 10 {
		t.Errorf("the trace names %d packages of ours:\n%s", ours, out)
	}
}
