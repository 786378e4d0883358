package compare

import (
	"fmt"
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
	used := map[string]bool{}
	b, a := spelling{before.Conditions, pseudo(region), defaults(before), used, before.Doubtful}, spelling{after.Conditions, pseudo(region), defaults(after), used, after.Doubtful}
	out := *after
	out.Resources = maps.Clone(after.Resources)
	for id, r := range after.Resources {
		old, ok := before.Resources[id]
		if !ok {
			continue
		}
		if r.Condition != old.Condition && sameCondition(b, a, old.Condition, r.Condition) && sameCondition(b, a, old.Condition, old.Condition) {
			r.Condition = old.Condition
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
	if values.Equal(b.normal(before), a.normal(after)) {
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

// pseudo are the pseudo parameters whose values are known with a region.
func pseudo(region string) map[string]string {
	if region == "" {
		return nil
	}
	known := map[string]string{"AWS::Region": region, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
	switch {
	case strings.HasPrefix(region, "cn-"):
		known["AWS::Partition"], known["AWS::URLSuffix"] = "aws-cn", "amazonaws.com.cn"
	case strings.HasPrefix(region, "us-gov-"):
		known["AWS::Partition"] = "aws-us-gov"
	case strings.HasPrefix(region, "us-iso"), strings.HasPrefix(region, "eu-iso"):
		delete(known, "AWS::Partition") // there are several, each with a suffix of its own
		delete(known, "AWS::URLSuffix")
	}
	return known
}

// spelling knows what the values of one template can be reduced to.
type spelling struct {
	conditions map[string]any
	pseudo     map[string]string
	defaults   map[string]string
	used       map[string]bool // parameters whose defaults something hangs on
	doubtful   map[string]string
}

// withDefaults knows the defaults of parameters as well.
func (s spelling) withDefaults() spelling {
	known := maps.Clone(s.pseudo)
	if known == nil {
		known = map[string]string{}
	}
	maps.Copy(known, s.defaults)
	s.pseudo = known
	return s
}

// absent is what AWS::NoValue comes to.
type absent struct{}

func isAbsent(v any) bool {
	_, is := v.(absent)
	return is
}

// pieces is a text of which parts are only known to AWS: strings, and values
// that stand for themselves.
const pieces = "\x00pieces"

// normal reduces a value to one form for all spellings of it. It is for
// comparing only.
func (s spelling) normal(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if values.IsIntrinsic(v) {
			return s.function(v)
		}
		out := make(map[string]any, len(v))
		for k, el := range v {
			if n := s.normal(el); !isAbsent(n) {
				out[k] = n
			}
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, el := range v {
			if n := s.normal(el); !isAbsent(n) {
				out = append(out, n)
			}
		}
		return out
	case string:
		if number, ok := s.doubtful[v]; ok { // the other side may have it as the number
			return number
		}
		return s.joined(nil, v)
	}
	return v
}

func (s spelling) function(v map[string]any) any {
	if name, ok := v["Ref"].(string); ok {
		if name == "AWS::NoValue" {
			return absent{}
		}
		if known, ok := s.pseudo[name]; ok {
			return known
		}
		return v
	}
	if at, ok := v["Fn::GetAtt"].(string); ok {
		id, attribute, _ := strings.Cut(at, ".")
		return map[string]any{"Fn::GetAtt": []any{id, attribute}}
	}
	if at, ok := v["Fn::GetAtt"].([]any); ok {
		return map[string]any{"Fn::GetAtt": at}
	}
	switch arg := v["Fn::Sub"].(type) {
	case string:
		return s.substituted(arg, nil)
	case []any:
		text, ok := arg0(arg).(string)
		if own, isMap := arg[len(arg)-1].(map[string]any); ok && isMap && len(arg) == 2 {
			return s.substituted(text, own)
		}
	}
	if arg, ok := v["Fn::Join"].([]any); ok && len(arg) == 2 {
		between, ok := arg[0].(string)
		list, isList := s.normal(arg[1]).([]any)
		if ok && isList {
			var all []any
			for i, el := range list {
				if i > 0 {
					all = append(all, between)
				}
				all = append(all, el)
			}
			return s.joined(all...)
		}
	}
	if arg, ok := v["Fn::If"].([]any); ok && len(arg) == 3 {
		yes, no := s.normal(arg[1]), s.normal(arg[2])
		if values.Equal(yes, no) {
			return yes
		}
		if name, ok := arg[0].(string); ok {
			if holds, known := s.constant(name); known && holds {
				return yes
			} else if known {
				return no
			}
			if asked, turned, ok := s.asked(name); ok {
				if turned {
					yes, no = no, yes
				}
				if isAbsent(yes) && asksForEmpty(asked, no) {
					return no
				}
				return map[string]any{"Fn::If": []any{asked, yes, no}}
			}
		}
		return map[string]any{"Fn::If": []any{arg[0], yes, no}}
	}
	out := make(map[string]any, 1)
	for k, el := range v {
		out[k] = s.normal(el)
	}
	return out
}

// maxConditions bounds conditions that ask conditions.
const maxConditions = 50

// asked is what a condition asks, whatever it and those that it asks are called,
// and without the Fn::Not around it: turned tells that it holds where that does not.
func (s spelling) asked(name string) (asks any, turned, ok bool) {
	def, ok := s.conditions[name]
	if !ok {
		return nil, false, false
	}
	asks, turned = s.positive(def, 0)
	return asks, turned, true
}

// asksForEmpty reports whether a condition asks whether a value is the empty text: one
// that is left out when it is empty is the value itself, since no service tells an
// empty text from none.
func asksForEmpty(asked, value any) bool {
	m, _ := asked.(map[string]any)
	both := values.List(m["Fn::Equals"])
	ref, isMap := value.(map[string]any)
	return len(both) == 2 && isMap && ref["Ref"] != nil &&
		(both[0] == any("") && values.Equal(both[1], value) || both[1] == any("") && values.Equal(both[0], value))
}

func (s spelling) positive(def any, depth int) (asks any, turned bool) {
	m, _ := def.(map[string]any)
	if depth > maxConditions || len(m) != 1 {
		return def, false
	}
	if name, ok := m["Condition"].(string); ok && s.conditions[name] != nil {
		return s.positive(s.conditions[name], depth+1)
	}
	if list := values.List(m["Fn::Not"]); len(list) == 1 {
		asks, turned = s.positive(list[0], depth+1)
		return asks, !turned
	}
	out := map[string]any{}
	for fn, arg := range m {
		list := values.List(arg)
		if fn != "Fn::And" && fn != "Fn::Or" {
			out[fn] = s.normal(arg)
			continue
		}
		all := make([]any, 0, len(list))
		for _, el := range list {
			asks, turned := s.positive(el, depth+1)
			if turned {
				asks = map[string]any{"Fn::Not": []any{asks}}
			}
			all = append(all, asks)
		}
		out[fn] = all
	}
	return out, false
}

// sameCondition reports whether a condition of before and one of after hold
// together.
func sameCondition(b, a spelling, was, is string) bool {
	before, turnedBefore, ok := b.asked(was)
	after, turnedAfter, okAfter := a.asked(is)
	return ok && okAfter && turnedBefore == turnedAfter && values.Equal(before, after)
}

// asBefore marks a value of after that is spelled as before spells it, with
// conditions that mean another thing in after: Evaluate takes them as they were.
const asBefore = "\x00as before"

// adopted is a value of before in after.
func adopted(b, a spelling, before any) any {
	for _, name := range conditionsIn(before) {
		if !sameCondition(b, a, name, name) {
			return map[string]any{asBefore: before}
		}
	}
	return before
}

// unmarked is a value without the mark of adopted.
func unmarked(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if inner, ok := v[asBefore]; ok {
			return inner
		}
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = unmarked(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = unmarked(x)
		}
		return out
	}
	return v
}

// opposite reports whether a condition of before and one of after never hold
// together.
func opposite(b, a spelling, was, is string) bool {
	before, turnedBefore, ok := b.asked(was)
	after, turnedAfter, okAfter := a.asked(is)
	return ok && okAfter && turnedBefore != turnedAfter && values.Equal(before, after)
}

// conditionsIn lists the conditions that the Fn::If of a value ask.
func conditionsIn(v any) []string {
	var names []string
	switch v := v.(type) {
	case map[string]any:
		if arg := values.List(v["Fn::If"]); len(v) == 1 && len(arg) == 3 {
			if name, ok := arg[0].(string); ok {
				names = append(names, name)
			}
		}
		for k, x := range v {
			if k != asBefore {
				names = append(names, conditionsIn(x)...)
			}
		}
	case []any:
		for _, x := range v {
			names = append(names, conditionsIn(x)...)
		}
	}
	return names
}

// constant evaluates a condition that asks for nothing but what is known.
func (s spelling) constant(name string) (holds, known bool) {
	if _, ok := s.conditions[name]; !ok {
		return false, false
	}
	holds, err := cfn.EvalCondition(name, cfn.Scope{
		Ref: func(name string) (any, error) {
			if value, ok := s.pseudo[name]; ok {
				return value, nil
			}
			return nil, fmt.Errorf("%s is not known", name)
		},
		Conditions: s.conditions,
	})
	return holds, err == nil
}

// substituted reads the text of Fn::Sub.
func (s spelling) substituted(text string, own map[string]any) any {
	var all []any
	for {
		before, rest, found := strings.Cut(text, "${")
		all = append(all, before)
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			if found {
				all = append(all, "${"+rest)
			}
			return s.joined(all...)
		}
		text = after
		name = strings.TrimSpace(name)
		switch value, explained := own[name]; {
		case strings.HasPrefix(name, "!"):
			all = append(all, "${"+name[1:]+"}")
		case explained:
			all = append(all, s.normal(value))
		case strings.Contains(name, ".") && !strings.HasPrefix(name, "AWS::"):
			all = append(all, s.normal(map[string]any{"Fn::GetAtt": name}))
		default:
			all = append(all, s.normal(map[string]any{"Ref": name}))
		}
	}
}

// joined makes one text of pieces, and a plain string where all are known.
func (s spelling) joined(all ...any) any {
	var out []any
	add := func(text string) {
		if last := len(out) - 1; last >= 0 {
			if before, ok := out[last].(string); ok {
				out[last] = before + text
				return
			}
		}
		out = append(out, text)
	}
	for _, p := range all {
		switch p := p.(type) {
		case nil:
		case absent:
		case string:
			add(p)
		case map[string]any:
			inner, ok := p[pieces].([]any)
			if !ok {
				inner = []any{p}
			}
			for _, el := range inner {
				if text, ok := el.(string); ok {
					add(text)
				} else {
					out = append(out, el)
				}
			}
		default:
			if text, ok := values.Spelled(p); ok {
				add(text)
			} else {
				out = append(out, p)
			}
		}
	}
	if s.pseudo["AWS::Partition"] == "" {
		out = slices.Collect(s.ownPlace(out))
	}
	out = slices.DeleteFunc(out, func(p any) bool { return p == "" })
	switch {
	case len(out) == 0:
		return ""
	case len(out) == 1:
		return out[0]
	}
	return map[string]any{pieces: out}
}

// ownPlace takes a partition and a suffix of addresses that are written out for
// those of the stack's own region, of which it is not known which it is.
func (s spelling) ownPlace(all []any) func(yield func(any) bool) {
	partition, suffix := map[string]any{"Ref": "AWS::Partition"}, map[string]any{"Ref": "AWS::URLSuffix"}
	return func(yield func(any) bool) {
		for _, p := range all {
			text, ok := p.(string)
			if !ok {
				if !yield(p) {
					return
				}
				continue
			}
			for text != "" {
				at, length, as := len(text), 0, map[string]any(nil)
				if i := strings.Index(text, "arn:aws:"); i >= 0 && i+len("arn:") < at {
					at, length, as = i+len("arn:"), len("aws"), partition
				}
				if i := strings.Index(text, "amazonaws.com"); i >= 0 && i < at && !strings.HasPrefix(text[i:], "amazonaws.com.cn") {
					at, length, as = i, len("amazonaws.com"), suffix
				}
				if !yield(text[:at]) || as != nil && !yield(as) {
					return
				}
				text = text[at+length:]
			}
		}
	}
}
