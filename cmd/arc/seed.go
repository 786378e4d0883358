package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"arc/sandbox"
	"arc/sandbox/child"
)

// seed fills tables that hold nothing with the rows of sandbox-seed.json, .js,
// .mjs or .cjs, the first that there is (sandbox reference, 9). What is wrong
// with them is a warning: the app runs without.
func (s *session) seed(ctx context.Context, p *project, local *sandbox.Cloud, stackName string) {
	if len(p.app.Tables) == 0 {
		return
	}
	file, rows, err := s.seedRows(ctx, p)
	if err != nil || file == "" {
		s.warn(err)
		return
	}
	tables, total := 0, 0
	for _, table := range slices.Sorted(maps.Keys(rows)) {
		var items []map[string]any
		if err := decodeRows(rows[table], &items); err != nil {
			s.warn(fmt.Errorf("%s: %s: must be a list of rows, each an object: %w", file, table, err))
			continue
		}
		put, found, err := local.Seed(ctx, stackName, table, items)
		switch {
		case !found && err == nil:
			s.warn(fmt.Errorf("%s: there is no table %s in the manifest", file, table))
		case err != nil:
			s.warn(fmt.Errorf("%s: %w", file, err))
		case put > 0:
			tables, total = tables+1, total+put
		}
	}
	if total > 0 {
		s.note("seeded %d table%s with %d row%s from %s", tables, plural(tables), total, plural(total), file)
	}
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

func (s *session) warn(err error) {
	if err != nil {
		s.note("%s %v", s.paint(yellow, "warning:"), err)
	}
}

func decodeRows(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode(into)
}

// printDefault prints a module's default export, or all that it exports, as JSON.
const printDefault = `const m = await import(process.argv[1]); process.stdout.write(JSON.stringify(m.default ?? m))`

// seedRows reads the seed file; file is "" when there is none.
func (s *session) seedRows(ctx context.Context, p *project) (file string, rows map[string]json.RawMessage, err error) {
	base := "sandbox-seed"
	if named := p.app.Prefs.SeedData; named != "" {
		base = strings.TrimSuffix(filepath.ToSlash(filepath.Clean(named)), filepath.Ext(named))
	}
	for _, extension := range []string{".json", ".js", ".mjs", ".cjs"} {
		file = base + extension
		path := p.path(file)
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && extension != ".json" {
			node := exec.Command("node", "--input-type=module", "-e", printDefault, "file://"+path)
			node.Dir = p.dir
			var rows, said bytes.Buffer
			node.Stdout, node.Stderr = &rows, &said
			err = child.Run(ctx, node)
			if text = rows.Bytes(); err != nil {
				lines := strings.Split(strings.TrimSpace(said.String()), "\n")
				err = fmt.Errorf("%w\n%s", err, indent(strings.Join(lines[:min(len(lines), 6)], "\n")))
			}
		}
		if err == nil {
			err = json.Unmarshal(text, &rows)
		}
		if err != nil {
			return file, nil, fmt.Errorf("%s: %w", file, err)
		}
		return file, rows, nil
	}
	if p.app.Prefs.SeedData != "" {
		return "", nil, fmt.Errorf("seed-data %s: no such file, as .json, .js, .mjs or .cjs", p.app.Prefs.SeedData)
	}
	return "", nil, nil
}

// startup runs the commands of @sandbox-startup, one after the other, once the
// app is up. AWS clients in them meet the local cloud.
func (s *session) startup(ctx context.Context, p *project, local *sandbox.Cloud) {
	env := append(os.Environ(), "ARC_APP_NAME="+p.app.Name)
	for name, value := range local.Variables() {
		env = append(env, name+"="+value)
	}
	for _, command := range p.app.Prefs.Startup {
		s.note("running %s", command)
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, s.stderr, s.stderr
		cmd.Env = env
		if err := child.Run(ctx, cmd); err != nil && ctx.Err() == nil {
			s.warn(fmt.Errorf("@sandbox-startup: %s: %w", command, err))
		}
	}
}
