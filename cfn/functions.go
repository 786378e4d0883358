package cfn

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// functions are the intrinsics whose argument is evaluated before the call.
var functions = map[string]func(e *evaluator, arg any, path string) (any, error){
	"Fn::Join":         fnJoin,
	"Fn::Select":       fnSelect,
	"Fn::Split":        fnSplit,
	"Fn::Base64":       fnBase64,
	"Fn::Cidr":         fnCidr,
	"Fn::GetAZs":       fnGetAZs,
	"Fn::ImportValue":  fnImportValue,
	"Fn::Length":       fnLength,
	"Fn::ToJsonString": fnToJSONString,
}

func fnJoin(_ *evaluator, arg any, path string) (any, error) {
	if a, ok := arg.([]any); ok && len(a) == 2 {
		sep, okSep := a[0].(string)
		list, okList := a[1].([]any)
		if okSep && okList {
			texts := make([]string, len(list))
			for i, v := range list {
				s, ok := scalarText(v)
				if !ok {
					return nil, fmt.Errorf("%s: element %d is not a string or number", path, i)
				}
				texts[i] = s
			}
			return strings.Join(texts, sep), nil
		}
	}
	return nil, fmt.Errorf("%s: needs [delimiter, list]", path)
}

func fnSelect(_ *evaluator, arg any, path string) (any, error) {
	if a, ok := arg.([]any); ok && len(a) == 2 {
		text, okIndex := scalarText(a[0])
		list, okList := a[1].([]any)
		i, err := strconv.Atoi(text)
		if okIndex && okList && err == nil {
			if i < 0 || i >= len(list) {
				return nil, fmt.Errorf("%s: index %d is outside a list of %d", path, i, len(list))
			}
			return list[i], nil
		}
	}
	return nil, fmt.Errorf("%s: needs [index, list]", path)
}

func fnSplit(_ *evaluator, arg any, path string) (any, error) {
	if a, ok := arg.([]any); ok && len(a) == 2 {
		sep, okSep := a[0].(string)
		text, okText := a[1].(string)
		if okSep && okText && sep != "" {
			var list []any
			for _, s := range strings.Split(text, sep) {
				list = append(list, s)
			}
			return list, nil
		}
	}
	return nil, fmt.Errorf("%s: needs [delimiter, string]", path)
}

func fnBase64(_ *evaluator, arg any, path string) (any, error) {
	s, ok := scalarText(arg)
	if !ok {
		return nil, fmt.Errorf("%s: needs a string", path)
	}
	return base64.StdEncoding.EncodeToString([]byte(s)), nil
}

// fnCidr gives count consecutive blocks of 2^bits addresses.
func fnCidr(_ *evaluator, arg any, path string) (any, error) {
	wrong := fmt.Errorf("%s: needs [IP block, count, host bits] with room for all blocks", path)
	a, ok := arg.([]any)
	if !ok || len(a) < 2 || len(a) > 3 {
		return nil, wrong
	}
	if len(a) == 2 {
		a = append(a, "8")
	}
	texts := make([]string, 3)
	for i := range a {
		texts[i], _ = scalarText(a[i])
	}
	block, err1 := netip.ParsePrefix(texts[0])
	count, err2 := strconv.Atoi(texts[1])
	bits, err3 := strconv.Atoi(texts[2])
	if err1 != nil || err2 != nil || err3 != nil || !block.Addr().Is4() || count < 1 || count > 256 || bits < 0 || bits > 32 {
		return nil, wrong
	}
	if room := 32 - block.Bits() - bits; room < 0 || count > 1<<room {
		return nil, wrong
	}
	ip := block.Masked().Addr().As4()
	base := uint32(ip[0])<<24 | uint32(ip[1])<<16 | uint32(ip[2])<<8 | uint32(ip[3])
	var list []any
	for i := range count {
		n := base + uint32(i)<<bits
		addr := netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		list = append(list, netip.PrefixFrom(addr, 32-bits).String())
	}
	return list, nil
}

func fnGetAZs(e *evaluator, arg any, path string) (any, error) {
	region, _ := arg.(string)
	if region == "" {
		v, err := e.ref("AWS::Region", path)
		if err != nil {
			return nil, err
		}
		region, _ = v.(string)
	}
	return []any{region + "a", region + "b", region + "c"}, nil
}

func fnImportValue(e *evaluator, arg any, path string) (any, error) {
	name, ok := arg.(string)
	if !ok || e.Import == nil {
		return nil, fmt.Errorf("%s: no export can be looked up here", path)
	}
	v, err := e.Import(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

func fnLength(_ *evaluator, arg any, path string) (any, error) {
	list, ok := arg.([]any)
	if !ok {
		return nil, fmt.Errorf("%s: needs a list", path)
	}
	return json.Number(strconv.Itoa(len(list))), nil
}

func fnToJSONString(_ *evaluator, arg any, path string) (any, error) {
	b, err := json.Marshal(arg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return string(b), nil
}

// findInMap looks a value up by two keys; a fourth argument may hold the default.
func (e *evaluator) findInMap(arg any, path string) (any, error) {
	x, err := e.eval(arg, path)
	if err != nil {
		return nil, err
	}
	a, ok := x.([]any)
	if !ok || len(a) < 3 || len(a) > 4 {
		return nil, fmt.Errorf("%s: needs [map, top-level key, second-level key]", path)
	}
	var at any = e.Mappings
	for _, key := range a[:3] {
		name, _ := scalarText(key)
		m, _ := at.(map[string]any)
		next, found := m[name]
		if !found {
			if fallback, ok := mapDefault(a); ok {
				return fallback, nil
			}
			return nil, fmt.Errorf("%s: there is no %q", path, name)
		}
		at = next
	}
	return at, nil
}

func mapDefault(args []any) (any, bool) {
	if len(args) < 4 {
		return nil, false
	}
	m, _ := args[3].(map[string]any)
	v, ok := m["DefaultValue"]
	return v, ok
}

func (e *evaluator) condition(name, path string) (bool, error) {
	c, ok := e.Conditions[name]
	if !ok {
		return false, fmt.Errorf("%s: there is no condition %s", path, name)
	}
	if e.evaluating[name] {
		return false, fmt.Errorf("%s: condition %s refers to itself", path, name)
	}
	e.evaluating[name] = true
	defer delete(e.evaluating, name)
	return e.logic(c, "Conditions."+name)
}

// logic evaluates a condition function.
func (e *evaluator) logic(v any, path string) (bool, error) {
	m, _ := v.(map[string]any)
	if len(m) != 1 {
		return false, fmt.Errorf("%s: needs one of Fn::And, Fn::Or, Fn::Not, Fn::Equals or Condition", path)
	}
	name := slices.Collect(maps.Keys(m))[0]
	if name == "Condition" {
		other, _ := m[name].(string)
		return e.condition(other, path)
	}
	args, ok := m[name].([]any)
	if !ok {
		return false, fmt.Errorf("%s: %s needs a list", path, name)
	}
	switch name {
	case "Fn::Equals":
		return e.equals(args, path)
	case "Fn::Not":
		if len(args) != 1 {
			return false, fmt.Errorf("%s: Fn::Not needs one condition", path)
		}
		yes, err := e.logic(args[0], path)
		return !yes, err
	case "Fn::And", "Fn::Or":
		for _, arg := range args {
			yes, err := e.logic(arg, path)
			if err != nil {
				return false, err
			}
			if yes == (name == "Fn::Or") {
				return yes, nil
			}
		}
		return name == "Fn::And", nil
	}
	return false, fmt.Errorf("%s: %s is not a condition function", path, name)
}

func (e *evaluator) equals(args []any, path string) (bool, error) {
	if len(args) != 2 {
		return false, fmt.Errorf("%s: Fn::Equals needs two values", path)
	}
	a, err := e.eval(args[0], path)
	if err != nil {
		return false, err
	}
	b, err := e.eval(args[1], path)
	if err != nil {
		return false, err
	}
	if x, ok := scalarText(a); ok {
		y, ok := scalarText(b)
		return ok && x == y, nil
	}
	return reflect.DeepEqual(a, b), nil
}

// scalarText is the text of a string, number or boolean as CloudFormation
// puts it into strings.
func scalarText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case int:
		return strconv.Itoa(v), true
	}
	return "", false
}

func sortedSet(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
