package restapi

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"arc/sandbox/ingress"
	"arc/sandbox/velocity"
)

// templates are mapping templates by content type.
type templates map[string]*velocity.Template

// hosts are what mapping templates find.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
var hosts = velocity.Hosts{
	"input": {"body", "json", "path", "params"},
	"util":  {"escapeJavaScript", "parseJson", "urlEncode", "urlDecode", "base64Encode", "base64Decode"},
}

// readTemplates reads templates; what cannot be evaluated is refused by name.
func readTemplates(p *problems, property string, texts map[string]string) templates {
	out := templates{}
	for _, kind := range slices.Sorted(maps.Keys(texts)) {
		t, err := velocity.Parse(texts[kind], hosts)
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
	variables := velocity.NewMap()
	for _, name := range slices.Sorted(maps.Keys(c.stage.variables)) {
		variables.Put(name, c.stage.variables[name])
	}
	text, err := t.Render(map[string]any{
		"input": &input{c: c, body: body}, "util": util{}, "context": blank{surroundings}, "stageVariables": blank{variables},
	})
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

// input is $input.
type input struct {
	c      *call
	body   []byte
	parsed any
	read   bool
}

func (in *input) Field(name string) any {
	if name == "body" {
		return in.text()
	}
	return nil
}

// text is $input.body: that of a request without a body is an empty object, on which
// the CDK's template for state machines relies.
// https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_apigateway.StepFunctionsIntegration.html
func (in *input) text() string {
	if len(in.body) == 0 {
		return "{}"
	}
	return string(in.body)
}

func (in *input) Call(name string, args []any) (any, error) {
	arg := ""
	if len(args) > 0 {
		arg = velocity.String(args[0])
	}
	switch name {
	case "body":
		return in.text(), nil
	case "params":
		if len(args) == 0 {
			return in.c.params(), nil
		}
		return in.c.param(arg), nil
	}
	if !in.read {
		in.read = true
		in.parsed, _ = velocity.FromJSON(in.body)
		if in.parsed == nil && len(in.body) == 0 {
			in.parsed = velocity.NewMap()
		}
		if in.parsed == nil && string(in.body) != "null" {
			in.parsed = string(in.body)
		}
	}
	found, err := selectPath(in.parsed, arg)
	if err != nil {
		return nil, fmt.Errorf("$input.%s: %w", name, err)
	}
	if name == "json" {
		if found == nil {
			return `""`, nil
		}
		return velocity.JSON(found), nil
	}
	if found == nil {
		return "", nil
	}
	return found, nil
}

// param is a parameter of the request: of the path, the query string, or a header,
// in this order; "" = there is none.
func (c *call) param(name string) string {
	if value, ok := c.variables[name]; ok {
		return value
	}
	if values := c.query()[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	if values := c.headers.Values(name); len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}

// params are all of them, by place.
func (c *call) params() *velocity.Map {
	out := velocity.NewMap()
	put := func(place string, values map[string]string) {
		m := velocity.NewMap()
		for _, name := range slices.Sorted(maps.Keys(values)) {
			m.Put(name, values[name])
		}
		out.Put(place, blank{m})
	}
	put("path", c.variables)
	put("querystring", lasts(c.query()))
	put("header", lasts(c.headers))
	return out
}

func lasts(values map[string][]string) map[string]string {
	out := map[string]string{}
	for name, list := range values {
		if len(list) > 0 {
			out[name] = list[len(list)-1]
		}
	}
	return out
}

// blank is a map of API Gateway's own, which has an empty text under each name that it
// does not have.
type blank struct{ *velocity.Map }

func (b blank) Field(name string) any {
	switch v := b.Get(name).(type) {
	case nil:
		return absent{}
	case *velocity.Map:
		if name != "requestOverride" && name != "responseOverride" {
			return blank{v}
		}
		return v
	default:
		return v
	}
}

func (b blank) Call(name string, args []any) (any, error) {
	if name == "get" && len(args) == 1 {
		return b.Field(velocity.String(args[0])), nil
	}
	return velocity.Method(b.Map, name, args)
}

// Each are the values, for #foreach.
func (b blank) Each() []any {
	var all []any
	for _, key := range b.Keys() {
		all = append(all, b.Get(key))
	}
	return all
}

func (b blank) String() string { return velocity.String(b.Map) }

// absent is what is not there: an empty text, and so is what is asked of it.
type absent struct{}

func (absent) Field(string) any { return absent{} }

func (absent) Call(string, []any) (any, error) { return absent{}, nil }

func (absent) String() string { return "" }

// util is $util.
type util struct{}

func (util) Field(string) any { return nil }

func (util) String() string { return "$util" }

func (util) Call(name string, args []any) (any, error) {
	text := ""
	if len(args) > 0 && args[0] != nil {
		text = velocity.String(args[0])
	}
	switch name {
	case "escapeJavaScript":
		return escapeJavaScript(text), nil
	case "parseJson":
		v, err := velocity.FromJSON([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("$util.parseJson: %w", err)
		}
		return v, nil
	case "urlEncode":
		return url.QueryEscape(text), nil
	case "urlDecode":
		return ingress.DecodeQuery(text), nil
	case "base64Encode":
		return base64.StdEncoding.EncodeToString([]byte(text)), nil
	case "base64Decode":
		plain, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("$util.base64Decode: %w", err)
		}
		return string(plain), nil
	}
	return nil, nil
}

// escapeJavaScript escapes a text for a string of JavaScript, and its single quotes,
// which are no JSON.
func escapeJavaScript(text string) string {
	quoted := velocity.JSON(text)
	quoted = quoted[1 : len(quoted)-1]
	return strings.ReplaceAll(quoted, "'", `\'`)
}

// setHeaders puts overriding headers on others.
func setHeaders(h http.Header, values map[string]string) {
	for name, value := range values {
		h.Set(name, value)
	}
}
