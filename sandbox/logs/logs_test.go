package logs

import (
	"fmt"
	"strings"
	"testing"
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
	last := s.groups["long"].lines[len(s.groups["long"].lines)-1].message
	if !strings.HasSuffix(last, "x1999") {
		t.Errorf("the last line ends with %s", last[len(last)-10:])
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
			bytes += len(l.message) + lineBytes
		}
		if bytes != g.bytes {
			t.Errorf("%s counts %d bytes and holds %d", name, g.bytes, bytes)
		}
		if bytes > keepBytes+keepBytes/4+len(long)+200 || len(g.lines) > keep+keep/4 || len(g.streams) > len(g.lines) {
			t.Errorf("%s holds %d lines, %d bytes, %d streams", name, len(g.lines), bytes, len(g.streams))
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
