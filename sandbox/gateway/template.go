package gateway

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"arc/sandbox/ingress"
)

// A mapping template here is text with references in it: $input.body,
// $input.json('$.a.b'), $input.path('$.a.b'), $context.NAME, $stageVariables.NAME,
// each perhaps within ${} or a call of $util. What else the Velocity language has,
// directives first of all, is refused when the API is made.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-websocket-api-mapping-template-reference.html

const (
	templateName  = `input\.body|input\.(?:json|path)\(\s*['"]\$(?:\.[\w-]+)*['"]\s*\)|context(?:\.\w+)+|stageVariables\.\w+`
	templateValue = `\$(?:\{(` + templateName + `)\}|(` + templateName + `))`
)

var templateReference = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(templateValue) })

var templateCall = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\$util\.(\w+)\(\s*` + templateValue + `\s*\)`)
})

var templateDirective = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`#(?:set|if|elseif|else|end|foreach|define|macro|include|parse|stop)\b|\$\{?(?:input\.params|util\.parseJson)\b`)
})

// checkTemplates refuses templates with more in them than is rendered here.
func checkTemplates(p *problems, property string, templates map[string]string) {
	for key, text := range templates {
		if found := templateDirective().FindString(text); found != "" {
			p.fail(property, "%s: %s is not emulated by the local cloud; templates may have $input, $context, $stageVariables and $util's escapes", key, found)
		}
	}
}

// render fills a template.
func (s *surroundings) render(template string) string {
	template = templateCall().ReplaceAllStringFunc(template, func(found string) string {
		m := templateCall().FindStringSubmatch(found)
		escape := templateEscapes[m[1]]
		if escape == nil {
			return found
		}
		return escape(s.reference(m[2] + m[3]))
	})
	return templateReference().ReplaceAllStringFunc(template, func(found string) string {
		m := templateReference().FindStringSubmatch(found)
		return s.reference(m[1] + m[2])
	})
}

var templateEscapes = map[string]func(string) string{
	"escapeJavaScript": func(text string) string {
		quoted, _ := json.Marshal(text) // of text: never fails
		return strings.ReplaceAll(string(quoted[1:len(quoted)-1]), "'", `\'`)
	},
	"urlEncode":    url.QueryEscape,
	"urlDecode":    ingress.DecodeQuery,
	"base64Encode": func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) },
	"base64Decode": func(text string) string {
		plain, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return ""
		}
		return string(plain)
	},
}

// reference is the value of one reference.
func (s *surroundings) reference(name string) string {
	_, path, _ := strings.Cut(name, "$") // '$.a.b')
	path = strings.TrimPrefix(strings.TrimRight(path, "'\") \t\r\n"), ".")
	switch {
	case name == "input.body":
		return string(s.body)
	case strings.HasPrefix(name, "input.json"):
		return s.inputJSON(path)
	case strings.HasPrefix(name, "input.path") && path == "":
		return string(s.body)
	case strings.HasPrefix(name, "input.path"):
		text, _ := ingress.Field(s.body, strings.Split(path, "."))
		return text
	}
	text, _ := s.lookup("$" + name)
	return text
}

// inputJSON is a part of the body as JSON; what is not there is an empty text.
func (s *surroundings) inputJSON(path string) string {
	value := json.RawMessage(s.body)
	if path != "" {
		for _, name := range strings.Split(path, ".") {
			var object map[string]json.RawMessage
			if json.Unmarshal(value, &object) != nil || object[name] == nil {
				return `""`
			}
			value = object[name]
		}
	}
	return string(value)
}

// chosen is the template that a selection expression picks for a message, or
// $default's.
func chosen(templates map[string]string, by selection, body string) (string, bool) {
	if key, ok := by.key(body); ok {
		if text, ok := templates[key]; ok {
			return text, true
		}
	}
	text, ok := templates["$default"]
	return text, ok
}

// templateSelection reads a TemplateSelectionExpression; "" selects $default.
func templateSelection(p *problems, expression string) selection {
	parsed, err := parseSelection(expression)
	if err != nil {
		p.fail("TemplateSelectionExpression", "%v", err)
	}
	return parsed
}
