package gateway

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"arc/sandbox/ingress"
)

// FuzzEvent makes events of both formats from a request and gets body,
// headers, query and cookies back from them whole.
func FuzzEvent(f *testing.F) {
	f.Add("text/plain", []byte("hello"), "one", "two", "a=1&a=2")
	f.Add("application/json", []byte("{\"a\":\"\xff\"}"), "caf\xe9", "", "%zz=%C3%BC&=x&&")
	f.Add("", []byte{0, 1, 2, 255}, "<>&\u2028", "a,b", "+")
	f.Add("application/octet-stream", []byte{}, "\x80", "ü", "\xff=\xfe")
	f.Fuzz(func(t *testing.T, contentType string, body []byte, one, two, rawQuery string) {
		r := httptest.NewRequest("POST", "http://localhost:3333/x", bytes.NewReader(body))
		r.URL.RawQuery = rawQuery
		r.Header["Content-Type"] = []string{contentType}
		r.Header["X-Multi"] = []string{one, two}
		r.Header["Cookie"] = []string{"a=" + one}
		c := &call{request: r, api: &api{}, stage: &liveStage{name: "$default"}, route: &route{key: "POST /x"}, body: body, at: time.Now(), id: "id"}

		event, err := ingress.Encode(c.event2())
		if err != nil {
			t.Fatal(err)
		}
		var e event2
		if err := json.Unmarshal(event, &e); err != nil {
			t.Fatal(err)
		}
		sameBody(t, body, e.Body, e.IsBase64Encoded)
		if want := ingress.Latin1(one) + "," + ingress.Latin1(two); e.Headers["x-multi"] != want {
			t.Errorf("header %q, want %q", e.Headers["x-multi"], want)
		}
		if got, want := strings.Join(e.Cookies, ";"), ingress.Latin1("a="+one); strings.ReplaceAll(want, " ", "") != strings.ReplaceAll(got, " ", "") && !strings.ContainsAny(want, ";\t\r\n\v\f\u0085\u00a0") && strings.TrimSpace(want) == want {
			t.Errorf("cookies %q, want %q", got, want)
		}

		if event, err = ingress.Encode(c.event1()); err != nil {
			t.Fatal(err)
		}
		var e1 event1
		if err := json.Unmarshal(event, &e1); err != nil {
			t.Fatal(err)
		}
		if e1.Body != nil || len(body) > 0 {
			sameBody(t, body, *e1.Body, e1.IsBase64Encoded)
		}
		if got := e1.MultiValueHeaders["x-multi"]; len(got) != 2 || got[0] != ingress.Latin1(one) || got[1] != ingress.Latin1(two) {
			t.Errorf("headers %q", got)
		}
	})
}

func sameBody(t *testing.T, want []byte, text string, isBase64 bool) {
	t.Helper()
	got := []byte(text)
	if isBase64 {
		var err error
		if got, err = base64.StdEncoding.DecodeString(text); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got, want) {
		t.Errorf("body %q, want %q", got, want)
	}
}

// FuzzResponse reads any result without a panic, and what it accepts can be
// sent and read by an HTTP client.
func FuzzResponse(f *testing.F) {
	for _, seed := range []string{`null`, `"x"`, `{"a":1}`, `{"statusCode":200,"headers":{"a b":"c\r\nd"},"cookies":["x"],"body":"y"}`,
		`{"statusCode":304,"isBase64Encoded":true,"body":"eA=="}`, `{"statusCode":2e2}`, `{"statusCode":{}}`, `{`,
		`{"statusCode":200,"multiValueHeaders":{"Content-Length":["7"],"connection":["x-a"]},"headers":{"transfer-encoding":"chunked"}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, read := range []func([]byte) (response, error){response1, response2} {
			out, err := read(payload)
			if err != nil {
				continue
			}
			server := httptest.NewRecorder()
			out.write(server, httptest.NewRequest("GET", "/", nil))
			var wire bytes.Buffer
			if err := server.Result().Write(&wire); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(&wire), nil)
			if err != nil || resp.StatusCode != out.status {
				t.Errorf("%v: %q", err, wire.String())
			}
		}
	})
}

// FuzzRouter compares the tree with the plain reading of the precedence rule.
func FuzzRouter(f *testing.F) {
	f.Add("GET", "/pets/dog/1")
	f.Add("POST", "/")
	f.Add("PUT", "/a//b/")
	f.Add("GET", "/a%2Fb/%zz")
	keys := []string{"GET /", "ANY /{proxy+}", "GET /pets", "GET /pets/{id}", "POST /pets/{id}", "ANY /pets/{id}/toys", "GET /pets/dog/{toy}",
		"GET /pets/{all+}", "DELETE /{a}/{b}", "GET /{a}/{b}/{rest+}", "$default"}
	var routes []*route
	for _, key := range keys {
		routes = append(routes, &route{key: key})
	}
	rt := newRouter(routes)
	f.Fuzz(func(t *testing.T, method, path string) {
		if !strings.HasPrefix(path, "/") {
			path = "/" + path
		}
		found, variables := rt.find(method, path)
		if found == nil {
			t.Fatalf("%s %s: nothing found in spite of $default", method, path)
		}
		full := matching(routes, method, path, false)
		greedy := matching(routes, method, path, true)
		isGreedy := strings.HasSuffix(found.key, "+}")
		switch {
		case len(full) > 0 && !full[found.key], len(full) == 0 && len(greedy) > 0 && !greedy[found.key],
			len(full)+len(greedy) == 0 && found.key != "$default":
			t.Errorf("%s %s: found %s; full matches %v, greedy %v", method, path, found.key, full, greedy)
		}
		if names := strings.Count(found.key, "{"); len(variables) != names {
			t.Errorf("%s: variables %v (greedy %v)", found.key, variables, isGreedy)
		}
	})
}

func matching(routes []*route, method, path string, greedy bool) map[string]bool {
	found := map[string]bool{}
	have := segments(path)
next:
	for _, r := range routes {
		m, template, ok := strings.Cut(r.key, " ")
		if !ok || m != method && m != "ANY" || strings.HasSuffix(template, "+}") != greedy {
			continue
		}
		want := segments(template)
		if len(have) < len(want) || !greedy && len(have) != len(want) {
			continue
		}
		for i, segment := range want {
			isVariable := strings.HasPrefix(segment, "{")
			if strings.HasSuffix(segment, "+}") {
				break
			}
			if isVariable && have[i] == "" || !isVariable && ingress.Unescape(have[i]) != segment {
				continue next
			}
		}
		found[r.key] = true
	}
	return found
}

// FuzzFrames splits a stream of frames anywhere and still sees which is long.
func FuzzFrames(f *testing.F) {
	f.Add(uint16(5), uint32(maxFrame+1), uint32(100), uint8(3), true)
	f.Add(uint16(125), uint32(65536), uint32(126), uint8(1), false)
	f.Fuzz(func(t *testing.T, a uint16, b, c uint32, step uint8, masked bool) {
		b, c = b%(1<<20), c%(1<<20)
		var stream []byte
		for _, length := range []uint32{uint32(a), b, c} {
			stream = append(stream, frame(length, masked)...)
		}
		w := &frameWatch{}
		for chunk := int(step) + 1; len(stream) > 0; {
			n := min(chunk, len(stream))
			w.see(stream[:n])
			stream = stream[n:]
		}
		want := int64(1 + slices.IndexFunc([]uint32{uint32(a), b, c}, func(n uint32) bool { return n > maxFrame }))
		if w.tooLong.Load() != want || w.have != 0 || w.skip != 0 {
			t.Errorf("too long %v, want %v; left over %d %d", w.tooLong.Load(), want, w.have, w.skip)
		}
	})
}

func frame(length uint32, masked bool) []byte {
	head := []byte{0x81, 0}
	switch {
	case length < 126:
		head[1] = byte(length)
	case length < 1<<16:
		head[1] = 126
		head = binary.BigEndian.AppendUint16(head, uint16(length))
	default:
		head[1] = 127
		head = binary.BigEndian.AppendUint64(head, uint64(length))
	}
	if masked {
		head[1] |= 0x80
		head = append(head, 0xff, 0xff, 0xff, 0xff)
	}
	return append(head, bytes.Repeat([]byte{0xff}, int(length))...)
}

// FuzzMessageEvent: the event of a message is what would be encoded of all its values,
// whatever they are, on one route after another.
func FuzzMessageEvent(f *testing.F) {
	f.Add(`{"action":"a"}`, "agent", "localhost", "variable")
	f.Add("<&>\u2028\xff\x00\"", "\xff", "", "</script>")
	f.Fuzz(func(t *testing.T, body, agent, domain, variable string) {
		c := &connection{api: &api{id: "a"}, id: "i=", domain: domain, userAgent: agent, connected: time.Unix(1, 2e6)}
		for _, live := range []*liveStage{{name: "one"}, {name: "two", variables: map[string]string{"v": variable}}} {
			for _, key := range []string{"$default", "k", "k"} {
				got, err := c.messageEvent(live, key, "r=", body)
				if err != nil {
					t.Fatal(err)
				}
				var said struct{ RequestContext socketContext }
				if err := json.Unmarshal(got, &said); err != nil {
					t.Fatal(err, string(got))
				}
				at := c.messageContext(live, key, "r=")
				own := said.RequestContext
				if now := time.Now().UnixMilli(); own.RequestTimeEpoch > now || own.RequestTimeEpoch < now-60_000 || own.MessageID == at.MessageID || len(own.MessageID) != len(at.MessageID) {
					t.Errorf("message %s of %d", own.MessageID, own.RequestTimeEpoch)
				}
				at.MessageID, at.RequestTimeEpoch = own.MessageID, own.RequestTimeEpoch
				at.RequestTime = time.UnixMilli(own.RequestTimeEpoch).UTC().Format(clockFormat)
				want, err := ingress.Encode(socketEvent{StageVariables: live.variables, RequestContext: at, Body: &body})
				if err != nil {
					t.Fatal(err)
				}
				if string(got) != string(want) {
					t.Errorf("%s\nwant %s", got, want)
				}
			}
		}
	})
}
