package sam

import (
	_ "embed"
	"encoding/json"
	"strconv"
	"strings"
	"sync"

	"arc/cfn/registry"
)

// policyTemplateLines has SAM's policy templates, one a line: its name, its
// parameters, and its statements in JSON, in which Ref names a parameter.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html
//
//go:embed policy_templates.txt
var policyTemplateLines string

type policyTemplate struct {
	parameters []string
	statements string
}

var policyTemplates = sync.OnceValue(func() map[string]policyTemplate {
	all := map[string]policyTemplate{}
	for line := range strings.Lines(policyTemplateLines) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		names, statements, _ := strings.Cut(rest, " ")
		t := policyTemplate{statements: statements}
		if names != "-" {
			t.parameters = strings.Split(names, ",")
		}
		all[name] = t
	}
	return all
})

// policyTemplates writes the policies of functions and state machines out that
// name one of SAM's templates.
func (x *expander) policyTemplates() {
	for _, id := range sorted(x.resources) {
		r := asObject(x.resources[id])
		if typ := asText(r["Type"]); typ != registry.ServerlessFunction && typ != registry.ServerlessStateMachine {
			continue
		}
		p := asObject(r["Properties"])
		x.at = "Resources." + id
		switch policies := p["Policies"].(type) {
		case []any:
			for i, v := range policies {
				policies[i] = x.policyTemplate("Policies."+strconv.Itoa(i), v)
			}
		case object:
			p["Policies"] = x.policyTemplate("Policies", policies)
		}
	}
}

func (x *expander) policyTemplate(path string, v any) any {
	m, ok := v.(object)
	if !ok || len(m) != 1 {
		return v
	}
	if args, ok := isIf(m); ok {
		return object{"Fn::If": []any{args[0], x.policyTemplate(path, args[1]), x.policyTemplate(path, args[2])}}
	}
	for name, values := range m {
		t, ok := policyTemplates()[name]
		if !ok {
			return v
		}
		given, ok := values.(object)
		if !ok && values != nil {
			x.fail(x.property(path+"."+name), "write a map of its parameters", "the policy template has no parameters")
			return v
		}
		for _, parameter := range t.parameters {
			if given[parameter] == nil {
				x.fail(x.property(path+"."+name+"."+parameter), "write it", "the policy template needs it")
			}
		}
		var statements any
		dec := json.NewDecoder(strings.NewReader(t.statements))
		dec.UseNumber()
		if err := dec.Decode(&statements); err != nil {
			x.fail(x.property(path), "report this", "the template cannot be read: %v", err)
			return v
		}
		return object{"Statement": filled(statements, given)}
	}
	return v
}

// filled puts values in place of references to parameters.
func filled(v any, values object) any {
	switch v := v.(type) {
	case object:
		if name, ok := v["Ref"].(string); ok && len(v) == 1 {
			if value, ok := values[name]; ok {
				return clone(value)
			}
			return v
		}
		for key, e := range v {
			v[key] = filled(e, values)
		}
		return v
	case []any:
		for i, e := range v {
			v[i] = filled(e, values)
		}
	}
	return v
}
