package cfn

import (
	"encoding/json"
	"slices"
	"strings"
)

func isReference(key []byte) bool {
	switch string(key) {
	case "Ref", "Fn::GetAtt", "Fn::Sub", "DependsOn":
		return true
	}
	return false
}

// reference prints Ref, Fn::GetAtt, Fn::Sub or DependsOn with the argument at
// the start of src. It checks that all they refer to exists, and renames it.
func (p *printer) reference(function string, src []byte) []byte {
	end := valueEnd(src)
	arg, rest := src[:end], src[end:]
	switch {
	case function == "Ref" && arg[0] == '"':
		name := string(unquote(arg))
		p.check(name, false)
		p.printReference(p.renamed(name, ""))
		return rest
	case function == "Fn::GetAtt" && arg[0] == '[' && arg[1] == '"':
		name := string(unquote(arg[1 : 1+stringEnd(arg[1:])]))
		p.check(name, true)
		var path []string
		if p.rename == nil || json.Unmarshal(arg, &path) != nil || len(path) != 2 {
			break
		}
		p.printReference(p.renamed(name, path[1]))
		return rest
	case function == "Fn::Sub":
		arg = p.sub(arg)
	case function == "DependsOn" && arg[0] == '[':
		arg = p.dependencies(arg)
	}
	p.buf = append(appendQuoted(p.buf, function), ": "...)
	p.value(arg)
	return rest
}

// printReference prints Ref, or Fn::GetAtt where there is an attribute.
func (p *printer) printReference(name, attribute string) {
	if attribute == "" {
		p.buf = append(p.buf, `"Ref": `...)
		p.buf = appendQuoted(p.buf, name)
		return
	}
	p.buf = append(p.buf, `"Fn::GetAtt": `...)
	p.open('[')
	p.next()
	p.buf = appendQuoted(p.buf, name)
	p.next()
	p.buf = appendQuoted(p.buf, attribute)
	p.close(']')
}

func (p *printer) renamed(name, attribute string) (string, string) {
	if p.rename == nil {
		return name, attribute
	}
	return p.rename(name, attribute)
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

// sub checks and renames the variables of a Sub that it does not define itself.
func (p *printer) sub(arg []byte) []byte {
	text, own := arg, map[string]json.RawMessage(nil)
	if arg[0] == '[' {
		var parts []json.RawMessage
		if json.Unmarshal(arg, &parts) != nil || len(parts) != 2 || json.Unmarshal(parts[1], &own) != nil {
			return arg
		}
		text = parts[0]
	}
	if text[0] != '"' {
		return arg
	}
	renamed := eachVariable(string(unquote(text)), func(name string) string {
		if _, ok := own[name]; ok {
			return name
		}
		resource, attribute, ok := strings.Cut(name, ".")
		p.check(resource, ok)
		if resource, attribute = p.renamed(resource, attribute); attribute != "" {
			resource += "." + attribute
		}
		return resource
	})
	if p.rename == nil || own != nil {
		return arg
	}
	return appendQuoted(nil, renamed)
}

// eachVariable gives the text of a Sub with each name inside ${…} replaced.
func eachVariable(text string, replace func(name string) string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "${")
		name, rest, closed := strings.Cut(after, "}")
		if !found || !closed {
			b.WriteString(text)
			return b.String()
		}
		if !strings.HasPrefix(name, "!") {
			name = replace(strings.TrimSpace(name))
		}
		b.WriteString(before + "${" + name + "}")
		text = rest
	}
}

// dependencies checks and renames the names of a DependsOn.
func (p *printer) dependencies(arg []byte) []byte {
	var names []string
	if json.Unmarshal(arg, &names) != nil {
		return arg
	}
	for _, name := range names {
		p.check(name, true)
	}
	if p.rename == nil {
		return arg
	}
	for i, name := range names {
		names[i], _ = p.rename(name, dependency)
	}
	slices.Sort(names)
	return encode(slices.Compact(names))
}

// dependency is what rename is given in place of an attribute for DependsOn.
const dependency = "DependsOn"
