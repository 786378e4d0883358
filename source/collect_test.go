package source

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// Each archive is a project (project/…) with symbolic links (links) and
// executables (modes), the functions to collect, and what their zips hold. With a
// file run, each zip is unpacked elsewhere and its handler called by real Node:
// what it returns shows which versions of which packages it reached.
func TestCollect(t *testing.T) {
	eachArchive(t, "collect", "want", func(t *testing.T, a *txtar.Archive) string {
		dir := t.TempDir()
		layOut(t, dir, a)
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		fns := functions(t, partOf(a, "functions"))
		for i := range fns {
			fns[i].Build = &Builder{Dir: dir, Env: os.Getenv}
		}
		bundles, err := CollectAll(root.FS(), fns)
		var out strings.Builder
		if err != nil {
			fmt.Fprintf(&out, "error:\n%v\n\n", err)
		}
		for i, b := range bundles {
			if b == nil {
				continue
			}
			fmt.Fprintf(&out, "%s\n", fns[i].Dir)
			for _, f := range b.Files {
				mode := "-"
				if f.Executable {
					mode = "x"
				}
				fmt.Fprintf(&out, "  %s %4d %s\n", mode, f.Size, f.Path)
			}
			for _, w := range b.Findings {
				severity := ""
				if fns[i].Compiled && w.Severity == Warning {
					severity = "warning: "
				}
				fmt.Fprintf(&out, "  ! %s%s\n", severity, w)
			}
			if strings.Contains(partOf(a, "run"), "node") {
				fmt.Fprintf(&out, "  = %s\n", call(t, b))
			}
			out.WriteString("\n")
		}
		return out.String()
	})
}

// layOut writes the archive's project to disk.
func layOut(t testing.TB, dir string, a *txtar.Archive) {
	write := func(name string, data []byte) {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range a.Files {
		if name, ok := strings.CutPrefix(f.Name, "project/"); ok {
			write(name, f.Data)
		}
	}
	for line := range strings.Lines(partOf(a, "links")) {
		name, target, _ := strings.Cut(strings.TrimSpace(line), " -> ")
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, file); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(partOf(a, "modes")) {
		if err := os.Chmod(filepath.Join(dir, strings.TrimSpace(line)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// functions reads "dir runtime name=value…", one function a line.
func functions(t testing.TB, text string) []Function {
	var fns []Function
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		fn := Function{Dir: words[0], Runtime: words[1]}
		for _, w := range words[2:] {
			name, value, _ := strings.Cut(w, "=")
			switch name {
			case "shared":
				fn.Shared = value
			case "views":
				fn.Views = value
			case "handler":
				fn.HandlerFile = value
			case "bundle":
				fn.Bundle = true
			case "static":
				fn.StaticManifest = []byte(value)
			case "copy":
				from, to, _ := strings.Cut(value, ":")
				fn = fn.With(append(fn.Copies, Copy{From: from, To: to}))
			case "written":
				fn = fn.With(append(fn.Copies, Copy{To: value, Body: []byte("{}")}))
			case "compiled":
				fn.Compiled = true
			case "external":
				fn.External = strings.Split(value, ",")
			case "ignore":
				fn.Ignore = strings.Split(value, ",")
			default:
				t.Fatalf("unknown setting %s", w)
			}
		}
		fns = append(fns, fn)
	}
	return fns
}

// call unpacks a bundle far from the project and calls its handler.
func call(t *testing.T, b *Bundle) string {
	node := tool(t, "node")
	var zipped bytes.Buffer
	if err := b.WriteZip(&zipped); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := unzipInto(t, dir, zipped.Bytes()); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "--input-type=module", "-e", `
import { existsSync } from 'node:fs'
const file = ['index.mjs', 'index.cjs', 'index.js'].find(f => existsSync(f))
const { handler } = await import(process.cwd() + '/' + file)
console.log(JSON.stringify(await handler({})))`)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("node: %v", err)
	}
	return strings.TrimSpace(strings.ReplaceAll(string(out), dir, ""))
}
