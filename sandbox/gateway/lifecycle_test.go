package gateway_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"arc/sandbox/gateway"
	"arc/sandbox/invoke"
)

// goodbyes is an Invoker that agrees to everything and hands on what
// $disconnect is told.
type goodbye struct {
	DisconnectStatusCode int
	DisconnectReason     string
	ConnectionID         string
	ConnectedAt          int64
	EventType            string
}

func goodbyes() (functions, chan goodbye) {
	told := make(chan goodbye, 1000)
	return functions{"fn": func(_ context.Context, event []byte) (invoke.Result, error) {
		var e struct{ RequestContext goodbye }
		if err := json.Unmarshal(event, &e); err != nil {
			return invoke.Result{}, err
		}
		if e.RequestContext.EventType == "DISCONNECT" {
			told <- e.RequestContext
		}
		return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, nil
	}}, told
}

var allRoutes = map[string]string{"$connect": "fn", "$default": "fn", "$disconnect": "fn"}

func dial(t testing.TB, endpoint string) *websocket.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, endpoint+"/staging", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	return conn
}

func TestIdle(t *testing.T) {
	invoker, told := goodbyes()
	c := newCloud(t, gateway.Options{Invoker: invoker, IdleTimeout: 500 * time.Millisecond})
	conn := dial(t, c.socketAPI(allRoutes))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	opened := time.Now()
	pinging := conn.CloseRead(ctx) // reads the pongs
	last := opened
	for time.Since(opened) < 800*time.Millisecond {
		last = time.Now()
		if err := conn.Ping(ctx); err != nil {
			t.Fatalf("closed in spite of pings: %v", err)
		}
	}
	<-pinging.Done()
	if g := <-told; g.DisconnectStatusCode != 1001 || g.DisconnectReason != "Going away" || time.Since(last) < 500*time.Millisecond {
		t.Errorf("%+v %s after the last ping", g, time.Since(last))
	}
	if !strings.Contains(c.log(), "1001 idle for 500ms") {
		t.Errorf("log:\n%s", c.log())
	}
}

func TestMaxAge(t *testing.T) {
	invoker, told := goodbyes()
	c := newCloud(t, gateway.Options{Invoker: invoker, MaxAge: 100 * time.Millisecond})
	conn := dial(t, c.socketAPI(allRoutes))
	closed := make(chan error, 1)
	go func() {
		_, _, err := conn.Read(context.Background())
		closed <- err
	}()
	for {
		if conn.Write(context.Background(), websocket.MessageText, []byte("busy")) != nil {
			break
		}
	}
	if err := <-closed; websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("closed with %v", err)
	}
	if g := <-told; g.DisconnectStatusCode != 1001 {
		t.Errorf("%+v", g)
	}
}

// TestClose shuts the gateway down with clients that answer the close frame
// and one that does not.
func TestClose(t *testing.T) {
	invoker, told := goodbyes()
	c := newCloud(t, gateway.Options{Invoker: invoker})
	endpoint := c.socketAPI(allRoutes)
	var clients sync.WaitGroup
	for range 20 {
		conn := dial(t, endpoint)
		clients.Go(func() {
			if _, _, err := conn.Read(context.Background()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
				t.Errorf("closed with %v", err)
			}
		})
	}
	line, _ := rawSocket(t, endpoint)
	go func() { // answers nothing, and goes away while it is waited for
		buffer := make([]byte, 64)
		line.Read(buffer)
		line.Close()
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := c.Close(ctx); err != nil {
		t.Fatal(err)
	}
	clients.Wait()
	ids := map[string]bool{}
	for range 21 {
		g := <-told
		if ids[g.ConnectionID] = true; g.DisconnectStatusCode != 1001 {
			t.Errorf("%+v", g)
		}
	}
	if len(ids) != 21 {
		t.Errorf("%d distinct IDs", len(ids))
	}
}

// TestMuteClients: who gets a close frame and neither answers it nor goes away holds nothing
// up: $disconnect runs while its line is still open, and so does everything that waits for it.
// https://www.rfc-editor.org/rfc/rfc6455#section-7.1.1
func TestMuteClients(t *testing.T) {
	invoker, told := goodbyes()
	ids := make(chan string, 1)
	invoker["connect"] = func(_ context.Context, event []byte) (invoke.Result, error) {
		var e struct{ RequestContext struct{ ConnectionID string } }
		if err := json.Unmarshal(event, &e); err != nil {
			t.Error(err)
		}
		ids <- e.RequestContext.ConnectionID
		return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, nil
	}
	c := newCloud(t, gateway.Options{Invoker: invoker})
	routes := maps.Clone(allRoutes)
	routes["$connect"] = "connect"
	endpoint := c.socketAPI(routes)
	internal := httptest.NewServer(c.Connections())
	defer internal.Close()
	for _, test := range []struct {
		name string
		code int
		end  func(line net.Conn, id string) error
	}{
		{"refused", 1003, func(line net.Conn, _ string) error {
			_, err := io.WriteString(line, sent(0x82, "binary"))
			return err
		}},
		{"closed by @connections", 1000, func(_ net.Conn, id string) error {
			r, err := http.NewRequest(http.MethodDelete, internal.URL+"/staging/@connections/"+id, nil)
			if err != nil {
				return err
			}
			resp, err := http.DefaultClient.Do(r)
			if err == nil {
				resp.Body.Close()
			}
			return err
		}},
		{"when the cloud ends", 1001, func(net.Conn, string) error { return c.Close(context.Background()) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			line, r := rawSocket(t, endpoint)
			defer line.Close()
			began := time.Now()
			if err := test.end(line, <-ids); err != nil {
				t.Fatal(err)
			}
			frame := make([]byte, 4)
			if _, err := io.ReadFull(r, frame); err != nil || frame[0] != 0x88 || int(binary.BigEndian.Uint16(frame[2:])) != test.code {
				t.Errorf("it is sent %x, %v", frame, err)
			}
			if g := <-told; g.DisconnectStatusCode != test.code {
				t.Errorf("%+v", g)
			}
			if took := time.Since(began); took > 4*time.Second { // the line is closed after five
				t.Errorf("$disconnect came after %s", took)
			}
		})
	}
}

// TestCloseInTime gives up on a $disconnect that hangs.
func TestCloseInTime(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`{"statusCode":200}`), "hang": func(ctx context.Context, _ []byte) (invoke.Result, error) {
		<-ctx.Done()
		return invoke.Result{}, ctx.Err()
	}}})
	conn := dial(t, c.socketAPI(map[string]string{"$default": "fn", "$disconnect": "hang"}))
	go conn.Read(context.Background())
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := c.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// TestVanishInConnect leaves while $connect runs: it said yes, so $disconnect
// must run too.
func TestVanishInConnect(t *testing.T) {
	invoker, told := goodbyes()
	began, left := make(chan struct{}), make(chan struct{})
	invoker["connect"] = func(context.Context, []byte) (invoke.Result, error) {
		close(began)
		<-left
		return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, nil
	}
	c := newCloud(t, gateway.Options{Invoker: invoker})
	endpoint := c.socketAPI(map[string]string{"$connect": "connect", "$disconnect": "fn"})
	host := strings.TrimPrefix(endpoint, "ws://")
	line, err := net.Dial("tcp", strings.Replace(host, "localhost", "127.0.0.1", 1))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(line, "GET /staging HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", host)
	<-began
	line.(*net.TCPConn).SetLinger(0)
	line.Close()
	close(left)
	if g := <-told; g.DisconnectStatusCode != 1006 {
		t.Errorf("%+v", g)
	}
}

// TestCloseInConnect shuts down while $connect runs.
func TestCloseInConnect(t *testing.T) {
	invoker, told := goodbyes()
	began, closing := make(chan struct{}), make(chan struct{})
	var first atomic.Bool
	invoker["connect"] = func(context.Context, []byte) (invoke.Result, error) {
		if !first.CompareAndSwap(false, true) { // a newcomer, before the gateway shuts down
			return invoke.Result{Payload: []byte(`{"statusCode":403}`)}, nil
		}
		close(began)
		<-closing
		return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, nil
	}
	c := newCloud(t, gateway.Options{Invoker: invoker})
	endpoint := c.socketAPI(map[string]string{"$connect": "connect", "$disconnect": "fn"})
	refused := make(chan int, 1)
	go func() {
		<-began
		done := make(chan error, 1)
		go func() { done <- c.Close(context.Background()) }()
		for { // until the gateway refuses newcomers
			if status := upgradeStatus(t, endpoint, []string{"Host", strings.TrimPrefix(endpoint, "ws://"), "Connection", "Upgrade", "Upgrade", "websocket",
				"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}); status == http.StatusServiceUnavailable {
				refused <- status
				break
			}
		}
		close(closing)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	conn := dial(t, endpoint)
	if _, _, err := conn.Read(context.Background()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("closed with %v", err)
	}
	<-refused
	if g := <-told; g.DisconnectStatusCode != 1001 {
		t.Errorf("%+v", g)
	}
}

// TestSlowReader posts to a client that never reads until its buffers are
// full: whoever posts is told so at once, and everyone else is served meanwhile.
func TestSlowReader(t *testing.T) {
	invoker, told := goodbyes()
	ids := make(chan string, 2)
	invoker["connect"] = func(_ context.Context, event []byte) (invoke.Result, error) {
		var e struct{ RequestContext goodbye }
		err := json.Unmarshal(event, &e)
		ids <- e.RequestContext.ConnectionID
		return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, err
	}
	c := newCloud(t, gateway.Options{Invoker: invoker})
	endpoint := c.socketAPI(map[string]string{"$connect": "connect", "$default": "fn", "$disconnect": "fn"})
	post := func(id, body string) int {
		status, _ := call(t, "POST", strings.Replace(endpoint, "ws:", "http:", 1)+"/staging/@connections/"+strings.ReplaceAll(id, "=", "%3D"), body)
		return status
	}
	slow, _ := rawSocket(t, endpoint)
	slowID := <-ids
	quick := dial(t, endpoint)
	quickID := <-ids

	stuck := make(chan int, 1)
	var posted sync.WaitGroup
	posted.Go(func() {
		for {
			if status := post(slowID, strings.Repeat("x", 128<<10)); status != 200 {
				stuck <- status
				return
			}
		}
	})
	for i := range 100 {
		message := fmt.Sprint(i)
		if status := post(quickID, message); status != 200 {
			t.Fatalf("POST to the quick client: %d", status)
		}
		if got := read(t, quick); got != message {
			t.Fatalf("received %s", got)
		}
	}
	if status := <-stuck; status != http.StatusTooManyRequests {
		t.Errorf("POST to the client that does not read: %d", status)
	}
	posted.Wait()
	slow.(*net.TCPConn).SetLinger(0)
	slow.Close()
	eventually(t, "the client that left is gone", func() bool { return post(slowID, "x") == http.StatusGone })
	if g := <-told; g.ConnectionID != slowID || g.DisconnectStatusCode != 1006 {
		t.Errorf("%+v", g)
	}
	if status := post(quickID, strings.Repeat("x", 128<<10+1)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("too long a message: %d", status)
	}
}

// TestManyClients asks 150 times at once, as no browser does but a load test.
func TestManyClients(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`"ok"`)}})
	endpoint := c.httpAPI(map[string]string{"GET /": "fn"})
	var clients sync.WaitGroup
	for range 150 {
		clients.Go(func() {
			for range 5 {
				if status, body := call(t, "GET", endpoint+"/", ""); status != 200 || body != "ok" {
					t.Errorf("%d %s", status, body)
				}
			}
		})
	}
	clients.Wait()
}

// TestFlood sends more messages than may be served at once: all arrive.
func TestFlood(t *testing.T) {
	var mu sync.Mutex
	running, most, served := 0, 0, 0
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": func(context.Context, []byte) (invoke.Result, error) {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			running--
			served++
		}()
		return invoke.Result{}, nil
	}}})
	conn := dial(t, c.socketAPI(map[string]string{"$default": "fn"}))
	for range 2000 {
		if err := conn.Write(context.Background(), websocket.MessageText, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "every message is served", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return served == 2000
	})
	if most > 64 {
		t.Errorf("%d at once", most)
	}
}

// TestNeverReads has a client send and never read: it is held up alone, with few
// functions at work for it however much it sends, and another one is served.
func TestNeverReads(t *testing.T) {
	var served atomic.Int64
	endpoint := ""
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": func(_ context.Context, event []byte) (invoke.Result, error) {
		var e struct{ RequestContext goodbye }
		if err := json.Unmarshal(event, &e); err != nil {
			return invoke.Result{}, err
		}
		served.Add(1)
		resp, err := http.Post(strings.Replace(endpoint, "ws:", "http:", 1)+"/staging/@connections/"+strings.ReplaceAll(e.RequestContext.ConnectionID, "=", "%3D"), "text/plain", strings.NewReader(strings.Repeat("x", 100<<10)))
		if err == nil { // else the test is over
			resp.Body.Close()
		}
		return invoke.Result{}, nil
	}}})
	endpoint = c.socketAPI(map[string]string{"$default": "fn"})
	deaf, _ := rawSocket(t, endpoint)
	const sent = 2000 // two hundred megabytes of answers, which no buffer holds
	go func() {
		for range sent {
			if _, err := deaf.Write([]byte{0x81, 0x81, 0, 0, 0, 0, 'x'}); err != nil {
				return
			}
		}
	}()
	quick := dial(t, endpoint)
	quick.SetReadLimit(-1)
	for range 20 {
		if err := quick.Write(context.Background(), websocket.MessageText, []byte("x")); err != nil {
			t.Fatal(err)
		}
		read(t, quick)
	}
	if n := served.Load(); n > sent/4 {
		t.Errorf("%d messages of a client that reads nothing were served", n)
	}
}

// TestEager has a client send messages in the same breath as its handshake.
func TestEager(t *testing.T) {
	got := make(chan string, 10)
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": func(_ context.Context, event []byte) (invoke.Result, error) {
		var e struct{ Body string }
		err := json.Unmarshal(event, &e)
		got <- e.Body
		return invoke.Result{}, err
	}}})
	host := strings.TrimPrefix(c.socketAPI(map[string]string{"$default": "fn"}), "ws://")
	conn, err := net.Dial("tcp", strings.Replace(host, "localhost", "127.0.0.1", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	long := strings.Repeat("y", 2000)
	fmt.Fprintf(conn, "GET /staging HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"+
		"\x81\x81\x00\x00\x00\x00x"+"\x81\xfe\x07\xd0\x00\x00\x00\x00%s", host, long)
	heard := map[string]bool{<-got: true, <-got: true}
	if !heard["x"] || !heard[long] {
		t.Errorf("the messages arrived as %d others", len(heard))
	}
}

// TestDeletedStage closes the connections of a stage, of whose function API Gateway may be
// no longer let in, or which may be gone: the log says that they were deleted, and of one
// that is closed otherwise what is missing.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
func TestDeletedStage(t *testing.T) {
	const first = "its function is not called: with the stage"
	for name, test := range map[string]struct {
		err         error
		integration props
		deleted     bool
		says        string
	}{
		"the permission is gone": {errors.New("no permission"), nil, true, first},
		"the function is gone":   {fmt.Errorf("fn: %w", invoke.ErrNotFound), nil, true, first},
		"of the type AWS":        {errors.New("no permission"), props{"IntegrationType": "AWS", "IntegrationUri": uri("fn")}, true, first},
		"a service":              {nil, props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "POST", "IntegrationUri": "http://127.0.0.1:1"}, true, "refused (its stage is being deleted)"},
		"the client goes":        {errors.New("no permission"), nil, false, "no permission"},
	} {
		t.Run(name, func(t *testing.T) {
			var gone atomic.Bool
			c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`{"statusCode":200}`)}, Permit: func(string, ...string) error {
				if gone.Load() {
					return test.err
				}
				return nil
			}})
			api := c.create("Api", "WS", props{"Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})
			integration := props{"IntegrationType": "AWS_PROXY", "IntegrationUri": uri("fn")}
			if test.integration != nil {
				integration = test.integration
			}
			i := c.create("Integration", "I", merged(integration, props{"ApiId": api.PhysicalID}))
			c.create("Route", "R", props{"ApiId": api.PhysicalID, "RouteKey": "$disconnect", "Target": "integrations/" + i.PhysicalID})
			stage := props{"ApiId": api.PhysicalID, "StageName": "staging", "AutoDeploy": true}
			c.create("Stage", "S", stage)
			conn := dial(t, api.Attributes["ApiEndpoint"].(string))
			gone.Store(true)
			if !test.deleted {
				conn.Close(websocket.StatusNormalClosure, "")
			} else {
				go conn.Read(context.Background())
				if err := c.remove("Stage", "S", "staging", stage); err != nil {
					t.Fatal(err)
				}
			}
			eventually(t, "the log says "+test.says, func() bool {
				_, said, _ := strings.Cut(c.log(), "ws disconnect ")
				return strings.Contains(said, test.says)
			})
			if closed := strings.Contains(c.log(), "1001 its stage staging is being deleted"); closed != test.deleted {
				t.Errorf("%s", c.log())
			}
		})
	}
}
