package lambda

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"arc/sandbox/stack"
	"arc/source"
)

// Options are what a service needs from its surroundings.
type Options struct {
	// Path is where node, python3 … are looked for, and the PATH of functions.
	Path string
	// Env is asked at every start of a worker for what all functions see:
	// dummy credentials, endpoints, ARC_SANDBOX. nil = nothing.
	Env func() map[string]string
	// Log takes one line that a function printed. requestID is "" outside an
	// invocation. It is called from several goroutines. nil = lines are dropped.
	Log func(label, requestID, line string)
	// Keep takes the same line for the log stream of its worker; where a line
	// belongs to an invocation, its ID is in front. nil = lines are not kept.
	Keep func(group, stream, line string)
	// Cache is a folder where Deno keeps the modules it has fetched from one run
	// to the next; "" = they are fetched anew.
	Cache string
	// Scratch is the folder in which the service makes one for bootstraps, links,
	// inline code and the functions' HOME; "" = the system's for temporary files.
	Scratch string
	// Busy is how many workers start or handle an event at once before others
	// wait; 0 = two for each core.
	Busy int
	// Processes is how many workers there are at most, idle ones included; 0 =
	// eight for each core, 16 at least.
	Processes int
	// Code unpacks the zip of a deployed function and gives its folder.
	Code func(ctx context.Context, bucket, key string) (Unpacked, error)
	// Live gives the source folders of a function that runs from them.
	Live func(ref stack.Ref, logicalID string) (Folders, bool)
}

// Folders is where the code of a live function is.
type Folders struct {
	Dir    string // absolute
	Shared string // absolute folders of shared code; "" = none
	Views  string
	Label  string // "@http get /"
	Code   *source.Live
}

// Service runs the functions of one local cloud.
type Service struct {
	options Options
	scratch func() (string, error) // folder for bootstraps, links, inline code and HOME
	spawn   chan func()            // see process.go
	running sync.WaitGroup         // workers

	mu        sync.Mutex // guards what follows and all that hangs from it
	closed    bool
	functions map[string]*function
	workers   map[*worker]bool
	waiting   []*function // those with a queue
	sequence  uint64      // of invocations
	busy      int         // workers that start or handle an event
	processes int         // all workers
	extra     int         // see stalled
	stall     *time.Timer
	answered  time.Time // when the last event was done
	resources resources
}

// function is a function with its workers and those that wait for one.
type function struct {
	Function
	queue    []*invocation
	workers  map[*worker]bool
	idle     []*worker // the one used last at the end
	starting int
	busy     int // starting or handling an event
}

// defaultTimeout is Lambda's own, in seconds.
const defaultTimeout = 3

// New gives a service without functions. Close it to end its workers.
func New(options Options) *Service {
	if options.Log == nil {
		options.Log = func(string, string, string) {}
	}
	if options.Keep == nil {
		options.Keep = func(string, string, string) {}
	}
	if options.Env == nil {
		options.Env = func() map[string]string { return nil }
	}
	if options.Busy <= 0 {
		options.Busy = 2 * runtime.NumCPU()
	}
	if options.Processes <= 0 {
		options.Processes = max(16, 8*runtime.NumCPU())
	}
	s := &Service{options: options, functions: map[string]*function{}, workers: map[*worker]bool{}, spawn: make(chan func())}
	s.resources.clear()
	s.scratch = sync.OnceValues(func() (string, error) { return newScratch(options.Scratch) })
	go spawner(s.spawn)
	return s
}

// Put makes a function known, or replaces the one of that name. Workers of the
// old one finish what they are at and are not used again; events that wait go
// to the new one.
func (s *Service) Put(fn Function) {
	if fn.Timeout <= 0 {
		fn.Timeout = defaultTimeout
	}
	if fn.Label == "" {
		fn.Label = fn.Name
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.functions[fn.Name]
	if f == nil {
		f = &function{workers: map[*worker]bool{}}
		s.functions[fn.Name] = f
	}
	f.Function = fn
	s.retireAll(f)
	s.dispatch()
}

// Remove forgets a function. Events that wait for it fail.
func (s *Service) Remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.functions[name]
	if f == nil {
		return
	}
	delete(s.functions, name)
	s.refuseAll(f, fmt.Errorf("function %s: %w any more: it was deleted", name, ErrNotFound))
	s.retireAll(f)
	s.dispatch()
}

// Retire says that a function's code has changed: its workers finish what they
// are at and are not used again.
func (s *Service) Retire(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.functions[name]; f != nil {
		s.retireAll(f)
		s.dispatch()
	}
}

// Warm starts a worker for a function that has none, so that the first event
// need not wait for it.
func (s *Service) Warm(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.functions[name]
	if f != nil && len(f.workers) == 0 && !s.closed && s.processes < s.options.Processes {
		s.start(f)
	}
}

// Functions lists the functions by name.
func (s *Service) Functions() []Function {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Function
	for _, f := range s.functions {
		list = append(list, f.Function)
	}
	slices.SortFunc(list, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Close ends all workers at once, with everything they started, and returns
// when they are gone. What they were at, and what waited, fails.
func (s *Service) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		s.running.Wait()
		return
	}
	s.closed = true
	for name, f := range s.functions {
		s.refuseAll(f, fmt.Errorf("function %s: %w", name, ErrClosed))
	}
	for w := range s.workers {
		w.retired = true
		w.kill()
	}
	s.mu.Unlock()
	s.running.Wait()
	close(s.spawn)
	if dir, err := s.scratch(); err == nil {
		os.RemoveAll(dir)
	}
}

// settle waits until no retired worker of the function is at work.
func (s *Service) settle(ctx context.Context, name string) error {
	s.mu.Lock()
	var busy []*worker
	if f := s.functions[name]; f != nil {
		for w := range f.workers {
			if w.retired {
				busy = append(busy, w)
			}
		}
	}
	s.mu.Unlock()
	for _, w := range busy {
		select {
		case <-w.ended:
		case <-ctx.Done():
			return fmt.Errorf("function %s: an invocation is still under way: %w", name, context.Cause(ctx))
		}
	}
	return nil
}
