package main

import (
	"runtime"
	"testing"
)

// TestProcessors: an app that runs leaves half of the processors to its functions, but
// while something takes long, and all are there again when it has ended.
func TestProcessors(t *testing.T) {
	before := runtime.GOMAXPROCS(4)
	defer runtime.GOMAXPROCS(before)
	none := func(string) string { return "" }
	want := func(when string, n int) {
		t.Helper()
		if got := runtime.GOMAXPROCS(0); got != n {
			t.Errorf("%s: %d, want %d", when, got, n)
		}
	}
	p := newProcessors(none)
	built := p.whole()
	built()
	want("at the start", 4)
	end := p.share()
	want("while it runs", 2)
	first, second := p.whole(), p.whole()
	want("building", 4)
	first()
	want("building still", 4)
	second()
	want("built", 2)
	end()
	want("at the end", 4)

	runtime.GOMAXPROCS(1)
	end = newProcessors(none).share()
	want("one is the least", 1)
	end()
	runtime.GOMAXPROCS(3)
	p = newProcessors(func(name string) string { return map[string]string{"GOMAXPROCS": "3"}[name] })
	p.share()
	p.whole()()
	want("who says how many is asked", 3)
}
