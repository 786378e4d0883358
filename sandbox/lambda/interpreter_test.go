package lambda_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"arc/sandbox/lambda"
)

// TestOtherVersion runs a function of a runtime of the future: on the Node that
// is there, with one warning that names both.
func TestOtherVersion(t *testing.T) {
	need(t, "node")
	warned := make(chan string, 10)
	s := newService(t, lambda.Options{Warn: func(text string) { warned <- text }})
	dir := folder(t, "-- index.mjs --\nexport const handler = async () => process.version\n")
	for _, name := range []string{"one", "two"} {
		s.Put(lambda.Function{Name: name, Runtime: "nodejs98.x", Handler: "index.handler", Dir: dir})
	}
	r, err := s.Invoke(context.Background(), "one", []byte("{}"))
	if err != nil || !strings.HasPrefix(string(r.Payload), `"v`) {
		t.Fatalf("%s, %v", r.Payload, err)
	}
	version := strings.Trim(string(r.Payload), `"v`)
	text := <-warned
	for _, part := range []string{"nodejs98.x", "Node.js " + version, "install Node.js 98"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
	if len(warned) > 0 {
		t.Errorf("said again: %s", <-warned)
	}
}

// TestManagedVersion has the right version where nvm would keep it, behind
// another one on the PATH.
func TestManagedVersion(t *testing.T) {
	need(t, "node")
	home := t.TempDir()
	program := filepath.Join(home, ".nvm/versions/node/v98.1.0/bin/node")
	if err := os.MkdirAll(filepath.Dir(program), 0o777); err != nil {
		t.Fatal(err)
	}
	// It is this machine's Node, and tells that it was reached through nvm's folder.
	script := "#!/bin/sh\n[ \"$1\" = --version ] && echo v98.1.0 && exit\nMANAGED=yes exec node \"$@\"\n"
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	s := newService(t, lambda.Options{
		User: func(name string) string { return map[string]string{"HOME": home}[name] },
		Warn: func(text string) { t.Errorf("warned: %s", text) },
	})
	dir := folder(t, "-- index.mjs --\nexport const handler = async () => process.env.MANAGED\n")
	s.Put(lambda.Function{Name: "fn", Runtime: "nodejs98.x", Handler: "index.handler", Dir: dir})
	r, err := s.Invoke(context.Background(), "fn", []byte("{}"))
	if err != nil || string(r.Payload) != `"yes"` {
		t.Fatalf("%s, %v", r.Payload, err)
	}
}

// TestNoInterpreter says at the start, before anything is called, that there is
// no program for a function, or that it is broken.
func TestNoInterpreter(t *testing.T) {
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "node"), []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct{ path, want string }{
		"missing": {t.TempDir(), "node is not on the PATH, and nodejs98.x functions need it"},
		"broken":  {broken, "does not tell its version, and nodejs98.x functions need it: does it run?"},
	} {
		warned := make(chan string, 10)
		s := newService(t, lambda.Options{Path: c.path, Warn: func(text string) { warned <- text }})
		s.Put(lambda.Function{Name: "fn", Runtime: "nodejs98.x", Handler: "index.handler", Dir: t.TempDir()})
		if text := <-warned; !strings.Contains(text, c.want) {
			t.Errorf("%s: %q does not say %q", what, text, c.want)
		}
	}
}
