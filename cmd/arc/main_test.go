package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite goldens")

// TestMain lets the scripts run this very test binary as the command arc.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"arc": main})
}

// TestScripts runs testdata/script/*.txtar: one script a promise to the user.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, scripts(t, "../../testdata/script"))
}

// scripts says how the scripts of a folder are run.
func scripts(t *testing.T, dir string) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition: func(name string) (bool, error) {
			if name == "ci" { // where a missing tool fails, and skips nothing
				return os.Getenv("CI") == "true", nil
			}
			return false, fmt.Errorf("there is no condition %s", name)
		},
		Setup: func(env *testscript.Env) error {
			seed := filepath.Join(env.WorkDir, "seed")
			if err := copyApp(seed, "../../testdata/apps/seed"); err != nil {
				return err
			}
			env.Setenv("SEED", seed)
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, ".state"))
			if err := shareCache(filepath.Join(env.WorkDir, ".cache")); err != nil {
				return err
			}
			env.Setenv("HOME", filepath.Join(env.WorkDir, ".home"))
			// npm asks the registry that the machine is set up for, and keeps its own cache.
			if home, err := os.UserHomeDir(); err == nil {
				env.Setenv("NPM_CONFIG_USERCONFIG", filepath.Join(home, ".npmrc"))
				env.Setenv("NPM_CONFIG_CACHE", filepath.Join(home, ".npm"))
			}
			env.Setenv("NODE_EXTRA_CA_CERTS", os.Getenv("NODE_EXTRA_CA_CERTS"))
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			if cache, err := exec.Command("go", "env", "GOCACHE").Output(); err == nil {
				env.Setenv("GOCACHE", strings.TrimSpace(string(cache))) // or the standard library is compiled again
			}
			env.Setenv("NODE_EXTRA_CA_CERTS", os.Getenv("NODE_EXTRA_CA_CERTS")) // for npm behind a proxy
			env.Setenv("PORT", strconv.Itoa(freePort(t)))
			env.Setenv("CLOUD_PORT", strconv.Itoa(freePort(t))) // for scripts that talk to the local cloud themselves
			env.Setenv("DB_PORT", strconv.Itoa(freePort(t)))    // for a DynamoDB endpoint of their own
			return os.MkdirAll(filepath.Join(env.WorkDir, ".home"), 0o777)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"golden": golden,
			"need":   need,
			"get":    get,
			"await":  await,
			"echo":   wsEcho,
			"url":    appURL,
			"gone":   gone,
			"crash":  crash,
			"events": events,
		},
	}
}

// shareCache gives a test's cache what arc fetches once for each user: SDKs and
// programs. Every test would fetch them anew, and wait for npm.
func shareCache(cache string) error {
	user, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(cache, "arc"), 0o700); err != nil {
		return err
	}
	for _, name := range []string{"programs", "compiled"} {
		shared := filepath.Join(user, "arc-ci", "shared", name)
		if err := os.MkdirAll(shared, 0o700); err != nil {
			return err
		}
		if err := os.Symlink(shared, filepath.Join(cache, "arc", name)); err != nil {
			return err
		}
	}
	return nil
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

// get URL STATUS [REGEXP] fetches a page and looks at its status and body.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: get url status [regexp]")
	}
	ts.Check(fetch(args))
}

// await is get for what is about to come true: a saved file is noticed some
// milliseconds after it was written.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: await url status [regexp]")
	}
	var err error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = fetch(args); err == nil {
			return
		}
	}
	ts.Check(err)
}

// url NAME FILE sets NAME to the HTTP URL that a deploy printed into FILE.
func appURL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: url name file")
	}
	found := regexp.MustCompile(`(?m)^HTTP  (\S+)$`).FindStringSubmatch(ts.ReadFile(args[1]))
	if found == nil {
		ts.Fatalf("%s holds no HTTP URL", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// gone URL says that nothing answers there any more.
func gone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: gone url")
	}
	resp, err := http.Get(args[0])
	if err == nil {
		resp.Body.Close()
		ts.Fatalf("GET %s: %s", args[0], resp.Status)
	}
}

// crash ends the local cloud of the script's project with kill -9.
func crash(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: crash")
	}
	files, err := filepath.Glob(filepath.Join(ts.Getenv("XDG_CACHE_HOME"), "arc", "local", "*.json"))
	ts.Check(err)
	if len(files) != 1 {
		ts.Fatalf("%d local clouds run", len(files))
	}
	text, err := os.ReadFile(files[0])
	ts.Check(err)
	var running struct{ PID int }
	ts.Check(json.Unmarshal(text, &running))
	p, err := os.FindProcess(running.PID)
	ts.Check(err)
	ts.Check(p.Kill())
	for p.Signal(syscall.Signal(0)) == nil {
		time.Sleep(time.Millisecond)
	}
}

func fetch(args []string) error {
	resp, err := http.Get(args[0])
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if fmt.Sprint(resp.StatusCode) != args[1] {
		return fmt.Errorf("GET %s: %s\n%s", args[0], resp.Status, body)
	}
	if len(args) > 2 && !regexp.MustCompile(args[2]).Match(bytes.TrimSpace(body)) {
		return fmt.Errorf("GET %s: %s is not in\n%s", args[0], args[2], body)
	}
	return nil
}

// echo URL MESSAGE REGEXP sends a WebSocket message and looks at the answer.
func wsEcho(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: echo url message regexp")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, args[0], nil)
	ts.Check(err)
	defer conn.CloseNow()
	ts.Check(conn.Write(ctx, websocket.MessageText, []byte(args[1])))
	_, answer, err := conn.Read(ctx)
	ts.Check(err)
	if !regexp.MustCompile(args[2]).Match(answer) {
		ts.Fatalf("%s answered %s", args[0], answer)
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

// freePort is a port that nobody listened on a moment ago. It is none of those that
// systems give to whoever asks for any, from 32768 or 49152 on: what runs beside this
// test would soon have it.
func freePort(t testing.TB) int {
	t.Helper()
	var last error
	for range 100 {
		port := 10000 + rand.IntN(20000)
		l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			l.Close()
			return port
		}
		last = err
	}
	t.Fatal(last)
	return 0
}

// writeArchive writes the files of a txtar archive below a folder.
func writeArchive(t testing.TB, dir, archive string) {
	t.Helper()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		file := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, f.Data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// invoke runs the program in this process.
func invoke(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(context.Background(), append([]string{"arc"}, args...), bytes.NewReader(nil), &out, &errs, func(string) string { return "" })
	return code, out.String(), errs.String()
}
