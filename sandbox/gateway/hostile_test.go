package gateway_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"arc/sandbox/gateway"
	"arc/sandbox/invoke"
)

// sent is a frame as clients send it, masked with zeros.
func sent(first byte, payload string) string {
	head := []byte{first, 0x80 | byte(len(payload))}
	switch n := len(payload); {
	case n > 0xffff:
		head = binary.BigEndian.AppendUint64([]byte{first, 0xff}, uint64(n))
	case n > 125:
		head = binary.BigEndian.AppendUint16([]byte{first, 0xfe}, uint16(n))
	}
	return string(head) + "\x00\x00\x00\x00" + payload
}

// TestBrokenFrames sends what RFC 6455 forbids, and what it lets: what the client and
// $disconnect are told, and the log.
// https://www.rfc-editor.org/rfc/rfc6455#section-7.4
func TestBrokenFrames(t *testing.T) {
	invoker, told := goodbyes()
	c := newCloud(t, gateway.Options{Invoker: invoker})
	endpoint := c.socketAPI(allRoutes)
	closing := func(code uint16, reason string) string {
		return sent(0x88, string(binary.BigEndian.AppendUint16(nil, code))+reason)
	}
	const text, more, last, ping = 0x01, 0x00, 0x80, 0x89
	kilobyte := strings.Repeat("x", 1000)
	for _, test := range []struct {
		name, send string
		code       int    // of the close frame that comes back; 0 = none does
		says       string // in the log; "" = nothing
	}{
		{"a frame that is not masked", "\x81\x02hi", 0, "received unmasked frame"},
		{"a frame of a compressed message", sent(0xc1, "hi"), 1002, "unexpected rsv bits"},
		{"an unknown opcode", sent(0x83, "hi"), 1002, "unknown opcode"},
		{"an unknown control opcode", sent(0x8b, "hi"), 1002, "unknown opcode"},
		{"a ping of 126 bytes", sent(ping, strings.Repeat("x", 126)), 1002, "invalid length: 126"},
		{"a ping in fragments", sent(0x09, "hi"), 1002, "fragmented control frame"},
		{"a continuation of nothing", sent(last, "hi"), 1002, "continuation frame without"},
		{"a message within a message", sent(text, "hi") + sent(0x81, "ho"), 1002, "without finishing"},
		{"half a code", sent(0x88, "x"), 1002, "too small"},
		{"the code 1005", closing(1005, ""), 1002, "invalid status code"},
		{"the code 1006", closing(1006, ""), 1002, "invalid status code"},
		{"the code 999", closing(999, ""), 1002, "invalid status code"},
		{"the code 5000", closing(5000, ""), 1002, "invalid status code"},
		{"a negative length", "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", 0, "negative payload length"},
		{"HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 1002, "unexpected rsv bits"},
		{"the code 3000", closing(3000, "bye"), 3000, ""},
		{"the code 4999 and a reason as long as can be", closing(4999, strings.Repeat("r", 123)), 4999, ""},
		{"two closes", closing(1000, "") + closing(1001, ""), 1000, ""},
		{"a message after the close", closing(1001, "") + sent(0x81, "late"), 1001, ""},
		{"a letter in two frames", sent(text, "\xc3") + sent(last, "\xbc") + closing(1000, ""), 1000, ""},
		{"half a letter", sent(text, "\xc3") + sent(last, "") + closing(1000, ""), 1007, "1007 text message is not UTF-8"},
		{"half of a pair", sent(0x81, "\xed\xa0\x80") + closing(1000, ""), 1007, "1007 text message is not UTF-8"},
		{"binary in fragments", sent(0x02, "x") + closing(1000, ""), 1003, "1003 binary messages are not supported"},
		{"binary of nothing", sent(0x82, "") + closing(1000, ""), 1003, "1003 binary messages are not supported"},
		{"a ping within a message", sent(text, "a") + sent(ping, "p") + sent(last, "b") + closing(1000, ""), 1000, ""},
		{"a pong that nobody asked for", sent(0x8a, "p") + closing(1000, ""), 1000, ""},
		{"a thousand frames of nothing", sent(text, "") + strings.Repeat(sent(more, ""), 1000) + sent(last, "") + closing(1000, ""), 1000, ""},
		{"a short length in eight bytes", "\x81\xff\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00hello" + closing(1000, ""), 1000, ""},
		{"128 KB in frames", sent(text, "x") + strings.Repeat(sent(more, kilobyte), 131) + sent(last, kilobyte[:71]) + closing(1000, ""), 1000, ""},
		{"128 KB and a byte in frames", sent(text, "x") + strings.Repeat(sent(more, kilobyte), 131) + sent(last, kilobyte[:72]) + closing(1000, ""), 1009, "message longer than 128 KB"},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := len(c.log())
			conn, r := rawSocket(t, endpoint)
			go io.WriteString(conn, test.send)
			conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			all, _ := io.ReadAll(r) // an early end of the line may cut it
			code := 0
			for rest := all; len(rest) >= 2; rest = rest[2+int(rest[1]):] {
				if rest[0] == 0x88 {
					code = int(binary.BigEndian.Uint16(rest[2:]))
				}
			}
			g := <-told
			told := test.code
			if told == 0 {
				told = 1006
			}
			if code != test.code || g.DisconnectStatusCode != told {
				t.Errorf("closed with %d, $disconnect is told %d %s", code, g.DisconnectStatusCode, g.DisconnectReason)
			}
			said := c.log()[before:]
			if !strings.Contains(said, test.says) || (test.says == "") == strings.Contains(said, "ws close") {
				t.Errorf("the log says\n%s", said)
			}
		})
	}
}

// TestNoCompression offers what browsers do: no extension is taken.
func TestNoCompression(t *testing.T) {
	c := newCloud(t, gateway.Options{})
	conn, err := http.NewRequest("GET", strings.Replace(c.socketAPI(map[string]string{"$default": "fn"}), "ws:", "http:", 1)+"/staging", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
		"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits, x-webkit-deflate-frame", "Sec-WebSocket-Protocol": "a",
	} {
		conn.Header.Set(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(conn)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 101 || resp.Header.Get("Sec-WebSocket-Extensions") != "" || resp.Header.Get("Sec-WebSocket-Protocol") != "" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
}

// TestOddConnections calls @connections with IDs that are none, or of connections that are
// gone, by methods that it has and has not, with rights and without.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html
func TestOddConnections(t *testing.T) {
	asked := ""
	c := newCloud(t, gateway.Options{May: func(r *http.Request, _, resource string) error {
		asked = resource
		if r.Header.Get("Hidden") != "" {
			return invoke.ErrForbidden
		}
		return nil
	}})
	endpoint := strings.Replace(c.socketAPI(map[string]string{"$default": "fn"}), "ws:", "http:", 1)
	const gone = "L0SM9cOFvHcCIhw="
	for _, test := range []struct {
		method, path, hidden string
		status               int
		kind                 string
	}{
		{"POST", "/staging/@connections/" + gone, "", 410, "GoneException"},
		{"GET", "/staging/%40connections/L0SM9cOFvHcCIhw%3D", "", 410, "GoneException"},
		{"PATCH", "/staging/@connections/" + gone, "", 410, "GoneException"},
		{"DELETE", "/staging/@connections/" + gone, "x", 403, "AccessDeniedException"},
		{"POST", "/staging/@connections/" + gone + "test", "", 400, "BadRequestException"},
		{"GET", "/staging/@connections/cjy8i76bx002884le6n17d49b", "", 400, "BadRequestException"},
		{"DELETE", "/staging/@connections/..", "", 400, "BadRequestException"},
		{"POST", "/staging/@connections/%00%ff", "", 400, "BadRequestException"},
		{"POST", "/staging/@connections/nope", "x", 403, "AccessDeniedException"},
		{"POST", "/other/@connections/" + gone, "", 403, ""},
		{"POST", "/staging//@connections/" + gone, "", 403, ""},
	} {
		req, err := http.NewRequest(test.method, endpoint+test.path, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Hidden", test.hidden)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != test.status || resp.Header.Get("X-Amzn-ErrorType") != test.kind || test.status == 400 && !strings.Contains(string(body), `"message":"Invalid connectionId: `) {
			t.Errorf("%s %s: %d %s %s", test.method, test.path, resp.StatusCode, resp.Header.Get("X-Amzn-ErrorType"), body)
		}
	}
	if !strings.HasSuffix(asked, "/staging/POST/@connections/nope") {
		t.Errorf("it was asked for %s", asked)
	}
}

// TestOddResults connects clients by what a function may return that is no result: names
// count as they are written, and the log says what is wrong.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
func TestOddResults(t *testing.T) {
	for _, test := range []struct {
		result string
		status int
		says   string
	}{
		{`{"statusCode":"200"}`, 101, ""},
		{`{"StatusCode":200}`, 502, "must return a statusCode from 200 to 599"},
		{`{"statuscode":200}`, 502, "must return a statusCode"},
		{`{"statusCode":200.5}`, 502, "must return a statusCode"},
		{`{"statusCode":[200]}`, 502, "must return a statusCode"},
		{`{"statusCode":200,"headers":[]}`, 502, "headers: got array, want an object of strings"},
		{`{"statusCode":200,"Headers":[]}`, 101, ""},
		{`{"statusCode":200,"headers":{"a":["b"]}}`, 502, "header a: got a list or an object"},
		{`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"c"}}`, 101, `chose the subprotocol "c", which the client does not offer`},
		{`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"a\r\nX-Evil: 1"}}`, 101, "which the client does not offer"},
		{`{"statusCode":200,"headers":{"sec-websocket-protocol":"b"}}`, 101, ""},
		{`200`, 502, "must return an object with a statusCode"},
		{`{"statusCode":200}x`, 502, "must return an object with a statusCode"},
		{``, 502, "must return an object with a statusCode"},
		{strings.Repeat("[", 100_000), 502, "must return an object with a statusCode"},
	} {
		c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(test.result)}, Called: func(string) string { return "@ws connect" }})
		endpoint := c.socketAPI(map[string]string{"$connect": "fn"})
		got := handshake(t, endpoint, "GET /staging HTTP/1.1\nHost: HOST\nSec-WebSocket-Protocol: a, b\n"+upgradeLines)
		if log := c.log(); got != test.status || got == 502 && !strings.Contains(log, "@ws connect: ") || !strings.Contains(log, test.says) || strings.Contains(log, "Go ") || test.says == "" && strings.Contains(log, "warning") {
			t.Errorf("%.80s: %d\n%s", test.result, got, log)
		}
	}
}

// TestPingFlood pings and reads nothing: the connection is given up, and the log says why.
func TestPingFlood(t *testing.T) {
	c := newCloud(t, gateway.Options{})
	conn, _ := rawSocket(t, c.socketAPI(map[string]string{"$default": "fn"}))
	pings := strings.Repeat(sent(0x89, strings.Repeat("p", 125)), 1000)
	conn.SetWriteDeadline(time.Now().Add(time.Minute))
	for {
		if _, err := io.WriteString(conn, pings); err != nil {
			break
		}
	}
	eventually(t, "the log says so", func() bool {
		return strings.Contains(c.log(), "the client does not read: what waits for it fills its buffer")
	})
}

// TestPostInConnect sends to a connection whose $connect still runs: it is not there yet.
// https://repost.aws/knowledge-center/410-gone-api-gateway
func TestPostInConnect(t *testing.T) {
	url, got := make(chan string, 1), make(chan int, 1)
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": func(_ context.Context, event []byte) (invoke.Result, error) {
		var e struct{ RequestContext struct{ ConnectionID string } }
		err := json.Unmarshal(event, &e)
		status, _ := call(t, "POST", <-url+"/staging/@connections/"+strings.ReplaceAll(e.RequestContext.ConnectionID, "=", "%3D"), "early")
		got <- status
		return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, err
	}}})
	endpoint := c.socketAPI(map[string]string{"$connect": "fn"})
	url <- strings.Replace(endpoint, "ws:", "http:", 1)
	rawSocket(t, endpoint)
	if status := <-got; status != http.StatusGone {
		t.Errorf("it is answered with %d", status)
	}
}

// TestSentFrames sends a client as much as a message may have: in frames of 32 KB at most,
// and whole between others.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
func TestSentFrames(t *testing.T) {
	id := make(chan string, 1)
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": func(_ context.Context, event []byte) (invoke.Result, error) {
		var e struct{ RequestContext struct{ ConnectionID string } }
		err := json.Unmarshal(event, &e)
		id <- e.RequestContext.ConnectionID
		return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, err
	}}})
	endpoint := c.socketAPI(map[string]string{"$connect": "fn"})
	_, r := rawSocket(t, endpoint)
	url := strings.Replace(endpoint, "ws:", "http:", 1) + "/staging/@connections/" + strings.ReplaceAll(<-id, "=", "%3D")
	for _, length := range []int{1, 32 << 10, 32<<10 + 1, 128 << 10} {
		posted := make(chan int, 1)
		go func() {
			status, _ := call(t, "POST", url, strings.Repeat("x", length))
			posted <- status
		}()
		got := 0
		for first, last := true, false; !last; first = false {
			head := make([]byte, 8)
			if _, err := io.ReadFull(r, head[:2]); err != nil {
				t.Fatal(err)
			}
			n, opcode := int(head[1]), head[0]&0x0f
			last = head[0]&0x80 != 0
			if n == 126 {
				io.ReadFull(r, head[:2])
				n = int(binary.BigEndian.Uint16(head))
			}
			if n == 127 || n > 32<<10 || first != (opcode == 1) || !first && opcode != 0 { // 127 is a length of more than 64 KB
				t.Fatalf("%d bytes: a frame of %d bytes with opcode %d", length, n, opcode)
			}
			if _, err := io.CopyN(io.Discard, r, int64(n)); err != nil {
				t.Fatal(err)
			}
			got += n
		}
		if status := <-posted; status != 200 || got != length {
			t.Errorf("%d bytes: posted with %d, got %d", length, status, got)
		}
	}
}

// TestLongAnswers answers messages with as much as a message may have, and with a byte more.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
func TestLongAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		integration props
		length      int
		says        string
	}{
		"a function, 128 KB":            {props{"IntegrationType": "AWS_PROXY", "IntegrationUri": uri("fits")}, 128 << 10, ""},
		"a function, 128 KB and a byte": {props{"IntegrationType": "AWS_PROXY", "IntegrationUri": uri("long")}, 0, "has 131073 bytes, and a message has 128 KB at most"},
		"a template, 100 KB":            {props{"IntegrationType": "MOCK"}, 100 << 10, ""},
		"a template, 129 KB":            {props{"IntegrationType": "MOCK"}, 0, "has 132096 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			body := func(n int) string { return fmt.Sprintf(`{"statusCode":200,"body":"%s"}`, strings.Repeat("x", n)) }
			c := newCloud(t, gateway.Options{Invoker: functions{"fits": returns(body(128 << 10)), "long": returns(body(128<<10 + 1))}})
			api := c.create("Api", "WS", props{"Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})
			i := c.create("Integration", "I", merged(test.integration, props{"ApiId": api.PhysicalID}))
			if test.integration["IntegrationType"] == "MOCK" {
				n := test.length
				if n == 0 {
					n = 129 << 10
				}
				c.create("IntegrationResponse", "IR", props{"ApiId": api.PhysicalID, "IntegrationId": i.PhysicalID, "IntegrationResponseKey": "$default", "ResponseTemplates": props{"$default": strings.Repeat("x", n)}})
			}
			c.create("Route", "R", props{"ApiId": api.PhysicalID, "RouteKey": "$default", "Target": "integrations/" + i.PhysicalID})
			c.twoWay(api.PhysicalID, "R")
			c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "staging", "AutoDeploy": true})
			conn := dial(t, api.Attributes["ApiEndpoint"].(string))
			conn.SetReadLimit(1 << 20)
			if err := conn.Write(t.Context(), 1, []byte("{}")); err != nil {
				t.Fatal(err)
			}
			got := read(t, conn)
			if test.length > 0 && len(got) != test.length || test.length == 0 && !strings.Contains(got, "Internal server error") {
				t.Errorf("got %d bytes: %.60s", len(got), got)
			}
			if test.says != "" {
				eventually(t, "the log says "+test.says, func() bool { return strings.Contains(c.log(), test.says) })
			}
		})
	}
}
