package gateway_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"arc/sandbox/gateway"
	"arc/sandbox/invoke"
)

// latencies reports the median and the 99th percentile of what each makes.
func latencies(b *testing.B, each func()) {
	took := make([]time.Duration, 0, 1<<20)
	for b.Loop() {
		began := time.Now()
		each()
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

// get asks for a URL again and again.
func get(b *testing.B, url string) {
	latencies(b, func() {
		resp, err := http.Get(url)
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	})
}

// echo sends a message again and again and waits for what comes back.
func echo(b *testing.B, url string) {
	ctx := context.Background()
	conn, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.CloseNow()
	latencies(b, func() {
		if err := conn.Write(ctx, websocket.MessageText, []byte(`{"action":"echo","text":"hello"}`)); err != nil {
			b.Fatal(err)
		}
		if _, _, err := conn.Read(ctx); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkHTTP is one client asking again and again, with a function that
// takes no time; floor is a bare net/http server with the same answer.
func BenchmarkHTTP(b *testing.B) {
	b.Run("gateway", func(b *testing.B) {
		c := newCloud(b, gateway.Options{Invoker: functions{"fn": returns(`{"statusCode":200,"headers":{"content-type":"application/json"},"body":"{\"ok\":true}"}`)}})
		get(b, c.httpAPI(map[string]string{"GET /": "fn"})+"/")
	})
	b.Run("floor", func(b *testing.B) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"ok":true}`)
		}))
		defer server.Close()
		get(b, server.URL)
	})
}

// BenchmarkEcho sends a message and waits for its echo; floor is the bare
// WebSocket library, post goes through @connections as arc.ws.send does.
func BenchmarkEcho(b *testing.B) {
	b.Run("response", func(b *testing.B) {
		c := newCloud(b, gateway.Options{Invoker: functions{"fn": returns(`{"statusCode":200,"body":"hello"}`)}})
		api := c.create("Api", "WS", props{"Name": "WS", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})
		c.socketRoute(api.PhysicalID, "echo", "fn", props{"RouteResponseSelectionExpression": "$default"})
		c.twoWay(api.PhysicalID, "echoWSRoute")
		c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "staging", "AutoDeploy": true})
		echo(b, api.Attributes["ApiEndpoint"].(string)+"/staging")
	})
	b.Run("post", func(b *testing.B) {
		var c *cloud
		var internal *httptest.Server
		c = newCloud(b, gateway.Options{Invoker: functions{"fn": func(_ context.Context, event []byte) (invoke.Result, error) {
			var e struct {
				RequestContext struct{ ConnectionID string }
				Body           string
			}
			if err := json.Unmarshal(event, &e); err != nil {
				return invoke.Result{}, err
			}
			resp, err := http.Post(internal.URL+"/_arc/ws/@connections/"+e.RequestContext.ConnectionID, "text/plain", strings.NewReader(e.Body))
			if err != nil {
				return invoke.Result{}, err
			}
			resp.Body.Close()
			return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, nil
		}}})
		internal = httptest.NewServer(c.Connections())
		defer internal.Close()
		echo(b, c.socketAPI(map[string]string{"$default": "fn"})+"/staging")
	})
	b.Run("floor", func(b *testing.B) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			defer conn.CloseNow()
			for {
				kind, data, err := conn.Read(r.Context())
				if err != nil || conn.Write(r.Context(), kind, data) != nil {
					return
				}
			}
		}))
		defer server.Close()
		echo(b, "ws"+strings.TrimPrefix(server.URL, "http"))
	})
}

// BenchmarkNode is the same with functions in warm Node workers; the echo
// comes back through @connections.
func BenchmarkNode(b *testing.B) {
	_, http, ws := nodeCloud(b)
	b.Run("http", func(b *testing.B) { get(b, http+"/x") })
	b.Run("echo", func(b *testing.B) { echo(b, ws+"/staging") })
}

// BenchmarkConnections opens 5,000 connections and reports what each holds in
// this process: the server's side alone in "gateway" and "floor", since the
// clients are bare lines.
func BenchmarkConnections(b *testing.B) {
	const many = 5000
	hold := func(b *testing.B, endpoint string) {
		for b.Loop() {
			before := inUse()
			lines := make([]io.Closer, 0, many)
			for range many {
				line, _ := rawSocket(b, endpoint)
				lines = append(lines, line)
			}
			b.ReportMetric(float64(inUse()-before)/many, "B/conn")
			for _, line := range lines {
				line.Close()
			}
		}
	}
	b.Run("gateway", func(b *testing.B) {
		c := newCloud(b, gateway.Options{Invoker: functions{"fn": returns(`{"statusCode":200}`)}})
		hold(b, c.socketAPI(map[string]string{"$connect": "fn", "$default": "fn"}))
	})
	b.Run("floor", func(b *testing.B) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			defer conn.CloseNow()
			conn.Read(r.Context())
		}))
		defer server.Close()
		hold(b, "ws"+strings.TrimPrefix(server.URL, "http"))
	})
}

// inUse is what the heap and the stacks hold.
func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
