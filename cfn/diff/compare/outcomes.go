package compare

import (
	"maps"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/diff/values"
)

// maxOutcomes bounds how many ways conditions and mappings can come out that two
// values are compared for.
const maxOutcomes = 512

// sameInAll reports whether two values are the same however the conditions and
// mappings that they ask come out: a nested Fn::If that became a mapping, branches
// in another order, a condition asked in other words. What decides is tried for
// every value that a template knows of it, and for others; everything else stays the
// reference that it is.
//
// A value for which a mapping of before has no key is that of no stack that there
// is. Where only after's has none, CloudFormation refuses the deploy: then the two
// are the same for all others, and the parameter is noted as used.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-findinmap.html
func sameInAll(b, a spelling, before, after any) bool {
	if len(b.conditions)+len(a.conditions)+len(b.mappings)+len(a.mappings) == 0 {
		return false
	}
	domains, ok := decisive(b, a, before, after)
	if !ok || len(domains) == 0 {
		return false
	}
	tried := 0
	var refused []string
	for outcome := range outcomes(domains) {
		var lacksBefore, lacksAfter bool
		was := b.given(outcome, &lacksBefore).normal(before)
		is := a.given(outcome, &lacksAfter).normal(after)
		switch {
		case lacksBefore:
		case lacksAfter:
			refused = slices.Collect(maps.Keys(outcome))
		case !values.Equal(was, is):
			return false
		default:
			tried++
		}
	}
	if tried == 0 {
		return false
	}
	for _, name := range refused {
		if !strings.HasPrefix(name, "AWS::") {
			b.used[name+" (or a value that the mapping has)"] = true
		}
	}
	return true
}

// sameOutcome reports whether a condition of before and one of after come out alike
// whatever the parameters are that they ask.
func sameOutcome(b, a spelling, was, is string) bool {
	before := map[string]any{"Fn::If": []any{was, "yes", "no"}}
	after := map[string]any{"Fn::If": []any{is, "yes", "no"}}
	domains, ok := decisive(b, a, before, after)
	if !ok || len(domains) == 0 {
		return false
	}
	for outcome := range outcomes(domains) {
		then, known := b.given(outcome, nil).constant(was)
		now, knownAfter := a.given(outcome, nil).constant(is)
		if !known || !knownAfter || then != now {
			return false
		}
	}
	return true
}

// given knows one value of each parameter that decides.
func (s spelling) given(outcome map[string]string, lacks *bool) spelling {
	known := maps.Clone(outcome)
	for name, value := range s.known {
		if _, decides := known[name]; !decides {
			known[name] = value
		}
	}
	s.known, s.lacks = known, lacks
	return s
}

// decisive finds the parameters and pseudo parameters that conditions and mappings of
// two values ask, and for each the values for which these can come out differently.
// ok is false when that cannot be told or is too much to try.
func decisive(b, a spelling, before, after any) (domains map[string][]string, ok bool) {
	asked := asking{domain: map[string]map[string]bool{}, literals: map[string]bool{}}
	for _, side := range []struct {
		spelling
		value any
	}{{b, before}, {a, after}} {
		if !asked.in(side.spelling, side.value, map[string]bool{}) {
			return nil, false
		}
	}
	domains, count := map[string][]string{}, 1
	for name, keys := range asked.domain {
		if _, known := b.known[name]; known {
			continue
		}
		was, had := b.parameters[name]
		is, has := a.parameters[name]
		if had && has && !values.Equal(was.Default, is.Default) {
			return nil, false // it comes out differently by that already
		}
		all := allowed(was, is, had, has)
		if all == nil {
			all = slices.Concat(slices.Sorted(maps.Keys(keys)), slices.Sorted(maps.Keys(asked.literals)), []string{"\x00another", "\x00another " + name})
		}
		slices.Sort(all)
		domains[name] = slices.Compact(all)
		if count *= len(domains[name]); count > maxOutcomes {
			return nil, false
		}
	}
	return domains, true
}

// allowed are the only values that a parameter can have on both sides; nil = any.
func allowed(was, is cfn.ParameterDef, had, has bool) []string {
	var all []string
	for _, side := range []struct {
		there bool
		def   cfn.ParameterDef
	}{{had, was}, {has, is}} {
		// What may be allowed there is the name of a parameter in SSM, not its value.
		if side.there && (len(side.def.AllowedValues) == 0 || strings.HasPrefix(side.def.Type, "AWS::SSM::")) {
			return nil
		}
		for _, v := range side.def.AllowedValues {
			if text, ok := values.Spelled(v); ok {
				all = append(all, text)
			}
		}
	}
	return all
}

// asking gathers what conditions and mappings ask.
type asking struct {
	domain   map[string]map[string]bool // by parameter: the keys of the mappings that it chooses in
	literals map[string]bool            // of the conditions
}

// in looks through a value; seen are the conditions that were. It reports false where
// a parameter is asked that stands for a list.
func (q *asking) in(s spelling, v any, seen map[string]bool) bool {
	switch v := v.(type) {
	case map[string]any:
		if arg := values.List(v["Fn::If"]); len(v) == 1 && len(arg) == 3 {
			name, _ := arg[0].(string)
			if !q.condition(s, name, seen) {
				return false
			}
		}
		if arg := values.List(v["Fn::FindInMap"]); len(v) == 1 && len(arg) == 3 && !q.mapping(s, arg) {
			return false
		}
		for _, el := range v {
			if !q.in(s, el, seen) {
				return false
			}
		}
	case []any:
		return !slices.ContainsFunc(v, func(el any) bool { return !q.in(s, el, seen) })
	}
	return true
}

// condition takes in what a condition asks, and those that it names.
func (q *asking) condition(s spelling, name string, seen map[string]bool) bool {
	def, there := s.conditions[name]
	if !there || seen[name] {
		return there
	}
	seen[name] = true
	var walk func(v any) bool
	walk = func(v any) bool {
		switch v := v.(type) {
		case map[string]any:
			if other, ok := v["Condition"].(string); ok && len(v) == 1 {
				return q.condition(s, other, seen)
			}
			if ref, ok := v["Ref"].(string); ok && len(v) == 1 {
				return q.ask(s, ref, nil)
			}
			if arg := values.List(v["Fn::FindInMap"]); len(v) == 1 && len(arg) == 3 {
				for _, leaf := range leaves(s.mappings) {
					q.literals[leaf] = true
				}
				return q.mapping(s, arg)
			}
			if text, ok := v["Fn::Sub"].(string); ok && strings.Contains(text, "${") {
				return false
			}
			for _, el := range v {
				if !walk(el) {
					return false
				}
			}
		case []any:
			return !slices.ContainsFunc(v, func(el any) bool { return !walk(el) })
		default:
			if text, ok := values.Spelled(v); ok {
				q.literals[text] = true
			}
		}
		return true
	}
	return walk(def)
}

// mapping takes in the keys among which parameters choose.
func (q *asking) mapping(s spelling, arg []any) bool {
	name, ok := values.Spelled(arg[0])
	top, isMap := s.mappings[name].(map[string]any)
	if !ok || !isMap {
		return false
	}
	second := map[string]bool{}
	for _, v := range top {
		below, _ := v.(map[string]any)
		for key := range below {
			second[key] = true
		}
	}
	first := map[string]bool{}
	for key := range top {
		first[key] = true
	}
	for i, keys := range []map[string]bool{first, second} {
		m, _ := arg[i+1].(map[string]any)
		if m == nil {
			continue
		}
		ref, isRef := m["Ref"].(string)
		switch {
		case isRef && len(m) == 1:
			if !q.ask(s, ref, keys) {
				return false
			}
		case !q.in(s, m, map[string]bool{}): // as Fn::If, whose branches may name others
			return false
		default:
			for _, other := range cfn.References(m) {
				if !q.ask(s, other, keys) {
					return false
				}
			}
		}
	}
	return true
}

// ask takes in that a parameter decides, and for which values.
func (q *asking) ask(s spelling, name string, keys map[string]bool) bool {
	def, isParameter := s.parameters[name]
	if !isParameter && !strings.HasPrefix(name, "AWS::") || strings.Contains(strings.ToLower(def.Type), "list") {
		return false
	}
	if q.domain[name] == nil {
		q.domain[name] = map[string]bool{}
	}
	maps.Copy(q.domain[name], keys)
	return true
}

// leaves are the texts and numbers in a value.
func leaves(v any) []string {
	var all []string
	switch v := v.(type) {
	case map[string]any:
		for _, el := range v {
			all = append(all, leaves(el)...)
		}
	case []any:
		for _, el := range v {
			all = append(all, leaves(el)...)
		}
	default:
		if text, ok := values.Spelled(v); ok {
			all = append(all, text)
		}
	}
	return all
}

// outcomes yields each way in which the parameters can be given.
func outcomes(domains map[string][]string) func(yield func(map[string]string) bool) {
	names := slices.Sorted(maps.Keys(domains))
	return func(yield func(map[string]string) bool) {
		outcome := map[string]string{}
		var choose func(i int) bool
		choose = func(i int) bool {
			if i == len(names) {
				return yield(outcome)
			}
			for _, value := range domains[names[i]] {
				if outcome[names[i]] = value; !choose(i + 1) {
					return false
				}
			}
			return true
		}
		choose(0)
	}
}

// looksUp reports whether a value asks a mapping.
func looksUp(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 1 && v["Fn::FindInMap"] != nil {
			return true
		}
		for _, el := range v {
			if looksUp(el) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, looksUp)
	}
	return false
}
