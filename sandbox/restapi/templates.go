package restapi

import (
	"errors"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"arc/sandbox/ingress"
	"arc/sandbox/velocity"
)

// templates are mapping templates by content type.
type templates map[string]*velocity.Template

// readTemplates reads templates; what cannot be evaluated is refused by name.
func readTemplates(p *problems, property string, texts map[string]string) templates {
	out := templates{}
	for _, kind := range slices.Sorted(maps.Keys(texts)) {
		t, err := ingress.ParseTemplate(texts[kind])
		if err != nil {
			p.fail(property+"."+kind, "%v", err)
			continue
		}
		out[kind] = t
	}
	return out
}

// mediaType is a content type without its parameters, application/json where there
// is none.
func mediaType(header string) string {
	kind, _, err := mime.ParseMediaType(header)
	if err != nil {
		kind, _, _ = strings.Cut(header, ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
	}
	if kind == "" {
		return "application/json"
	}
	return kind
}

// of is the template for a content type: by the whole of the header, or by the type.
func (t templates) of(header string) *velocity.Template {
	if found := t[header]; found != nil {
		return found
	}
	return t[mediaType(header)]
}

// overrides are what a template says that an answer or a request is to have.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html
type overrides struct {
	status                    int
	header, path, querystring map[string]string
}

var errUnsupported = errors.New("no template is for the request's content type, and PassthroughBehavior does not let the body through")

// requestBody is what the backend gets: what the template for the content type makes
// of the body, or the body.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
func (c *call) requestBody(i *integration) (body string, o overrides, err error) {
	t := i.requests.of(c.headers.Get("Content-Type"))
	switch {
	case t != nil:
		return c.render(t, c.body, "requestOverride")
	case i.passthrough == "NEVER", i.passthrough == "WHEN_NO_TEMPLATES" && len(i.requests) > 0:
		return "", o, errUnsupported
	}
	return string(c.body), o, nil
}

// render fills a template.
func (c *call) render(t *velocity.Template, body []byte, override string) (string, overrides, error) {
	surroundings := c.contextMap()
	asked := velocity.NewMap()
	for _, name := range []string{"header", "path", "querystring"} {
		asked.Put(name, velocity.NewMap())
	}
	surroundings.Put(override, asked)
	sent := ingress.Sent{Path: c.variables, Query: c.query(), Header: c.headers}
	text, err := t.Render(ingress.Variables(body, sent, surroundings, c.stage.variables))
	var o overrides
	o.header, o.path, o.querystring = texts(asked.Get("header")), texts(asked.Get("path")), texts(asked.Get("querystring"))
	if n, ok := asked.Get("status").(int64); ok && n >= 100 && n <= 599 {
		o.status = int(n)
	}
	return text, o, err
}

func texts(v any) map[string]string {
	m, ok := v.(*velocity.Map)
	if !ok || len(m.Keys()) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, key := range m.Keys() {
		out[key] = velocity.String(m.Get(key))
	}
	return out
}

// setHeaders puts overriding headers on others.
func setHeaders(h http.Header, values map[string]string) {
	for name, value := range values {
		h.Set(name, value)
	}
}
