// Package child runs programs that belong to this one: they end when they are
// told to, and also when this program is killed. On Linux the kernel sees to
// that, elsewhere a Watchdog; on Windows nobody does.
package child

import (
	"os/exec"
	"runtime"
)

// Child is a running program.
type Child struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Start starts a program.
func Start(cmd *exec.Cmd) (*Child, error) { return start(cmd, NewWatchdog(DeathSignal)) }

func start(cmd *exec.Cmd, watchdog *Watchdog) (*Child, error) {
	watchdog.Group(cmd)
	c := &Child{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// Linux takes "die with your parent" as "die with the thread that started
		// you": this one is kept until the child has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			if !watchdog.signal {
				err = watchdog.Guard(cmd.Process.Pid)
			}
			if err != nil {
				cmd.Process.Kill()
				cmd.Wait()
			}
		}
		started <- err
		if err == nil {
			c.err = cmd.Wait()
			watchdog.Free(cmd.Process.Pid)
			watchdog.Close()
			close(c.done)
		}
	}()
	return c, <-started
}

// Done is closed when the program has ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// PID is the program's process ID.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Err is how it ended, once it has.
func (c *Child) Err() error {
	<-c.done
	return c.err
}

// Kill ends the program and waits until it has.
func (c *Child) Kill() {
	c.cmd.Process.Kill()
	<-c.done
}
