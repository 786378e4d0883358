package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report is what came of a soak.
type report struct {
	*soaking
	samples   *samples
	leftovers []string
}

// line is a line of the table; wrong says why it may not be so, "" = it may.
type line struct{ what, first, second, wrong string }

// lived is how many samples a process must have for its memory to be compared
// with itself: those of half the run.
func (r *report) lived() int { return max(r.samples.count/2, 8) }

func (r *report) lines() (list []line) {
	for _, t := range []struct {
		what string
		*tally
	}{
		{"calls of good functions", &r.calls}, {"socket messages echoed", &r.echoes}, {"sockets opened and closed", &r.sockets},
		{"calls of bad functions, answered", &r.failures}, {"saves of code", &r.saves}, {"saves of the manifest", &r.manifests}, {"deploys beside it", &r.deploys},
		{"messages through a queue", &r.queued}, {"messages through a topic", &r.published}, {"rows through a stream", &r.written}, {"times of a schedule", &r.ticks},
	} {
		l := line{what: t.what, first: fmt.Sprint(t.done.Load()), second: fmt.Sprintf("%d lost", t.lost.Load())}
		if t.tally == &r.calls {
			l.second += fmt.Sprintf(", %d old", t.old.Load())
		}
		switch {
		case t.lost.Load() > 0:
			l.wrong = "lost: " + t.firstReason
		case t.old.Load() > 0:
			l.wrong = "old answers"
		case t.done.Load() == 0 && t.tally != &r.manifests && t.tally != &r.ticks:
			l.wrong = "none at all"
		}
		list = append(list, l)
	}
	for _, key := range slices.SortedFunc(maps.Keys(r.samples.series), func(a, b string) int {
		return cmp.Compare(r.samples.series[a].first, r.samples.series[b].first)
	}) {
		s := r.samples.series[key]
		if len(s.resident) < r.lived() {
			continue
		}
		name := fmt.Sprintf("%s (process that lived long)", s.name)
		if s.pid == r.samples.root {
			name = "arc"
		}
		list = append(list, r.flat(name+", memory", s.resident, mb, 8<<20), r.flat(name+", descriptors", s.descriptors, number, 12))
	}
	return append(list,
		r.flat("all workers, memory", r.samples.sum.resident, mb, 100<<20),
		r.flat("all workers, descriptors", r.samples.sum.descriptors, number, 120),
		r.flat("workers", r.samples.many, number, 6))
}

// flat compares the second quarter of a run with the last one: a quarter more,
// and some that comes and goes, is flat.
func (r *report) flat(what string, list []int64, say func(int64) string, some int64) line {
	early, late := halves(list)
	l := line{what: what, first: say(early), second: say(late)}
	if late > early+early/4+some {
		l.wrong = "not flat"
	}
	return l
}

func mb(n int64) string     { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }
func number(n int64) string { return fmt.Sprint(n) }

// wrong is what must hold and does not.
func (r *report) wrong() (list []string) {
	for _, l := range r.lines() {
		if l.wrong != "" {
			list = append(list, fmt.Sprintf("%s: %s, %s: %s", l.what, l.first, l.second, l.wrong))
		}
	}
	for _, left := range r.leftovers {
		list = append(list, "left over: "+left)
	}
	return list
}

func (r *report) print(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%s, %d clients and as many sockets, seed %d\n", r.length.Round(time.Second), r.clients, r.seed)
	for _, l := range r.lines() {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", l.what, l.first, l.second, strings.SplitN(l.wrong, "\n", 2)[0])
	}
	table.Flush()
	fmt.Fprintf(w, "memory and descriptors: medians of the second and of the last quarter\nleft over: %d\n", len(r.leftovers))
	for _, wrong := range r.wrong() {
		fmt.Fprintln(w, "WRONG:", wrong)
	}
}
