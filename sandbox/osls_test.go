package sandbox_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/coder/websocket"

	"arc/sandbox/invoke/clocktest"
)

// The newest osls, the Serverless Framework's fork, deploys, changes and removes,
// unchanged, a service with an HTTP API, a WebSocket API, a schedule, a queue, a
// table and its stream.
// https://github.com/oss-serverless/osls
func TestOsls(t *testing.T) {
	t.Parallel()
	need(t, "node")
	began := time.Now()
	clock := clocktest.New(began)
	_, c := newPackaged(t, clock)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "osls"))); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(cdkPackages(t), "osls", "bin", "serverless.js")
	environment := append(elsewhere(c.Running().Endpoint), "HOME="+t.TempDir(), "SLS_NOTIFICATIONS_MODE=off", "NO_COLOR=1", "CI=true")
	osls := func(arguments ...string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "node", append([]string{program}, arguments...)...)
		cmd.Dir, cmd.Env = dir, environment
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("osls %v: %v\n%s", arguments, err, out)
		}
		return string(out)
	}
	said := osls("deploy")
	between := func(from, to string) string {
		t.Helper()
		_, rest, ok := strings.Cut(said, from)
		inner, _, ends := strings.Cut(rest, to)
		if !ok || !ends {
			t.Fatalf("no %s…%s in\n%s", from, to, said)
		}
		return inner
	}
	host := hostOf("https://"+between("GET - https://", "/notes"), c.Running().Endpoint)
	ask := func(method, text string) (int, string) {
		return get(t, c.Running().Endpoint+"/notes", func(r *http.Request) {
			r.Method, r.Host, r.Body = method, host, io.NopCloser(strings.NewReader(text))
			r.Header.Set("Content-Type", "text/plain")
		})
	}
	holds := func(want string) func() bool {
		return func() bool { _, got := ask("GET", ""); return got == want }
	}
	now := func() string { _, got := ask("GET", ""); return got }
	if status, _ := ask("POST", "milk"); status != 202 {
		t.Errorf("POST /notes: %d", status)
	}
	wait(t, holds(`{"notes":["milk queued"]}`), now)
	clock.Set(began.Add(5 * time.Minute))
	wait(t, holds(`{"notes":["milk queued","tick scheduled"]}`), now)
	group := "/aws/lambda/notes-dev-change"
	wait(t, func() bool {
		lines := strings.Join(logLines(t, c, group), "\n")
		return strings.Contains(lines, "changed milk") && strings.Contains(lines, "changed tick")
	}, func() string { return "the stream's function logs " + strings.Join(logLines(t, c, group), "\n") })

	conn, _, err := websocket.Dial(t.Context(), strings.Replace(c.Running().Endpoint, "http", "ws", 1)+"/dev",
		&websocket.DialOptions{Host: hostOf("wss://"+between("wss://", "/dev"), c.Running().Endpoint)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if got := say(t, conn, "hello"); got != "heard hello" {
		t.Errorf("the socket answers %q", got)
	}

	rest := ""
	for line := range strings.Lines(said) {
		if _, address, ok := strings.Cut(line, "GET - "); ok && strings.HasSuffix(strings.TrimSpace(address), "/dev/rest/{id}") {
			rest = hostOf(address, c.Running().Endpoint)
		}
	}
	for _, step := range [][4]string{
		{"GET", "/dev/rest/7", "", "rest 7"}, {"OPTIONS", "/dev/rest/7", "", ""}, {"POST", "/dev/rest/8", `{"told":"this"}`, `"8 this"`},
	} {
		status, got := get(t, c.Running().Endpoint+step[1], func(r *http.Request) {
			r.Method, r.Host, r.Body = step[0], rest, io.NopCloser(strings.NewReader(step[2]))
			r.Header.Set("Content-Type", "application/json")
		})
		if status != 200 || got != step[3] {
			t.Errorf("%s %s: %d %q", step[0], step[1], status, got)
		}
	}

	file := filepath.Join(dir, "index.js")
	code, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(code, []byte("{ notes:"), []byte("{ changed:")), 0o644); err != nil {
		t.Fatal(err)
	}
	osls("deploy", "function", "--function", "api")
	wait(t, holds(`{"changed":["milk queued","tick scheduled"]}`), now)

	osls("remove")
	_, err = stacksOf(c).DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("notes-dev")},
		func(o *cloudformation.Options) { o.Region = "eu-west-1" })
	if err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("after osls remove: %v", err)
	}
}
