package cfn

import (
	"encoding/json"
	"iter"
	"strings"
)

func isReference(key []byte) bool {
	switch string(key) {
	case "Ref", "Fn::GetAtt", "Fn::Sub", "DependsOn":
		return true
	}
	return false
}

// reference prints the argument of Ref, Fn::GetAtt or Fn::Sub, or the value of
// DependsOn, at the start of src, and checks that all it refers to exists.
func (p *printer) reference(function string, src []byte) []byte {
	wrong := len(p.wrong)
	rest := p.value(src)
	if len(p.wrong) > wrong {
		return rest
	}
	switch arg := src[:len(src)-len(rest)]; function {
	case "Ref":
		var name string
		if json.Unmarshal(arg, &name) == nil {
			p.check(name, false)
		}
	case "Fn::GetAtt":
		var path []string
		if json.Unmarshal(arg, &path) == nil && len(path) == 2 {
			p.check(path[0], true)
		}
	case "Fn::Sub":
		p.checkSub(arg)
	case "DependsOn":
		var names []string
		if json.Unmarshal(arg, &names) == nil {
			for _, name := range names {
				p.check(name, true)
			}
		}
	}
	return rest
}

// check reports a name that nothing in the template has.
func (p *printer) check(name string, needResource bool) {
	known, resource := p.known(name)
	switch {
	case !known:
		p.fail("there is no %s in the template", name)
	case needResource && !resource:
		p.fail("%s is not a resource", name)
	}
}

// checkSub checks the variables of a Sub that it does not define itself.
func (p *printer) checkSub(arg []byte) {
	var text string
	own := map[string]json.RawMessage{}
	if json.Unmarshal(arg, &text) != nil {
		var parts []json.RawMessage
		if json.Unmarshal(arg, &parts) != nil || len(parts) != 2 ||
			json.Unmarshal(parts[0], &text) != nil || json.Unmarshal(parts[1], &own) != nil {
			return
		}
	}
	for name := range subVariables(text) {
		if _, ok := own[name]; ok {
			continue
		}
		resource, _, attribute := strings.Cut(name, ".")
		p.check(resource, attribute)
	}
}

// subVariables yields the names inside ${…} of a Sub's text.
func subVariables(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			_, after, found := strings.Cut(text, "${")
			if !found {
				return
			}
			name, rest, closed := strings.Cut(after, "}")
			if !closed {
				return
			}
			if !strings.HasPrefix(name, "!") && !yield(strings.TrimSpace(name)) {
				return
			}
			text = rest
		}
	}
}
