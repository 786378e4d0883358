package gateway_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"arc/sandbox/gateway"
)

// TestStatusCodes gives the codes at both ends of what a function may answer
// with, in both payload formats and to $connect.
func TestStatusCodes(t *testing.T) {
	functions := functions{}
	paths, keys := props{}, map[string]string{}
	var codes []int
	for _, code := range []int{-1, 199, 200, 299, 300, 599, 600} {
		codes = append(codes, code)
		name := fmt.Sprintf("fn%d", code)
		functions[name] = returns(fmt.Sprintf(`{"statusCode":%d}`, code))
		for _, format := range []string{"1.0", "2.0"} {
			paths[fmt.Sprintf("/%s/%d", format, code)] = props{"get": props{"x-amazon-apigateway-integration": props{
				"payloadFormatVersion": format, "type": "aws_proxy", "httpMethod": "POST", "uri": uri(name)}}}
		}
		keys[name] = name
	}
	c := newCloud(t, gateway.Options{Invoker: functions})
	api := c.create("Api", "HTTP", props{"Body": props{"info": props{"title": "x"}, "paths": paths}})
	c.create("Stage", "Stage", props{"ApiId": api.PhysicalID, "StageName": "$default", "AutoDeploy": true})
	for _, code := range codes {
		want := code
		if code < 200 || code > 599 {
			want = http.StatusInternalServerError
		}
		for _, format := range []string{"1.0", "2.0"} {
			if got, _ := call(t, "GET", fmt.Sprintf("%s/%s/%d", api.Attributes["ApiEndpoint"], format, code), ""); got != want {
				t.Errorf("payload format %s: statusCode %d became %d", format, code, got)
			}
		}
		want = code
		switch {
		case code < 200 || code > 599:
			want = http.StatusBadGateway
		case code < 300:
			want = http.StatusSwitchingProtocols
		}
		one := newCloud(t, gateway.Options{Invoker: functions})
		endpoint := one.socketAPI(map[string]string{"$connect": fmt.Sprintf("fn%d", code)})
		if got := handshake(t, endpoint, "GET /staging HTTP/1.1\nHost: HOST\n"+upgradeLines); got != want {
			t.Errorf("$connect: statusCode %d became %d", code, got)
		}
	}
}

const upgradeLines = "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n" + keyLine

const keyLine = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n"

// handshake sends the lines and gives the status of the answer.
func handshake(t *testing.T, endpoint, lines string) int {
	t.Helper()
	host := endpoint[strings.LastIndex(endpoint, "/")+1:]
	conn, err := net.Dial("tcp", "127.0.0.1"+host[strings.LastIndex(host, ":"):])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, strings.NewReplacer("\n", "\r\n", "HOST", host).Replace(lines+"\n"))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// TestHandshakes opens WebSockets as no library would: what cannot be accepted
// is refused before $connect runs.
func TestHandshakes(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`{"statusCode":200}`), "in": returns(`{"statusCode":201}`)}})
	endpoint := c.socketAPI(map[string]string{"$connect": "in", "$default": "fn"})
	const get = "GET /staging HTTP/1.1\nHost: HOST\n"
	for _, test := range []struct {
		name, lines string
		status      int
	}{
		{"all as it should be", get + upgradeLines, 101},
		{"tokens among others, in any case", get + "Connection: keep-alive,  uPgrade\nUpgrade: h2c, WebSocket\nSec-WebSocket-Version: 13\n" + keyLine, 101},
		{"the key twice", get + upgradeLines + keyLine, 400},
		{"no key", get + strings.TrimSuffix(upgradeLines, keyLine), 400},
		{"a key of 15 bytes", get + strings.Replace(upgradeLines, "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j", 1), 400},
		{"a key of 17 bytes", get + strings.Replace(upgradeLines, "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZWU=", 1), 400},
		{"a key that is not base64", get + strings.Replace(upgradeLines, "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=", 1), 400},
		{"another version", get + strings.Replace(upgradeLines, "13", "12", 1), 400},
		{"POST", strings.Replace(get, "GET", "POST", 1) + upgradeLines, 400},
		{"HTTP/1.0", strings.Replace(get, "HTTP/1.1", "HTTP/1.0", 1) + upgradeLines, 400},
		{"no upgrade", get, 426},
		{"an upgrade to something else", get + strings.Replace(upgradeLines, "Upgrade: websocket", "Upgrade: h2c", 1), 426},
		{"an upgrade that Connection does not name", get + strings.Replace(upgradeLines, "Connection: Upgrade", "Connection: close", 1), 426},
	} {
		before := strings.Count(c.log(), "ws connect")
		if got := handshake(t, endpoint, test.lines); got != test.status {
			t.Errorf("%s: %d, want %d", test.name, got, test.status)
		}
		if ran := strings.Count(c.log(), "ws connect") > before; ran != (test.status == 101) {
			t.Errorf("%s: $connect ran: %v", test.name, ran)
		}
	}
}

// TestTimeouts gives integrations the shortest and the longest that they may take.
func TestTimeouts(t *testing.T) {
	c := newCloud(t, gateway.Options{})
	c.create("Api", "HTTP", props{"Name": "x", "ProtocolType": "HTTP"})
	c.create("Api", "WS", props{"Name": "x", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})
	for _, test := range []struct {
		api, timeout string
		ok           bool
	}{
		{"HTTP", "49", false}, {"HTTP", "50", true}, {"HTTP", "30000", true}, {"HTTP", "30001", false},
		{"WS", "49", false}, {"WS", "50", true}, {"WS", "29000", true}, {"WS", "29001", false},
		{"WS", "", true}, {"WS", "soon", false},
	} {
		p := props{"ApiId": c.ids[test.api], "IntegrationType": "AWS_PROXY", "IntegrationUri": uri("fn")}
		if test.api == "HTTP" {
			p["PayloadFormatVersion"] = "2.0"
		}
		if test.timeout != "" {
			p["TimeoutInMillis"] = json.Number(test.timeout)
		}
		_, err := c.try("Integration", "I"+test.api+test.timeout, p)
		if (err == nil) != test.ok {
			t.Errorf("%s, %s ms: %v", test.api, test.timeout, err)
		}
	}
}

// TestStageNames holds names of stages to API Gateway's letters and length.
func TestStageNames(t *testing.T) {
	c := newCloud(t, gateway.Options{})
	c.create("Api", "HTTP", props{"Name": "x", "ProtocolType": "HTTP"})
	for name, ok := range map[string]bool{
		"azAZ09-_": true, "$default": true, "$other": false, "a$default": false, "": false,
		"a/b": false, "a.b": false, "a`": false, "a{": false, "a@": false, "a[": false, "a:": false,
		strings.Repeat("x", 128): true, strings.Repeat("x", 129): false,
	} {
		_, err := c.try("Stage", "S", props{"ApiId": c.ids["HTTP"], "StageName": name, "AutoDeploy": true})
		if (err == nil) != ok {
			t.Errorf("stage %q: %v", name, err)
		}
	}
}
