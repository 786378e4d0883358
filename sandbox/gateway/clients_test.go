package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"arc/sandbox/gateway"
	"arc/sandbox/invoke"
)

// need skips a test without a tool, or fails it where everything must run.
func need(t testing.TB, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is needed here: %v", tool, err)
		}
		t.Skipf("%s is not installed", tool)
	}
}

// dialed is an open connection and what its $connect and $disconnect were told.
func dialed(t *testing.T) (c *cloud, conn *websocket.Conn, id string, gone chan struct{}) {
	t.Helper()
	ids, gone := make(chan string, 1), make(chan struct{})
	c = newCloud(t, gateway.Options{Invoker: functions{
		"connect": func(_ context.Context, event []byte) (invoke.Result, error) {
			var e struct{ RequestContext struct{ ConnectionID string } }
			err := json.Unmarshal(event, &e)
			ids <- e.RequestContext.ConnectionID
			return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, err
		},
		"disconnect": func(context.Context, []byte) (invoke.Result, error) {
			close(gone)
			return invoke.Result{}, nil
		},
	}})
	endpoint := c.socketAPI(map[string]string{"$connect": "connect", "$disconnect": "disconnect"})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, endpoint+"/staging", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	return c, conn, <-ids, gone
}

// TestAWSCLI drives @connections with an independent client.
func TestAWSCLI(t *testing.T) {
	need(t, "aws")
	c, conn, id, gone := dialed(t)
	internal := httptest.NewServer(c.Connections())
	defer internal.Close()
	aws := func(args ...string) (string, error) {
		cmd := exec.Command("aws", append([]string{"apigatewaymanagementapi", "--endpoint-url", internal.URL + "/staging", "--region", "us-east-1", "--output", "json"}, args...)...)
		cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "AWS_MAX_ATTEMPTS=1", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	file := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(file, []byte("héllo"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := aws("post-to-connection", "--connection-id", id, "--data", "fileb://"+file); err != nil {
		t.Fatalf("post-to-connection: %v\n%s", err, out)
	}
	if got := read(t, conn); got != "héllo" {
		t.Errorf("received %q", got)
	}
	out, err := aws("get-connection", "--connection-id", id)
	var info struct {
		ConnectedAt, LastActiveAt time.Time
		Identity                  struct{ SourceIP, UserAgent string }
	}
	if err != nil || json.Unmarshal([]byte(out), &info) != nil || info.ConnectedAt.IsZero() || info.LastActiveAt.Before(info.ConnectedAt) || info.Identity.SourceIP != "127.0.0.1" {
		t.Errorf("get-connection: %v\n%s", err, out)
	}
	go conn.Read(context.Background()) // answers the close frame
	if out, err := aws("delete-connection", "--connection-id", id); err != nil {
		t.Errorf("delete-connection: %v\n%s", err, out)
	}
	<-gone
	if out, err := aws("post-to-connection", "--connection-id", id, "--data", "fileb://"+file); err == nil || !strings.Contains(out, "GoneException") {
		t.Errorf("post-to-connection afterwards: %v\n%s", err, out)
	}
}

// TestArchitectFunctions drives @connections with arc.ws of the npm package,
// as it is, in a Node process with a sandbox function's environment.
func TestArchitectFunctions(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: not installing an npm package")
	}
	need(t, "npm")
	dir := t.TempDir()
	install := exec.Command("npm", "install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "@architect/functions@8")
	install.Dir = dir
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := install.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("npm install: %v\n%s", err, out)
		}
		t.Skipf("npm cannot install @architect/functions: %v", err)
	}
	c, conn, id, gone := dialed(t)
	internal := httptest.NewServer(c.Connections())
	defer internal.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(internal.URL, "http://"), ":")

	program := `
const arc = require('@architect/functions')
const id = process.argv[1]
const steps = async () => {
  await arc.ws.send({ id, payload: { text: 'hi' } })
  const info = await arc.ws.info({ id })
  if (!info.ConnectedAt || !info.LastActiveAt || !info.identity && !info.Identity) throw Error(JSON.stringify(info))
  await arc.ws.close({ id })
  try {
    await arc.ws.send({ id, payload: { text: 'late' } })
    throw Error('sent to a closed connection')
  } catch (e) {
    console.log(e.code, e.statusCode)
  }
}
steps().catch(e => { console.error(e); process.exit(1) })`
	node := exec.Command("node", "-e", program, id)
	node.Dir = dir
	node.Env = []string{"PATH=" + os.Getenv("PATH"), "ARC_ENV=staging", "ARC_APP_NAME=demo", "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "ARC_WSS_URL=ws://localhost:1/staging",
		fmt.Sprintf(`ARC_SANDBOX={"ports":{"_arc":%s},"version":"9.0.0"}`, port)}
	messages := make(chan string, 1)
	go func() { messages <- read(t, conn); conn.Read(context.Background()) }()
	out, err := node.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "GoneException 410" {
		t.Errorf("node: %v\n%s", err, out)
	}
	if got := <-messages; got != `{"text":"hi"}` {
		t.Errorf("received %q", got)
	}
	<-gone
}

func read(t *testing.T, conn *websocket.Conn) string {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, data, err := conn.Read(ctx)
	if err != nil {
		t.Error(err)
	}
	return string(data)
}

// TestMayManage asks whether the caller of @connections may: who may not hears AWS's
// words, and the client nothing.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html
func TestMayManage(t *testing.T) {
	ids := make(chan string, 1)
	var asked []string
	allowed := false
	c := newCloud(t, gateway.Options{
		Invoker: functions{"connect": func(_ context.Context, event []byte) (invoke.Result, error) {
			var e struct{ RequestContext struct{ ConnectionID string } }
			err := json.Unmarshal(event, &e)
			ids <- e.RequestContext.ConnectionID
			return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, err
		}},
		May: func(_ *http.Request, action, resource string) error {
			asked = append(asked, action+" "+resource[strings.LastIndexByte(resource, ':')+1:])
			if !allowed {
				return errors.New("User: someone is not authorized to perform: execute-api:ManageConnections")
			}
			return nil
		},
	})
	conn := dial(t, c.socketAPI(map[string]string{"$connect": "connect"}))
	defer conn.CloseNow()
	id := <-ids
	internal := httptest.NewServer(c.Connections())
	defer internal.Close()
	if status, body := call(t, "POST", internal.URL+"/staging/@connections/"+id, "hidden"); status != 403 || !strings.Contains(body, "is not authorized to perform") {
		t.Errorf("who may not: %d %s", status, body)
	}
	allowed = true
	if status, _ := call(t, "POST", internal.URL+"/staging/@connections/"+id, "shown"); status != 200 {
		t.Errorf("who may: %d", status)
	}
	if got := read(t, conn); got != "shown" {
		t.Errorf("the client got %q", got)
	}
	if len(asked) != 2 || !strings.HasPrefix(asked[0], "execute-api:ManageConnections ") || !strings.HasSuffix(asked[0], "/staging/POST/@connections/"+id) {
		t.Errorf("asked %q", asked)
	}
}
