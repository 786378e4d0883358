package gateway

import (
	"errors"
	"maps"
	"slices"

	"arc/sandbox/ingress"
	"arc/sandbox/velocity"
)

// templates are what an integration of a WebSocket API, or a response of one,
// makes of what comes in: mapping templates by key.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-transformations.html
type templates struct {
	by     selection // nil = there is no expression
	texts  map[string]*velocity.Template
	strict bool // what no template is for is refused
}

// maxTemplate is API Gateway's limit for a mapping template, in bytes.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
const maxTemplate = 300 << 10

// readTemplates reads templates; what cannot be evaluated is refused by name.
func readTemplates(p *problems, property string, texts map[string]string, by selection) templates {
	t := templates{by: by, texts: map[string]*velocity.Template{}}
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		if len(texts[key]) > maxTemplate {
			p.fail(property, "%s: a mapping template has 300 KB at most", key)
		}
		parsed, err := ingress.ParseTemplate(texts[key])
		if err != nil {
			p.fail(property, "%s: %v", key, err)
			continue
		}
		t.texts[key] = parsed
	}
	return t
}

// checkTemplates looks at those of a template's RequestTemplates or ResponseTemplates
// that are known already.
func checkTemplates(p *problems, property string, values any) {
	texts, _ := values.(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		if text, ok := texts[key].(string); ok {
			readTemplates(p, property, map[string]string{key: text}, nil)
		}
	}
}

// checkIntegrationResponse looks at an integration response before anything is made.
func checkIntegrationResponse(values map[string]any) error {
	p := &problems{}
	checkTemplates(p, "ResponseTemplates", values["ResponseTemplates"])
	return p.err
}

// contentHandling reads how payloads are converted; "" = not at all.
func contentHandling(p *problems, value string) string {
	if value != "" && value != "CONVERT_TO_TEXT" && value != "CONVERT_TO_BINARY" {
		p.fail("ContentHandlingStrategy", "must be CONVERT_TO_TEXT or CONVERT_TO_BINARY, not %q", value)
	}
	return value
}

// templateSelection reads a TemplateSelectionExpression; that of a response may name
// what the integration answered.
func templateSelection(p *problems, expression string, response bool) selection {
	parsed, err := parseSelection(expression, response)
	if err != nil {
		p.fail("TemplateSelectionExpression", "%v", err)
	}
	return parsed
}

// chosen is the template that the expression picks for a message, or $default's; nil =
// there is none. Without an expression the content type picks, which messages have
// none of: it is JSON's then.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-integration.html (RequestTemplates)
func (t templates) chosen(message string, out *answer) *velocity.Template {
	key, ok := "application/json", true
	if t.by != nil {
		key, ok = t.by.keyOf(message, out)
	}
	if found := t.texts[key]; ok && found != nil {
		return found
	}
	return t.texts["$default"]
}

var errNoTemplate = errors.New("no template is for this message, and PassthroughBehavior does not let it through")

// body is what the integration gets of a message: what a template makes of its body.
func (t templates) body(s *surroundings, body []byte) ([]byte, error) {
	found := t.chosen(string(s.body), nil)
	switch {
	case found != nil:
		text, err := s.render(found, body)
		return []byte(text), err
	case t.strict:
		return nil, errNoTemplate
	}
	return body, nil
}

// render fills a template.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html
func (s *surroundings) render(t *velocity.Template, body []byte) (string, error) {
	return t.Render(ingress.Variables(body, ingress.Sent{Query: s.query, Header: s.header}, s.tree, s.stageVariables))
}
