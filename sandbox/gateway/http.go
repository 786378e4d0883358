package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/door"
	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
)

const (
	maxBody  = 10 << 20 // API Gateway's limit for a request
	maxEvent = 6 << 20  // Lambda's limit for an event
	// maxHead is API Gateway's limit for the request line and the values of all
	// headers together.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
	maxHead = 10240
)

// serveHTTP answers a request to an HTTP API and logs one line about it.
func (g *Gateway) serveHTTP(w http.ResponseWriter, r *http.Request, a *api) {
	c := &call{request: r, api: a, at: time.Now(), id: ingress.NewToken()}
	answer := &statusWriter{ResponseWriter: w}
	answer.Header().Set("Apigw-Requestid", c.id)
	why := g.answer(answer, c)
	g.tell(activity.Event{
		Kind: activity.Request, RequestID: c.id, Method: r.Method, Path: r.URL.EscapedPath(), Status: answer.status,
		Milliseconds: time.Since(c.at).Milliseconds(), Text: why,
	})
}

// answer serves a call; what it returns explains a failure, for the log.
func (g *Gateway) answer(w http.ResponseWriter, c *call) (why string) {
	if n := ingress.HeadSize(c.request); n > maxHead {
		return g.fail(w, c, failure{status: http.StatusRequestHeaderFieldsTooLarge, message: "Request Header Fields Too Large",
			why: fmt.Sprintf("the request line and the values of the headers have %d bytes; API Gateway takes 10,240", n)})
	}
	path := c.request.URL.EscapedPath()
	if name, below, ok := ingress.ChosenStage(c.request); ok {
		c.stage, c.path = c.api.stage(name), below
	} else {
		c.stage, c.path = c.api.stageFor(path)
	}
	path = c.path
	if c.stage == nil {
		return g.fail(w, c, failure{status: http.StatusNotFound, message: "Not Found", why: "no stage of this API serves the path"})
	}
	cors := c.stage.cors
	if cors != nil && isPreflight(c.request) {
		cors.preflight(w, c.request)
		return ""
	}
	c.route, c.variables = c.stage.http.find(c.request.Method, path)
	if c.route == nil {
		return g.fail(w, c, noRoute(c.request.Method, path))
	}
	if c.route.auth != nil && c.route.auth.kind == "AWS_IAM" || c.route.integration != nil && (namesBody(c.route.integration.parameters) || c.route.integration.subtype != "") {
		if failed := c.readBody(w); failed != nil {
			return g.fail(w, c, *failed)
		}
	}
	if refused := g.authorize(c); refused != nil {
		maps.Copy(w.Header(), refused.header)
		return g.fail(w, c, failure{status: refused.status, message: refused.message, why: refused.why})
	}
	if c.route.integration == nil {
		return g.fail(w, c, failure{status: http.StatusInternalServerError, why: "route " + c.route.key + " has no integration"})
	}
	sources := c.sources(path)
	c.mapRequest(c.route.integration.parameters)
	if c.route.integration.kind == "HTTP_PROXY" {
		return g.proxy(w, c, c.path)
	}
	if c.route.integration.subtype != "" {
		return g.callService(w, c)
	}
	out, failed := g.callFunction(w, c, sources)
	if failed != nil {
		return g.fail(w, c, *failed)
	}
	out.status = c.mapResponse(out.status, out.header, out.body)
	if cors != nil {
		cors.apply(out.header, c.request)
	}
	out.write(w, c.request)
	return c.delay
}

// stageFor finds the stage a path belongs to, and the path within it. A path
// that begins with a stage's name is that stage's; all others are $default's.
func (a *api) stageFor(path string) (*liveStage, string) {
	first, rest, more := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if s := a.stage(first); s != nil && first != "$default" {
		if !more {
			return s, "/"
		}
		return s, "/" + rest
	}
	return a.stage("$default"), path
}

// readBody reads the request's body into memory, once.
func (c *call) readBody(w http.ResponseWriter) *failure {
	if c.body != nil {
		return nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, c.request.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return &failure{status: http.StatusRequestEntityTooLarge, message: "Request Entity Too Large",
			why: "the body is larger than the 10 MB that API Gateway takes"}
	case errors.Is(err, door.ErrFull):
		return &failure{status: http.StatusServiceUnavailable, message: "Service Unavailable", why: err.Error()}
	case err != nil:
		return &failure{status: http.StatusBadRequest, message: "Bad Request", why: "reading the body: " + err.Error()}
	}
	c.body = body
	return nil
}

func (g *Gateway) callFunction(w http.ResponseWriter, c *call, sources []string) (response, *failure) {
	if failed := c.readBody(w); failed != nil {
		return response{}, failed
	}
	var err error
	i := c.route.integration
	read, event := response2, []byte(nil)
	if i.payload == "1.0" {
		read = response1
		event, err = ingress.Encode(c.event1())
	} else {
		event, err = ingress.Encode(c.event2())
	}
	if err != nil {
		return response{}, &failure{status: http.StatusInternalServerError, why: "making the event: " + err.Error()}
	}
	if len(event) > maxEvent {
		return response{}, &failure{status: http.StatusRequestEntityTooLarge, message: "Request Entity Too Large",
			why: "the event is larger than the 6 MB that Lambda takes; binary bodies grow by a third as base64"}
	}
	result, err := g.invoke(i, event, sources...)
	c.delay = strings.TrimSpace(delay(result))
	switch {
	case errors.Is(err, invoke.ErrThrottled):
		return response{}, &failure{status: http.StatusServiceUnavailable, message: "Service Unavailable", why: err.Error()}
	case errors.Is(err, errTimedOut):
		return response{}, &failure{status: http.StatusServiceUnavailable, message: "Service Unavailable", why: err.Error()}
	case errors.Is(err, context.Canceled), errors.Is(err, invoke.ErrClosed):
		return response{}, &failure{status: http.StatusServiceUnavailable, message: "Service Unavailable", why: "the local cloud is stopping"}
	case err != nil:
		return response{}, &failure{status: http.StatusInternalServerError, why: err.Error()}
	case result.Failed != "":
		return response{}, thrown(g.called(i.function), result)
	case len(result.Payload) > maxEvent:
		return response{}, &failure{status: http.StatusInternalServerError,
			why: g.called(i.function) + ": the result is larger than the 6 MB that Lambda allows"}
	}
	out, err := read(result.Payload)
	if err != nil {
		return out, &failure{status: http.StatusInternalServerError, title: "Invalid response type", why: g.called(i.function) + ": " + err.Error()}
	}
	return out, nil
}

// statusWriter remembers the status for the log.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if status >= 200 { // 1xx are not the answer yet
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the server's own writer.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
