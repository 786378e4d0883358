package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// test is one test function and the lines of the room that it reaches.
type test struct {
	Package string // import path
	Dir     string
	Name    string
	Seconds float64
	Covers  map[string][][2]int // file → first and last lines of what it runs
}

// covers reports whether the test runs a line.
func (t *test) covers(file string, line int) bool {
	return slices.ContainsFunc(t.Covers[file], func(block [2]int) bool { return block[0] <= line && line <= block[1] })
}

// measure runs every test of the room by itself, and notes what it reaches. One
// that takes longer than so many seconds is left out; 0 = none is.
func measure(ctx context.Context, dir string, packages []string, longest float64) ([]test, error) {
	var tests []test
	for _, pkg := range packages {
		found, err := goOutput(ctx, "list", "-f", "{{.Dir}} {{len .TestGoFiles}}{{len .XTestGoFiles}}", pkg)
		if err != nil {
			return nil, err
		}
		folder, files, _ := strings.Cut(strings.TrimSpace(found), " ")
		if files == "00" {
			continue
		}
		binary := filepath.Join(dir, "cover.test")
		if _, err := goOutput(ctx, "test", "-c", "-vet=off", "-cover", "-coverpkg="+strings.Join(packages, ","), "-o", binary, pkg); err != nil {
			return nil, err
		}
		list := exec.CommandContext(ctx, binary, "-test.list", "^(Test|Fuzz|Example)")
		list.Dir = folder
		names, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("list the tests of %s: %w", pkg, err)
		}
		for _, name := range strings.Fields(string(names)) {
			one := test{Package: pkg, Dir: folder, Name: name}
			patient, stop := ctx, context.CancelFunc(func() {})
			if longest > 0 {
				patient, stop = context.WithTimeout(ctx, time.Duration(longest*float64(time.Second)))
			}
			err := one.run(patient, binary, filepath.Join(dir, "profile"))
			late := ctx.Err() == nil && patient.Err() != nil
			stop()
			if late {
				continue
			}
			if err != nil {
				return nil, err
			}
			tests = append(tests, one)
		}
	}
	return tests, nil
}

func (t *test) run(ctx context.Context, binary, profile string) error {
	cmd := exec.CommandContext(ctx, binary, "-test.run", "^"+t.Name+"$", "-test.coverprofile", profile)
	cmd.Dir, cmd.WaitDelay = t.Dir, time.Second
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s of %s fails without any mutant: %w\n%s", t.Name, t.Package, err, out)
	}
	t.Seconds = time.Since(start).Seconds()
	data, err := os.ReadFile(profile)
	if err != nil {
		return err
	}
	t.Covers = map[string][][2]int{}
	for line := range strings.Lines(string(data)) { // arc/cfn/eval.go:1.2,3.4 5 COUNT
		place, counts, ok := strings.Cut(strings.TrimSpace(line), " ")
		file, block, isBlock := strings.Cut(place, ":")
		if !ok || !isBlock || strings.HasSuffix(counts, " 0") {
			continue
		}
		first, last, _ := strings.Cut(block, ",")
		from, errFrom := lineOf(first)
		to, errTo := lineOf(last)
		if err := errors.Join(errFrom, errTo); err == nil {
			file = strings.TrimPrefix(file, "arc/")
			t.Covers[file] = append(t.Covers[file], [2]int{from, to})
		}
	}
	return nil
}

func lineOf(place string) (int, error) {
	line, _, _ := strings.Cut(place, ".")
	return strconv.Atoi(line)
}

// remembered reads what an earlier run has measured; nil when there is nothing.
func remembered(file string) []test {
	var tests []test
	data, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(data, &tests) != nil {
		return nil
	}
	return tests
}

func goOutput(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, exit.Stderr)
	}
	return string(out), err
}
