package ingress

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"arc/sandbox/stack"
)

func TestSourceIP(t *testing.T) {
	for remote, want := range map[string]string{
		"127.0.0.1:5000":      "127.0.0.1",
		"[::1]:5000":          "::1",
		"[fe80::1%eth0]:5000": "fe80::1",
		"@":                   "@", // a Unix socket's
	} {
		if got := SourceIP(&http.Request{RemoteAddr: remote}); got != want {
			t.Errorf("%s: %s, want %s", remote, got, want)
		}
	}
}

// TestQuery decodes query strings, and keeps what is not well encoded.
func TestQuery(t *testing.T) {
	for raw, want := range map[string]map[string][]string{
		"": {}, "a=1&a=2": {"a": {"1", "2"}}, "a": {"a": {""}}, "a=b%20c+d": {"a": {"b c d"}}, "%zz=1": {"%zz": {"1"}}, "&&a=1": {"a": {"1"}}, "a=%ff": {"a": {"ÿ"}},
	} {
		if got := Query(&http.Request{URL: &url.URL{RawQuery: raw}}); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", raw, got, want)
		}
	}
}

// TestLambdaName takes functions out of URIs.
func TestLambdaName(t *testing.T) {
	const arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
	for uri, want := range map[string][2]string{
		arn: {"f", ""}, arn + ":live": {"f", "live"}, "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + arn + "/invocations": {"f", ""},
		"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + arn + ":7/invocations": {"f", "7"},
		"arn:aws:sqs:us-east-1:123456789012:queue:f:x":                                            {}, "https://example.com/": {}, arn + "${stageVariables.x}": {},
		arn + ":a:b": {}, "arn:aws:lambda:us-east-1:123456789012:function": {}, "arn:aws:lambda:us-east-1:123456789012:function:": {}, "arn:aws:lambda:us-east-1:123456789012:layer:f": {}, "arn:aws:states:us-east-1:123456789012:function:f": {},
	} {
		name, qualifier, err := LambdaName(uri)
		if [2]string{name, qualifier} != want || (err == nil) != (want[0] != "") {
			t.Errorf("%s: %s %s %v", uri, name, qualifier, err)
		}
	}
}

// TestChosenStage tells the path below a mapping's key.
func TestChosenStage(t *testing.T) {
	for _, test := range [][3]string{{"v1", "/v1/pets", "/pets"}, {"v1", "/v1", "/"}, {"", "/pets", "/pets"}, {"a/b", "/a/b/c%2Fd", "/c%2Fd"}} {
		u, err := url.Parse(test[1])
		if err != nil {
			t.Fatal(err)
		}
		r := (&http.Request{URL: u}).WithContext(ChooseStage(context.Background(), test[0], "dev"))
		if stage, path, ok := ChosenStage(r); stage != "dev" || path != test[2] || !ok {
			t.Errorf("%v: %s %s %v", test, stage, path, ok)
		}
	}
	if _, _, ok := ChosenStage(&http.Request{}); ok {
		t.Error("a request of no domain has a stage")
	}
}

// TestForwarded gives the headers as functions get them.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
func TestForwarded(t *testing.T) {
	r := httptest.NewRequest("GET", "http://api.localhost:4100/a?b=1", nil)
	r.RemoteAddr = "203.0.113.7:5000"
	r.Header = http.Header{"X-Own": {"1", "caf\xe9"}, "X-Forwarded-Proto": {"https"}}
	h := Forwarded(r, time.Unix(0x65000000, 0))
	if trace := h.Get("X-Amzn-Trace-Id"); !regexp.MustCompile(`^Root=1-65000000-[0-9a-f]{24}$`).MatchString(trace) {
		t.Errorf("%s", trace)
	}
	h.Del("X-Amzn-Trace-Id")
	want := http.Header{"X-Own": {"1", "café"}, "X-Forwarded-Proto": {"https"}, "Host": {"api.localhost:4100"}, "X-Forwarded-For": {"203.0.113.7"}, "X-Forwarded-Port": {"4100"}}
	if !reflect.DeepEqual(h, want) || len(r.Header) != 2 {
		t.Errorf("%q, want %q", h, want)
	}
	if name, prefix := Domain(r); name != "api.localhost:4100" || prefix != "api" {
		t.Errorf("%s %s", name, prefix)
	}
	if n, want := HeadSize(r), len("GET http://api.localhost:4100/a?b=1 HTTP/1.1")+len("api.localhost:4100")+len("1")+len("caf.")+len("https"); n != want {
		t.Errorf("%d bytes, want %d", n, want)
	}
	hops := http.Header{"Connection": {"x"}, "Expect": {"x"}, "Keep-Alive": {"x"}, "Proxy-Authenticate": {"x"}, "Proxy-Authorization": {"x"}, "Proxy-Connection": {"x"}, "Te": {"x"}, "Trailer": {"x"}, "Transfer-Encoding": {"x"}, "Upgrade": {"x"}, "Authorization": {"x"}}
	if DropHops(hops); len(hops) != 1 || hops.Get("Authorization") != "x" {
		t.Errorf("%v", hops)
	}
}

// TestTexts decodes, shortens and encodes what others wrote.
func TestTexts(t *testing.T) {
	for text, want := range map[string]string{"a": "a", "é": "é", "\xe9": "é", "\xff\xfe": "ÿþ"} {
		if got := Latin1(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	for text, want := range map[string]string{"a%20b": "a b", "a+b": "a+b", "%zz": "%zz", "%C3%A9": "é"} {
		if got := Unescape(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	for text, want := range map[string]string{"a": "a", "a\nb": "a …", "a\tb\x1b": "a b ", "\n": " …"} {
		if got := OneLine(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	if got, err := Encode(map[string]string{"a": "<&>\n"}); err != nil || string(got) != `{"a":"<&>\n"}` {
		t.Errorf("%s %v", got, err)
	}
	if _, err := Encode(func() {}); err == nil {
		t.Error("a function is JSON")
	}
}

// TestIDs makes IDs that are told apart, and stay while the stack does.
func TestIDs(t *testing.T) {
	form := regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_-]{14}=$`)
	seen := map[string]bool{}
	for range 200 {
		token := NewToken()
		if !form.MatchString(token) || seen[token] {
			t.Fatalf("%s", token)
		}
		seen[token] = true
	}
	none := func(string) bool { return false }
	first := ResourceID(10, none, "a", "b")
	if first != ResourceID(10, none, "a", "b") || len(first) != 10 || first == ResourceID(10, none, "ab", "") || !strings.HasPrefix(first, ResourceID(6, none, "a", "b")) {
		t.Errorf("%s", first)
	}
	second := ResourceID(10, func(id string) bool { return id == first }, "a", "b")
	if second == first || len(second) != 10 {
		t.Errorf("%s", second)
	}
	req := stack.Request{Stack: stack.Ref{ID: "a"}, LogicalID: "b", PhysicalID: "kept"}
	if got := IDOf(req, 10, none); got != first {
		t.Errorf("of a new one: %s", got)
	}
	req.Restored = true
	if got := IDOf(req, 10, none); got != "kept" {
		t.Errorf("of one that is restored: %s", got)
	}
	if got := IDOf(req, 10, func(id string) bool { return id == "kept" }); got != first {
		t.Errorf("of one whose place is taken: %s", got)
	}
}
