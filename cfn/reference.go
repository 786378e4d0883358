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
	arg := src[:len(src)-len(rest)]
	switch {
	case function == "Ref" && arg[0] == '"':
		p.check(string(unquote(arg)), false)
	case function == "Fn::GetAtt" && arg[0] == '[' && arg[1] == '"':
		p.check(string(unquote(arg[1:1+stringEnd(arg[1:])])), true)
	case function == "Fn::Sub":
		p.checkSub(arg)
	case function == "DependsOn":
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
	own := map[string]json.RawMessage(nil)
	if arg[0] == '[' {
		var parts []json.RawMessage
		if json.Unmarshal(arg, &parts) != nil || len(parts) != 2 || json.Unmarshal(parts[1], &own) != nil {
			return
		}
		arg = parts[0]
	}
	if arg[0] != '"' {
		return
	}
	for name := range subVariables(string(unquote(arg))) {
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
