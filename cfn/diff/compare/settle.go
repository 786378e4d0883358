package compare

import (
	"maps"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/diff/values"
)

// Settle gives after with all that evaluates as it does in before spelled as
// before spells it, so that a comparison of the two finds what is different and
// not what is written differently: AWS::NoValue and a property that is not
// there, Fn::Sub and Fn::Join of the same pieces, Fn::If of a condition that is
// always true, and pseudo parameters, whose values are known where the region
// is ("" = it is not). Where it is not, a partition or a suffix of addresses
// that is written out is taken for that of the stack's own region.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
//
// A parameter that stands for its default is taken for it, too. assumed names
// those by which alone something is the same: the stack may have been given other
// values.
func Settle(before, after *cfn.Document, region string) (settled *cfn.Document, assumed []string) {
	return spelledAlike(before, after, region, false)
}

// Resettle is Settle for two templates that Evaluate has written: what is the same
// now is what conditions, defaults and mappings came to.
func Resettle(before, after *cfn.Document, region string) (again *cfn.Document, assumed []string) {
	return spelledAlike(before, after, region, true)
}

func spelledAlike(before, after *cfn.Document, region string, evaluated bool) (*cfn.Document, []string) {
	used := map[string]bool{}
	b, a := spellingOf(before, region, used), spellingOf(after, region, used)
	b.evaluated = evaluated
	out := *after
	out.Resources = maps.Clone(after.Resources)
	for id, r := range after.Resources {
		old, ok := before.Resources[id]
		if !ok {
			continue
		}
		if r.Condition != old.Condition && sameCondition(b, a, old.Condition, r.Condition) {
			if conditions, ok := brought(b, a, out.Conditions, old.Condition); ok {
				r.Condition, out.Conditions, a.conditions = old.Condition, conditions, conditions
			}
		}
		if p, ok := settle(b, a, any(old.Properties), any(r.Properties)).(map[string]any); ok {
			r.Properties = p
			if old.Type == r.Type {
				r.Properties = settleKinds(r.Type, old.Properties, p)
			}
		}
		out.Resources[id] = r
	}
	if len(before.Doubtful)+len(after.Doubtful) > 0 {
		out.Parameters = maps.Clone(after.Parameters)
		for name, p := range after.Parameters {
			if old, ok := before.Parameters[name]; ok {
				p.Default = settle(b, a, old.Default, p.Default)
				out.Parameters[name] = p
			}
		}
		out.Mappings, _ = settle(b, a, any(before.Mappings), any(after.Mappings)).(map[string]any)
	}
	out.Outputs = maps.Clone(after.Outputs)
	for name, o := range after.Outputs {
		if old, ok := before.Outputs[name]; ok {
			o.Value = unmarked(settle(b, a, old.Value, o.Value))
			o.ExportName = unmarked(settle(b, a, old.ExportName, o.ExportName))
			out.Outputs[name] = o
		}
	}
	return &out, slices.Sorted(maps.Keys(used))
}

// defaults are the values of parameters when a stack is given no others.
func defaults(doc *cfn.Document) map[string]string {
	out := map[string]string{}
	for name, p := range doc.Parameters {
		if text, ok := values.Spelled(p.Default); ok && !p.NoEcho {
			out[name] = text
		}
	}
	return out
}

// settleKinds spells properties as before whose order, or whose being there,
// means nothing to their service.
func settleKinds(typ string, before, after map[string]any) map[string]any {
	out := after
	set := func(key string, value any, there bool) {
		if out = maps.Clone(out); there {
			out[key] = value
		} else {
			delete(out, key)
		}
	}
	// Nothing, and an empty list of it: no tags, no indexes, no policies. Rules that
	// let out are another matter: without any, everything is let out.
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroup.html
	for _, key := range values.KeysOfBoth(before, after) {
		was, had := before[key]
		is, has := after[key]
		if strings.HasSuffix(key, "Egress") || had == has {
			continue
		}
		if list, ok := is.([]any); has && ok && len(list) == 0 {
			set(key, nil, false)
		} else if list, ok := was.([]any); had && ok && len(list) == 0 {
			set(key, was, true)
		}
	}
	// DynamoDB looks attributes up by their names.
	if old, ok := before["AttributeDefinitions"].([]any); ok {
		if new, ok := after["AttributeDefinitions"].([]any); ok && sameSet(old, new) {
			set("AttributeDefinitions", before["AttributeDefinitions"], true)
		}
	}
	return out
}

func sameSet(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	for _, x := range a {
		if !slices.ContainsFunc(b, func(y any) bool { return values.Equal(x, y) }) {
			return false
		}
	}
	return true
}

// settle spells parts of after as before spells them where both mean the same.
func settle(b, a spelling, before, after any) any {
	if values.Equal(before, after) {
		return before
	}
	if values.Equal(b.normal(before), a.normal(after)) || sameInAll(b, a, before, after) {
		return adopted(b, a, before)
	}
	if sameByDefault(b, a, before, after) {
		return before
	}
	switch after := after.(type) {
	case map[string]any:
		before, ok := before.(map[string]any)
		if !ok || values.IsIntrinsic(before) || values.IsIntrinsic(after) {
			return after
		}
		out := map[string]any{}
		for k, is := range after {
			was, had := before[k]
			switch {
			case had:
				out[k] = settle(b, a, was, is)
			case !isAbsent(a.normal(is)):
				out[k] = is
			}
		}
		for k, was := range before {
			if _, has := after[k]; !has && isAbsent(b.normal(was)) {
				out[k] = was
			}
		}
		return out
	case []any:
		before, ok := before.([]any)
		if !ok || len(before) != len(after) {
			return after
		}
		out := make([]any, len(after))
		for i := range after {
			out[i] = settle(b, a, before[i], after[i])
		}
		return out
	}
	return after
}

// sameByDefault reports whether two texts, one of them at least computed, are the
// same with the defaults of parameters, and not the same text of parameters of
// which one has another default.
func sameByDefault(b, a spelling, before, after any) bool {
	for _, v := range []any{before, after} {
		switch v := v.(type) {
		case map[string]any:
			if !values.IsIntrinsic(v) {
				return false
			}
		case string:
		default:
			return false
		}
	}
	names := slices.Concat(cfn.References(before), cfn.References(after))
	if len(names) == 0 {
		return false
	}
	was, is := b.withDefaults().normal(before), a.withDefaults().normal(after)
	text, ok := was.(string)
	if !ok || !values.Equal(was, is) || text == "" {
		return false
	}
	for _, name := range names {
		_, inBefore := b.defaults[name]
		_, inAfter := a.defaults[name]
		if inBefore || inAfter {
			b.used[name] = true
		}
	}
	return true
}
