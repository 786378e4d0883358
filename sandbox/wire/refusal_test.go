package wire

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// Each refusal has the form that the request's client reads; people get text.
func TestRefusal(t *testing.T) {
	signed := func(service string) string {
		return "AWS4-HMAC-SHA256 Credential=k/20260101/us-west-2/" + service + "/aws4_request, Signature=0"
	}
	for name, test := range map[string]struct {
		request string // method and URL
		headers string // name: value, a line each
		kind    string // Content-Type of the answer
		body    string // its beginning
	}{
		"a person":   {"GET /", "", "text/plain; charset=utf-8", "403 Forbidden: it is <you>\n"},
		"JSON 1.0":   {"POST /", "X-Amz-Target: DynamoDB_20120810.ListTables\nContent-Type: application/x-amz-json-1.0", "application/x-amz-json-1.0", `{"__type":"AccessDeniedException","message":"it is `},
		"JSON 1.1":   {"POST /", "X-Amz-Target: AmazonSSM.GetParameter\nContent-Type: application/x-amz-json-1.1", "application/x-amz-json-1.1", `{"__type":"AccessDeniedException","message":"it is `},
		"Query":      {"POST /", "Content-Type: application/x-www-form-urlencoded; charset=utf-8\nAuthorization: " + signed("sns"), "text/xml", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ErrorResponse xmlns=\"\"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>it is &lt;you&gt;</Message></Error>"},
		"EC2":        {"POST /", "Content-Type: application/x-www-form-urlencoded\nAuthorization: " + signed("ec2"), "text/xml;charset=UTF-8", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>AccessDenied</Code><Message>it is &lt;you&gt;"},
		"S3":         {"PUT /bucket/key", "Authorization: " + signed("s3"), "application/xml", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>it is &lt;you&gt;"},
		"CloudFront": {"GET /2020-05-31/distribution", "Authorization: " + signed("cloudfront"), "text/xml", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ErrorResponse xmlns=\"\"><Error><Type>Sender</Type><Code>AccessDenied</Code>"},
		"REST JSON":  {"POST /2015-03-31/functions/f/invocations", "Authorization: " + signed("lambda"), "application/json", `{"__type":"AccessDeniedException","message":"it is `},
		"CBOR":       {"POST /service/GraniteServiceVersion20100801/operation/ListMetrics", "Smithy-Protocol: rpc-v2-cbor", "application/cbor", "\xa2\x7a\x00\x00\x00\x06__type\x7a\x00\x00\x00\x15AccessDeniedException\x7a\x00\x00\x00\x07message\x7a\x00\x00\x00\x0bit is <you>"},
	} {
		method, url, _ := strings.Cut(test.request, " ")
		r := httptest.NewRequest(method, url, nil)
		for line := range strings.Lines(test.headers) {
			header, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			r.Header.Set(header, value)
		}
		w := httptest.NewRecorder()
		Refusal(w, r, "it is <you>")
		if w.Code != 403 || w.Header().Get("Content-Type") != test.kind || !strings.HasPrefix(w.Body.String(), test.body) {
			t.Errorf("%s: %d %s %q", name, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
	}
}
