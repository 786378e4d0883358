// Command soak runs an app in arc sandbox for long, with everything at once:
// clients, sockets, messages, saves, deploys, and functions that throw, exit, hang, print
// and take too much memory. It prints what was done, what was lost, and whether
// every process's memory and descriptors stayed flat. Run it from the
// repository's root, with node on PATH: make soak. It reads /proc, and so runs
// on Linux alone.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	var o options
	flag.DurationVar(&o.length, "for", 10*time.Minute, "how long")
	flag.IntVar(&o.clients, "clients", 8, "how many HTTP clients, and how many sockets")
	flag.Uint64Var(&o.seed, "seed", 1, "draws what happens")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "arc-soak-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o.arc, o.dir = filepath.Join(dir, "arc"), dir
	if out, err := exec.Command("go", "build", "-o", o.arc, "./cmd/arc").CombinedOutput(); err != nil {
		return fmt.Errorf("run from the repository's root: %w\n%s", err, out)
	}
	r, err := soak(ctx, o)
	if err != nil {
		return err
	}
	r.print(os.Stdout)
	if wrong := r.wrong(); len(wrong) > 0 {
		kept := filepath.Join(os.TempDir(), "arc-soak.log")
		if err := os.Rename(filepath.Join(dir, "log"), kept); err == nil {
			fmt.Println("what arc said is in " + kept)
		}
		return fmt.Errorf("%d of what must hold did not", len(wrong))
	}
	return nil
}
