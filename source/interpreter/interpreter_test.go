package interpreter

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFind lays out programs as version managers and systems do: small scripts
// that tell a version, as --version does.
func TestFind(t *testing.T) {
	home := t.TempDir()
	program := func(name, says string) string {
		file := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		script := "#!/bin/sh\necho run >>" + filepath.Join(home, "asked") + "\necho '" + says + "'\n"
		if strings.HasPrefix(says, "!") {
			script = "#!/bin/sh\nexit 127\n"
		}
		if err := os.WriteFile(file, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		return filepath.Dir(file)
	}
	usr := program("usr/python3", "Python 3.11.7")
	program("usr/node", "v20.20.2")
	program("usr/ruby", "ruby 3.1.2p20 (2022-04-12)")
	shims := program("x/shims/python3.12", "! switched off")
	program(".pyenv/versions/3.12.9/bin/python3.12", "Python 3.12.9")
	program(".pyenv/versions/3.12.10/bin/python3.12", "Python 3.12.10")
	program(".nvm/versions/node/v22.9.0/bin/node", "v22.9.0")
	program(".nvm/versions/node/v22.10.0/bin/node", "v22.10.0")
	program("elsewhere/tools/image/node/24.1.0/bin/node", "v24.1.0")
	program(".local/share/mise/installs/ruby/3.3.6/bin/ruby", "ruby 3.3.6")
	named := program("named/python3.13", "Python 3.13.0")
	env := map[string]string{
		"HOME": home, "VOLTA_HOME": filepath.Join(home, "elsewhere"),
		"PATH": strings.Join([]string{"relative", shims, usr, named}, string(os.PathListSeparator)),
	}
	m := Machine{Env: func(name string) string { return env[name] }, Cache: filepath.Join(home, "cache")}
	for runtime, want := range map[string]string{
		"nodejs20.x": "usr/node 20.20.2 true",
		"nodejs22.x": ".nvm/versions/node/v22.10.0/bin/node 22.10.0 true",
		"nodejs24.x": "elsewhere/tools/image/node/24.1.0/bin/node 24.1.0 true",
		"nodejs18.x": "usr/node 20.20.2 false",
		"python3.11": "usr/python3 3.11.7 true",
		"python3.12": ".pyenv/versions/3.12.10/bin/python3.12 3.12.10 true",
		"python3.13": "named/python3.13 3.13.0 true",
		"python3.14": "usr/python3 3.11.7 false",
		"python3.1":  "usr/python3 3.11.7 false",
		"ruby3.3":    ".local/share/mise/installs/ruby/3.3.6/bin/ruby 3.3.6 true",
		"ruby3.4":    "usr/ruby 3.1.2 false",
	} {
		f, err := m.Find(context.Background(), runtime)
		if err != nil {
			t.Errorf("%s: %v", runtime, err)
			continue
		}
		rel, _ := filepath.Rel(home, f.Program)
		if got := fmt.Sprintf("%s %s %t", filepath.ToSlash(rel), f.Version, f.Right()); got != want {
			t.Errorf("%s: %s, want %s", runtime, got, want)
		}
	}
	// Versions are remembered until the program changes.
	asked := func() int {
		text, _ := os.ReadFile(filepath.Join(home, "asked"))
		return strings.Count(string(text), "run")
	}
	before := asked()
	find := func() string {
		f, _ := m.Find(context.Background(), "nodejs20.x")
		return f.Version
	}
	if find() != "20.20.2" || asked() != before {
		t.Error("a program that has not changed is asked again")
	}
	program("usr/node", "v20.21.0 of today")
	if got := find(); got != "20.21.0" {
		t.Errorf("after an update: %s", got)
	}
	if _, err := m.Find(context.Background(), "deno"); err == nil || !strings.Contains(err.Error(), "install Deno") {
		t.Errorf("no Deno: %v", err)
	}
	if _, err := m.Find(context.Background(), "java21"); err == nil {
		t.Error("Java runs")
	}
}
