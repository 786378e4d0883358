package main

import (
	"bytes"
	"context"
	"flag"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite goldens")

// TestMain lets the scripts run this very test binary as the command arc.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"arc": main})
}

// TestScripts runs testdata/script/*.txtar: one script a promise to the user.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			seed := filepath.Join(env.WorkDir, "seed")
			if err := copyApp(seed, "../../testdata/apps/seed"); err != nil {
				return err
			}
			env.Setenv("SEED", seed)
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
			env.Setenv("HOME", filepath.Join(env.WorkDir, ".home"))
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			env.Setenv("PORT", strconv.Itoa(freePort(t)))
			return os.MkdirAll(filepath.Join(env.WorkDir, ".home"), 0o777)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"golden": golden,
			"need":   need,
		},
	})
}

// copyApp copies an example app without what npm may have put there.
func copyApp(to, from string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(to, "node_modules"))
}

// golden FILE compares the last stdout with testdata/FILE of the repository,
// or rewrites it with -update: "golden templates/seed.json".
func golden(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: golden file")
	}
	file := filepath.Join("../../testdata", filepath.FromSlash(args[0]))
	got := ts.ReadFile("stdout")
	if *update {
		ts.Check(os.MkdirAll(filepath.Dir(file), 0o777))
		ts.Check(os.WriteFile(file, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(file)
	ts.Check(err)
	if got != string(want) {
		ts.Check(os.WriteFile(ts.MkAbs("want"), want, 0o666))
		ts.Check(os.WriteFile(ts.MkAbs("got"), []byte(got), 0o666))
		ts.Exec("diff", "-u", "want", "got")
		ts.Fatalf("stdout differs from %s; go test ./cmd/arc -update rewrites it", args[0])
	}
}

// need TOOL skips the script where a tool is missing, and fails it in CI.
func need(ts *testscript.TestScript, neg bool, args []string) {
	for _, tool := range args {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				ts.Fatalf("%s is not installed", tool)
			}
			ts.Logf("skipped: %s is not installed", tool)
			ts.Fatalf("skip")
		}
	}
}

// lookTool finds a program, or skips the test (fails it in CI).
func lookTool(t testing.TB, tool string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed", tool)
	}
	t.Skipf("%s is not installed", tool)
	return ""
}

// freePort is a port that nobody listened on a moment ago.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// invoke runs the program in this process.
func invoke(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(context.Background(), append([]string{"arc"}, args...), bytes.NewReader(nil), &out, &errs, func(string) string { return "" })
	return code, out.String(), errs.String()
}
