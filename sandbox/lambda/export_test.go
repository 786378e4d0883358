package lambda

import (
	"slices"
	"strings"
	"time"

	"arc/sandbox/child"
)

// Waiting is how many events wait for a worker.
func (s *Service) Waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, f := range s.waiting {
		n += len(f.queue)
	}
	return n
}

// Workers is how many workers there are, and how many of them are busy.
func (s *Service) Workers() (all, busy int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.processes, s.busy
}

// SplitName is tested as it is: it reads what users write.
var SplitName = splitName

// Lines splits output that arrives in chunks.
func Lines(chunks [][]byte) []string {
	var lines []string
	o := &output{emit: func(_, line string) { lines = append(lines, line) }}
	s := &stream{}
	for _, c := range chunks {
		o.feed(s, c)
	}
	if len(s.partial) > 0 {
		o.line(s.partial)
	}
	return lines
}

// Hasten sets how long idle workers are kept, and how long a start may take;
// 0 leaves either as it is. It is for before the first event.
func (s *Service) Hasten(idleFor, initLimit time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if idleFor != 0 {
		s.options.idleFor = idleFor
	}
	if initLimit != 0 {
		s.options.initLimit = initLimit
	}
}

// Allow sets how many bytes all workers may hold.
func (s *Service) Allow(bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.memory = bytes
}

// EventSources lists the event source mappings by ID.
func (s *Service) EventSources() []EventSource {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []EventSource
	for _, source := range s.resources.sources {
		list = append(list, source)
	}
	slices.SortFunc(list, func(a, b EventSource) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// WithoutDeathSignal has the service be on a system that does not end children
// with their parent. It is for before the first event.
func (s *Service) WithoutDeathSignal() { s.watchdog = child.NewWatchdog(false) }
