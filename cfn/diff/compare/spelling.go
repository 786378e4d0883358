package compare

import (
	"slices"
	"strconv"
	"strings"

	"arc/cfn"
	"arc/cfn/diff/values"
)

// spellingOf is what is known of one template; used gathers the parameters by whose
// values alone something is the same.
func spellingOf(doc *cfn.Document, region string, used map[string]bool) spelling {
	return spelling{
		conditions: doc.Conditions, mappings: doc.Mappings, parameters: doc.Parameters,
		known: pseudo(region), defaults: defaults(doc), used: used, doubtful: doc.Doubtful,
	}
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
	mappings   map[string]any
	parameters map[string]cfn.ParameterDef
	known      map[string]string // pseudo parameters; of one outcome parameters, too
	texts      map[string]string // what stands for parameters in texts, and decides no condition
	defaults   map[string]string
	used       map[string]bool // parameters on whose values something hangs
	doubtful   map[string]string
	verbatim   bool  // a partition that is written out stays so
	lacks      *bool // of one outcome: set when a mapping has no such key
	evaluated  bool  // nothing is evaluated any more
}

// withDefaults writes the defaults of parameters into texts. No condition is decided
// by them: a stack that was given another value has the other branch.
func (s spelling) withDefaults() spelling {
	s.texts = s.defaults
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
		if known, ok := s.known[name]; ok {
			return known
		}
		if text, ok := s.texts[name]; ok {
			return text
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
		arg := s.normal(el)
		if k == "Fn::Split" {
			whole := s
			whole.verbatim = true
			if list, ok := whole.picked(k, values.List(whole.normal(el))); ok {
				return s.normal(list)
			}
		}
		if to, ok := s.picked(k, values.List(arg)); ok {
			return to
		}
		out[k] = arg
	}
	return out
}

// picked gives what Fn::FindInMap, Fn::Select and Fn::Split give when all that they
// ask for is known.
func (s spelling) picked(function string, arg []any) (any, bool) {
	switch {
	case function == "Fn::FindInMap" && len(arg) == 3:
		var at any = s.mappings
		for _, key := range arg {
			name, ok := values.Spelled(key)
			below, isMap := at.(map[string]any)
			if !ok || !isMap {
				return nil, false
			}
			if at, ok = below[name]; !ok {
				if s.lacks != nil {
					*s.lacks = true
				}
				return nil, false
			}
		}
		return s.normal(at), true
	case function == "Fn::Select" && len(arg) == 2:
		text, _ := values.Spelled(arg[0])
		i, err := strconv.Atoi(text)
		list := values.List(arg[1])
		if err != nil || i < 0 || i >= len(list) {
			return nil, false
		}
		return list[i], true
	case function == "Fn::Split" && len(arg) == 2:
		between, ok := arg[0].(string)
		text, known := arg[1].(string)
		if !ok || !known || between == "" {
			return nil, false
		}
		var list []any
		for part := range strings.SplitSeq(text, between) {
			list = append(list, part)
		}
		return list, true
	}
	return nil, false
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
	if s.known["AWS::Partition"] == "" && !s.verbatim {
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
