package restapi

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"arc/sandbox/ingress"
)

// gatewayVariable is a variable of a gateway response's template.
var gatewayVariable = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\$\{?(?:context|stageVariables|method\.request)\.[A-Za-z0-9_.-]*[A-Za-z0-9_]\}?`)
})

// mapped is what the backend is to get, and what the template overrides.
func (c *call) mapped(i *integration) (string, overrides, *failure) {
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
	switch binary := c.stage.isBinary(c.headers.Get("Content-Type")); {
	case binary && (i.binary == "CONVERT_TO_TEXT" || i.binary == "" && len(i.requests) > 0):
		c.body = []byte(base64.StdEncoding.EncodeToString(c.body))
	case !binary && i.binary == "CONVERT_TO_BINARY":
		plain, err := base64.StdEncoding.DecodeString(string(c.body))
		if err != nil {
			return "", overrides{}, misconfigured("CONVERT_TO_BINARY: the body is no base64: %v", err)
		}
		c.body = plain
	}
	body, o, err := c.requestBody(i)
	switch {
	case errors.Is(err, errUnsupported):
		return "", o, &failure{kind: "UNSUPPORTED_MEDIA_TYPE", status: http.StatusUnsupportedMediaType, message: "Unsupported Media Type", code: "BadRequestException", why: err.Error()}
	case err != nil:
		return "", o, unable(http.StatusInternalServerError, "mapping template of the request: %v", err)
	}
	return body, o, nil
}

// mappedHeader are the headers that RequestParameters and the template ask for.
func (c *call) mappedHeader(i *integration, o overrides) http.Header {
	h := http.Header{}
	for _, m := range i.parameters {
		if values, ok := c.value(m.value, nil); ok && m.place == "header" {
			h[http.CanonicalHeaderKey(m.name)] = slices.Clone(values)
		}
	}
	setHeaders(h, o.header)
	return h
}

var statusInMock = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`["']?statusCode["']?\s*:\s*["']?(\d{3})["']?`) })

// mock answers with the statusCode that the template makes. API Gateway takes it from
// what is nearly JSON, too: { statusCode: 200 }.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html
func (c *call) mock(i *integration) (response, *failure) {
	body, _, failed := c.mapped(i)
	if failed != nil {
		return response{}, failed
	}
	found := statusInMock().FindStringSubmatch(body)
	if found == nil {
		return response{}, unable(http.StatusInternalServerError, "the template of the MOCK integration must make a JSON object with a statusCode, not %.80q", body)
	}
	status, _ := strconv.Atoi(found[1])
	return c.respond(i, found[1], &backendAnswer{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: []byte("")})
}

// respond makes the answer by the integration response that is for the selector: a
// status, or the message of a function's error; "" = all went well.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-integration-settings-integration-response.html
func (c *call) respond(i *integration, selector string, answered *backendAnswer) (response, *failure) {
	r := i.response(selector)
	if r == nil {
		return response{}, misconfigured("no integration response is for %q, and there is no default one", selector)
	}
	status, _ := strconv.Atoi(r.status)
	out := response{status: status, header: http.Header{}, body: answered.body}
	for _, m := range r.parameters {
		if values, ok := c.value(m.value, answered); ok {
			out.header[http.CanonicalHeaderKey(m.name)] = slices.Clone(values)
		}
	}
	kind := accepted(c.headers.Get("Accept"))
	t := r.templates[kind]
	if t == nil {
		kind = "application/json"
		if t = r.templates[kind]; t == nil && len(r.templates) > 0 {
			kind = slices.Sorted(maps.Keys(r.templates))[0]
			t = r.templates[kind]
		}
	}
	if t != nil {
		text, o, err := c.render(t, answered.body, "responseOverride")
		if err != nil {
			return out, unable(http.StatusInternalServerError, "mapping template of the response: %v", err)
		}
		out.body = []byte(text)
		setHeaders(out.header, o.header)
		if o.status != 0 {
			out.status = o.status
		}
	} else if kind = answered.header.Get("Content-Type"); kind == "" {
		kind = "application/json"
	}
	if out.header.Get("Content-Type") == "" {
		out.header.Set("Content-Type", kind)
	}
	if r.binary == "CONVERT_TO_TEXT" {
		out.body = []byte(base64.StdEncoding.EncodeToString(out.body))
	}
	if r.binary == "CONVERT_TO_BINARY" {
		plain, err := base64.StdEncoding.DecodeString(string(out.body))
		if err != nil {
			return out, misconfigured("CONVERT_TO_BINARY: the answer is no base64: %v", err)
		}
		out.body = plain
	}
	return out, nil
}

// http calls an HTTP backend with what the mappings make of the request.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/setup-http-integrations.html
func (g *APIs) http(c *call, i *integration) (response, *failure) {
	body, o, failed := c.mapped(i)
	if failed != nil {
		return response{}, failed
	}
	header := c.mappedHeader(i, o)
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", mediaType(c.headers.Get("Content-Type")))
	}
	answered, failed := g.fetch(c, i, url.Values{}, header, o, []byte(body))
	if failed != nil {
		return response{}, failed
	}
	return c.respond(i, strconv.Itoa(answered.status), answered)
}

// httpProxy passes a request on, and the answer back.
func (g *APIs) httpProxy(c *call, i *integration) (response, *failure) {
	header := c.headers.Clone()
	header.Del("Host")
	for name, values := range c.mappedHeader(i, overrides{}) {
		header[name] = values
	}
	answered, failed := g.fetch(c, i, c.query(), header, overrides{}, c.body)
	if failed != nil {
		return response{}, failed
	}
	out := response{answered.status, answered.header, answered.body}
	ingress.DropHops(out.header)
	remap(out.header)
	return out, nil
}

// fetch sends a request to an HTTP backend.
func (g *APIs) fetch(c *call, i *integration, query url.Values, header http.Header, o overrides, body []byte) (*backendAnswer, *failure) {
	all, path := c.parameters(i, query, o)
	target, err := ingress.Address(ingress.FillVariables(i.uri, c.stage.variables), all, path)
	if err != nil {
		return nil, misconfigured("%v", err)
	}
	verb := i.verb
	if verb == "ANY" {
		verb = c.request.Method
	}
	ctx, cancel := context.WithTimeout(g.ctx, i.target.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, verb, target.String(), strings.NewReader(string(body)))
	if err != nil {
		return nil, unable(http.StatusInternalServerError, "%v", err)
	}
	r.Header = header
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		if ctx.Err() == context.DeadlineExceeded {
			return nil, &failure{kind: "INTEGRATION_TIMEOUT", status: http.StatusGatewayTimeout, message: "Endpoint request timed out", code: "InternalServerErrorException", spaced: true,
				why: fmt.Sprintf("%s: %v of %s", r.URL.Host, errTimedOut, i.target.timeout)}
		}
		f := unable(http.StatusGatewayTimeout, "calling %s: %v", r.URL.Host, err)
		f.kind, f.message = "INTEGRATION_FAILURE", "Network error communicating with endpoint"
		return nil, f
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil || len(data) > maxBody {
		return nil, unable(http.StatusInternalServerError, "the answer of %s is longer than 10 MB, or was cut", r.URL.Host)
	}
	return &backendAnswer{resp.StatusCode, resp.Header, data}, nil
}

// parameters are what goes into the URI of a backend for a request: parameters of the
// query string, and of the path.
func (c *call) parameters(i *integration, query url.Values, o overrides) (url.Values, map[string]string) {
	all := url.Values{}
	maps.Copy(all, query)
	path := map[string]string{}
	for _, m := range i.parameters {
		values, ok := c.value(m.value, nil)
		switch {
		case !ok:
		case m.place == "path":
			path[m.name] = values[0]
		case m.place == "querystring":
			all[m.name] = values
		}
	}
	maps.Copy(path, o.path)
	for name, value := range o.querystring {
		all[name] = []string{value}
	}
	return all, path
}
