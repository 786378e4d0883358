// Command arc turns a small manifest into a running cloud app, on AWS or on
// this machine.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// The first Ctrl-C asks the command to finish in order; stop gives the
	// second one back to the system, which ends the process at once.
	asked, stop := signal.NotifyContext(context.Background(), endings()...)
	ctx, end := context.WithCancelCause(context.Background())
	context.AfterFunc(asked, func() { stop(); end(errInterrupted) })
	os.Exit(run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}

// errInterrupted is what an error says that comes of a signal; the system's word for it
// is "interrupt signal received".
var errInterrupted = errors.New("interrupted")

// endings are the signals that ask for an end in order. A terminal that is
// closed sends SIGHUP, but not to whom nohup has kept it from.
func endings() []os.Signal {
	list := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		list = append(list, syscall.SIGHUP)
	}
	return list
}
