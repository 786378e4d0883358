package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/door"
	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// functionURL is an AWS::Lambda::Url: a front end of its own before one function.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
type functionURL struct {
	gateway *Gateway
	api     *api // of an ID, for events
	call    integration
	arn     string // of the function
	auth    string // NONE or AWS_IAM
	streams bool
	cors    *cors
	host    string
	release func()
}

// functionTimeout is the longest that a function may take.
const functionTimeout = 15 * time.Minute

// readURL reads the resource's properties.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-url.html
func (g *Gateway) readURL(req stack.Request) (*functionURL, error) {
	var in struct {
		TargetFunctionArn     string `cfn:"required"`
		AuthType              string `cfn:"required"`
		InvokeMode, Qualifier string
		Cors                  map[string]any
	}
	p := read(req.Properties, &in)
	u := &functionURL{gateway: g, auth: in.AuthType, streams: in.InvokeMode == "RESPONSE_STREAM", call: integration{kind: "AWS_PROXY", payload: "2.0", timeout: functionTimeout, qualifier: in.Qualifier}}
	u.call.function = in.TargetFunctionArn
	if name, qualifier, err := ingress.LambdaName(in.TargetFunctionArn); err == nil {
		u.call.function = name
		if qualifier != "" {
			u.call.qualifier = qualifier
		}
	}
	if in.AuthType != "NONE" && in.AuthType != "AWS_IAM" {
		p.fail("AuthType", "must be NONE or AWS_IAM, not %q", in.AuthType)
	}
	if m := in.InvokeMode; m != "" && m != "BUFFERED" && m != "RESPONSE_STREAM" {
		p.fail("InvokeMode", "must be BUFFERED or RESPONSE_STREAM, not %q", m)
	}
	u.cors = newCORS(in.Cors, "Cors", p)
	u.arn = stack.ARN(req.Stack.Region, "lambda", req.Stack.Region, req.Stack.Account, "function:"+u.call.target())
	u.api = &api{id: ingress.ResourceID(32, func(string) bool { return false }, req.Stack.ID, req.LogicalID, "url"), stack: req.Stack}
	return u, p.err
}

func (g *Gateway) createURL(req stack.Request) (stack.Resource, error) {
	u, err := g.readURL(req)
	if err != nil {
		return stack.Resource{}, err
	}
	if g.urls[u.arn] != nil {
		return stack.Resource{}, fmt.Errorf("function %s has a URL already", u.call.target())
	}
	_, was, _ := strings.Cut(strings.TrimSuffix(req.Had("FunctionUrl"), "/"), "://")
	own := req.Stack
	own.Name += "/" + req.LogicalID // the port of the stack's APIs is theirs
	u.host, u.release, err = g.options.Bind(own, was, door.Guard{Kind: door.Site, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		now := g.urls[u.arn]
		g.mu.Unlock()
		if now == nil {
			http.NotFound(w, r)
			return
		}
		now.ServeHTTP(w, r)
	}), Refused: (&front{gateway: g}).refused, Answer: wire.Refusal, Names: func(_ *http.Request, origin string) bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		now := g.urls[u.arn]
		return now != nil && now.cors.names(origin)
	}})
	if err != nil {
		return stack.Resource{}, fmt.Errorf("URL of function %s: %w", u.call.target(), err)
	}
	g.urls[u.arn] = u
	return u.resource(), nil
}

func (g *Gateway) updateURL(req stack.Request) (stack.Resource, error) {
	u, err := g.readURL(req)
	if err != nil {
		return stack.Resource{}, err
	}
	old := g.urls[req.PhysicalID]
	if old == nil || u.arn != req.PhysicalID {
		return stack.Resource{}, fmt.Errorf("the function of a URL cannot change: %s", u.arn)
	}
	u.host, u.release = old.host, old.release
	g.urls[u.arn] = u
	return u.resource(), nil
}

func (g *Gateway) deleteURL(req stack.Request) error {
	if u := g.urls[req.PhysicalID]; u != nil {
		delete(g.urls, req.PhysicalID)
		u.release()
	}
	return nil
}

func (u *functionURL) resource() stack.Resource {
	url := "http://" + u.host + "/"
	return stack.Resource{PhysicalID: u.arn, Attributes: map[string]any{"FunctionUrl": url, "FunctionArn": u.arn}, Note: "answers at " + url}
}

// ServeHTTP answers a request and logs one line about it.
func (u *functionURL) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{
		request: r, api: u.api, at: time.Now(), id: ingress.NewToken(), path: r.URL.EscapedPath(),
		stage: &liveStage{name: "$default", snapshot: &snapshot{cors: u.cors}}, route: &route{key: "$default", integration: &u.call},
	}
	answer := &statusWriter{ResponseWriter: w}
	answer.Header().Set("X-Amzn-Requestid", c.id)
	why := u.answer(answer, c)
	u.gateway.tell(activity.Event{
		Kind: activity.Request, RequestID: c.id, Method: r.Method, Path: c.path, Status: answer.status, Milliseconds: time.Since(c.at).Milliseconds(), Text: why,
	})
}

// fail answers as Lambda does itself.
func (u *functionURL) fail(w http.ResponseWriter, c *call, status int, name, message, why string) string {
	if u.cors != nil {
		u.cors.apply(w.Header(), c.request)
	}
	w.Header().Set("X-Amzn-Errortype", name)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	body, _ := json.Marshal(map[string]string{"Message": message}) // of text: never fails
	w.Write(body)
	return why
}

func (u *functionURL) answer(w http.ResponseWriter, c *call) (why string) {
	if u.cors != nil && isPreflight(c.request) {
		u.cors.preflight(w, c.request)
		return ""
	}
	if failed := c.readBody(w); failed != nil {
		return u.fail(w, c, failed.status, "RequestEntityTooLargeException", failed.message, failed.why)
	}
	if u.auth == "AWS_IAM" {
		who, refused := u.gateway.checkSignature(c.request, c.body, "lambda", "lambda:InvokeFunctionUrl", u.arn, c.at)
		if decide := u.gateway.options.Decide; refused == nil && decide != nil {
			// New URLs ask for both: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
			if err := decide(*who.iam, "lambda:InvokeFunction", u.arn); err != nil {
				refused = denied("AWS_IAM: %v", err)
			}
		}
		if refused != nil {
			return u.fail(w, c, http.StatusForbidden, "AccessDeniedException", "Forbidden", refused.why)
		}
		c.caller = who
	} else if u.gateway.options.PermitURL != nil {
		if err := u.gateway.options.PermitURL(u.call.target()); err != nil {
			return u.fail(w, c, http.StatusForbidden, "AccessDeniedException", "Forbidden", err.Error())
		}
	}
	event, err := ingress.Encode(c.event2())
	if err == nil && len(event) > maxEvent {
		return u.fail(w, c, http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "Request Entity Too Large", "the event is larger than the 6 MB that Lambda takes")
	}
	if err != nil {
		return u.fail(w, c, http.StatusInternalServerError, "InternalServerErrorException", "Internal Server Error", err.Error())
	}
	out := &streamed{w: w, c: c, cors: u.cors}
	ctx, cancel := context.WithTimeout(u.gateway.ctx, u.call.timeout)
	defer cancel()
	if u.streams {
		ctx = invoke.WithStream(ctx, &invoke.Stream{Begin: out.begin, Write: out.write})
	}
	result, err := u.gateway.options.Invoker.Invoke(ctx, u.call.target(), event)
	defer out.close()
	called := u.gateway.called(u.call.function)
	switch {
	case out.sent():
		if err == nil && result.Failed != "" {
			err = fmt.Errorf("%s: %s", called, result.Failed)
		}
		if err != nil {
			return "broken off: " + err.Error()
		}
		return ""
	case errors.Is(err, invoke.ErrThrottled):
		return u.fail(w, c, http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.", err.Error())
	case err != nil:
		return u.fail(w, c, http.StatusBadGateway, "InternalServerErrorException", "Internal Server Error", u.gateway.named(u.call.function, err).Error())
	case result.Failed != "":
		return u.fail(w, c, http.StatusBadGateway, "InternalServerErrorException", "Internal Server Error", thrown(called, result).why)
	case result.Streamed:
		out.begin("")
		out.write(nil)
		return ""
	}
	response, err := response2(result.Payload)
	if err != nil {
		return u.fail(w, c, http.StatusBadGateway, "InternalServerErrorException", "Internal Server Error", called+": "+err.Error())
	}
	if u.cors != nil {
		u.cors.apply(response.header, c.request)
	}
	response.write(w, c.request)
	return ""
}

// streamed is a response that a function makes bit by bit. With the content type of
// HttpResponseStream it begins with a JSON object, of status and headers, and eight
// zeros.
// https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html
type streamed struct {
	w    http.ResponseWriter
	c    *call
	cors *cors

	mu      sync.Mutex // the function's writes, and the end of the request
	closed  bool
	begun   bool // the status is out
	prelude []byte
	waits   bool // for the end of the prelude
	kind    string
}

const (
	httpIntegration = "application/vnd.awslambda.http-integration-response"
	maxPrelude      = 64 << 10
)

var preludeEnd = [8]byte{}

func (s *streamed) begin(contentType string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kind, s.waits = contentType, contentType == httpIntegration
}

// write sends a part of the response at once.
func (s *streamed) write(chunk []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return io.ErrClosedPipe
	}
	if s.waits {
		s.prelude = append(s.prelude, chunk...)
		head, rest, ok := bytes.Cut(s.prelude, preludeEnd[:])
		if !ok && len(s.prelude) < maxPrelude {
			return nil
		}
		var prelude map[string]json.RawMessage
		if !ok || json.Unmarshal(head, &prelude) != nil {
			return errors.New("the response has no JSON object before eight zeros")
		}
		if prelude["statusCode"] == nil {
			prelude["statusCode"] = json.RawMessage("200")
		}
		head, _ = json.Marshal(prelude) // of JSON: never fails
		out, err := response2(head)
		if err != nil {
			return err
		}
		s.waits, chunk = false, rest
		s.start(out.status, out.header)
	}
	if !s.begun {
		kind := s.kind
		if kind == "" {
			kind = "application/octet-stream"
		}
		s.start(http.StatusOK, http.Header{"Content-Type": {kind}})
	}
	if _, err := s.w.Write(chunk); err != nil {
		return err
	}
	return http.NewResponseController(s.w).Flush()
}

func (s *streamed) start(status int, header http.Header) {
	ingress.DropHops(header)
	header.Del("Content-Length")
	header.Del("Date")
	if s.cors != nil {
		s.cors.apply(header, s.c.request)
	}
	maps.Copy(s.w.Header(), header)
	s.begun = true
	s.w.WriteHeader(status)
}

// sent reports whether a part of the response is out.
func (s *streamed) sent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun
}

// close keeps a function that goes on from writing to a request that has ended.
func (s *streamed) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}
