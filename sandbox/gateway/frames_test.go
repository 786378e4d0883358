package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"arc/sandbox/gateway"
	"arc/sandbox/invoke"
)

// TestClosedOnHeader announces frames that are too long and sends nothing of
// them: the connection is closed at once, and the message before is served.
func TestClosedOnHeader(t *testing.T) {
	served := make(chan string, 10)
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": func(_ context.Context, event []byte) (invoke.Result, error) {
		var e struct{ Body string }
		err := json.Unmarshal(event, &e)
		served <- e.Body
		return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, err
	}}})
	endpoint := c.socketAPI(map[string]string{"$default": "fn"})
	for name, header := range map[string]string{
		"1 GiB":                     "\x81\xff\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00",
		"32 KB and a byte":          "\x81\xff\x00\x00\x00\x00\x00\x00\x80\x01\x00\x00\x00\x00",
		"a continuation of 64 KB":   "\x01\x80\x00\x00\x00\x00\x80\xfe\xff\xff\x00\x00\x00\x00",
		"a long frame after a ping": "\x89\x80\x00\x00\x00\x00\x81\xfe\xff\xff\x00\x00\x00\x00",
	} {
		conn, r := rawSocket(t, endpoint)
		io.WriteString(conn, "\x81\x82\x00\x00\x00\x00hi"+header)
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		frame := make([]byte, 4)
		if _, err := io.ReadFull(r, frame); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if frame[0] == 0x8a { // the pong
			copy(frame, frame[2:])
			if _, err := io.ReadFull(r, frame[2:]); err != nil {
				t.Fatal(err)
			}
		}
		if code := int(frame[2])<<8 | int(frame[3]); frame[0] != 0x88 || code != 1009 {
			t.Errorf("%s: frame % x", name, frame)
		}
		conn.Close()
		if got := <-served; got != "hi" {
			t.Errorf("%s: served %q", name, got)
		}
	}
}

// TestBadReason closes with a reason that is not UTF-8: the answer is 1007, and
// $disconnect is told the same. Other reasons come back as they were.
// https://www.rfc-editor.org/rfc/rfc6455#section-8.1
func TestBadReason(t *testing.T) {
	told := make(chan string, 1)
	c := newCloud(t, gateway.Options{Invoker: functions{"bye": func(_ context.Context, event []byte) (invoke.Result, error) {
		var e struct {
			RequestContext struct {
				DisconnectStatusCode int
				DisconnectReason     string
			}
		}
		err := json.Unmarshal(event, &e)
		told <- fmt.Sprint(e.RequestContext.DisconnectStatusCode, " ", e.RequestContext.DisconnectReason)
		return invoke.Result{}, err
	}}})
	endpoint := c.socketAPI(map[string]string{"$disconnect": "bye"})
	for reason, want := range map[string]struct{ answer, told string }{
		"\xff\xfe": {"\x88\x02\x03\xef", "1007 the reason of the close frame is not UTF-8"},
		"\xc3\xbc": {"\x88\x04\x0b\xb8\xc3\xbc", "3000 ü"},
		"":         {"\x88\x02\x0b\xb8", "3000 "},
	} {
		conn, r := rawSocket(t, endpoint)
		conn.Write(append([]byte{0x88, byte(0x80 | 2 + len(reason)), 0, 0, 0, 0, 0x0b, 0xb8}, reason...))
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		got := make([]byte, len(want.answer))
		if _, err := io.ReadFull(r, got); err != nil || string(got) != want.answer {
			t.Errorf("%q: answered % x %v", reason, got, err)
		}
		if got := <-told; got != want.told {
			t.Errorf("%q: $disconnect was told %s", reason, got)
		}
	}
}

// TestLongURLs opens WebSockets and asks HTTP APIs with as much as API Gateway
// takes, and with a character more.
func TestLongURLs(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`{"statusCode":200}`)}})
	endpoint := c.socketAPI(map[string]string{"$connect": "fn"})
	host := strings.TrimPrefix(endpoint, "ws://")
	for length, want := range map[int]int{4096: 101, 4097: 414} {
		line := "/staging?q=" + strings.Repeat("x", length-len("wss://"+host+"/staging?q="))
		if got := handshake(t, endpoint, "GET "+line+" HTTP/1.1\nHost: HOST\n"+upgradeLines); got != want {
			t.Errorf("a URL of %d characters: %d", length, got)
		}
	}
	if !strings.Contains(c.log(), "4,096 characters") {
		t.Errorf("the log does not explain:\n%s", c.log())
	}

	web := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`{"statusCode":200}`)}})
	endpoint = web.httpAPI(map[string]string{"GET /x": "fn"})
	host = strings.TrimPrefix(endpoint, "http://")
	for length, want := range map[int]string{10240: "200 OK", 10241: "431 Request Header Fields Too Large"} {
		head := "GET /x HTTP/1.1\nHost: " + host + "\nA: b\n" + "Long: "
		head += strings.Repeat("x", length-len("GET /x HTTP/1.1"+host+"b"))
		if got := raw(t, endpoint, head+"\n\n"); !strings.HasPrefix(got, want+"\n") {
			t.Errorf("a head of %d bytes: %.40s", length, got)
		}
	}
	if !strings.Contains(web.log(), "10241 bytes; API Gateway takes 10,240") {
		t.Errorf("the log does not explain:\n%s", web.log())
	}
}

// TestNamedOrigins lets pages in that the API's own CORS configuration names, and
// no others: a pattern names nobody, and sockets have no such configuration.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
func TestNamedOrigins(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`{"statusCode":200}`)}})
	c.socketAPI(map[string]string{"$connect": "fn"})
	api := c.create("Api", "HTTP", props{"Name": "x", "ProtocolType": "HTTP", "CorsConfiguration": props{
		"AllowOrigins": []any{"https://app.example", "https://*.example", "null", "capacitor://localhost", "http://*"}, "AllowMethods": []any{"GET"}, "AllowHeaders": []any{"X-A"}}})
	i := c.create("Integration", "I", props{"ApiId": api.PhysicalID, "IntegrationType": "AWS_PROXY", "IntegrationUri": uri("fn"), "PayloadFormatVersion": "2.0"})
	c.create("Route", "R", props{"ApiId": api.PhysicalID, "RouteKey": "$default", "Target": "integrations/" + i.PhysicalID})
	c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "$default", "AutoDeploy": true})
	endpoint := api.Attributes["ApiEndpoint"].(string)
	for origin, want := range map[string]int{
		"https://app.example": 200, "https://APP.example": 200, "https://b.example": 403, "null": 403, "capacitor://localhost": 403, "http://x": 403, "http://localhost:8080": 200,
	} {
		status, body := call(t, "GET", endpoint+"/x", "", "Origin", origin)
		if status != want || want == 403 && !strings.Contains(body, "arc sandbox --allow-origin="+origin+" lets it in") {
			t.Errorf("%s: %d %s", origin, status, body)
		}
	}
	if got := handshake(t, endpoint, "GET /staging HTTP/1.1\nHost: HOST\nOrigin: https://app.example\n"+upgradeLines); got != 403 {
		t.Errorf("a socket from a page of another site: %d", got)
	}
	// OPTIONS is a preflight with a request method alone.
	for _, method := range []string{"", "GET"} {
		header := "Origin: https://app.example\n"
		if method != "" {
			header += "Access-Control-Request-Method: " + method + "\n"
		}
		got := raw(t, endpoint, "OPTIONS /x HTTP/1.1\nHost: localhost:3333\n"+header+"\n")
		if has := strings.Contains(got, "Access-Control-"); has != (method != "") {
			t.Errorf("OPTIONS with method %q:\n%s", method, got)
		}
	}
}
