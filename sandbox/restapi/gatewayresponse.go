package restapi

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"arc/sandbox/ingress"
	"arc/sandbox/stack"
)

const (
	kindDefault4 = "DEFAULT_4XX"
	kindDefault5 = "DEFAULT_5XX"
	internal     = "Internal server error"
)

// responseTypes are those of gateway responses, with their statuses; 0 = the
// failure's own.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
var responseTypes = map[string]int{
	"ACCESS_DENIED": 403, "API_CONFIGURATION_ERROR": 500, "AUTHORIZER_CONFIGURATION_ERROR": 500, "AUTHORIZER_FAILURE": 500, "BAD_REQUEST_BODY": 400,
	"BAD_REQUEST_PARAMETERS": 400, "EXPIRED_TOKEN": 403, "INTEGRATION_FAILURE": 504, "INTEGRATION_TIMEOUT": 504, "INVALID_API_KEY": 403,
	"INVALID_SIGNATURE": 403, "MISSING_AUTHENTICATION_TOKEN": 403, "QUOTA_EXCEEDED": 429, "REQUEST_TOO_LARGE": 413, "RESOURCE_NOT_FOUND": 404,
	"THROTTLED": 429, "UNAUTHORIZED": 401, "UNSUPPORTED_MEDIA_TYPE": 415, "WAF_FILTERED": 403, kindDefault4: 0, kindDefault5: 0,
}

// gatewayResponse is an AWS::ApiGateway::GatewayResponse: what an API answers by
// itself.
type gatewayResponse struct {
	raw       map[string]any
	kind      string
	status    int // 0 = the failure's own
	headers   []mapping
	templates map[string]string
}

// putGatewayResponse changes what an API answers by itself.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-gatewayresponse.html
func (g *APIs) putGatewayResponse(req stack.Request) (stack.Resource, error) {
	var in struct {
		RestApiId                             string `cfn:"required"`
		ResponseType                          string `cfn:"required"`
		StatusCode                            string
		ResponseParameters, ResponseTemplates map[string]string
	}
	p := read(req.Properties, &in)
	r := newGatewayResponse(p, in.ResponseType, in.StatusCode, in.ResponseParameters, in.ResponseTemplates)
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	a := g.owner(p, in.RestApiId)
	if a == nil {
		return stack.Resource{}, p.err
	}
	r.raw = req.Properties
	if old, _ := req.Old["ResponseType"].(string); old != "" {
		delete(a.responses, old)
	}
	a.responses[r.kind] = r
	id := ingress.ResourceID(10, never, a.id, r.kind)
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"Id": id}}, nil
}

func newGatewayResponse(p *problems, kind, status string, parameters, templates map[string]string) *gatewayResponse {
	r := &gatewayResponse{kind: kind, templates: templates}
	if _, known := responseTypes[kind]; !known && kind != "" {
		p.fail("ResponseType", "%q is none of %s", kind, strings.Join(slices.Sorted(maps.Keys(responseTypes)), ", "))
	}
	if status != "" {
		code, err := strconv.Atoi(status)
		if err != nil || code < 100 || code > 599 {
			p.fail("StatusCode", "%q is no status", status)
		}
		r.status = code
	}
	for _, key := range slices.Sorted(maps.Keys(parameters)) {
		rest, ok := strings.CutPrefix(key, "gatewayresponse.header.")
		if !ok || rest == "" {
			p.fail("ResponseParameters", "%s: use gatewayresponse.header.NAME", key)
			continue
		}
		value := parameters[key]
		if value != "" && !isQuoted(value) && !strings.HasPrefix(value, "method.request.") && !strings.HasPrefix(value, "context.") && !strings.HasPrefix(value, "stageVariables.") {
			p.fail("ResponseParameters", "%s: %s is no expression; use 'text', method.request.…, context.… or stageVariables.…", key, value)
		}
		r.headers = append(r.headers, mapping{"header", rest, value})
	}
	return r
}

func (g *APIs) deleteGatewayResponse(req stack.Request) error {
	if a := g.apis[fmt.Sprint(req.Properties["RestApiId"])]; a != nil {
		delete(a.responses, fmt.Sprint(req.Properties["ResponseType"]))
	}
	return nil
}

// failure is an answer that did not come from the integration.
type failure struct {
	kind    string // of gateway response
	status  int
	message string // what AWS says
	code    string // x-amzn-ErrorType
	why     string // one sentence for the log
	invalid string // what a validator found
	nothing bool   // the message is null
	// capital says that the body has Message, as access denied has it; spaced, that a
	// blank follows the colon, as messages about integrations have it.
	capital, spaced bool
	header          http.Header
}

func missingToken(why string) *failure {
	return &failure{kind: "MISSING_AUTHENTICATION_TOKEN", status: http.StatusForbidden, message: "Missing Authentication Token", code: "MissingAuthenticationTokenException", why: why}
}

// unable is an integration that cannot be called, or whose answer cannot be read.
func unable(status int, format string, args ...any) *failure {
	return &failure{kind: kindDefault5, status: status, message: internal, code: "InternalServerErrorException", spaced: true, why: fmt.Sprintf(format, args...)}
}

// misconfigured is an integration that leads nowhere, a body that is no base64 where
// that is asked for, or an answer that no integration response is for.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
func misconfigured(format string, args ...any) *failure {
	f := unable(http.StatusInternalServerError, format, args...)
	f.kind = "API_CONFIGURATION_ERROR"
	return f
}

// fail makes the answer to a failure: as AWS does, or as a gateway response says.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
func (c *call) fail(f failure) response {
	c.failed = &f
	out := response{status: f.status, header: http.Header{"Content-Type": {"application/json"}}}
	maps.Copy(out.header, f.header)
	out.header.Set("X-Amzn-Errortype", f.code)
	message, _ := json.Marshal(f.message) // of text: never fails
	if f.nothing {
		message = []byte("null")
	}
	name, gap := "message", ""
	if f.capital {
		name = "Message"
	}
	if f.spaced {
		gap = " "
	}
	out.body = []byte(`{"` + name + `":` + gap + string(message) + `}`)
	if c.stage == nil {
		return out
	}
	custom := c.stage.responses[f.kind]
	if custom == nil {
		fallback := kindDefault5
		if f.status < 500 {
			fallback = kindDefault4
		}
		custom = c.stage.responses[fallback]
	}
	if custom == nil {
		return out
	}
	if custom.status != 0 {
		out.status = custom.status
	}
	for _, m := range custom.headers {
		if values, ok := c.value(m.value, nil); ok {
			out.header[http.CanonicalHeaderKey(m.name)] = values
		}
	}
	kind := accepted(c.headers.Get("Accept"))
	text, ok := custom.templates[kind]
	if !ok {
		kind = "application/json"
		if text, ok = custom.templates[kind]; !ok && len(custom.templates) > 0 {
			kind = slices.Sorted(maps.Keys(custom.templates))[0]
			text, ok = custom.templates[kind], true
		}
	}
	if ok {
		out.header.Set("Content-Type", kind)
		out.body = []byte(c.substitute(text))
	}
	return out
}

// substitute fills the variables of a gateway response's template, which is no mapping
// template: nothing else is evaluated in it.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
func (c *call) substitute(template string) string {
	return gatewayVariable().ReplaceAllStringFunc(template, func(found string) string {
		name := strings.Trim(found, "${}")
		if rest, ok := strings.CutPrefix(name, "context."); ok {
			text, _ := c.context(rest)
			return text
		}
		if rest, ok := strings.CutPrefix(name, "stageVariables."); ok {
			return c.stage.variables[rest]
		}
		values, ok := c.value(name, nil)
		if !ok {
			return ""
		}
		return strings.Join(values, ",")
	})
}

// newUUID makes a request's ID.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
