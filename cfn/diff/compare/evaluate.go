package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/diff/values"
)

// Evaluate writes into both templates what their parameters' defaults, conditions
// and mappings say differently, so that a comparison of properties sees it: a
// default that reaches a table's key replaces the table. What both sides say
// alike stays as it is written, for the stack may have been given other values,
// and what is under a condition then is not to be overlooked. unknown names the
// conditions that are written differently and that no template can decide,
// doubtful the resources that may go by one. region is where the stack is, ""
// when it is not known: then what a mapping gives is compared for every key that it
// may be asked for, and what differs for one differs.
func Evaluate(before, after *cfn.Document, region string) (b, a *cfn.Document, unknown, doubtful []string) {
	if len(before.Resources) == 0 || !anythingToEvaluate(before, after) {
		return before, after, nil, nil
	}
	old, new := newSide(before, region), newSide(after, region)
	for name, def := range before.Parameters {
		other, ok := after.Parameters[name]
		if !ok || def.Default == nil || other.Default == nil || values.Equal(def.Default, other.Default) {
			continue
		}
		old.defaults[name], new.defaults[name] = def.Default, other.Default
		if def.NoEcho || other.NoEcho || values.SecretKey(name) {
			old.defaults[name], new.defaults[name] = values.Hidden, values.Hidden+" (another)"
		}
	}
	for _, name := range values.KeysOfBoth(before.Conditions, after.Conditions) {
		was, knownBefore := old.outcome(name)
		is, knownAfter := new.outcome(name)
		_, had := before.Conditions[name]
		_, has := after.Conditions[name]
		switch {
		case had && has && knownBefore && knownAfter && was == is:
		case had && has && (!knownBefore || !knownAfter):
			b, a := spellingOf(before, region, map[string]bool{}), spellingOf(after, region, map[string]bool{})
			switch {
			case !asks(after, name) || sameCondition(b, a, name, name):
			case opposite(b, a, name, name): // whichever holds, what hangs on it changes
				old.branches[name], new.branches[name] = true, false
			default:
				unknown = append(unknown, name)
			}
		default:
			if knownBefore {
				old.branches[name] = was
			}
			if knownAfter {
				new.branches[name] = is
			}
		}
	}
	new.was = old
	old.mappings, new.mappings = before.Mappings, after.Mappings
	old.others, new.others = after.Mappings, before.Mappings
	if values.Equal(any(before.Mappings), any(after.Mappings)) {
		old.mappings, new.mappings = nil, nil
	}
	return old.write(new), new.write(old), unknown, undecided(old, new, unknown, region)
}

// undecided lists the resources that have another condition than before, of which
// it cannot be known whether it holds.
func undecided(old, new *side, unknown []string, region string) []string {
	b, a := spellingOf(old.doc, region, map[string]bool{}), spellingOf(new.doc, region, map[string]bool{})
	var ids []string
	for _, id := range values.KeysOfBoth(nil, new.doc.Resources) {
		is := new.doc.Resources[id].Condition
		was, had := old.doc.Resources[id]
		if !had || is == "" || was.Condition == is && !dependsOn(new.doc.Conditions, is, unknown, 0) {
			continue
		}
		if _, known := new.outcome(is); !known && !sameCondition(b, a, was.Condition, is) {
			ids = append(ids, id)
		}
	}
	return ids
}

// asks reports whether anything in a template hangs on a condition.
func asks(doc *cfn.Document, name string) bool {
	hangs := func(condition string, v any) bool {
		return condition != "" && dependsOn(doc.Conditions, condition, []string{name}, 0) ||
			slices.ContainsFunc(conditionsIn(v), func(other string) bool { return dependsOn(doc.Conditions, other, []string{name}, 0) })
	}
	for _, r := range doc.Resources {
		if hangs(r.Condition, r.Properties) {
			return true
		}
	}
	for _, o := range doc.Outputs {
		if hangs(o.Condition, o.Value) {
			return true
		}
	}
	return false
}

// dependsOn reports whether a condition is one of some, or asks one of them.
func dependsOn(conditions map[string]any, name string, some []string, depth int) bool {
	if slices.Contains(some, name) || depth > 100 {
		return true
	}
	var asks func(v any) bool
	asks = func(v any) bool {
		switch v := v.(type) {
		case map[string]any:
			if other, ok := v["Condition"].(string); ok && len(v) == 1 {
				return dependsOn(conditions, other, some, depth+1)
			}
			for _, x := range v {
				if asks(x) {
					return true
				}
			}
		case []any:
			return slices.ContainsFunc(v, asks)
		}
		return false
	}
	return asks(conditions[name])
}

// AddUndecided adds to the changes what a condition may take away.
func AddUndecided(changes []Change, ids []string, before, after *cfn.Document) []Change {
	for _, id := range ids {
		old, new := before.Resources[id], after.Resources[id]
		i := slices.IndexFunc(changes, func(c Change) bool { return c.LogicalID == id })
		if i < 0 {
			i = len(changes)
			changes = append(changes, Change{Action: Modify, LogicalID: id, Type: new.Type, Holds: holds(before, id)})
		}
		if old.Condition == new.Condition {
			changes[i].Properties = append(changes[i].Properties, Property{
				Path: "(Condition)", Before: values.HideBelow(before.Conditions[new.Condition]), After: values.HideBelow(after.Conditions[new.Condition]),
			})
		}
		if loss := lossOfRemoval(old); loss != "" && changes[i].Loss == "" {
			changes[i].Loss = "if the condition " + new.Condition + " does not hold, " + loss
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	return changes
}

// anythingToEvaluate tells whether there is anything to settle: most templates have none of
// it.
func anythingToEvaluate(before, after *cfn.Document) bool {
	if len(before.Conditions)+len(after.Conditions)+len(before.Mappings)+len(after.Mappings) > 0 {
		return true
	}
	for name, def := range before.Parameters {
		if other, ok := after.Parameters[name]; ok && !values.Equal(def.Default, other.Default) {
			return true
		}
	}
	return false
}

// side is one side while it is written anew.
type side struct {
	doc      *cfn.Document
	defaults map[string]any  // parameters whose defaults differ
	branches map[string]bool // conditions that come out otherwise on the other side
	mappings map[string]any  // when they differ
	others   map[string]any  // the mappings of the other side
	pseudo   map[string]string
	was      *side // after's: the side before
}

func newSide(doc *cfn.Document, region string) *side {
	return &side{doc: doc, defaults: map[string]any{}, branches: map[string]bool{}, pseudo: pseudo(region)}
}

// outcome evaluates a condition with the parameters' defaults; not known when
// it asks for more, as the region.
func (s *side) outcome(name string) (value, known bool) {
	if _, ok := s.doc.Conditions[name]; !ok {
		return false, false
	}
	value, err := cfn.EvalCondition(name, cfn.Scope{
		Ref: func(name string) (any, error) {
			if p, ok := s.doc.Parameters[name]; ok && p.Default != nil && !p.NoEcho {
				return p.Default, nil
			}
			return nil, fmt.Errorf("%s has no value here", name)
		},
		Mappings: s.doc.Mappings, Conditions: s.doc.Conditions,
	})
	return value, err == nil
}

// there tells whether a resource's condition lets it be; known = false when
// nobody can tell.
func (s *side) there(r cfn.ResourceDef) (value, known bool) {
	if r.Condition == "" {
		return true, true
	}
	return s.outcome(r.Condition)
}

// write gives the side's template as it is compared. A resource that only the
// other side has by its condition is left out.
func (s *side) write(other *side) *cfn.Document {
	out := *s.doc
	out.Resources = make(map[string]cfn.ResourceDef, len(s.doc.Resources))
	for id, r := range s.doc.Resources {
		if twin, ok := other.doc.Resources[id]; ok {
			here, known := s.there(r)
			there, knownThere := other.there(twin)
			if known && knownThere && !here && there {
				continue
			}
		}
		if p, ok := s.value(r.Properties).(map[string]any); ok {
			r.Properties = p
		}
		out.Resources[id] = r
	}
	return &out
}

// value copies what it changes and nothing else.
func (s *side) value(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if v == nil {
			return v
		}
		if inner, ok := v[asBefore]; ok {
			was := *s
			was.branches, was.mappings, was.others = s.was.branches, s.was.mappings, s.was.others
			return was.value(inner)
		}
		if len(v) == 1 {
			if to, ok := s.intrinsic(v); ok {
				return to
			}
		}
		var out map[string]any
		for k, el := range v {
			if to := s.value(el); !same(to, el) {
				if out == nil {
					out = maps.Clone(v)
				}
				if out[k] = to; isNoValue(to) {
					delete(out, k)
				}
			}
		}
		if out != nil {
			return out
		}
	case []any:
		var out []any
		for i, el := range v {
			if to := s.value(el); !same(to, el) {
				if out == nil {
					out = slices.Clone(v)
				}
				out[i] = to
			}
		}
		if out != nil {
			return slices.DeleteFunc(out, isNoValue)
		}
	}
	return v
}

// same tells that value has changed nothing: what it changes is another map,
// list or scalar.
func same(to, from any) bool {
	switch to.(type) {
	case map[string]any, []any:
		return fmt.Sprintf("%p", to) == fmt.Sprintf("%p", from)
	}
	return values.Equal(to, from)
}

func isNoValue(v any) bool {
	m, _ := v.(map[string]any)
	return len(m) == 1 && m["Ref"] == "AWS::NoValue"
}

// intrinsic settles one intrinsic function.
func (s *side) intrinsic(v map[string]any) (any, bool) {
	if name, ok := v["Ref"].(string); ok {
		to, ok := s.defaults[name]
		return to, ok
	}
	if arg, ok := v["Fn::If"].([]any); ok && len(arg) == 3 {
		name, _ := arg[0].(string)
		if yes, ok := s.branches[name]; ok && yes {
			return s.value(arg[1]), true
		} else if ok {
			return s.value(arg[2]), true
		}
	}
	if arg, ok := v["Fn::FindInMap"].([]any); ok && len(arg) == 3 && s.mappings != nil {
		if to, err := cfn.Eval(v, cfn.Scope{Mappings: s.mappings, Ref: func(name string) (any, error) {
			if known, ok := s.pseudo[name]; ok {
				return known, nil
			}
			return nil, fmt.Errorf("%s is not known", name)
		}}); err == nil {
			return to, true
		}
		return s.lookedUp(arg)
	}
	switch arg := v["Fn::Sub"].(type) {
	case string:
		if to := s.text(arg, nil); to != arg {
			return map[string]any{"Fn::Sub": to}, true
		}
	case []any:
		if text, ok := arg0(arg).(string); ok && len(arg) == 2 {
			own, _ := arg[1].(map[string]any)
			to, with := s.text(text, own), s.value(arg[1])
			if to != text || !same(with, arg[1]) {
				return map[string]any{"Fn::Sub": []any{to, with}}, true
			}
		}
	}
	return nil, false
}

// lookedUp settles a look-up in a mapping of which a key is known to AWS alone, as
// that of a region's images: to the first value that differs from the other side's.
// A key that only one side has is not asked for by a stack that is there.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-findinmap.html
func (s *side) lookedUp(arg []any) (any, bool) {
	is, was := any(s.mappings), any(s.others)
	return differing(is, was, []any{arg[0], s.key(arg[1]), s.key(arg[2])})
}

// key is a key of a mapping where it is known, and otherwise what gives it.
func (s *side) key(v any) any {
	m, _ := v.(map[string]any)
	if name, ok := m["Ref"].(string); ok && len(m) == 1 {
		if known, ok := s.pseudo[name]; ok {
			return known
		}
	}
	return v
}

// differing walks down two mappings by keys of which some are not known, and gives
// the first value, in the order of the keys, that the other has otherwise.
func differing(is, was any, keys []any) (any, bool) {
	if len(keys) == 0 {
		return is, !values.Equal(is, was)
	}
	here, _ := is.(map[string]any)
	there, _ := was.(map[string]any)
	known, ok := values.Spelled(keys[0])
	for _, name := range slices.Sorted(maps.Keys(here)) {
		other, both := there[name]
		if !both || ok && name != known {
			continue
		}
		if to, found := differing(here[name], other, keys[1:]); found {
			return to, true
		}
	}
	return nil, false
}

func arg0(list []any) any {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

// text writes differing defaults into the text of Fn::Sub, but for the names
// that it explains itself.
func (s *side) text(text string, own map[string]any) string {
	for name, to := range s.defaults {
		if _, explained := own[name]; explained {
			continue
		}
		if word, ok := values.Spelled(to); ok {
			text = strings.ReplaceAll(text, "${"+name+"}", word)
		}
	}
	return text
}
