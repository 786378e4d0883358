package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"arc/sandbox/ingress"
)

// Integrations of WebSocket APIs that are no functions: HTTP servers, and MOCK.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-requests.html

// templates are what an integration of a WebSocket API, or a response of one,
// makes of what comes in.
type templates struct {
	by     selection
	texts  map[string]string
	strict bool // what no template is for is refused
}

// integrationResponse is an AWS::ApiGatewayV2::IntegrationResponse.
type integrationResponse struct {
	key string // $default, or a pattern of status codes: /4\d\d/
	templates
}

// answer is what came back from an integration.
type answer struct {
	status int
	text   string // for the client, where the route has a response
}

var errNoTemplate = errors.New("no template is for this message, and PassthroughBehavior does not let it through")

// body is what the integration gets of a message.
func (t templates) body(s *surroundings) (string, error) {
	text, ok := chosen(t.texts, t.by, string(s.body))
	switch {
	case ok:
		return s.render(text), nil
	case t.strict:
		return "", errNoTemplate
	}
	return string(s.body), nil
}

// callBackend calls an integration that is no function, for a message or a new
// connection.
func (g *Gateway) callBackend(ctx context.Context, i *integration, s *surroundings) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, i.timeout)
	defer cancel()
	text := string(s.body)
	if i.kind != "HTTP_PROXY" {
		var err error
		if text, err = i.requests.body(s); err != nil {
			return answer{}, err
		}
	}
	if i.kind == "MOCK" {
		return i.mock(text, s)
	}
	uri := i.uri
	method := i.method
	if method == "" || method == "ANY" {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(ctx, method, uri, strings.NewReader(text))
	if err != nil {
		return answer{}, fmt.Errorf("integration URI %q: %w", i.uri, err)
	}
	r.Header.Set("Content-Type", "application/json")
	for name, value := range i.headers {
		if text, ok := s.parameter(value); ok {
			r.Header.Set(name, text)
		}
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
	if err != nil || len(data) > maxMessage {
		return answer{}, errors.Join(err, fmt.Errorf("the answer of %s is longer than 128 KB, or was cut", r.URL.Host))
	}
	out := answer{status: resp.StatusCode, text: strings.ToValidUTF8(string(data), "\ufffd")}
	if i.kind == "HTTP" {
		out.text, err = i.respond(out.status, data, s, true)
	}
	return out, err
}

// mock answers with the statusCode that its template made, 200 without one.
func (i *integration) mock(text string, s *surroundings) (answer, error) {
	out := answer{status: http.StatusOK}
	if len(i.requests.texts) > 0 {
		var r struct{ StatusCode *int }
		if err := json.Unmarshal([]byte(text), &r); err != nil || r.StatusCode == nil {
			return out, fmt.Errorf("the template of the MOCK integration must make a JSON object with a statusCode, not %.80q", text)
		}
		out.status = *r.StatusCode
	}
	var err error
	out.text, err = i.respond(out.status, s.body, s, false)
	return out, err
}

// respond makes the text for the client of an answer: with the response whose key
// fits the status, else $default's.
func (i *integration) respond(status int, body []byte, s *surroundings, passes bool) (string, error) {
	code := strconv.Itoa(status)
	index := slices.IndexFunc(i.responses, func(r integrationResponse) bool {
		pattern := strings.TrimSuffix(strings.TrimPrefix(r.key, "/"), "/")
		if pattern == r.key {
			return false
		}
		matched, err := regexp.MatchString("^(?:"+pattern+")$", code)
		return err == nil && matched
	})
	if index < 0 {
		index = slices.IndexFunc(i.responses, func(r integrationResponse) bool { return r.key == "$default" })
	}
	if index < 0 {
		return "", nil
	}
	inner := *s
	inner.body = body
	if len(i.responses[index].texts) == 0 {
		if passes {
			return string(body), nil
		}
		return "", nil
	}
	text, ok := chosen(i.responses[index].texts, i.responses[index].by, string(body))
	if !ok {
		return string(body), nil
	}
	return inner.render(text), nil
}

// parameter is the value of one of an integration's RequestParameters: text in
// single quotes, or an expression of the request.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-mapping.html
func (s *surroundings) parameter(value string) (string, bool) {
	if len(value) >= 2 && value[0] == '\'' && value[len(value)-1] == '\'' {
		return value[1 : len(value)-1], true
	}
	return s.lookup("$" + value)
}

// readHeaders reads the RequestParameters of a WebSocket API's integration.
func readHeaders(p *problems, values map[string]string) map[string]string {
	headers := map[string]string{}
	for key, value := range values {
		name, ok := strings.CutPrefix(key, "integration.request.header.")
		if !ok || name == "" {
			p.fail("RequestParameters", "%s: only integration.request.header.NAME is emulated", key)
			continue
		}
		headers[name] = value
	}
	return headers
}

// callBackend calls the integration of a route for a message of the connection.
func (c *connection) callBackend(live *liveStage, rt *route, request, body string) (why, report string) {
	s := c.surroundings(live, rt.key, "MESSAGE", request, c.lastActive())
	s.body = []byte(body)
	out, err := c.gateway.callBackend(c.gateway.ctx, rt.integration, s)
	switch {
	case errors.Is(err, errTimedOut):
		return err.Error(), "Endpoint request timed out"
	case err != nil:
		return err.Error(), "Internal server error"
	case rt.respond && out.text != "":
		c.send(out.text) // a client that is gone gets no answer
	}
	return "", ""
}

// greetBackend asks the integration of $connect, by what came with the request.
func (c *connection) greetBackend(live *liveStage, i *integration, r *http.Request) (status int, why string) {
	s := c.surroundings(live, "$connect", "CONNECT", ingress.NewToken(), c.connected)
	s.header, s.query = r.Header, ingress.Query(r)
	out, err := c.gateway.callBackend(c.gateway.ctx, i, s)
	switch {
	case errors.Is(err, errTimedOut):
		return http.StatusGatewayTimeout, err.Error()
	case err != nil:
		return http.StatusInternalServerError, err.Error()
	case out.status < 200 || out.status > 599:
		return http.StatusBadGateway, fmt.Sprintf("the integration of $connect answered %d", out.status)
	}
	return out.status, ""
}
