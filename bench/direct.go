package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// direct times arc deploy --direct of one changed function, whole process, to a
// local cloud, beside a whole deploy of the same change. The floor is a process
// that does nothing.
func (b *bencher) direct() ([]row, error) {
	dir := filepath.Join(b.dir, "direct")
	if err := os.MkdirAll(filepath.Join(dir, "src/http/get-index"), 0o777); err != nil {
		return nil, err
	}
	handler := filepath.Join(dir, "src/http/get-index/index.mjs")
	if err := os.WriteFile(filepath.Join(dir, "app.arc"), []byte("@app\ndirectly\n@http\nget /\n"), 0o666); err != nil {
		return nil, err
	}
	write := func(n int) error { return os.WriteFile(handler, []byte(savedHandler(n)), 0o666) }
	in := func(args ...string) *exec.Cmd {
		cmd := b.command(args...)
		cmd.Dir = dir
		return cmd
	}
	if err := write(0); err != nil {
		return nil, err
	}
	if out, err := in("deploy", "--local", "--detach").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("deploy --local: %w\n%s", err, out)
	}
	defer in("sandbox", "--stop").Run()
	n := 0
	var wrong error
	took, _, err := b.sample(21, func() *exec.Cmd {
		n++
		if err := write(n); err != nil {
			wrong = err
		}
		return in("deploy", "--local", "--direct", "get /")
	})
	if err != nil || wrong != nil {
		return nil, fmt.Errorf("deploy --direct: %w", firstError(err, wrong))
	}
	whole, _, err := b.sample(7, func() *exec.Cmd {
		n++
		if err := write(n); err != nil {
			wrong = err
		}
		return in("deploy", "--local")
	})
	if err != nil || wrong != nil {
		return nil, fmt.Errorf("deploy: %w", firstError(err, wrong))
	}
	hello, err := b.process(func() *exec.Cmd { return exec.Command(b.hello) })
	if err != nil {
		return nil, err
	}
	return []row{
		{"arc deploy --direct of a changed function, local cloud", took.median(), hello.median() + " (Go hello)", "", "300 ms"},
		{"the same by a whole deploy", whole.median(), "", "", ""},
	}, nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
