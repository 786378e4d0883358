// Command mutants asks whether the tests of a room can fail: it edits the room's
// code in one place after another, and counts the edits that a test of the same
// room notices. The tree is never changed: the compiler is given the edited file
// in the place of the real one.
//
//	go run ./bench/mutants [-n 100] [-seed 1] [-except DIR,…] ROOM
//
// Edits are drawn by the seed. One that does not compile is drawn again; one that
// no test reaches has survived. Those that change nothing anybody could see are
// listed in equivalent.txt with the reason, and do not count. An edit may do what the
// code itself never would: where that mounts something, as sandbox/lambda/opt does,
// run it all in "unshare -m", with CI=true so that tests do not skip.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed equivalent.txt
var equivalents string

func main() {
	n := flag.Int("n", 100, "how many mutants to draw")
	seed := flag.Int("seed", 1, "decides which are drawn")
	except := flag.String("except", "", "folders below the room that are rooms of their own, with commas between them")
	coverage := flag.String("coverage", "", "a file that keeps what each test reaches, for the next run")
	only := flag.String("only", "", "only mutants whose name contains this")
	longest := flag.Float64("longest", 0, "leave out tests that take more seconds than this, as if they noticed nothing; 0 = run all")
	workers := flag.Int("workers", 2, "how many are tried at the same time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: go run ./bench/mutants [flags] ROOM, as cfn or sandbox/gateway")
		os.Exit(2)
	}
	err := run(ctx, options{room: flag.Arg(0), n: *n, seed: *seed, except: strings.Split(*except, ","), coverage: *coverage, only: *only, workers: *workers, longest: *longest})
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

type options struct {
	room           string
	n, seed        int
	except         []string
	coverage, only string
	workers        int
	longest        float64
}

// outcome is what became of a mutant.
type outcome int

const (
	killed outcome = iota
	survived
	unreached  // no test runs it
	equivalent // listed
	broken     // does not compile: another one is drawn
)

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	listed, err := goOutput(ctx, "list", "-f", "{{.ImportPath}} {{.Dir}}", "./"+o.room+"/...")
	if err != nil {
		return err
	}
	var packages, dirs []string
	for line := range strings.Lines(listed) {
		pkg, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		folder := strings.TrimPrefix(pkg, "arc/")
		if !slices.ContainsFunc(o.except, func(e string) bool { return e != "" && (folder == e || strings.HasPrefix(folder, e+"/")) }) {
			packages, dirs = append(packages, pkg), append(dirs, folder)
		}
	}
	tests := remembered(o.coverage)
	if tests == nil {
		if tests, err = measure(ctx, dir, packages, o.longest); err != nil {
			return err
		}
		if data, err := json.Marshal(tests); err == nil && o.coverage != "" {
			if err := os.WriteFile(o.coverage, data, 0o644); err != nil {
				return err
			}
		}
	}
	tests = slices.DeleteFunc(tests, func(t test) bool { return o.longest > 0 && t.Seconds > o.longest })
	slices.SortFunc(tests, func(a, b test) int { return int(1000 * (a.Seconds - b.Seconds)) })
	drawn, err := draw(dirs, o.seed)
	if err != nil {
		return err
	}
	drawn = slices.DeleteFunc(drawn, func(m mutant) bool { return !strings.Contains(m.String(), o.only) })
	outcomes := tryAll(ctx, dir, drawn, tests, o)
	count := map[outcome]int{}
	for _, out := range outcomes {
		count[out]++
	}
	all := count[killed] + count[survived] + count[unreached]
	fmt.Printf("%s: %d of %d killed (%.0f %%), %d survive, %d are reached by no test, %d are equivalent\n",
		o.room, count[killed], all, 100*float64(count[killed])/float64(max(all, 1)), count[survived], count[unreached], count[equivalent])
	return nil
}

// tryAll tries mutants in their order until so many are decided.
func tryAll(ctx context.Context, dir string, drawn []mutant, tests []test, o options) []outcome {
	var (
		mu       sync.Mutex
		decided  []outcome
		next, in int
		workers  sync.WaitGroup
	)
	for worker := range o.workers {
		workers.Go(func() {
			for ctx.Err() == nil {
				mu.Lock()
				if next == len(drawn) || len(decided)+in >= o.n {
					mu.Unlock()
					return
				}
				m := drawn[next]
				next++
				in++
				mu.Unlock()
				out := try(ctx, filepath.Join(dir, fmt.Sprint(worker)), m, tests)
				mu.Lock()
				in--
				if ctx.Err() != nil {
					mu.Unlock()
					return // what was under way has failed for another reason
				}
				if out != broken {
					decided = append(decided, out)
				}
				if out == survived || out == unreached {
					fmt.Printf("%s %s:%d\n    %s\n", map[outcome]string{survived: "survives ", unreached: "unreached"}[out], m.file, m.line, m)
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	return decided
}

// try runs the tests that reach a mutant, the quick ones first.
func try(ctx context.Context, dir string, m mutant, tests []test) outcome {
	if slices.ContainsFunc(strings.Split(equivalents, "\n"), func(line string) bool { return strings.HasPrefix(line, m.String()+" | ") }) {
		return equivalent
	}
	overlay, err := writeMutant(dir, m)
	if err != nil {
		return broken
	}
	var packages []string
	names := map[string][]test{}
	for _, t := range tests {
		if !t.covers(m.file, m.line) && m.function != "declarations" {
			continue
		}
		if names[t.Package] == nil {
			packages = append(packages, t.Package)
		}
		names[t.Package] = append(names[t.Package], t)
	}
	reached := len(packages) > 0
	for _, t := range startedBy(tests, m) {
		if names[t.Package] == nil {
			packages = append(packages, t.Package)
		}
		if !slices.ContainsFunc(names[t.Package], func(other test) bool { return other.Name == t.Name }) {
			names[t.Package] = append(names[t.Package], t)
		}
	}
	if len(packages) == 0 {
		if exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "./"+filepath.Dir(m.file)).Run() != nil {
			return broken
		}
		return unreached
	}
	for _, pkg := range packages {
		binary := filepath.Join(dir, "mutant.test")
		if exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", overlay, "-o", binary, pkg).Run() != nil {
			return broken
		}
		for _, group := range groups(names[pkg]) {
			if !passes(ctx, binary, group) {
				return killed
			}
		}
	}
	if !reached {
		return unreached
	}
	return survived
}

// startedBy are the tests that may reach a mutant in another process than their own,
// which tells nobody what it reaches: all of its package, if they are quick.
func startedBy(tests []test, m mutant) []test {
	var own []test
	sum := 0.0
	for _, t := range tests {
		if t.Package == "arc/"+filepath.ToSlash(filepath.Dir(m.file)) {
			own = append(own, t)
			sum += t.Seconds
		}
	}
	if sum > quick {
		return nil
	}
	return own
}

// quick is how long tests may take together that are run at once, in seconds.
const quick = 3

// groups puts the quick tests of a package together, and each slow one by itself.
func groups(tests []test) [][]test {
	var out [][]test
	sum := 0.0
	for _, t := range tests {
		if len(out) == 0 || sum+t.Seconds > quick {
			out, sum = append(out, nil), 0
		}
		sum += t.Seconds
		out[len(out)-1] = append(out[len(out)-1], t)
	}
	return out
}

func passes(ctx context.Context, binary string, tests []test) bool {
	var names []string
	limit := 20.0 // seconds
	for _, t := range tests {
		names = append(names, t.Name)
		limit += 10 * t.Seconds
	}
	// What hangs is as good as failed.
	ctx, cancel := context.WithTimeout(ctx, time.Duration(limit*float64(time.Second)))
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.failfast", "-test.run", "^("+strings.Join(names, "|")+")$")
	cmd.Dir = tests[0].Dir
	cmd.WaitDelay = time.Second
	return cmd.Run() == nil
}

// writeMutant writes the edited file, and the overlay that puts it in the place
// of the real one.
func writeMutant(dir string, m mutant) (overlay string, err error) {
	source, err := os.ReadFile(m.file)
	if err != nil {
		return "", err
	}
	real, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	edited := filepath.Join(dir, "mutant.go")
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{real: edited}})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, errors.Join(
		os.MkdirAll(dir, 0o755),
		os.WriteFile(edited, slices.Concat(source[:m.start], []byte(m.is), source[m.end:]), 0o644),
		os.WriteFile(overlay, text, 0o644),
	)
}
