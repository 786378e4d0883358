package sandbox_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"arc/sandbox"
	"arc/sandbox/invoke"
	"arc/source"
)

// npmPackages gives a node_modules with the newest releases of packages, which
// are installed into the user's cache and looked for again in another week.
func npmPackages(t *testing.T, folder string, packages ...string) string {
	var newest []string
	for _, name := range packages {
		newest = append(newest, name+"@latest")
	}
	year, week := time.Now().ISOWeek()
	return installed(t, folder, fmt.Sprint(year, " ", week), append([]string{"--ignore-scripts"}, newest...)...)
}

// installed gives the node_modules that npm install makes of arguments, of an edition,
// for there may be newer releases. It is made once, in a folder of the user's cache
// that gets its name when it is whole: who makes it at the same time, in this process
// or another, is in nobody's way. Editions that are a fortnight old go.
func installed(t *testing.T, folder, edition string, arguments ...string) string {
	t.Helper()
	need(t, "npm")
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	all := filepath.Join(cache, "arc-ci", folder)
	sum := sha256.Sum256([]byte(edition + "\n" + strings.Join(arguments, "\n")))
	dir := filepath.Join(all, "edition-"+hex.EncodeToString(sum[:8]))
	installing.Lock()
	defer installing.Unlock()
	whole := func() bool {
		_, err := os.Stat(dir)
		return err == nil
	}
	if whole() {
		return filepath.Join(dir, "node_modules")
	}
	if err := os.MkdirAll(all, 0o755); err != nil {
		t.Fatal(err)
	}
	earlier, err := filepath.Glob(filepath.Join(all, "edition-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, old := range earlier {
		if info, err := os.Stat(old); err == nil && edition != "" && time.Since(info.ModTime()) > 14*24*time.Hour {
			os.RemoveAll(old)
		}
	}
	begun, err := os.MkdirTemp(all, "begun-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(begun)
	arguments = append([]string{"install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", begun}, arguments...)
	if out, err := exec.Command("npm", arguments...).CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("npm install: %v\n%s", err, out)
		}
		t.Skipf("npm install: %v\n%s", err, out)
	}
	if err := os.Rename(begun, dir); err != nil && !whole() {
		t.Fatal(err)
	}
	return filepath.Join(dir, "node_modules")
}

var installing sync.Mutex

// cdkPackages has the CDK, osls, and the clients that testdata/cdk asks Lambda's
// runtime for.
func cdkPackages(t *testing.T) string {
	if testing.Short() {
		t.Skip("-short: not running the CDK")
	}
	return npmPackages(t, "cdk", "aws-cdk", "aws-cdk-lib", "constructs", "osls",
		"@aws-sdk/client-dynamodb", "@aws-sdk/client-sqs", "@aws-sdk/client-apigatewaymanagementapi",
		// What the CDK's own handlers of custom resources ask for.
		"@aws-sdk/client-s3", "@aws-sdk/client-ssm", "@aws-sdk/client-lambda", "@aws-sdk/client-sfn", "@aws-sdk/client-cloudwatch-logs", "@aws-sdk/credential-providers")
}

// cdkApp is an app of the CDK in a folder, whose client is pointed at a cloud by
// AWS_ENDPOINT_URL and nothing else.
type cdkApp struct {
	t       *testing.T
	dir     string
	modules string
	env     []string
}

// elsewhere is the environment of a client that knows a cloud's endpoint and asks
// in another region than the cloud's own: a stack lives where its client asks.
func elsewhere(endpoint string) (env []string) {
	for _, set := range os.Environ() {
		if name, _, _ := strings.Cut(set, "="); !strings.HasPrefix(name, "AWS_") && name != "NODE_EXTRA_CA_CERTS" {
			env = append(env, set)
		}
	}
	return append(env, "AWS_ENDPOINT_URL="+endpoint, "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local")
}

// newPackaged starts a cloud whose functions have the clients of cdkPackages, and
// whose schedules go by clock; nil = the machine's.
func newPackaged(t *testing.T, clock invoke.Clock) (*project, *sandbox.Cloud) {
	p := newProject(t)
	packages := filepath.Dir(cdkPackages(t))
	opts := p.options()
	opts.Clock = clock
	opts.Offer = func(dir, runtime string, names ...string) (source.Offered, error) {
		return source.Tree{Files: os.DirFS(packages), Disk: packages}.Offer(&source.Builder{Dir: packages, Env: os.Getenv, Cache: t.TempDir(), Live: true}, dir, runtime, names...)
	}
	c, err := sandbox.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return p, c
}

// newCDKApp copies the app of a folder of testdata.
func newCDKApp(t *testing.T, folder, endpoint string) *cdkApp {
	need(t, "node")
	a := &cdkApp{t: t, dir: t.TempDir(), modules: cdkPackages(t)}
	a.env = append(elsewhere(endpoint), "CDK_HOME="+t.TempDir(), "CDK_DISABLE_CLI_TELEMETRY=true", "CDK_DISABLE_VERSION_CHECK=1", "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION=1")
	if err := os.CopyFS(a.dir, os.DirFS(filepath.Join("testdata", folder))); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(a.modules, filepath.Join(a.dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return a
}

// command is a run of cdk.
func (a *cdkApp) command(ctx context.Context, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "node", append([]string{filepath.Join(a.modules, "aws-cdk", "bin", "cdk"), "--ci", "--no-notices", "--no-color"}, arguments...)...)
	cmd.Dir, cmd.Env = a.dir, a.env
	return cmd
}

// cdk runs cdk to its end and gives what it said.
func (a *cdkApp) cdk(arguments ...string) string {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), 4*time.Minute)
	defer cancel()
	out, err := a.command(ctx, arguments...).CombinedOutput()
	if err != nil {
		a.t.Fatalf("cdk %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
	return string(out)
}

// output is an output of the app's stack, as cdk prints it.
func output(t *testing.T, said, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(said, "."+name+" = ")
	if !ok {
		t.Fatalf("no output %s in\n%s", name, said)
	}
	value, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(value)
}

// hears waits for words in what a program that goes on says.
type hears struct {
	mu   sync.Mutex
	said bytes.Buffer
}

// Write takes what the program says.
func (h *hears) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.said.Write(p)
}

func (h *hears) until(t *testing.T, words string, times int) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		h.mu.Lock()
		said := h.said.String()
		h.mu.Unlock()
		if strings.Count(said, words) >= times {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%q was not said %d times:\n%s", words, times, said)
		}
	}
}

// The newest CDK bootstraps, deploys, compares, watches and destroys, unchanged,
// an app with an HTTP API, a WebSocket API, functions, a table and a queue.
// https://docs.aws.amazon.com/cdk/v2/guide/cli.html
func TestCDK(t *testing.T) {
	t.Parallel()
	_, c := newPackaged(t, nil)
	a := newCDKApp(t, "cdk", c.Running().Endpoint)
	a.cdk("bootstrap")
	said := a.cdk("deploy", "--require-approval", "never")
	send := func(method, name, path string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, c.Running().Endpoint+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = hostOf(output(t, said, name), c.Running().Endpoint)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(resp.StatusCode, " ", string(body))
	}
	ask := func() string { t.Helper(); return send(http.MethodGet, "Http", "/notes") }
	if got := ask(); got != "200 notes: 1 in eu-west-1" {
		t.Errorf("the HTTP API answers %q", got)
	}
	for request, want := range map[[2]string]string{
		{"PUT", "/prod/a/b"}:      "200 PUT /{proxy+} /a/b",
		{"GET", "/prod/"}:         "200 GET / /",
		{"OPTIONS", "/prod/a"}:    "204 ",
		{"GET", "/prod/sum?n=3"}:  "200 {\"for\":3,\"large\":6}\n",
		{"GET", "/prod/locked/7"}: `403 {"message":"Forbidden"}`,
	} {
		if got := send(request[0], "Front", request[1]); got != want {
			t.Errorf("the REST API answers %v with %q, want %q", request, got, want)
		}
	}
	address := output(t, said, "Socket") // wss://ID.execute-api.eu-west-1.amazonaws.com/live
	conn, _, err := websocket.Dial(t.Context(), strings.Replace(c.Running().Endpoint, "http", "ws", 1)+"/live", &websocket.DialOptions{Host: hostOf(address, c.Running().Endpoint)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if got := say(t, conn, "hello"); got != "heard hello" {
		t.Errorf("the socket answers %q", got)
	}

	if said := a.cdk("diff", "--app", "cdk.out"); !strings.Contains(said, "There were no differences") {
		t.Errorf("cdk diff finds some:\n%s", said)
	}
	handler := filepath.Join(a.dir, "fn", "index.js")
	code, err := os.ReadFile(handler)
	if err != nil {
		t.Fatal(err)
	}
	watch := a.command(t.Context(), "watch", "--hotswap")
	heard := &hears{}
	watch.Stdout, watch.Stderr = heard, heard
	watch.Cancel = func() error { return watch.Process.Signal(os.Interrupt) }
	watch.WaitDelay = 10 * time.Second
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	heard.until(t, "Total time:", 1)
	if err := os.WriteFile(handler, bytes.ReplaceAll(code, []byte("notes: "), []byte("watched: ")), 0o644); err != nil {
		t.Fatal(err)
	}
	heard.until(t, "hotswapped!", 1)
	heard.until(t, "Total time:", 2)
	if got := ask(); !strings.HasPrefix(got, "200 watched: ") {
		t.Errorf("after cdk watch the HTTP API answers %q", got)
	}
	if err := watch.Cancel(); err != nil {
		t.Fatal(err)
	}
	_ = watch.Wait() // it was interrupted

	// A variable more is a difference, and comes by UpdateFunctionConfiguration.
	app := filepath.Join(a.dir, "app.js")
	source, err := os.ReadFile(app)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(app, bytes.Replace(source, []byte("environment: {"), []byte("environment: { MARK: 'marked ',"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	if said := a.cdk("diff"); !strings.Contains(said, "[+] Added: .MARK") {
		t.Errorf("cdk diff does not find the variable:\n%s", said)
	}
	if said := a.cdk("deploy", "--hotswap", "--app", "cdk.out"); !strings.Contains(said, "hotswapped!") {
		t.Errorf("cdk deploy --hotswap: %s", said)
	}
	if got := ask(); !strings.HasPrefix(got, "200 marked watched: ") {
		t.Errorf("after cdk deploy --hotswap the HTTP API answers %q", got)
	}

	if said := a.cdk("destroy", "--force", "--app", "cdk.out"); !strings.Contains(said, "destroyed") {
		t.Errorf("cdk destroy: %s", said)
	}
}

// hostOf is the host that the cloud's endpoint serves an API for: its own name
// below localhost, with the port.
func hostOf(address, endpoint string) string {
	_, host, _ := strings.Cut(address, "://")
	id, _, _ := strings.Cut(host, ".")
	return id + ".execute-api.localhost:" + endpoint[strings.LastIndexByte(endpoint, ':')+1:]
}

// Each provider reads its properties before it does anything: what is wrong with
// them is refused before anything of a stack is made.
func TestPropertiesAreReadFirst(t *testing.T) {
	c := newProject(t).start()
	defer c.Close()
	for name, err := range c.Previewed() {
		if err == nil {
			t.Errorf("%s: a resource was made when its properties were only to be looked at", name)
		}
	}
}
