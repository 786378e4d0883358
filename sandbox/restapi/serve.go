package restapi

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/door"
	"arc/sandbox/ingress"
)

// maxBody is API Gateway's limit for a request, and for an answer.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const maxBody = 10 << 20

// maxHead is its limit for the request line and the values of all headers together.
const maxHead = 10240

// maxEvent is Lambda's limit for an event.
const maxEvent = 6 << 20

// serve answers a request to an API and logs one line about it.
func (g *APIs) serve(w http.ResponseWriter, r *http.Request, a *api) {
	at := time.Now()
	c := &call{request: r, api: a, at: at, headers: received(r, at), id: newUUID(), extended: ingress.NewToken()}
	c.trace = c.headers.Get("X-Amzn-Trace-Id")
	out, why := g.answer(w, c)
	out.write(w, c)
	g.tell(activity.Event{
		Kind: activity.Request, RequestID: c.id, Method: r.Method, Path: r.URL.EscapedPath(), Status: out.status,
		Milliseconds: time.Since(at).Milliseconds(), Text: strings.TrimSpace(why + " " + c.delay),
	})
}

// answer serves a call; why explains a failure, for the log.
func (g *APIs) answer(w http.ResponseWriter, c *call) (out response, why string) {
	failed := g.enter(w, c)
	if failed == nil {
		out, failed = g.run(c)
	}
	if failed != nil {
		return c.fail(*failed), failed.why
	}
	return out, ""
}

// enter does what comes before the integration.
func (g *APIs) enter(w http.ResponseWriter, c *call) *failure {
	r := c.request
	path := r.URL.EscapedPath()
	name, below := "", ""
	chosen := false
	if name, below, chosen = ingress.ChosenStage(r); !chosen {
		name, below = stageOf(path)
	}
	c.stage, c.path = c.api.stage(name), below
	c.full = ingress.Unescape(path)
	if n := ingress.HeadSize(r); n > maxHead {
		return &failure{kind: kindDefault4, status: http.StatusRequestHeaderFieldsTooLarge, message: "Request Header Fields Too Large", code: "RequestTooLargeException",
			why: fmt.Sprintf("the request line and the values of the headers have %d bytes; API Gateway takes 10,240", n)}
	}
	if c.stage == nil {
		return &failure{kind: kindDefault4, status: http.StatusForbidden, message: "Forbidden", code: "ForbiddenException",
			why: fmt.Sprintf("the API has no stage %q: the path begins with one of %s", name, strings.Join(c.api.stageNames(), ", "))}
	}
	if c.stage.off && !chosen && strings.Contains(r.Host, ".execute-api.") {
		return &failure{kind: kindDefault4, status: http.StatusForbidden, message: "Forbidden", code: "ForbiddenException", why: "the API has DisableExecuteApiEndpoint"}
	}
	c.route, c.variables = c.stage.router.find(r.Method, below)
	if c.route == nil {
		return missingToken("no method for " + r.Method + " " + ingress.Unescape(below) + " in stage " + name)
	}
	if failed := c.readBody(w); failed != nil {
		return failed
	}
	if failed := g.authorize(c); failed != nil {
		return failed
	}
	return c.validate()
}

// readBody reads the request's body into memory.
func (c *call) readBody(w http.ResponseWriter) *failure {
	body, err := io.ReadAll(http.MaxBytesReader(w, c.request.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return &failure{kind: "REQUEST_TOO_LARGE", status: http.StatusRequestEntityTooLarge, message: "Request Too Long", code: "RequestTooLargeException",
			why: "the body is larger than the 10 MB that API Gateway takes"}
	case errors.Is(err, door.ErrFull):
		return &failure{kind: kindDefault5, status: http.StatusServiceUnavailable, message: "Service Unavailable", code: "ServiceUnavailableException", why: err.Error()}
	case err != nil:
		return &failure{kind: kindDefault4, status: http.StatusBadRequest, message: "Bad Request", code: "BadRequestException", why: "reading the body: " + err.Error()}
	}
	c.body = body
	return nil
}

// run calls the integration and makes an answer of what comes back.
func (g *APIs) run(c *call) (response, *failure) {
	switch i := c.route.integration; i.kind {
	case kindLambdaProxy:
		return g.lambdaProxy(c, i)
	case kindHTTPProxy:
		return g.httpProxy(c, i)
	case kindMock:
		return c.mock(i)
	case kindHTTP:
		return g.http(c, i)
	default:
		if !ingress.IsFunction(i.uri) {
			return g.service(c, i)
		}
		return g.lambda(c, i)
	}
}

// response is what the client gets.
type response struct {
	status int
	header http.Header
	body   []byte
}

// renamed are headers that API Gateway gives out under another name.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
var renamed = []string{"Authorization", "Content-Length", "Content-Md5", "Date", "Expect", "Host", "Max-Forwards", "Proxy-Authenticate", "Server", "User-Agent", "Www-Authenticate"}

// write sends the answer.
func (out response) write(w http.ResponseWriter, c *call) {
	h := w.Header()
	for name, values := range out.header {
		h[name] = values
	}
	ingress.DropHops(h)
	h.Set("X-Amzn-Requestid", c.id)
	h.Set("X-Amz-Apigw-Id", c.extended)
	root, _, _ := strings.Cut(c.trace, ";")
	if h.Get("X-Amzn-Trace-Id") == "" && c.failed == nil {
		h.Set("X-Amzn-Trace-Id", root)
	}
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	// The length of what a GET would get is for a HEAD's function to know.
	if c.request.Method != http.MethodHead || len(out.body) > 0 {
		h.Set("Content-Length", strconv.Itoa(len(out.body)))
	}
	if out.status == http.StatusNoContent || out.status == http.StatusNotModified {
		h.Del("Content-Length")
		out.body = nil
	}
	w.WriteHeader(out.status)
	w.Write(out.body) // the client's going away is nobody's error
}

// remap gives the names to headers of a backend that the client is to see.
func remap(h http.Header) {
	for _, name := range renamed {
		if values, there := h[name]; there {
			h.Del(name)
			h["X-Amzn-Remapped-"+name] = values
		}
	}
}

// decoded is a body of base64, where the client accepts a binary type.
func (c *call) decoded(out *response, encoded bool) *failure {
	binary := c.stage.isBinary(accepted(c.headers.Get("Accept")))
	if !encoded || !binary {
		return nil
	}
	body, err := base64.StdEncoding.DecodeString(string(out.body))
	if err != nil {
		return misconfigured("isBase64Encoded is true, but body is not base64: %v", err)
	}
	out.body = body
	return nil
}

// accepted is the first of the types that a client accepts: API Gateway looks at no
// other.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/lambda-proxy-binary-media.html
func accepted(header string) string {
	first, _, _ := strings.Cut(header, ",")
	return strings.TrimSpace(first)
}
