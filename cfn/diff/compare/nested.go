package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/diff/values"
	"arc/cfn/registry"
)

// homeKey is where Flatten notes which nested stack a resource is in.
const homeKey = "arc diff: nested stack"

// Flatten reads nested stacks through: it gives one document with the
// resources of a template and of all its nested stacks, and with references
// that lead from one to the other in place of parameters and outputs. part
// gives the template of a nested stack by its path of logical IDs ("Functions3",
// "A/B"), or nil when it is not known; unread lists those. A logical ID that
// several stacks have gets the path in front.
func Flatten(root *cfn.Document, part func(path string, def cfn.ResourceDef) (*cfn.Document, error)) (flat *cfn.Document, unread []string, err error) {
	f, top, err := (Tree{root, part}).read()
	if err != nil || top == nil {
		return nil, nil, err
	}
	return f.flat(top), f.unread, nil
}

// Tree is a template with the way to its nested ones, as Flatten takes them.
type Tree struct {
	Root *cfn.Document // nil = there is none
	Part func(path string, def cfn.ResourceDef) (*cfn.Document, error)
}

// FlattenBoth flattens the two sides of a comparison alike: a logical ID that
// several stacks of either side have gets its path in front on both, and a nested
// stack that one side cannot read is read on neither, where all that is in it
// would seem to be new or gone.
func FlattenBoth(before, after Tree) (was, is *cfn.Document, unread []string, err error) {
	sides := []Tree{before, after}
	for {
		var flatteners [2]*flattener
		var tops [2]*nested
		var missing []string
		for i, side := range sides {
			side.Part = except(side.Part, unread)
			if flatteners[i], tops[i], err = side.read(); err != nil {
				return nil, nil, nil, err
			}
			if tops[i] != nil {
				missing = append(missing, flatteners[i].unread...)
			}
		}
		slices.Sort(missing)
		if missing = slices.Compact(missing); len(missing) > len(unread) {
			unread = missing
			continue
		}
		var flat [2]*cfn.Document
		for i, top := range tops {
			if top == nil {
				continue
			}
			if other := flatteners[1-i]; tops[1-i] != nil {
				for id, n := range other.count {
					flatteners[i].count[id] = max(flatteners[i].count[id], n)
				}
			}
			flat[i] = flatteners[i].flat(top)
		}
		return flat[0], flat[1], unread, nil
	}
}

// except leaves some nested stacks unread.
func except(part func(string, cfn.ResourceDef) (*cfn.Document, error), closed []string) func(string, cfn.ResourceDef) (*cfn.Document, error) {
	return func(path string, def cfn.ResourceDef) (*cfn.Document, error) {
		if slices.Contains(closed, path) || part == nil {
			return nil, nil
		}
		return part(path, def)
	}
}

func (t Tree) read() (*flattener, *nested, error) {
	if t.Root == nil {
		return nil, nil, nil
	}
	f := &flattener{part: t.Part, out: map[string]cfn.ResourceDef{}, count: map[string]int{}}
	top, err := f.read("", t.Root, 0)
	return f, top, err
}

// flat is the one document of a tree that is read.
func (f *flattener) flat(top *nested) *cfn.Document {
	f.resolve(top)
	flat := *top.doc
	flat.Resources = f.out
	flat.Unexpanded = slices.Compact(slices.Sorted(slices.Values(f.unexpanded)))
	flat.Macros = slices.Compact(slices.Sorted(slices.Values(f.macros)))
	return &flat
}

// maxNesting bounds stacks within stacks.
const maxNesting = 10

type flattener struct {
	part   func(path string, def cfn.ResourceDef) (*cfn.Document, error)
	out    map[string]cfn.ResourceDef
	count  map[string]int // how many stacks have a logical ID
	unread []string
	macros []string

	unexpanded []string
}

// nested is one stack of the tree.
type nested struct {
	path  string // "" = the root
	doc   *cfn.Document
	parts map[string]*nested
	given map[string]any // values of its parameters, seen from outside
}

func (f *flattener) read(path string, doc *cfn.Document, depth int) (*nested, error) {
	doc = Plain(doc)
	n := &nested{path: path, doc: doc, parts: map[string]*nested{}}
	f.unexpanded = append(f.unexpanded, doc.Unexpanded...)
	f.macros = append(f.macros, doc.Macros...)
	for _, id := range slices.Sorted(maps.Keys(doc.Resources)) {
		def := doc.Resources[id]
		if def.Type != registry.CloudFormationStack || f.part == nil {
			f.count[id]++
			continue
		}
		below := strings.TrimPrefix(path+"/"+id, "/")
		inner, err := f.part(below, def)
		if err != nil {
			return nil, fmt.Errorf("nested stack %s: %w", below, err)
		}
		if inner == nil || depth == maxNesting {
			f.unread = append(f.unread, below)
			f.count[id]++
			continue
		}
		if n.parts[id], err = f.read(below, inner, depth+1); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// name is what a resource of a stack is called in the flat document.
func (f *flattener) name(n *nested, id string) string {
	if n.path != "" && f.count[id] > 1 {
		return n.path + "/" + id
	}
	return id
}

func (f *flattener) resolve(n *nested) {
	for id, def := range n.doc.Resources {
		if inner := n.parts[id]; inner != nil {
			inner.given, _ = f.rewrite(n, def.Properties["Parameters"], 0).(map[string]any)
			f.resolve(inner)
			continue
		}
		def.Properties, _ = f.rewrite(n, def.Properties, 0).(map[string]any)
		if n.path != "" {
			def.Metadata = maps.Clone(def.Metadata)
			if def.Metadata == nil {
				def.Metadata = map[string]any{}
			}
			def.Metadata[homeKey] = n.path
		}
		f.out[f.name(n, id)] = def
	}
}

// rewrite gives a value of stack n as it reads in the flat document.
func (f *flattener) rewrite(n *nested, v any, depth int) any {
	if depth > 200 { // an output that refers to itself
		return v
	}
	switch v := v.(type) {
	case map[string]any:
		if values.IsIntrinsic(v) {
			if out, ok := f.reference(n, v, depth); ok {
				return out
			}
		}
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = f.rewrite(n, x, depth+1)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = f.rewrite(n, x, depth+1)
		}
		return out
	}
	return v
}

func (f *flattener) reference(n *nested, v map[string]any, depth int) (any, bool) {
	if name, ok := v["Ref"].(string); ok {
		return f.ref(n, name), true
	}
	switch arg := v["Fn::GetAtt"].(type) {
	case string:
		id, attribute, _ := strings.Cut(arg, ".")
		return f.attribute(n, id, attribute, depth), true
	case []any:
		if len(arg) == 2 {
			id, okID := arg[0].(string)
			attribute, okAttribute := arg[1].(string)
			if okID && okAttribute {
				return f.attribute(n, id, attribute, depth), true
			}
		}
	}
	if text, ok := v["Fn::Sub"].(string); ok {
		return map[string]any{"Fn::Sub": f.sub(n, text, depth)}, true
	}
	return nil, false
}

func (f *flattener) ref(n *nested, name string) any {
	if value, given := n.given[name]; given {
		return value
	}
	if _, ok := n.doc.Resources[name]; ok {
		name = f.name(n, name)
	}
	return map[string]any{"Ref": name}
}

func (f *flattener) attribute(n *nested, id, attribute string, depth int) any {
	if inner := n.parts[id]; inner != nil {
		if output, ok := strings.CutPrefix(attribute, "Outputs."); ok {
			if inner.given == nil {
				inner.given, _ = f.rewrite(n, n.doc.Resources[id].Properties["Parameters"], depth+1).(map[string]any)
			}
			return f.rewrite(inner, inner.doc.Outputs[output].Value, depth+1)
		}
	}
	return map[string]any{"Fn::GetAtt": []any{f.name(n, id), attribute}}
}

// sub rewrites the variables of a Sub's text.
func (f *flattener) sub(n *nested, text string, depth int) string {
	var b strings.Builder
	for {
		plain, rest, found := strings.Cut(text, "${")
		name, after, closed := strings.Cut(rest, "}")
		b.WriteString(plain)
		if !found || !closed {
			if found {
				b.WriteString("${" + rest)
			}
			return b.String()
		}
		text = after
		id, attribute, dotted := strings.Cut(name, ".")
		switch {
		case strings.HasPrefix(name, "!"):
			b.WriteString("${" + name + "}")
		case dotted:
			b.WriteString(values.PlainText(f.attribute(n, id, attribute, depth)))
		default:
			b.WriteString(values.PlainText(f.ref(n, name)))
		}
	}
}

// home is the nested stack that a resource of a flat document is in.
func home(def cfn.ResourceDef) string {
	path, _ := def.Metadata[homeKey].(string)
	return path
}
