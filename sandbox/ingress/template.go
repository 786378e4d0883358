package ingress

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"arc/sandbox/velocity"
)

// hosts are what mapping templates find.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
var hosts = velocity.Hosts{
	"input": {"body", "json", "path", "params"},
	"util":  {"escapeJavaScript", "parseJson", "urlEncode", "urlDecode", "base64Encode", "base64Decode"},
}

// ParseTemplate reads a mapping template; what cannot be evaluated is an error that
// names it.
func ParseTemplate(text string) (*velocity.Template, error) { return velocity.Parse(text, hosts) }

// Sent are the parameters of a request, which templates find by $input.params.
type Sent struct {
	Path   map[string]string
	Query  map[string][]string
	Header http.Header
}

// Variables are what a mapping template is rendered with: $input of a body and of the
// parameters that were sent, $util, $context and $stageVariables.
func Variables(body []byte, sent Sent, context *velocity.Map, stage map[string]string) map[string]any {
	variables := velocity.NewMap()
	for _, name := range slices.Sorted(maps.Keys(stage)) {
		variables.Put(name, stage[name])
	}
	return map[string]any{
		"input": &input{sent: sent, body: body}, "util": util{}, "context": blank{context}, "stageVariables": blank{variables},
	}
}

// input is $input.
type input struct {
	sent   Sent
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
			return in.sent.all(), nil
		}
		return in.sent.one(arg), nil
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

// one is a parameter of the path, the query string, or a header, in this order; "" =
// there is none.
func (s Sent) one(name string) string {
	if value, ok := s.Path[name]; ok {
		return value
	}
	if values := s.Query[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	if values := s.Header.Values(name); len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}

// all are all of them, by place.
func (s Sent) all() *velocity.Map {
	out := velocity.NewMap()
	put := func(place string, values map[string]string) {
		m := velocity.NewMap()
		for _, name := range slices.Sorted(maps.Keys(values)) {
			m.Put(name, values[name])
		}
		out.Put(place, blank{m})
	}
	put("path", s.Path)
	put("querystring", Lasts(s.Query))
	put("header", Lasts(s.Header))
	return out
}

// Lasts are the last values of each name.
func Lasts(values map[string][]string) map[string]string {
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
		return DecodeQuery(text), nil
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
