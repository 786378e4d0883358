package gateway

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
)

// Integrations of WebSocket APIs that are no proxies of functions: functions with
// templates, services of AWS, HTTP servers, and MOCK.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-requests.html

// integrationResponse is an AWS::ApiGatewayV2::IntegrationResponse.
type integrationResponse struct {
	key string // $default, or a pattern of what is matched: /4\d\d/
	templates
	binary string // ContentHandlingStrategy
}

// answer is what came back from an integration.
type answer struct {
	status int
	header http.Header
	body   []byte
	text   string // for the client, where the route has a response
	// matched is what the keys of integration responses are matched with: the status, or
	// the message of a function's error.
	matched string
	failed  bool   // a function threw
	why     string // what the log says of an answer that is an error
}

// ask calls an integration for a message, a new connection or the end of one.
func (c *connection) ask(live *liveStage, rt *route, s *surroundings) (answer, error) {
	i := rt.integration
	ctx, cancel := context.WithTimeout(c.gateway.ctx, i.timeout)
	defer cancel()
	body, err := i.requestBody(s)
	if err != nil {
		return answer{}, err
	}
	var out answer
	switch {
	case i.kind == "MOCK":
		out, err = i.mock(body)
	case i.kind == "AWS" && i.function != "":
		out, err = c.askFunction(rt, s, body)
	case i.kind == "AWS":
		out, err = c.askService(ctx, live, rt, s, body)
	default:
		out, err = c.fetch(ctx, rt, s, body)
	}
	switch {
	case ctx.Err() == context.DeadlineExceeded && !errors.Is(err, errTimedOut):
		return out, fmt.Errorf("integration %s: %w of %s", i.uri, errTimedOut, i.timeout)
	case err != nil:
		return out, err
	case len(out.body) > maxMessage:
		return out, fmt.Errorf("the answer of %s is longer than 128 KB", i.uri)
	case i.kind == "HTTP_PROXY":
		out.text = strings.ToValidUTF8(string(out.body), "\ufffd")
		return out, nil
	case !rt.respond:
		return out, nil
	}
	if out.matched == "" && !out.failed {
		out.matched = strconv.Itoa(out.status)
	}
	out.text, err = i.respond(&out, s)
	return out, err
}

// requestBody is what the integration gets: the message, decoded where that is asked
// for, or what a template makes of it.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-binary-media-types.html
func (i *integration) requestBody(s *surroundings) ([]byte, error) {
	body := s.body
	if i.binary == "CONVERT_TO_BINARY" {
		plain, err := base64.StdEncoding.DecodeString(string(body))
		if err != nil {
			return nil, fmt.Errorf("ContentHandlingStrategy CONVERT_TO_BINARY: the message is no base64: %w", err)
		}
		body = plain
	}
	if i.kind == "HTTP_PROXY" {
		return body, nil
	}
	made, err := i.requests.body(s, body)
	if err != nil && !errors.Is(err, errNoTemplate) {
		err = fmt.Errorf("mapping template of the request: %w", err)
	}
	return made, err
}

// fetch calls an HTTP server.
func (c *connection) fetch(ctx context.Context, rt *route, s *surroundings, body []byte) (answer, error) {
	i := rt.integration
	header, query, path := rt.parametersOf(s)
	if i.kind == "HTTP_PROXY" {
		header, query = c.passed(header, query, s)
	}
	u, err := ingress.Address(i.uri, query, path)
	if err != nil {
		return answer{}, err
	}
	r, err := http.NewRequestWithContext(ctx, i.verb(), u.String(), strings.NewReader(string(body)))
	if err != nil {
		return answer{}, fmt.Errorf("integration URI %q: %w", i.uri, err)
	}
	r.Header = header
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json")
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		if ctx.Err() == context.DeadlineExceeded {
			err = fmt.Errorf("%s: %w of %s", r.URL.Host, errTimedOut, i.timeout)
		}
		return answer{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxMessage+1))
	if err != nil {
		return answer{}, fmt.Errorf("the answer of %s was cut: %w", r.URL.Host, err)
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: data}, nil
}

// verb is the method of a call; a message has none of its own.
func (i *integration) verb() string {
	if i.method == "" || i.method == "ANY" {
		return http.MethodPost
	}
	return i.method
}

// mock answers with the statusCode that its template made, 200 without one. What its
// responses find is the message.
func (i *integration) mock(body []byte) (answer, error) {
	out := answer{status: http.StatusOK, body: body}
	if len(i.requests.texts) > 0 {
		var r struct {
			StatusCode *int `json:"statusCode"`
		}
		if err := invoke.Exact(body, &r); err != nil || r.StatusCode == nil {
			return out, fmt.Errorf("the template of the MOCK integration must make a JSON object with a statusCode, not %.80q", body)
		}
		out.status = *r.StatusCode
	}
	return out, nil
}

// respond makes the text for the client of an answer: with the response whose key
// fits, else $default's.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-responses.html
func (i *integration) respond(out *answer, s *surroundings) (string, error) {
	r := i.response(out.matched)
	if r == nil {
		return "", fmt.Errorf("execution failed due to configuration error: no match for output mapping and no default output mapping configured: %q; the route has a response, so its integration needs an AWS::ApiGatewayV2::IntegrationResponse, of the key $default best", out.matched)
	}
	body := out.body
	if i.kind == "MOCK" {
		body = s.body
	}
	text := string(body)
	if found := r.chosen(string(s.body), out); found != nil {
		var err error
		if text, err = s.render(found, body); err != nil {
			return "", fmt.Errorf("mapping template of the response: %w", err)
		}
	} else if i.kind == "MOCK" && len(r.texts) == 0 {
		text = ""
	}
	switch r.binary {
	case "CONVERT_TO_TEXT":
		return base64.StdEncoding.EncodeToString([]byte(text)), nil
	case "CONVERT_TO_BINARY":
		plain, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return "", fmt.Errorf("ContentHandlingStrategy CONVERT_TO_BINARY: the answer is no base64: %w", err)
		}
		text = string(plain)
	}
	return strings.ToValidUTF8(text, "\ufffd"), nil
}

// response is the integration response for an answer; nil = there is none.
func (i *integration) response(matched string) *integrationResponse {
	var fallback *integrationResponse
	for n := range i.responses {
		r := &i.responses[n]
		pattern := strings.TrimSuffix(strings.TrimPrefix(r.key, "/"), "/")
		if r.key == "$default" {
			fallback = r
		}
		if pattern == r.key {
			continue
		}
		if ok, err := regexp.MatchString("^(?:"+pattern+")$", matched); err == nil && ok {
			return r
		}
	}
	return fallback
}

// callBackend calls the integration of a route for a message of the connection.
func (c *connection) callBackend(live *liveStage, rt *route, request, body string) (why, report string) {
	s := c.surroundings(live, c.messageContext(live, rt.key, request))
	s.body = []byte(body)
	out, err := c.ask(live, rt, s)
	switch {
	case errors.Is(err, errTimedOut):
		return err.Error(), "Endpoint request timed out"
	case err != nil:
		return err.Error(), "Internal server error"
	case rt.respond:
		if why, report := c.answer(out.text); report != "" {
			return why, report
		}
	}
	return cmp.Or(out.why, rt.unsent), ""
}

// greetBackend asks the integration of $connect, by what came with the request.
func (c *connection) greetBackend(live *liveStage, rt *route, r *http.Request) (status int, why string) {
	out, err := c.ask(live, rt, c.requested(live, r))
	switch {
	case errors.Is(err, errTimedOut):
		return http.StatusGatewayTimeout, err.Error()
	case err != nil:
		return http.StatusInternalServerError, err.Error()
	case out.failed:
		return http.StatusBadGateway, out.why
	case out.status < 200 || out.status > 599:
		return http.StatusBadGateway, fmt.Sprintf("the integration of $connect answered %d", out.status)
	}
	return out.status, out.why
}
