// Command bench prints the speed of arc beside a floor measured in the same
// run: what the machine does without arc's work. Run it from the repository's
// root, with node and npm on PATH: make bench.
//
// Columns named "original" are Architect 12.0.1 on Node 22, two cores,
// measured once and quoted; compare ratios, not machines. Its sandbox starts a
// process for every call, so that nothing stays in a function's memory between
// calls; arc's warm workers keep module state, as Lambda does.
// Of arc diff, "original" is cdk diff of the AWS CDK, in the same run.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == bareEchoName {
		if err := bareEcho(os.Stdout, os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if err := bench(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// row is one line of the table.
type row struct{ what, ours, floor, original, goal string }

func bench(ctx context.Context, w io.Writer) error {
	dir, err := os.MkdirTemp("", "arc-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bencher{ctx: ctx, dir: dir, arc: filepath.Join(dir, "arc"), hello: filepath.Join(dir, "hello"), app: filepath.Join(dir, "seed")}
	if err := b.prepare(); err != nil {
		return err
	}
	// make bench ONLY=waiting,never measures some.
	only := strings.Split(os.Getenv("ONLY"), ",")
	wanted := func(measure func() ([]row, error)) bool {
		name := runtime.FuncForPC(reflect.ValueOf(measure).Pointer()).Name()
		return only[0] == "" || slices.ContainsFunc(only, func(word string) bool { return strings.HasSuffix(name, "."+word+"-fm") })
	}
	var rows []row
	for _, measure := range []func() ([]row, error){b.commands, b.scale, b.review, b.start, b.http, b.websocket, b.waiting, b.never, b.saved, b.sockets, b.kinds, b.messages, b.broadcast, b.tables, b.killed, b.direct, b.foreign} {
		if !wanted(measure) {
			continue
		}
		more, err := measure()
		if err != nil {
			return err
		}
		rows = append(rows, more...)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "measurement\tarc\tfloor\toriginal\tgoal")
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", r.what, r.ours, r.floor, r.original, r.goal)
	}
	return table.Flush()
}

type bencher struct {
	ctx             context.Context
	dir             string
	arc, hello, app string
	certificates    string // NODE_EXTRA_CA_CERTS, which npm may need behind a proxy
}

// prepare builds the programs and installs the seed app.
func (b *bencher) prepare() error {
	if err := os.CopyFS(b.app, os.DirFS("testdata/apps/seed")); err != nil {
		return fmt.Errorf("run from the repository's root: %w", err)
	}
	steps := []*exec.Cmd{
		exec.Command("go", "build", "-tags", "urfave_cli_no_docs", "-trimpath", "-ldflags", "-s -w", "-o", b.arc, "./cmd/arc"),
		exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.hello, "./bench/hello"),
		exec.Command("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"),
	}
	steps[2].Dir = b.app
	for _, cmd := range steps {
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
		}
	}
	// npm may need it, but Node reads a whole list of certificates for it at each
	// start, 50 to 150 ms, which is neither arc's time nor the floor's.
	b.certificates = os.Getenv("NODE_EXTRA_CA_CERTS")
	return os.Unsetenv("NODE_EXTRA_CA_CERTS")
}

// install has npm install packages below a folder.
func (b *bencher) install(dir string, packages ...string) ([]byte, error) {
	cmd := exec.Command("npm", append([]string{"install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error", "--prefix", dir}, packages...)...)
	if b.certificates != "" {
		cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+b.certificates)
	}
	return cmd.CombinedOutput()
}

// command makes an arc command in the seed app, with a cache of its own.
func (b *bencher) command(args ...string) *exec.Cmd {
	cmd := exec.Command(b.arc, args...)
	cmd.Dir = b.app
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+filepath.Join(b.dir, "cache"), "XDG_STATE_HOME="+filepath.Join(b.dir, "state"))
	return cmd
}

// commands times whole processes.
func (b *bencher) commands() ([]row, error) {
	hello, err := b.process(func() *exec.Cmd { return exec.Command(b.hello) })
	if err != nil {
		return nil, err
	}
	version, err := b.process(func() *exec.Cmd { return b.command("version") })
	if err != nil {
		return nil, err
	}
	pack, err := b.process(func() *exec.Cmd { return b.command("package") })
	if err != nil {
		return nil, err
	}
	return []row{
		{"arc version", version.median(), hello.median() + " (Go hello)", "351 ms", "within 5x of the floor, 10 ms"},
		{"arc package, seed app", pack.median(), hello.median() + " (Go hello)", "449 ms (model alone 101 ms)", "25 ms"},
	}, nil
}

// process times 21 runs of a command, after two that warm the disk's cache.
func (b *bencher) process(command func() *exec.Cmd) (durations, error) {
	var all durations
	for i := range 23 {
		cmd := command()
		began := time.Now()
		out, err := cmd.Output()
		took := time.Since(began)
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
		}
		if i >= 2 {
			all = append(all, took)
		}
	}
	return all, nil
}

// durations are the samples of one measurement.
type durations []time.Duration

func (d durations) quantile(q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(d))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func (d durations) median() string { return ms(d.quantile(0.5)) }

// tail is p50 / p99.
func (d durations) tail() string {
	return strings.TrimSuffix(ms(d.quantile(0.5)), " ms") + " / " + ms(d.quantile(0.99))
}

func ms(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 2, 64) + " ms"
}
