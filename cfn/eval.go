package cfn

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Scope answers what a template cannot know by itself while Eval walks it.
type Scope struct {
	// Ref gives the value of a parameter, pseudo parameter or resource.
	Ref func(name string) (any, error)
	// GetAtt gives an attribute of a resource.
	GetAtt func(resource, attribute string) (any, error)
	// Mappings and Conditions of the document; conditions are evaluated on demand.
	Mappings   map[string]any
	Conditions map[string]any
	// Import gives the value of an exported output; nil = none.
	Import func(name string) (any, error)
}

// Eval replaces every intrinsic in v (Ref, Fn::GetAtt, Fn::Sub, Fn::Join,
// Fn::Select, Fn::Split, Fn::If, Fn::Equals, Fn::And, Fn::Or, Fn::Not,
// Fn::FindInMap, Fn::Base64, Fn::Cidr, Fn::GetAZs, Fn::ImportValue,
// Fn::Length, Fn::ToJsonString) and drops properties and list elements that
// are AWS::NoValue. v is not changed. Errors name the path inside v.
//
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
func Eval(v any, scope Scope) (any, error) {
	e := evaluator{Scope: scope, evaluating: map[string]bool{}}
	out, err := e.eval(v, "")
	if err != nil {
		return nil, err
	}
	if out == (noValue{}) {
		return nil, nil
	}
	return out, nil
}

// EvalCondition evaluates one of the scope's named conditions.
func EvalCondition(name string, scope Scope) (bool, error) {
	e := evaluator{Scope: scope, evaluating: map[string]bool{}}
	return e.condition(name, "Conditions."+name)
}

// noValue is what {"Ref": "AWS::NoValue"} evaluates to on the way up.
type noValue struct{}

type evaluator struct {
	Scope
	evaluating map[string]bool // conditions under way, to end cycles
}

func (e *evaluator) eval(v any, path string) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		if name, arg, ok := intrinsic(v); ok {
			return e.call(name, arg, join(path, name))
		}
		out := make(map[string]any, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			x, err := e.eval(v[k], join(path, k))
			if err != nil {
				return nil, err
			}
			if x != (any)(noValue{}) {
				out[k] = x
			}
		}
		return out, nil
	case []any:
		out := make([]any, 0, len(v))
		for i, el := range v {
			x, err := e.eval(el, join(path, strconv.Itoa(i)))
			if err != nil {
				return nil, err
			}
			if x != (any)(noValue{}) {
				out = append(out, x)
			}
		}
		return out, nil
	}
	return v, nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// intrinsic reports whether m is a function call: one key, Ref, Condition with
// a string, or Fn::Something.
func intrinsic(m map[string]any) (name string, arg any, ok bool) {
	if len(m) != 1 {
		return "", nil, false
	}
	for k, v := range m {
		if k == "Ref" || strings.HasPrefix(k, "Fn::") {
			return k, v, true
		}
	}
	return "", nil, false
}

func (e *evaluator) call(name string, arg any, path string) (any, error) {
	switch name {
	case "Ref":
		return e.ref(arg, path)
	case "Fn::GetAtt":
		return e.getAtt(arg, path)
	case "Fn::Sub":
		return e.sub(arg, path)
	case "Fn::If":
		return e.branch(arg, path)
	case "Fn::FindInMap":
		return e.findInMap(arg, path)
	case "Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals":
		return e.logic(map[string]any{name: arg}, path)
	}
	fn, known := functions[name]
	if !known {
		return nil, fmt.Errorf("%s: unknown function %s", path, name)
	}
	x, err := e.eval(arg, path)
	if err != nil {
		return nil, err
	}
	return fn(e, x, path)
}

func (e *evaluator) ref(arg any, path string) (any, error) {
	name, ok := arg.(string)
	if !ok {
		return nil, fmt.Errorf("%s: needs the name of a parameter or resource", path)
	}
	if name == "AWS::NoValue" {
		return noValue{}, nil
	}
	if e.Ref == nil {
		return nil, fmt.Errorf("%s: %s cannot be known here", path, name)
	}
	v, err := e.Ref(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

func (e *evaluator) getAtt(arg any, path string) (any, error) {
	id, attr, err := getAttArgs(arg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	x, err := e.eval(attr, path) // the attribute's name may be a Ref
	if err != nil {
		return nil, err
	}
	name, ok := x.(string)
	if !ok || e.GetAtt == nil {
		return nil, fmt.Errorf("%s: the attribute of %s cannot be known here", path, id)
	}
	v, err := e.GetAtt(id, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

func getAttArgs(arg any) (id string, attr any, err error) {
	switch a := arg.(type) {
	case string:
		if id, name, ok := strings.Cut(a, "."); ok {
			return id, name, nil
		}
	case []any:
		if len(a) == 2 {
			if id, ok := a[0].(string); ok {
				return id, a[1], nil
			}
		}
	}
	return "", nil, fmt.Errorf("needs [resource, attribute]")
}

// sub replaces ${Name}, ${Resource.Attribute} and the variables of the second
// argument; ${!Literal} stays as ${Literal}.
func (e *evaluator) sub(arg any, path string) (any, error) {
	text, own, err := subArgs(arg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var b strings.Builder
	for _, part := range subParts(text) {
		if part.name == "" {
			b.WriteString(part.text)
			continue
		}
		v, err := e.subName(part.name, own, path)
		if err != nil {
			return nil, err
		}
		s, ok := scalarText(v)
		if !ok {
			return nil, fmt.Errorf("%s: ${%s} is not a string or number", path, part.name)
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

func (e *evaluator) subName(name string, own map[string]any, path string) (any, error) {
	if v, ok := own[name]; ok {
		return e.eval(v, path)
	}
	if id, attr, ok := strings.Cut(name, "."); ok {
		return e.getAtt([]any{id, attr}, path)
	}
	return e.ref(name, path)
}

func subArgs(arg any) (text string, own map[string]any, err error) {
	switch a := arg.(type) {
	case string:
		return a, nil, nil
	case []any:
		if len(a) == 2 {
			text, okText := a[0].(string)
			own, okOwn := a[1].(map[string]any)
			if okText && okOwn {
				return text, own, nil
			}
		}
	}
	return "", nil, fmt.Errorf("needs a string, or [string, {name: value}]")
}

// subPart is a stretch of plain text, or the name inside ${…}.
type subPart struct{ text, name string }

func subParts(text string) []subPart {
	var parts []subPart
	for {
		i := strings.Index(text, "${")
		if i < 0 {
			break
		}
		j := strings.IndexByte(text[i:], '}')
		if j < 0 {
			break
		}
		name := text[i+2 : i+j]
		if i > 0 {
			parts = append(parts, subPart{text: text[:i]})
		}
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			parts = append(parts, subPart{text: "${" + literal + "}"})
		} else {
			parts = append(parts, subPart{name: strings.TrimSpace(name)})
		}
		text = text[i+j+1:]
	}
	return append(parts, subPart{text: text})
}

func (e *evaluator) branch(arg any, path string) (any, error) {
	a, ok := arg.([]any)
	if !ok || len(a) != 3 {
		return nil, fmt.Errorf("%s: needs [condition, value if true, value if false]", path)
	}
	name, ok := a[0].(string)
	if !ok {
		return nil, fmt.Errorf("%s: the condition must be a name", path)
	}
	yes, err := e.condition(name, path)
	if err != nil {
		return nil, err
	}
	if yes {
		return e.eval(a[1], join(path, "1"))
	}
	return e.eval(a[2], join(path, "2"))
}

// References lists the names of parameters and resources that v refers to by
// Ref, Fn::GetAtt or Fn::Sub, sorted, without pseudo parameters.
func References(v any) []string {
	found := map[string]bool{}
	collectReferences(v, found)
	return slices.Sorted(maps.Keys(found))
}

func collectReferences(v any, found map[string]bool) {
	add := func(name string) {
		if !strings.HasPrefix(name, "AWS::") {
			found[name] = true
		}
	}
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			collectReferences(x, found)
		}
	case map[string]any:
		switch name, arg, _ := intrinsic(v); name {
		case "Ref":
			if s, ok := arg.(string); ok {
				add(s)
			}
		case "Fn::GetAtt":
			if id, attr, err := getAttArgs(arg); err == nil {
				add(id)
				collectReferences(attr, found)
			}
		case "Fn::Sub":
			text, own, err := subArgs(arg)
			if err != nil {
				return
			}
			for _, p := range subParts(text) {
				if _, given := own[p.name]; p.name != "" && !given {
					id, _, _ := strings.Cut(p.name, ".")
					add(id)
				}
			}
			collectReferences(map[string]any(own), found)
		default:
			for _, x := range v {
				collectReferences(x, found)
			}
		}
	}
}
