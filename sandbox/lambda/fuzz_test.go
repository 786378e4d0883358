package lambda_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"arc/sandbox/lambda"
)

// FuzzLines cuts output anywhere; its lines are the same, and none is lost.
func FuzzLines(f *testing.F) {
	f.Add([]byte("one\ntwo\r\nthree"), uint(2))
	f.Add([]byte("\n\n"), uint(1))
	f.Add([]byte(strings.Repeat("ä", 70_000)), uint(4096))
	f.Fuzz(func(t *testing.T, data []byte, size uint) {
		size = size%8192 + 1
		var chunks [][]byte
		for rest := data; len(rest) > 0; {
			n := min(int(size), len(rest))
			chunks = append(chunks, rest[:n])
			rest = rest[n:]
		}
		got, want := lambda.Lines(chunks), lambda.Lines([][]byte{data})
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("in chunks of %d: %q, whole: %q", size, got, want)
		}
		total := 0
		for _, line := range got {
			if len(line) > 3*64<<10 || strings.ContainsRune(line, '\n') {
				t.Errorf("a line of %d bytes", len(line))
			}
			total += len(line)
		}
		if lost := len(data) - strings.Count(string(data), "\n") - strings.Count(string(data), "\r"); utf8.Valid(data) && total < lost {
			t.Errorf("%d bytes of %d", total, lost)
		}
	})
}

// FuzzSplitName reads what callers name a function by.
func FuzzSplitName(f *testing.F) {
	f.Add("arn:aws:lambda:us-west-2:1:function:fn:live")
	f.Add("1:function:fn")
	f.Add("fn:$LATEST")
	f.Fuzz(func(t *testing.T, called string) {
		name, qualifier := lambda.SplitName(called)
		if strings.Contains(name, ":") || !strings.Contains(called, name) || !strings.Contains(called, qualifier) {
			t.Errorf("%q is %q, %q", called, name, qualifier)
		}
	})
}
