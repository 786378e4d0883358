package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// scale times arc package on apps of many routes, whole process, with its peak
// memory. The floor reads the same handlers and does nothing with them.
func (b *bencher) scale() ([]row, error) {
	var rows []row
	for _, n := range []int{300, 1000} {
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
				return nil, fmt.Errorf("arc package, %d functions: %w\n%s", n, err, out)
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
		rows = append(rows, row{fmt.Sprintf("arc package, %d functions", n), fmt.Sprintf("%s, %d MB", ours.median(), peak>>20),
			floor.median() + " (reading them)", original, goal})
	}
	return rows, nil
}

// manyRoutes writes an app of n functions, each with a handler of its own:
// routes, as many as an HTTP API takes, then actions, schedules and events.
func manyRoutes(dir string, n int) error {
	var text, actions, schedules, events strings.Builder
	text.WriteString("@app\nbench-app\n\n@http\n")
	for i := range n {
		folder := filepath.Join(dir, "src", "http", fmt.Sprintf("get-r%d-items-000id", i))
		switch {
		case i < 290:
			fmt.Fprintf(&text, "get /r%d/items/:id\n", i)
		case i < 570:
			fmt.Fprintf(&actions, "a%d\n", i)
			folder = filepath.Join(dir, "src", "ws", fmt.Sprintf("a%d", i))
		case i < 920:
			fmt.Fprintf(&schedules, "s%d rate(1 day)\n", i)
			folder = filepath.Join(dir, "src", "scheduled", fmt.Sprintf("s%d", i))
		default:
			fmt.Fprintf(&events, "e%d\n", i)
			folder = filepath.Join(dir, "src", "events", fmt.Sprintf("e%d", i))
		}
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return err
		}
		body := fmt.Sprintf("export const handler = async () => ({ statusCode: 200, body: '%d' })\n", i)
		if err := os.WriteFile(filepath.Join(folder, "index.mjs"), []byte(body), 0o666); err != nil {
			return err
		}
	}
	if n > 290 {
		fmt.Fprintf(&text, "\n@ws\n%s\n@scheduled\n%s\n@events\n%s", &actions, &schedules, &events)
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
