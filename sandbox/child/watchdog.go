package child

import (
	"fmt"
	"io"
	"os/exec"
	"sync"
)

// Watchdog ends programs, and what they have started, when this one dies: a shell
// that reads from a pipe which of them run, and kills those once the pipe is
// closed, as it is by any end of this program. On Windows it does nothing.
type Watchdog struct {
	signal bool // the kernel ends the programs themselves

	mu    sync.Mutex
	shell *exec.Cmd // nil until there is something to watch
	pipe  io.WriteCloser
}

// NewWatchdog gives one that watches nothing yet. signal is DeathSignal, but in
// tests of how it is elsewhere. Close it.
func NewWatchdog(signal bool) *Watchdog { return &Watchdog{signal: signal} }

// Group puts a program that is to be started, and guarded then, at the head of a
// group of its own, where Ctrl-C does not reach.
func (w *Watchdog) Group(cmd *exec.Cmd) { group(cmd, w.signal) }

const watchdogScript = `
while read -r what group; do
  case $what in
  guard) groups="$groups $group" ;;
  free)
    rest=
    for g in $groups; do [ "$g" = "$group" ] || rest="$rest $g"; done
    groups=$rest
    ;;
  esac
done
for g in $groups; do kill -9 "-$g"; done
`

// Guard has the group that a program heads ended with this program.
func (w *Watchdog) Guard(pid int) error {
	if !groups {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shell == nil {
		shell := exec.Command("/bin/sh", "-c", watchdogScript)
		group(shell, false)
		pipe, err := shell.StdinPipe()
		if err != nil {
			return fmt.Errorf("watchdog: %w", err)
		}
		if err := shell.Start(); err != nil {
			return fmt.Errorf("watchdog: %w", err)
		}
		w.shell, w.pipe = shell, pipe
	}
	return w.tell("guard", pid)
}

// Free says that a program has ended, and its group.
func (w *Watchdog) Free(pid int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shell == nil {
		return nil
	}
	return w.tell("free", pid)
}

func (w *Watchdog) tell(what string, pid int) error {
	if _, err := fmt.Fprintf(w.pipe, "%s %d\n", what, pid); err != nil {
		return fmt.Errorf("watchdog: %w", err)
	}
	return nil
}

// Close ends the watchdog, and what is guarded still.
func (w *Watchdog) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shell != nil {
		w.pipe.Close()
		w.shell.Wait()
		w.shell = nil
	}
}
