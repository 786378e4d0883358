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

	"arc/sandbox/activity"
	"arc/sandbox/child"
	"arc/sandbox/invoke"
	"arc/sandbox/journal"
	"arc/sandbox/lambda/opt"
	"arc/sandbox/stack"
	"arc/source"
)

// Options are what a service needs from its surroundings.
type Options struct {
	Account, Region string
	// Path is where node, python3 … are looked for, and the PATH of functions.
	Path string
	// User is the developer's environment, for finding interpreters where version
	// managers keep them; nil = only those on Path are found.
	User func(name string) string
	// Warn takes what the developer should know before anything is called; it may
	// be called from several goroutines. nil = nobody wants to know.
	Warn func(text string)
	// Env is asked at every start of a worker for what a function sees beside its
	// own variables: keys of its role, endpoints, ARC_SANDBOX. nil = nothing.
	Env func(fn Function) map[string]string
	// Log takes one line that a function printed. requestID is "" outside an
	// invocation. It is called from several goroutines. nil = lines are dropped.
	Log func(label, requestID, line string)
	// Keep takes the same line for the log stream of its worker; where a line
	// belongs to an invocation, its ID is in front. nil = lines are not kept.
	Keep func(group, stream, line string)
	// Self is this program, whose main calls opt.Enter: it mounts layers at /opt; "" =
	// they are not mounted.
	Self string
	// Cache is a folder where Deno keeps the modules it has fetched from one run
	// to the next; "" = they are fetched anew.
	Cache string
	// Scratch is the folder in which the service makes one for bootstraps, links,
	// inline code and the functions' HOME; "" = the system's for temporary files.
	Scratch string
	// Published is a folder that outlives the process, for the code of versions that
	// clients publish; "" = they end with it.
	Published string
	// Workers is how many workers there are at most, idle ones included; 0 = as
	// many as fit into half of the memory that is free at the start.
	Workers int
	// Inspect reports whether a debugger may attach to a function, by its label and
	// folder: it has one worker then, and no timeout. Its port is that of its language
	// with that number, counted from 0, or the next free one. nil = to none.
	Inspect func(label, dir string) (port int, attach bool)
	// Count takes the figures of an invocation; nil = nobody counts.
	Count func(function string, failed, throttled bool)
	// Tail reads back what Keep took for a request; nil = nothing.
	Tail func(group, requestID string, limit int) string
	// Send hands asynchronous events that failed, and records of them, to queues,
	// topics, buses and functions; nil = to none.
	Send invoke.Send
	// Queues are what event source mappings take messages from; nil = they are
	// kept, and nothing is taken.
	Queues invoke.Queues
	// Streams are those of tables, in the same way.
	Streams invoke.Streams
	// Permit is asked what functions' roles may; nil = everything.
	Permit invoke.Permit
	// Lets is asked, and tells nobody, whether a role may; nil = everything.
	Lets func(invoke.Errand) bool
	// Called gives the words by which people know a function; nil = its name.
	Called func(name string) string
	// Tell is told of retries and of events that are given up; nil = nobody.
	Tell activity.Tell
	// Clock is the time that retries go by; nil = the machine's.
	Clock invoke.Clock
	// Code unpacks the zip of a deployed function.
	Code func(ctx context.Context, bucket, key string) (Unpacked, error)
	// Zip unpacks a zip that a client sends.
	Zip func(zip []byte) (Unpacked, error)
	// Offer gives what the code in an unpacked folder asks of its runtime, or the packages
	// of names; for Node it puts that beside the folder. nil = nothing is offered.
	Offer func(dir, runtime string, names ...string) (source.Offered, error)
	// Live gives the source folders of a function that runs from them.
	Live func(ref stack.Ref, logicalID string) (Folders, bool)
	// Fresh is called before each event of a function that runs from its source
	// folders, and retires it if they have changed. nil = nothing is looked at.
	Fresh func(ref stack.Ref, logicalID string)

	// Set by New; tests have them shorter or smaller.
	cores              int
	memory             int64         // that all workers may hold, in bytes
	idleFor, initLimit time.Duration // see there
}

// Folders is where the code of a live function is.
type Folders struct {
	Dir    string // absolute
	Shared string // absolute folders of shared code; "" = none
	Views  string
	Label  string // "@http get /"
	Env    string // variables beside the function's own: NAME=value, each ended by a NUL
	Code   *source.Live
	Static string // absolute folder of the files in the static bucket; "" = none
	Remedy string // what brings the handler, for a call that finds none in Dir
}

// Service runs the functions of one local cloud.
type Service struct {
	options Options
	scratch func() (string, error) // folder for bootstraps, links, inline code and HOME
	spawn   chan func()            // see process.go
	running sync.WaitGroup         // workers
	async   *invoke.Async
	judge   invoke.Judge

	mu        handingLock // guards what follows and all that hangs from it
	closed    bool
	functions map[string]*function
	workers   map[*worker]bool
	waiting   []*function // those with a queue, in the order in which they got one
	busy      int         // workers that start or handle an event
	processes int         // all workers
	slots     [2]int      // workers that have just begun to start: a function's only ones, and further ones
	resting   bool        // tend will not look again soon
	resources resources

	wake            chan struct{} // has tend look again at once
	closing, tended chan struct{}
	compared        map[string]bool          // runtimes whose version was looked at
	polling         sync.WaitGroup           // of event sources
	positions       *journal.Log             // in streams, by event source
	places          map[string]string        // the same
	followers       map[string]chan struct{} // by event source: closed when its stream is not read any more
	ending          context.Context          // done when the service closes
	end             context.CancelFunc
	watchdog        *child.Watchdog
	mounting        sync.Once // guards what follows
	way             *opt.Way  // how layers get to /opt; nil = they do not
}

// function is a function with its workers and those that wait for one.
type function struct {
	Function
	of        Function // of a version: what the function was when it was made
	told      string   // why the code could not be loaded, as it was printed last
	queue     []*invocation
	workers   map[*worker]bool
	idle      []*worker // the one used last at the end
	starting  int
	live      int       // workers that may get an event, now or when they are done
	open      int       // events without an answer: those that wait, and those being handled
	returning int       // workers that have answered and not asked for another event yet
	debugger  int       // port where one attaches; 0 = none may
	answered  time.Time // when the last one got its answer
	answers   tally
}

// unknownMemory is what is taken for the machine's free memory when nothing
// tells, in bytes.
const unknownMemory = 8 << 30

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
		options.Env = func(Function) map[string]string { return nil }
	}
	options.cores, options.memory = runtime.NumCPU(), freeMemory()/2
	options.idleFor, options.initLimit = idleFor, initLimit
	s := &Service{
		options: options, functions: map[string]*function{}, workers: map[*worker]bool{}, spawn: make(chan func()),
		wake: make(chan struct{}, 1), closing: make(chan struct{}), tended: make(chan struct{}), watchdog: child.NewWatchdog(child.DeathSignal),
	}
	s.resources.clear()
	s.places, s.followers = map[string]string{}, map[string]chan struct{}{}
	s.compared = map[string]bool{}
	s.ending, s.end = context.WithCancel(context.Background())
	s.scratch = sync.OnceValues(func() (string, error) { return newScratch(options.Scratch) })
	go spawner(s.spawn)
	go s.tend()
	s.async = invoke.NewAsync(invoke.AsyncOptions{
		Invoker: s, Policy: s.policy, ARN: s.arn, Role: s.roleOf, Called: options.Called, Send: options.Send, Tell: options.Tell, Clock: options.Clock,
		Keeper: keeper{s},
	})
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
		s.resources.decided = nil
	}
	fn.Provisioned = fn.Provisioned || f.Provisioned // its alias says so, not the function's own resource
	f.Function = fn
	s.inspect(f)
	s.compareVersion(fn.Runtime)
	s.retireAll(f)
	s.dispatch()
}

// Remove forgets a function, and its versions. Events that wait for it fail.
func (s *Service) Remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, f := range s.functions {
		if f.Name == name {
			s.remove(key)
		}
	}
}

// remove forgets a function or a version of one. The caller holds the lock.
func (s *Service) remove(name string) {
	f := s.functions[name]
	if f == nil {
		return
	}
	delete(s.functions, name)
	s.resources.decided = nil
	s.refuseAll(f, fmt.Errorf("function %s: %w any more: it was deleted", name, invoke.ErrNotFound))
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
	if f != nil && f.live == 0 && !s.closed && !s.full() {
		s.start(f)
	}
}

// Functions lists the functions by name, without their versions.
func (s *Service) Functions() []Function {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Function
	for _, f := range s.functions {
		if f.Version == "" {
			list = append(list, f.Function)
		}
	}
	slices.SortFunc(list, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Function is the function of a name or an ARN, neither with a version; false = there is
// none.
func (s *Service) Function(called string) (Function, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.functions[called[strings.LastIndexByte(called, ':')+1:]]
	if f == nil || called != f.Name && called != f.ARN {
		return Function{}, false
	}
	return f.Function, true
}

// Close ends all workers at once, with everything they started, and returns
// when they are gone. What they were at, and what waited, fails.
func (s *Service) Close(context.Context) error {
	defer s.async.Close()
	s.async.End() // before their functions end, which is no fault of these
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		s.running.Wait()
		return nil
	}
	s.closed = true
	s.end()
	for name, f := range s.functions {
		s.refuseAll(f, fmt.Errorf("function %s: %w", name, invoke.ErrClosed))
	}
	for w := range s.workers {
		w.outdate()
		w.kill()
	}
	close(s.closing)
	s.mu.Unlock()
	<-s.tended
	s.polling.Wait()
	s.running.Wait()
	close(s.spawn)
	s.watchdog.Close()
	if dir, err := s.scratch(); err == nil {
		os.RemoveAll(dir)
	}
	return nil
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
