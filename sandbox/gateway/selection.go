package gateway

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"arc/sandbox/ingress"
)

// selection is a selection expression of a WebSocket API: text, and fields of a
// message between it.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html
type selection []selectionPart

type selectionPart struct {
	text   string
	fields []string // down to the value; nil = the part is text, or
	path   string   // the JSONPath to it, of more than names, or
	answer string   // what follows integration.response. in a response's expression
}

var selectionVariable = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\\\$|\$\{request\.body((?:\.[\w-]+|\[[^\]]*\])+)\}|\$request\.body((?:\.\w+|\[[^\]]*\])+)|` +
		`\$\{integration\.response\.(statuscode|(?:multivalue)?header\.[\w-]+)\}|\$integration\.response\.(statuscode|(?:multivalue)?header\.\w+)|\$`)
})

// parseSelection reads an expression such as $request.body.action,
// ${request.body.service}/${request.body.action} or \$default; that of a response may
// have ${integration.response.statuscode} and its headers.
func parseSelection(expression string, response bool) (selection, error) {
	var parts selection
	text, end := "", 0
	for _, m := range selectionVariable().FindAllStringSubmatchIndex(expression, -1) {
		text += expression[end:m[0]]
		end = m[1]
		found := expression[m[0]:m[1]]
		switch {
		case found == `\$`:
			text += "$"
			continue
		case found == "$", strings.Contains(found, "integration.response") && !response:
			return nil, fmt.Errorf("%q: only $request.body.FIELD and ${request.body.FIELD} are read from messages", expression)
		}
		if text != "" {
			parts = append(parts, selectionPart{text: text})
			text = ""
		}
		if named := expression[max(m[6], m[8], 0):max(m[7], m[9], 0)]; named != "" {
			parts = append(parts, selectionPart{answer: named})
			continue
		}
		from, to := m[2], m[3]
		if from < 0 {
			from, to = m[4], m[5]
		}
		path := expression[from:to]
		if !strings.Contains(path, "[") {
			parts = append(parts, selectionPart{fields: strings.Split(path[1:], ".")})
			continue
		}
		if err := ingress.CheckPath("$" + path); err != nil {
			return nil, fmt.Errorf("%q: %w", expression, err)
		}
		parts = append(parts, selectionPart{path: "$" + path})
	}
	if text += expression[end:]; text != "" {
		parts = append(parts, selectionPart{text: text})
	}
	return parts, nil
}

// key evaluates the expression of a message; false when the message lacks a field,
// or has none where a field is no text, number or boolean.
func (s selection) key(body string) (string, bool) { return s.keyOf(body, nil) }

// keyOf evaluates the expression of a message and of what its integration answered.
func (s selection) keyOf(body string, out *answer) (string, bool) {
	for _, part := range s {
		for _, field := range part.fields {
			if !strings.Contains(body, field) && !strings.Contains(body, `\`) {
				return "", false // read or not, it has no such field
			}
		}
	}
	key := ""
	for _, part := range s {
		if part.answer != "" {
			value, ok := out.named(part.answer)
			if !ok {
				return "", false
			}
			key += value
			continue
		}
		if part.path != "" {
			value, ok := ingress.At([]byte(body), part.path)
			if !ok || value == "" {
				return "", false
			}
			key += value
			continue
		}
		if part.fields == nil {
			key += part.text
			continue
		}
		value, ok := ingress.Field([]byte(body), part.fields)
		if !ok || value == "" || strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[") {
			return "", false
		}
		key += value
	}
	return key, true
}

// named is what follows integration.response. in an expression.
func (out *answer) named(name string) (string, bool) {
	_, header, isHeader := strings.Cut(name, "header.")
	switch {
	case out == nil:
		return "", false
	case !isHeader:
		return strconv.Itoa(out.status), true
	}
	values := out.header.Values(header)
	if len(values) > 0 && !strings.HasPrefix(name, "multivalue") {
		values = values[len(values)-1:]
	}
	return strings.Join(values, ","), len(values) > 0
}
