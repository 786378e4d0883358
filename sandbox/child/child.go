// Package child runs a program that belongs to this one: it ends when it is
// told to, and where the system can see to that also when this program is
// killed.
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
func Start(cmd *exec.Cmd) (*Child, error) {
	die(cmd)
	c := &Child{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// Linux takes "die with your parent" as "die with the thread that started
		// you": this one is kept until the child has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			c.err = cmd.Wait()
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
