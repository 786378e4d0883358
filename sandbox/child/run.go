package child

import (
	"context"
	"os/exec"
	"time"
)

// lastOutput is how long what a program printed is waited for once it has ended: what it
// has started may keep that open.
const lastOutput = time.Second

// Run runs a program and waits for it. When ctx ends before that, the program and all of
// its group are killed, and the error is why ctx ended.
func Run(ctx context.Context, cmd *exec.Cmd) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	cmd.WaitDelay = lastOutput
	c, err := Start(cmd)
	if err != nil {
		return err
	}
	select {
	case <-c.Done():
		return c.Err()
	case <-ctx.Done():
		KillGroup(cmd.Process)
		<-c.Done()
		return context.Cause(ctx)
	}
}
