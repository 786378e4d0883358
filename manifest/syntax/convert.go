package syntax

import (
	"fmt"
	"slices"
)

// converter turns a JSON or YAML document into the tree that .arc text gives
// (manifest section 5). null, {} and [] mean "nothing more to say".
type converter struct {
	file  *File
	diags Diagnostics
}

func newConverter(name string, src []byte) *converter {
	return &converter{file: &File{Name: name, Src: src}}
}

// finish joins the reader's diagnostics with the converter's.
func (c *converter) finish(before Diagnostics) (*File, Diagnostics) {
	ds := append(before, c.diags...)
	ds.Sort()
	return c.file, ds
}

func (c *converter) report(severity Severity, v Value, code, hint, format string, args ...any) {
	c.diags = append(c.diags, Diagnostic{
		Pos: v.Pos, End: v.End, Severity: severity, Code: code, Hint: hint, Message: fmt.Sprintf(format, args...),
	})
}

func (c *converter) errorf(v Value, code, hint, format string, args ...any) {
	c.report(Error, v, code, hint, format, args...)
}

// namedPragmas list things by name: a name with nothing to say still counts.
// settingPragmas are pairs, of which an empty one is not set.
var (
	namedPragmas   = []string{"events", "http", "indexes", "queues", "scheduled", "streams", "tables", "tables-indexes", "tables-streams", "ws"}
	settingPragmas = []string{"aws", "cdn", "proxy", "static"}
)

// root reads the object whose keys are the pragmas.
func (c *converter) root(n node) {
	switch {
	case n.kind == null:
	case n.kind != object:
		c.errorf(n.value, "manifest-form", `write {"app": "my-app", "http": …}`, "a manifest is an object with a key for each pragma")
		return
	}
	opened := map[string]Pos{}
	for i, key := range n.keys {
		name := key.value
		switch {
		case name.Text == "$schema":
			continue
		case len(name.Text) > 1 && name.Text[0] == '@' && isName(name.Text[1:]):
			c.errorf(name, "pragma-syntax", "write "+name.Text[1:], "pragmas have no @ here")
			name.Text = name.Text[1:]
		case !isName(name.Text):
			c.errorf(name, "pragma-syntax", "a pragma is one word of letters, digits, - and _", "%q is not a pragma", name.Text)
			continue
		}
		if first, ok := opened[name.Text]; ok {
			c.errorf(name, "repeated-pragma", "move what it holds to "+first.String(), "%q stands twice", name.Text)
			continue
		}
		opened[name.Text] = name.Pos
		c.pragma(name, n.elems[i])
	}
	if len(c.file.Pragmas) == 0 && !c.diags.HasErrors() {
		c.errorf(n.value, "no-pragma", `give it the key "app" and the name of the app`, "the manifest has no pragma")
	}
}

func (c *converter) pragma(name Value, n node) {
	p := &Pragma{Pos: name.Pos, Name: name.Text}
	known := name.Text == "app" || name.Text == "macros" || slices.Contains(namedPragmas, name.Text) || slices.Contains(settingPragmas, name.Text)
	if n.kind == word && !known {
		c.report(Warning, n.value, "pragma-form", fmt.Sprintf("remove it, or put it in a list: [%q]", n.value.Text), "a single word below %q has no effect", name.Text)
		return
	}
	c.file.Pragmas = append(c.file.Pragmas, p)
	switch {
	case n.kind == null:
	case n.kind == list:
		for _, e := range n.elems {
			p.Items = append(p.Items, c.item(p, e)...)
		}
	case name.Text == "app" && n.kind == word:
		p.Items = []*Item{scalarItem(n.value)}
	case name.Text == "app":
		c.errorf(n.value, "pragma-form", "write the name of the app", "%q is one word", name.Text)
	case name.Text == "macros":
		c.errorf(n.value, "pragma-form", "write a list of names", "%q takes a list", name.Text)
	case n.kind == object:
		c.unique(n, "write a list, of one object for each: [{…}, {…}]")
		for i := range n.keys {
			p.Items = append(p.Items, c.pair(p, n.keys[i].value, n.elems[i])...)
		}
	case name.Text == "cdn":
		c.errorf(n.value, "pragma-form", fmt.Sprintf("write [%s]", n.value.Text), "%q takes an object or a list", name.Text)
	default:
		c.errorf(n.value, "pragma-form", "write an object {…} or a list […]", "%q takes an object or a list", name.Text)
	}
}

func scalarItem(v Value) *Item { return &Item{Pos: v.Pos, Kind: Scalar, Values: []Value{v}} }

// item reads an element of a pragma's list: "name", ["get", "/"], or
// {"name": …}.
func (c *converter) item(p *Pragma, n node) []*Item {
	switch {
	case n.isEmpty():
		c.errorf(n.value, "empty-item", "remove it, or give it a name", "this item of %q is empty", p.Name)
		return nil
	case n.kind == word:
		return []*Item{scalarItem(n.value)}
	case n.kind == list:
		return c.tuple(p, n)
	}
	if len(n.keys) > 1 {
		c.errorf(n.keys[1].value, "item-keys", "start another item for it, or put it below "+n.keys[0].value.Text, "an item is an object with one key, and this is a second")
	}
	return c.pair(p, n.keys[0].value, n.elems[0])
}

func (c *converter) tuple(p *Pragma, n node) []*Item {
	if len(n.elems) == 2 && n.elems[0].kind == word && n.elems[1].kind != word {
		return c.pair(p, n.elems[0].value, n.elems[1])
	}
	values := c.words(n.elems)
	if len(values) == 0 {
		return nil
	}
	it := scalarItem(values[0])
	if len(values) > 1 {
		it.Kind, it.Values = Tuple, values
	}
	return []*Item{it}
}

// pair is the item of a name and what it holds.
func (c *converter) pair(p *Pragma, name Value, n node) []*Item {
	it := scalarItem(name)
	switch {
	case n.isEmpty() && slices.Contains(settingPragmas, p.Name):
		return nil
	case n.isEmpty():
	case n.kind == word:
		it.Kind, it.Values = Tuple, append(it.Values, n.value)
	case n.kind == list:
		if it.List = c.words(n.elems); len(it.List) == 0 {
			return nil
		}
		it.Kind, it.Inner = Vector, make([]Comments, len(it.List))
	default:
		c.unique(n, "remove one of them")
		for i, key := range n.keys {
			it.Entries = append(it.Entries, c.entry(key.value, n.elems[i])...)
		}
		if len(it.Entries) > 0 {
			it.Kind = Map
		}
	}
	return []*Item{it}
}

// entry is a setting below a name; none when it is empty.
func (c *converter) entry(key Value, n node) []Entry {
	switch {
	case n.isEmpty():
		return nil
	case n.kind == word:
		return []Entry{{Key: key, Values: []Value{n.value}}}
	case n.kind == object:
		c.errorf(n.keys[0].value, "nesting", "write a word or a list of words for "+key.Text, "nothing nests as deep as this")
		return nil
	}
	values := c.words(n.elems)
	if len(values) == 0 {
		return nil
	}
	return []Entry{{Key: key, Values: values, Nested: true, Inner: make([]Comments, len(values))}}
}

// words are the values of a list that may hold nothing else.
func (c *converter) words(elems []node) []Value {
	var values []Value
	for _, e := range elems {
		if e.kind != word {
			c.errorf(e.value, "list-item", "write a string, a number, true or false", "this list takes words only")
			continue
		}
		values = append(values, e.value)
	}
	return values
}

// unique reports keys that stand twice, of which readers of JSON drop one.
func (c *converter) unique(n node, hint string) {
	seen := map[string]bool{}
	for _, key := range n.keys {
		if seen[key.value.Text] {
			c.errorf(key.value, "repeated-key", hint, "%q stands twice in one object", key.value.Text)
		}
		seen[key.value.Text] = true
	}
}
