package ingress

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"testing"
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
