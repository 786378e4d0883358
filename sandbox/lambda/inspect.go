package lambda

import (
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"arc/sandbox/door"
)

// unhurried is how long everything may take in a function that a debugger may
// attach to: while it is paused, no time passes for whoever looks at it.
const unhurried = 24 * time.Hour

// Ports where debuggers look first: Node's inspector and debugpy.
// https://nodejs.org/en/learn/getting-started/debugging
// https://code.visualstudio.com/docs/python/debugging
const (
	nodeInspector = 9229
	debugpyPort   = 5678
)

// inspect gives a function that a debugger may attach to its port, and says so
// once. The caller holds the lock.
func (s *Service) inspect(f *function) {
	if s.options.Inspect == nil || f.debugger != 0 {
		return
	}
	number, attach := s.options.Inspect(f.Label, f.Dir)
	if !attach {
		return
	}
	say := func(format string, args ...any) { go s.options.Log(f.Label, "", fmt.Sprintf(format, args...)) }
	first, how := 0, ""
	switch {
	case strings.HasPrefix(f.Runtime, "nodejs"):
		first, how = nodeInspector, "chrome://inspect or an editor's attach, Node's inspector"
	case strings.HasPrefix(f.Runtime, "python"):
		first, how = debugpyPort, "an editor's attach, debugpy"
	default:
		say("no debugger attaches to runtime %s: nodejs and python have one", f.Runtime)
		return
	}
	var taken []int
	for _, other := range s.functions {
		taken = append(taken, other.debugger)
	}
	for port := first + number; port < first+number+200; port++ {
		if slices.Contains(taken, port) {
			continue
		}
		free, err := door.Listen(port)
		if err != nil {
			continue
		}
		free.Close()
		f.debugger = port
		say("a debugger attaches at 127.0.0.1:%d (%s) from its first call on; meanwhile it has no timeout and one call at a time", port, how)
		return
	}
	say("no port from %d on is free for a debugger", first)
}

// Inspected reports whether a debugger may attach to a function, so that nobody
// is to lose patience with it.
func (s *Service) Inspected(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.resolve(name)
	return f != nil && f.debugger != 0
}

// debugged adds to the arguments of an interpreter, or to the environment, what
// lets a debugger attach.
func (w *worker) debugged(program string, args []string, env map[string]string) ([]string, error) {
	port := w.owner.debugger
	if port == 0 {
		return args, nil
	}
	if strings.HasPrefix(w.fn.Runtime, "nodejs") {
		return append(args, "--inspect=127.0.0.1:"+strconv.Itoa(port)), nil
	}
	// Functions do not see this machine's packages (-S); the bootstrap lets this
	// one in.
	at, err := exec.Command(program, "-c", "import debugpy, os; print(os.path.dirname(os.path.dirname(debugpy.__file__)))").Output()
	if err != nil {
		return nil, fmt.Errorf("%s has no debugpy, which --inspect needs: %s -m pip install debugpy", program, program)
	}
	env["ARC_DEBUG"] = strconv.Itoa(port) + " " + strings.TrimSpace(string(at))
	return append(args, "-X", "frozen_modules=off"), nil
}
