package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

const motoCommandsApp = `
-- app.arc --
@app
around
@aws
region us-west-2
@http
get /
@events
paid
-- src/http/get-index/index.mjs --
export const handler = async () => ({ statusCode: 200, body: 'one' })
-- src/events/paid/index.mjs --
export const handler = async () => {}
`

// TestMotoCommands runs the commands around a deploy against moto_server, which is
// none of ours, and compares their calls with testdata/moto/calls.txt. Those that only
// look call nothing that changes anything; --direct takes three calls a function, of
// which the first waits until Lambda is done with it, beside what finds it.
//
// What moto 5.2.1 cannot answer, and answers instead:
//   - StartLiveTail (arc logs --follow) and DetectStackDrift (arc status --drift): 500, "The
//     start_live_tail action has not been implemented", which is tried again as any 500.
//     Following is shown on the local cloud, drift by what deploy's tests answer.
//   - It makes a stack within CreateStack or ExecuteChangeSet, and answers that call with the
//     refusal of the service behind it. No event of the stack says anything, so
//     that arc why finds nothing that failed; testdata/events has what AWS says.
//   - GetMetricData has no figures of Lambda: 0 calls.
//   - LastUpdateStatus is Successful at once: there is no second look at it.
func TestMotoCommands(t *testing.T) {
	t.Parallel()
	lookTool(t, "moto_server")
	m := newMotoCommands(t)
	m.run("deploy", "deployed AroundStaging: 3 zips uploaded")
	m.logs()

	var recorded strings.Builder
	for _, c := range []struct {
		line, says string
		changes    bool
		before     func()
	}{
		{line: "status", says: "state       deployed"},
		{line: "status --json", says: `"status": "CREATE_COMPLETE"`},
		{line: "why", says: "nothing failed in its last operation"},
		{line: "why --json", says: `"failed": false`},
		{line: "logs get /", says: "said by index"},
		{line: "logs --json", says: `"message":"said by paid"`},
		{line: "logs --filter said", says: "said by index"},
		{line: "deploy --direct get /", says: "changed GetIndexHTTPLambda", changes: true, before: func() {
			m.write("src/http/get-index/index.mjs", "export const handler = async () => ({ statusCode: 200, body: 'two' })")
		}},
		{line: "deploy --direct get /", says: "is as it was packaged already"},
		{line: "status", says: "direct      GetIndexHTTPLambda"},
		{line: "deploy", says: "it is as it was packaged again", changes: true},
		{line: "status", says: "to deploy   no changes"},
		{line: "logs --destroy get /", says: "log streams deleted: 1", changes: true},
	} {
		if c.before != nil {
			c.before()
		}
		calls := m.run(c.line, c.says)
		for _, call := range calls {
			if name := strings.Fields(call)[0]; !c.changes && !regexp.MustCompile(`^(Describe|Get|List|Filter|GET$|HEAD$)`).MatchString(name) {
				t.Errorf("arc %s only looks, and calls %s", c.line, call)
			}
		}
		if c.line == "deploy" { // which looks at the stack's events as often as it takes
			continue
		}
		fmt.Fprintf(&recorded, "arc %s\n", c.line)
		slices.Sort(calls)
		for i := 0; i < len(calls); {
			n := 1
			for i+n < len(calls) && calls[i+n] == calls[i] {
				n++
			}
			fmt.Fprintf(&recorded, "  %d %s\n", n, calls[i])
			i += n
		}
	}
	file := "../../testdata/moto/calls.txt"
	if *update {
		if err := os.WriteFile(file, []byte(recorded.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), recorded.String()); d != "" {
		t.Errorf("the calls are not those of %s; go test ./cmd/arc -run TestMotoCommands -update rewrites it\n%s", file, d)
	}
}

// motoCommands are a folder and a moto_server.
type motoCommands struct {
	t     *testing.T
	arc   string
	dir   string
	moto  string
	proxy string
	mu    sync.Mutex
	calls []string
}

func newMotoCommands(t *testing.T) *motoCommands {
	m := &motoCommands{t: t, arc: buildArc(t), dir: t.TempDir()}
	for _, f := range txtar.Parse([]byte(motoCommandsApp)).Files {
		m.write(f.Name, string(f.Data))
	}
	port := fmt.Sprint(freePort(t))
	server := exec.Command("moto_server", "-H", "127.0.0.1", "-p", port)
	var said transcript
	server.Stdout, server.Stderr = &said, &said
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Process.Kill(); server.Wait() })
	m.moto = "http://127.0.0.1:" + port
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if resp, err := http.Get(m.moto + "/moto-api/data.json"); err == nil {
			resp.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("moto_server does not answer\n%s", said.String())
		}
	}
	target, err := url.Parse(m.moto)
	if err != nil {
		t.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(target)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		m.record(r, body)
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	m.proxy = proxy.URL
	return m
}

func (m *motoCommands) write(name, text string) {
	m.t.Helper()
	path := filepath.Join(m.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		m.t.Fatal(err)
	}
}

// record keeps a call under AWS's name for it; one of the REST services by its
// method and path, without what is drawn at random or made of code.
func (m *motoCommands) record(r *http.Request, body []byte) {
	call := r.Method + " " + drawn().ReplaceAllString(r.URL.Path, "$1…")
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		call = target[strings.LastIndex(target, ".")+1:]
	} else if form, err := url.ParseQuery(string(body)); err == nil && form.Get("Action") != "" {
		call = form.Get("Action")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, call)
}

// drawn finds what follows the names of stacks' resources and of the artifact bucket,
// and what a zip is called.
var drawn = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(AroundStaging-\w+-|around-cfn-deployments-|/staging/)[A-Za-z0-9]+`)
})

// run runs a command line, looks for what it is to say, and gives its calls.
func (m *motoCommands) run(line, says string) []string {
	m.t.Helper()
	m.mu.Lock()
	m.calls = nil
	m.mu.Unlock()
	cmd := exec.Command(m.arc, wordsOf(line)...)
	cmd.Dir = m.dir
	cmd.Env = append(arcEnv(m.dir), "AWS_ENDPOINT_URL="+m.proxy, "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "AWS_EC2_METADATA_DISABLED=true", "AWS_PROFILE=")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), says) {
		m.t.Errorf("arc %s: %v, and does not say %q\n%s", line, err, says, out)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.calls)
}

// logs has each function say something, past arc: moto runs none.
func (m *motoCommands) logs() {
	m.t.Helper()
	var found struct {
		LogGroups []struct{ LogGroupName string }
	}
	m.call("DescribeLogGroups", map[string]any{}, &found)
	for id, says := range map[string]string{"GetIndexHTTP": "said by index", "PaidEvent": "said by paid"} {
		at := slices.IndexFunc(found.LogGroups, func(g struct{ LogGroupName string }) bool { return strings.Contains(g.LogGroupName, id) })
		if at < 0 {
			m.t.Fatalf("no group of %s: %v", id, found)
		}
		stream := map[string]any{"logGroupName": found.LogGroups[at].LogGroupName, "logStreamName": "2026/11/29/[$LATEST]0"}
		m.call("CreateLogStream", stream, &struct{}{})
		stream["logEvents"] = []any{map[string]any{"timestamp": time.Now().UnixMilli(), "message": says}}
		m.call("PutLogEvents", stream, &struct{}{})
	}
}

func (m *motoCommands) call(operation string, in, out any) {
	m.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		m.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(m.t.Context(), http.MethodPost, m.moto, bytes.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "Logs_20140328."+operation)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x/20260101/us-west-2/logs/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		m.t.Fatalf("%s: %s %v\n%s", operation, resp.Status, err, text)
	}
	if len(text) > 0 {
		if err := json.Unmarshal(text, out); err != nil {
			m.t.Fatalf("%s: %v\n%s", operation, err, text)
		}
	}
}
