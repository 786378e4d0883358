package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/rogpeppe/go-internal/txtar"

	"arc/sandbox/gateway"
	"arc/sandbox/lambda"
)

// TestNode runs an HTTP and a WebSocket API with functions in real Node
// workers, from the folders of testdata/node.txtar.
func TestNode(t *testing.T) {
	_, endpoint, ws := nodeCloud(t)
	for _, test := range []struct {
		method, path, body string
		status             int
		want               []string
	}{
		{"GET", "/jörg", "", 200, []string{"<h1>GET jörg null</h1>"}},
		{"POST", "/form", "a=1&b=2", 200, []string{"<h1>POST undefined a=1&b=2</h1>"}},
		{"GET", "/throws", "", 500, []string{"Lambda error", "TypeError: no &lt;luck&gt;", "index.mjs"}},
		{"GET", "/broken", "", 500, []string{"Lambda init error"}},
		{"GET", "/missing", "", 500, []string{"Lambda handler not found"}},
	} {
		status, body := call(t, test.method, endpoint+test.path, test.body, "Accept", "text/html")
		for _, want := range test.want {
			if status != test.status || !strings.Contains(body, want) {
				t.Errorf("%s %s: %d without %s:\n%s", test.method, test.path, status, want, body)
			}
		}
	}

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, ws+"/staging", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	for i := range 3 {
		if err := conn.Write(ctx, websocket.MessageText, fmt.Appendf(nil, `{"n":%d}`, i)); err != nil {
			t.Fatal(err)
		}
		var got struct{ Got struct{ N int } }
		if err := json.Unmarshal([]byte(read(t, conn)), &got); err != nil || got.Got.N != i {
			t.Errorf("echo of %d: %+v %v", i, got, err)
		}
	}
}

// nodeCloud is a cloud with real workers and both APIs.
func nodeCloud(t testing.TB) (c *cloud, http, ws string) {
	need(t, "node")
	files, err := txtar.ParseFile("testdata/node.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := txtar.Write(files, dir); err != nil {
		t.Fatal(err)
	}
	internal := httptest.NewServer(nil)
	t.Cleanup(internal.Close)
	service := lambda.New(lambda.Options{Path: os.Getenv("PATH"), Env: func(lambda.Function) map[string]string {
		return map[string]string{"CALLBACK": internal.URL}
	}})
	t.Cleanup(func() { service.Close(context.Background()) })
	for _, name := range []string{"page", "throws", "broken", "missing", "echo"} {
		service.Put(lambda.Function{Name: name, Runtime: "nodejs20.x", Handler: "index.handler", Dir: filepath.Join(dir, name), Timeout: 5, MemoryMB: 128, Label: name})
	}
	c = newCloud(t, gateway.Options{Invoker: service, Developer: true})
	internal.Config.Handler = c.Connections()
	http = c.httpAPI(map[string]string{"GET /{name}": "page", "POST /form": "page", "GET /throws": "throws", "GET /broken": "broken", "GET /missing": "missing"})
	ws = c.socketAPI(map[string]string{"$connect": "echo", "$default": "echo", "$disconnect": "echo"})
	return c, http, ws
}
