package logs

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestBounded fills groups with short and with long lines: what they hold stays
// bounded, and the last lines are there.
func TestBounded(t *testing.T) {
	s := New("000000000000", "us-west-2")
	long := strings.Repeat("x", 64<<10)
	for i := range 2000 {
		s.Append("long", fmt.Sprintf("stream-%d", i), fmt.Sprint(long, i))
		s.Append("short", "stream", fmt.Sprint(i))
	}
	if last := slices.Collect(s.groups["long"].all()); !strings.HasSuffix(last[len(last)-1].message, "x1999") {
		t.Errorf("the last line is not the last")
	}
	for i := range 100 {
		for range 40 {
			s.Append(fmt.Sprintf("many-%d", i), "stream", long)
		}
	}
	total := 0
	for name, g := range s.groups {
		bytes := 0
		for _, l := range g.lines {
			bytes += l.bytes()
		}
		if bytes != g.open {
			t.Errorf("%s counts %d bytes of open lines and holds %d", name, g.open, bytes)
		}
		for _, b := range g.sealed {
			bytes += b.bytes()
		}
		if bytes != g.bytes {
			t.Errorf("%s counts %d bytes and holds %d", name, g.bytes, bytes)
		}
		if n := len(slices.Collect(g.all())); n != g.size() || bytes > keepBytes+sealBytes+len(long)+200 || n > keep+keep/4 || len(g.streams) > n {
			t.Errorf("%s holds %d lines, %d bytes, %d streams", name, n, bytes, len(g.streams))
		}
		total += bytes
	}
	if total != s.bytes || total > keepAll+len(long)+200 {
		t.Errorf("all groups hold %d bytes and count %d", total, s.bytes)
	}
	for name := range s.groups {
		s.forget(name)
	}
	if s.forget("none"); s.bytes != 0 {
		t.Errorf("%d bytes are left of nothing", s.bytes)
	}
}

// TestSealed prints what functions print, and random bytes: every line that is kept
// comes back as it was, from any number on, and takes a tenth or less where lines
// are alike.
func TestSealed(t *testing.T) {
	s := New("000000000000", "us-west-2")
	draw := rand.New(rand.NewPCG(1, 2))
	var want []line
	at := time.UnixMilli(1_700_000_000_000).UTC()
	s.groups["g"] = newGroup(0)
	for i := range 6000 {
		text := fmt.Sprintf("REPORT RequestId: %016x Duration: %d.20 ms Billed Duration: %d ms Memory Size: 1152 MB", draw.Uint64(), i%50, i%50)
		switch {
		case i == 3000:
			text = strings.Repeat("y", 200<<10)
		case i%97 == 0:
			random := make([]byte, draw.IntN(2000))
			for j := range random {
				random[j] = byte(draw.Uint32())
			}
			text = string(random)
		}
		l := line{i, fmt.Sprint("stream-", i%3), at.Add(time.Duration(draw.IntN(5000)-100) * time.Millisecond), text}
		s.append(s.groups["g"], l.stream, l.at, l.message)
		want = append(want, l)
	}
	g := s.groups["g"]
	if got := slices.Collect(g.all()); !slices.Equal(got, want) {
		t.Fatalf("%d lines came back of %d, or others", len(got), len(want))
	}
	for _, from := range []int{0, 1, 2999, 3000, 3001, 5998, 5999, 6000} {
		if got := slices.Collect(g.from(from)); !slices.Equal(got, want[from:]) {
			t.Errorf("from %d: %d lines, not %d", from, len(got), len(want)-from)
		}
	}
	if _, err := s.deleteLogStream(request{LogGroupName: "g", LogStreamName: "stream-1"}); err != nil {
		t.Fatal(err)
	}
	want = slices.DeleteFunc(want, func(l line) bool { return l.stream == "stream-1" })
	if got := slices.Collect(g.all()); !slices.Equal(got, want) {
		t.Errorf("without a stream %d lines came back of %d, or others", len(got), len(want))
	}
	if got := slices.Collect(g.from(3001)); len(got) == 0 || got[0].number != 3002 {
		t.Errorf("from a line that is gone: %d lines", len(got))
	}

	alike := New("000000000000", "us-west-2")
	for i := range 8000 {
		alike.Append("g", "stream", fmt.Sprintf("START RequestId: %d Version: $LATEST and some words that are the same", i))
	}
	if a := alike.groups["g"]; a.size() != 8000 || a.bytes-a.open > 8000*16 {
		t.Errorf("%d lines that are alike take %d bytes when sealed", a.size(), a.bytes-a.open)
	}
}
