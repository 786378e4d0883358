package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"arc/sandbox/gateway"
	"arc/sandbox/invoke"
)

// TestSockets plays the script of each file against a WebSocket API of its
// routes and compares what happened. The commands:
//
//	dial PATH [HEADER: VALUE | ...]   open a connection; prints the status
//	send TEXT, binary TEXT            send a message
//	recv                              wait for a message
//	event                             wait for a function to be called
//	close CODE [REASON], drop         close properly, or cut the line
//	closed                            wait for the server's close frame
//	post TEXT, get, delete            call @connections/ID; "below PATH" at its end
//	                                  names another path than /staging
func TestSockets(t *testing.T) {
	goldens(t, "ws", func(t *testing.T, a *archive) {
		s := &script{t: t, events: make(chan []byte, 100)}
		invoker := functions{}
		text, _ := a.section("functions")
		for line := range strings.Lines(text) {
			name, result, _ := strings.Cut(strings.TrimSpace(line), " ")
			answer := returns(result)
			if message, ok := strings.CutPrefix(result, "throw "); ok {
				answer = throws(message)
			}
			if result == "hang" {
				answer = func(ctx context.Context, _ []byte) (invoke.Result, error) {
					<-ctx.Done()
					return invoke.Result{}, ctx.Err()
				}
			}
			invoker[name] = func(ctx context.Context, event []byte) (invoke.Result, error) {
				s.events <- event
				return answer(ctx, event)
			}
		}
		options := gateway.Options{Invoker: invoker}
		if text, _ := a.section("options"); strings.Contains(text, "lenient") {
			options.Lenient = func(stack string) bool { return stack == "Demo" }
		}
		c := newCloud(t, options)
		selection := "$request.body.action"
		if text, ok := a.section("selection"); ok {
			selection = strings.TrimSpace(text)
		}
		api := c.create("Api", "WS", props{"Name": "WS", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": selection})
		routes, _ := a.section("routes")
		for line := range strings.Lines(routes) {
			fields := strings.Fields(line) // key function [respond] [timeout]
			more := props{}
			integration := props{"ApiId": api.PhysicalID, "IntegrationType": "AWS_PROXY", "IntegrationUri": uri(fields[1])}
			for _, option := range fields[2:] {
				if option == "respond" {
					more["RouteResponseSelectionExpression"] = "$default"
				} else {
					integration["TimeoutInMillis"] = option
				}
			}
			i := c.create("Integration", "I"+fields[0], integration)
			route := props{"ApiId": api.PhysicalID, "RouteKey": fields[0], "Target": "integrations/" + i.PhysicalID}
			for k, v := range more {
				route[k] = v
			}
			c.create("Route", "R"+fields[0], route)
			if len(more) > 0 {
				c.twoWay(api.PhysicalID, "R"+fields[0])
			}
		}
		d := c.create("Deployment", "D", props{"ApiId": api.PhysicalID})
		c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "staging", "DeploymentId": d.PhysicalID})
		s.endpoint = api.Attributes["ApiEndpoint"].(string)
		s.normal = newNormal(s.endpoint)

		commands, _ := a.section("script")
		for line := range strings.Lines(commands) {
			line = strings.TrimSuffix(line, "\n")
			fmt.Fprintf(&s.out, "> %s\n", line)
			verb, rest, _ := strings.Cut(line, " ")
			s.step(verb, rest)
		}
		a.golden(t, "transcript", s.out.String())
		if s.conn != nil {
			s.conn.CloseNow()
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			t.Error(err)
		}
		want, _ := a.section("log")
		c.awaitLines(strings.Count(want, "\n"))
		a.golden(t, "log", s.normal.text(c.log())+"\n")
	})
}

type script struct {
	t        *testing.T
	endpoint string
	normal   *normal
	events   chan []byte
	out      strings.Builder
	conn     *websocket.Conn
	line     net.Conn // under conn
	id       string
}

func (s *script) step(verb, rest string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var err error
	switch verb {
	case "dial":
		s.dial(ctx, rest)
	case "send":
		err = s.conn.Write(ctx, websocket.MessageText, []byte(rest))
	case "binary":
		err = s.conn.Write(ctx, websocket.MessageBinary, []byte(rest))
	case "recv":
		var data []byte
		_, data, err = s.conn.Read(ctx)
		fmt.Fprintf(&s.out, "%s\n", s.normal.text(string(data)))
	case "event":
		s.event(ctx)
	case "close":
		code, reason, _ := strings.Cut(rest, " ")
		number, _ := strconv.Atoi(code)
		err = s.conn.Close(websocket.StatusCode(number), reason)
	case "drop":
		err = s.line.Close()
	case "closed":
		_, _, readErr := s.conn.Read(ctx)
		var closed websocket.CloseError
		if !errors.As(readErr, &closed) {
			s.t.Fatalf("want a close frame, got %v", readErr)
		}
		fmt.Fprintf(&s.out, "%d %s\n", closed.Code, closed.Reason)
	case "post", "get", "delete":
		s.manage(ctx, strings.ToUpper(verb), rest)
	default:
		s.t.Fatalf("unknown command %s", verb)
	}
	if err != nil {
		s.t.Fatalf("%s %s: %v", verb, rest, err)
	}
}

func (s *script) dial(ctx context.Context, rest string) {
	if s.conn != nil {
		s.conn.CloseNow()
	}
	path, lines, _ := strings.Cut(rest, " ")
	options := &websocket.DialOptions{HTTPHeader: http.Header{"User-Agent": {"test"}}}
	for line := range strings.SplitSeq(lines, " | ") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			if name == "Sec-WebSocket-Protocol" {
				options.Subprotocols = strings.Split(value, ", ")
				continue
			}
			options.HTTPHeader.Add(name, value)
		}
	}
	options.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1"+s.endpoint[strings.LastIndex(s.endpoint, ":"):])
		s.line = conn
		return conn, err
	}}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	conn, resp, err := websocket.Dial(ctx, s.endpoint+path, options)
	if resp == nil {
		s.t.Fatalf("dial %s: %v", path, err)
	}
	fmt.Fprintln(&s.out, resp.Status)
	if err != nil {
		body, _ := io.ReadAll(resp.Body)
		if len(body) > 0 {
			fmt.Fprintln(&s.out, s.normal.text(string(body)))
		}
		return
	}
	if p := conn.Subprotocol(); p != "" {
		fmt.Fprintln(&s.out, "protocol", p)
	}
	s.conn = conn
	s.conn.SetReadLimit(-1)
}

func (s *script) event(ctx context.Context) {
	select {
	case event := <-s.events:
		var e struct{ RequestContext struct{ ConnectionID string } }
		if err := json.Unmarshal(event, &e); err != nil {
			s.t.Fatal(err)
		}
		s.id = e.RequestContext.ConnectionID
		s.out.WriteString(s.normal.json(s.t, event))
	case <-ctx.Done():
		s.t.Fatal("no function was called")
	}
}

func (s *script) manage(ctx context.Context, method, body string) {
	stage := "/staging"
	if at, rest, ok := strings.Cut(" "+body, " below "); ok {
		body, stage = strings.TrimPrefix(at, " "), strings.TrimSuffix(rest, "/")
	}
	url := strings.Replace(s.endpoint, "ws:", "http:", 1) + stage + "/@connections/" + strings.ReplaceAll(s.id, "=", "%3D")
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Fprintln(&s.out, resp.Status, resp.Header.Get("X-Amzn-ErrorType"))
	if data, _ := io.ReadAll(resp.Body); len(data) > 0 {
		fmt.Fprintln(&s.out, isoTimes.ReplaceAllString(s.normal.text(string(data)), "2023-11-29T08:04:01.000Z"))
	}
}

// TestOddMessages sends messages that the script's lines cannot spell.
func TestOddMessages(t *testing.T) {
	events := make(chan string, 10)
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": func(_ context.Context, event []byte) (invoke.Result, error) {
		var e struct{ Body *string }
		if err := json.Unmarshal(event, &e); err != nil || e.Body == nil {
			events <- "no body"
			return invoke.Result{}, err
		}
		events <- *e.Body
		return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, nil
	}}})
	endpoint := c.socketAPI(map[string]string{"$default": "fn"})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, message := range []string{"", "two\nlines", "\x00", strings.Repeat("x", 32<<10)} {
		conn, _, err := websocket.Dial(ctx, endpoint+"/staging", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
		if got := <-events; got != message {
			t.Errorf("sent %.20q, got %.20q", message, got)
		}
		conn.CloseNow()
	}
	// In frames of 32 KB a message may have 128 KB.
	conn, _, err := websocket.Dial(ctx, endpoint+"/staging", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	w, err := conn.Writer(ctx, websocket.MessageText)
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if _, err := w.Write([]byte(strings.Repeat("y", 32<<10))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := <-events; got != strings.Repeat("y", 128<<10) {
		t.Errorf("got %d bytes", len(got))
	}
}

func TestTooLong(t *testing.T) {
	codes := make(chan int, 10)
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`{}`), "bye": func(_ context.Context, event []byte) (invoke.Result, error) {
		var e struct {
			RequestContext struct{ DisconnectStatusCode int }
		}
		err := json.Unmarshal(event, &e)
		codes <- e.RequestContext.DisconnectStatusCode
		return invoke.Result{}, err
	}}})
	endpoint := c.socketAPI(map[string]string{"$default": "fn", "$disconnect": "bye"})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, test := range []struct {
		name   string
		frames []int
		code   websocket.StatusCode
	}{
		{"one frame above 32 KB", []int{32<<10 + 1}, 1009},
		{"a small frame, then one above 32 KB", []int{10, 40 << 10}, 1009},
		{"a frame above 128 KB", []int{1 << 20}, 1009},
		{"frames that add up to more than 128 KB", []int{32 << 10, 32 << 10, 32 << 10, 32 << 10, 1}, 1009},
	} {
		conn, _, err := websocket.Dial(ctx, endpoint+"/staging", nil)
		if err != nil {
			t.Fatal(err)
		}
		if w, err := conn.Writer(ctx, websocket.MessageText); err == nil {
			for _, n := range test.frames {
				w.Write([]byte(strings.Repeat("x", n)))
			}
			w.Close()
		}
		_, _, err = conn.Read(ctx)
		if got := websocket.CloseStatus(err); got != test.code {
			t.Errorf("%s: closed with %v: %v", test.name, got, err)
		}
		conn.CloseNow()
		if code := <-codes; code != int(test.code) {
			t.Errorf("%s: $disconnect was told %d", test.name, code)
		}
	}
	if log := c.log(); !strings.Contains(log, "frame longer than 32 KB; API Gateway takes") || !strings.Contains(log, "message longer than 128 KB") {
		t.Errorf("the log does not explain:\n%s", log)
	}
}

// TestNotUTF8 sends a text frame that RFC 6455 forbids, which the client
// library would not.
func TestNotUTF8(t *testing.T) {
	c := newCloud(t, gateway.Options{})
	endpoint := c.socketAPI(map[string]string{"$default": "fn"})
	conn, r := rawSocket(t, endpoint)
	io.WriteString(conn, "\x81\x82\x00\x00\x00\x00\xff\xfe") // masked with zeros
	frame := make([]byte, 4)
	if _, err := io.ReadFull(r, frame); err != nil {
		t.Fatal(err)
	}
	if code := int(frame[2])<<8 | int(frame[3]); frame[0] != 0x88 || code != 1007 {
		t.Errorf("frame % x", frame)
	}
}

// rawSocket opens a WebSocket and gives the line after the 101.
func rawSocket(t testing.TB, endpoint string) (net.Conn, *bufio.Reader) {
	t.Helper()
	host := strings.TrimPrefix(endpoint, "ws://")
	conn, err := net.Dial("tcp", strings.Replace(host, "localhost", "127.0.0.1", 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "GET /staging HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", host)
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != 101 {
		t.Fatal(resp, err)
	}
	return conn, r
}
