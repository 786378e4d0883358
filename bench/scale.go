package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// scale times arc package on apps of many routes, whole process, with its peak
// memory. The floor reads the same handlers and does nothing with them.
func (b *bencher) scale() ([]row, error) {
	var rows []row
	for _, n := range []int{300, 1000, 3000} {
		dir := filepath.Join(b.dir, fmt.Sprintf("routes-%d", n))
		if err := manyRoutes(dir, n); err != nil {
			return nil, err
		}
		var ours, floor durations
		var peak int64
		for i := range 7 {
			cmd := b.command("package")
			cmd.Dir = dir
			began := time.Now()
			out, err := cmd.Output()
			took := time.Since(began)
			if err != nil {
				return nil, fmt.Errorf("arc package, %d routes: %w\n%s", n, err, out)
			}
			began = time.Now()
			if err := readAll(dir); err != nil {
				return nil, err
			}
			if i >= 2 {
				ours, floor = append(ours, took), append(floor, time.Since(began))
			}
			peak = max(peak, maxRSS(cmd))
		}
		original := map[int]string{300: "780 ms, transform 3.3 s", 1000: "1619 ms, transform 31 s; 237 routes can be deployed"}[n]
		goal := map[int]string{1000: "150 ms, 100 MB"}[n]
		rows = append(rows, row{fmt.Sprintf("arc package, %d routes", n), fmt.Sprintf("%s, %d MB", ours.median(), peak>>20),
			floor.median() + " (reading them)", original, goal})
	}
	return rows, nil
}

// manyRoutes writes an app of n routes, each with a handler of its own.
func manyRoutes(dir string, n int) error {
	var text strings.Builder
	text.WriteString("@app\nbench-app\n\n@http\n")
	for i := range n {
		fmt.Fprintf(&text, "get /r%d/items/:id\n", i)
		folder := filepath.Join(dir, "src", "http", fmt.Sprintf("get-r%d-items-000id", i))
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return err
		}
		body := fmt.Sprintf("export const handler = async () => ({ statusCode: 200, body: '%d' })\n", i)
		if err := os.WriteFile(filepath.Join(folder, "index.mjs"), []byte(body), 0o666); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "app.arc"), []byte(text.String()), 0o666)
}

func readAll(dir string) error {
	return filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			_, err = os.ReadFile(name)
		}
		return err
	})
}

// maxRSS is the peak memory of a finished process in bytes.
func maxRSS(cmd *exec.Cmd) int64 {
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss << 10 // Linux counts in kilobytes
}
