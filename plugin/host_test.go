package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"arc/manifest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite goldens")

// project lays out a txtar archive, and reads it.
func project(t *testing.T, file string) (string, manifest.Result) {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range a.Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o666)
		if strings.HasPrefix(string(f.Data), "#!") {
			mode = 0o777
		}
		if err := os.WriteFile(name, f.Data, mode); err != nil {
			t.Fatal(err)
		}
	}
	result := manifest.Load(os.DirFS(dir), manifest.Options{})
	if result.App == nil {
		t.Fatal(result.Diagnostics)
	}
	return dir, result
}

// said is what plugins printed.
type said struct {
	mu    sync.Mutex
	lines []string
}

func (s *said) add(name, line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, name+": "+line)
}

func (s *said) has(line string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.lines, line)
}

func host(t *testing.T, dir string, options Options) *Host {
	t.Helper()
	for _, tool := range []string{"node", "python3"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is not installed", tool)
			}
			t.Skipf("%s is not installed", tool)
		}
	}
	node, _ := exec.LookPath("node")
	options.Dir, options.Env = dir, os.Environ()
	if options.Node == "" {
		options.Node = node
	}
	h := New(options)
	t.Cleanup(h.Close)
	return h
}

func start(t *testing.T, file string, options Options) (*Host, Project) {
	t.Helper()
	dir, result := project(t, file)
	h := host(t, dir, options)
	if err := errors.Join(h.Find(t.Context(), Refs(result.App)), h.Load(t.Context())); err != nil {
		t.Fatal(err)
	}
	return h, Project{Dir: dir, Stage: "staging", Result: result}
}

// TestHooks: every hook is called with what Architect calls it with, whatever
// the plugin is written in.
func TestHooks(t *testing.T) {
	var out said
	h, p := start(t, "testdata/hooks.txtar", Options{
		Output: out.add,
		Invoke: func(_ context.Context, pragma, name string, payload json.RawMessage) (json.RawMessage, error) {
			if name == "fails" {
				return nil, &InvokeError{Type: "TypeError", Message: "it is no function"}
			}
			return json.Marshal(map[string]any{"pragma": pragma, "name": name, "payload": payload})
		},
	})
	var got strings.Builder
	for _, plugin := range h.Plugins {
		fmt.Fprintf(&got, "%s %s: %s\n", plugin.Kind(), plugin.Name, strings.Join(plugin.Hooks, ", "))
	}
	sets, err := h.Settings(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range sets {
		fmt.Fprintf(&got, "%s set.%s %s\n", set.Plugin, set.Hook, set.Value)
	}
	d := Deployment{StackName: "HooksStaging", Stage: "staging", DryRun: true}
	edited, err := h.Edit(t.Context(), p, d, []byte(`{"Resources":{"Role":{"Type":"AWS::IAM::Role"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&got, "template %s\n", edited.Template)
	for _, path := range []string{"Resources.FromNode", "Resources.FromNodeThing", "Resources.Role", "Resources.FromMacro", "Outputs.FromPython"} {
		by := "nobody"
		if whose := edited.Whose(path); whose != nil {
			by = whose.Name
		}
		brought := "nobody"
		if bringer := edited.Bringer(path); bringer != nil {
			brought = bringer.Name
		}
		fmt.Fprintf(&got, "%s is by %s, brought by %s\n", path, by, brought)
	}
	copies, err := h.Copies(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&got, "copies %v\n", copies)
	for _, hook := range []string{"deploy.target", "deploy.end"} {
		if err := h.After(t.Context(), p, d, hook, edited.Template); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Sandbox(t.Context(), p, "sandbox.start", map[string]string{"GREETING": "hi"}, Change{}); err != nil {
		t.Fatal(err)
	}
	if err := h.Sandbox(t.Context(), p, "sandbox.watcher", nil, Change{File: "/x/y.js", Event: "update"}); err != nil {
		t.Fatal(err)
	}
	if err := h.Sandbox(t.Context(), p, "sandbox.end", nil, Change{}); err != nil {
		t.Fatal(err)
	}
	for _, fn := range p.Result.App.Functions() {
		files, ok, err := h.Handlers(t.Context(), p, fn)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "handlers of %s: %v %v\n", fn.Name, files, ok)
	}
	want := strings.TrimSpace(`
node: deploy.target HooksStaging
node: deploy.end HooksStaging true
node: start {"name":"saved","payload":{"n":1},"pragma":"events"} hi
node: refused TypeError: it is no function
node: watched /x/y.js update
node: end undefined
python: a line of its own`)
	for line := range strings.SplitSeq(want, "\n") {
		for deadline := time.Now().Add(10 * time.Second); !out.has(line); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("nobody printed %q, but:\n%s", line, strings.Join(out.lines, "\n"))
			}
		}
	}
	golden(t, "testdata/hooks.golden", strings.ReplaceAll(got.String(), p.Dir, "<DIR>"))
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-update rewrites it):\n%s", file, d)
	}
}

// TestWrong: each mistake of a plugin is an error at its line, with the remedy.
func TestWrong(t *testing.T) {
	for name, c := range map[string]struct{ plugin, says, code string }{
		"throws":     {"module.exports = { set: { env () { throw Error('no') } } }", "plugin x, set.env: no", "plugin-failed"},
		"load":       {"throw Error('at once')", "plugin x: at once", "plugin-failed"},
		"nothing":    {"module.exports = {}", "plugin x: it has no hook that there is", "plugin-answer"},
		"async":      {"module.exports = { set: { async env () { return {} } } }", "plugin x: set.env is not a synchronous function", "plugin-answer"},
		"no-func":    {"module.exports = { deploy: { start: 1 } }", "plugin x: deploy.start is not a function", "plugin-answer"},
		"register":   {"module.exports = { create: { register: 1 } }", "plugin x: create.register is neither a string nor an array", "plugin-answer"},
		"number":     {"module.exports = { set: { env: () => 7 } }", "plugin x, set.env: item 0 of what it gave is no object", "plugin-answer"},
		"outside":    {"module.exports = { set: { http: () => ({ method: 'get', path: '/', src: '/etc' }) } }", "plugin x, set.http: src /etc is outside the project, and no deploy would take what is there", "plugin-answer"},
		"hangs":      {"module.exports = { set: { env () { for (;;) ; } } }", "plugin x, set.env: it did not end in 0.3 s, and was ended", "plugin-hung"},
		"ends":       {"module.exports = { set: { env () { process.exit(3) } } }", "plugin x, set.env: its process ended before it answered", "plugin-failed"},
		"frozen":     {"'use strict'\nmodule.exports = { set: { env ({ inventory }) { inventory.inv.app = 'x' } } }", "plugin x, set.env: Cannot assign to read only property 'app' of object '#<Object>'", "plugin-failed"},
		"rejects":    {"module.exports = { set: { env: () => Promise.resolve({}) } }", "plugin x, set.env: set.env gave a promise: it must be synchronous", "plugin-failed"},
		"a string":   {"module.exports = { set: { env () { throw 'words' } } }", "plugin x, set.env: words", "plugin-failed"},
		"no message": {"module.exports = { set: { env () { throw Error() } } }", "plugin x, set.env: it failed, and gave no reason", "plugin-failed"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, result := project(t, "testdata/wrong.txtar")
			if err := os.MkdirAll(filepath.Join(dir, "src", "plugins"), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "src", "plugins", "x.js"), []byte(c.plugin), 0o666); err != nil {
				t.Fatal(err)
			}
			timeout := time.Duration(0)
			if name == "hangs" {
				timeout = 300 * time.Millisecond
			}
			h := host(t, dir, Options{Timeout: timeout})
			err := errors.Join(h.Find(t.Context(), Refs(result.App)), h.Load(t.Context()))
			if err == nil {
				_, err = h.Settings(t.Context(), Project{Dir: dir, Result: result})
			}
			own, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("no error of a plugin, but %v", err)
			}
			d := own.Diagnostic()
			if d.Message != c.says || d.Code != c.code || d.Pos.Line != 5 || d.Hint == "" {
				t.Errorf("%s [%s] at %s, hint %q; want %s [%s]", d.Message, d.Code, d.Pos, d.Hint, c.says, c.code)
			}
		})
	}
}

// TestCopied: what plugins copy into functions stays inside the project and below
// the function's packages.
func TestCopied(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ source, target, want string }{
		{"lib", "", "{lib lib}"},
		{"lib/deep/x.txt", "", "{lib/deep/x.txt x.txt}"},
		{"./lib/", "mine/", "{lib mine}"},
		{filepath.Join(dir, "lib"), "a/../b", "{lib b}"},
		{"", "x", "it copies something without a source"},
		{"lib", filepath.Join(dir, "x"), "the target " + filepath.Join(dir, "x") + " is absolute"},
		{"lib", "../x", "../x is outside"},
		{"lib", "..", ".. is outside"},
		{"../lib", "x", "../lib is outside"},
		{filepath.Dir(dir), "x", ".. is outside"},
		{"..lib", "x", "{..lib x}"},
	} {
		got, err := copied(dir, c.source, c.target)
		text := fmt.Sprint(got)
		if err != nil {
			text = err.Error()
		}
		if text != c.want {
			t.Errorf("%s to %q: %s, want %s", c.source, c.target, text, c.want)
		}
	}
}

// TestFailsLater: what fails in a plugin when nobody waits for it is told, with its
// own frames, and ends nothing.
func TestFailsLater(t *testing.T) {
	dir, result := project(t, "testdata/wrong.txtar")
	if err := os.MkdirAll(filepath.Join(dir, "src", "plugins"), 0o777); err != nil {
		t.Fatal(err)
	}
	plugin := `module.exports = { set: { env () { setTimeout(function later () { throw Error('too late') }); Promise.reject('nobody'); return { N: 'v' } } } }`
	if err := os.WriteFile(filepath.Join(dir, "src", "plugins", "x.js"), []byte(plugin), 0o666); err != nil {
		t.Fatal(err)
	}
	var failed said
	h := host(t, dir, Options{Failed: func(text string) { failed.add("", text) }})
	if err := errors.Join(h.Find(t.Context(), Refs(result.App)), h.Load(t.Context())); err != nil {
		t.Fatal(err)
	}
	p := Project{Dir: dir, Result: result}
	for range 2 { // the process is still there
		if _, err := h.Settings(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is told", func() bool {
			failed.mu.Lock()
			defer failed.mu.Unlock()
			all := strings.Join(failed.lines, "\n")
			return strings.Contains(all, "too late\nat Timeout.later") && strings.Contains(all, ": nobody\n")
		})
	}
	quiet := host(t, dir, Options{})
	if err := errors.Join(quiet.Find(t.Context(), Refs(result.App)), quiet.Load(t.Context())); err != nil {
		t.Fatal(err)
	}
	for range 2 { // where nobody listens, too
		if _, err := quiet.Settings(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWithoutNode: a machine without Node is told so.
func TestWithoutNode(t *testing.T) {
	dir, result := project(t, "testdata/wrong.txtar")
	err := New(Options{Dir: dir}).Find(t.Context(), Refs(result.App))
	if err == nil || err.Error() != "plugin x: Node runs it, and there is no node on the PATH" {
		t.Error(err)
	}
}

// TestDigest: other code is another state of a plugin, and the same is the same.
func TestDigest(t *testing.T) {
	h, p := start(t, "testdata/hooks.txtar", Options{})
	for _, plugin := range h.Plugins {
		first, err := plugin.Digest(p.Dir)
		if err != nil {
			t.Fatal(err)
		}
		again, err := plugin.Digest(p.Dir)
		if err != nil || again != first {
			t.Errorf("%s: %s, then %s (%v)", plugin.Name, first, again, err)
		}
		beside := filepath.Join(filepath.Dir(plugin.File), "more.js")
		if plugin.Program {
			beside = plugin.File
		}
		if err := os.WriteFile(beside, []byte("other"), 0o666); err != nil {
			t.Fatal(err)
		}
		if again, err = plugin.Digest(p.Dir); err != nil || again == first {
			t.Errorf("%s: other code has the same digest %s (%v)", plugin.Name, again, err)
		}
	}
}

// TestPlainLine: what moves the cursor of a terminal is left out.
func TestPlainLine(t *testing.T) {
	for in, want := range map[string]string{
		"\x1b[?25l\x1b[1A\n":         "",
		"\x1b[32mgreen\x1b[39m text": "green text",
		"a\tb\x07\r\n":               "a\tb",
		"\x1b]0;title\x07x":          "0;titlex",
	} {
		if got := plainLine(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// FuzzLines: whatever a plugin prints for an answer, arc goes on.
func FuzzLines(f *testing.F) {
	for _, line := range []string{`{"id":1,"result":{}}`, `{"id":1}`, `null`, `[]`, `{"log":"x"}`, `{"invoke":1}`, `{"id":-1,"error":{}}`, "x"} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		c := &child{host: New(Options{}), waits: map[int]chan response{}}
		var r response
		if json.Unmarshal(line, &r) == nil && r.known() && r.Invoke == 0 {
			c.take(r)
		}
		items, err := lists(line)
		if err == nil {
			for _, item := range items {
				if !object(item) {
					t.Errorf("%s is no object", item)
				}
			}
		}
		Edited{Template: line, By: map[string]*Plugin{}, Brought: map[string]*Plugin{}}.touched([]byte(`{"Resources":{"A":1}}`), &Plugin{})
		_, _ = services(&Plugin{}, []byte(`{"Resources":{}}`), line)
	})
}
