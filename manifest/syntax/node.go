package syntax

// node is a value of a JSON or YAML document with its place.
type node struct {
	kind  nodeKind
	value Value  // of a word; the others have its Pos and End alone
	keys  []node // of an object, beside elems; words, always strings
	elems []node // of an object or list
}

type nodeKind int

const (
	null nodeKind = iota
	word          // a string, number or boolean
	list
	object
)

// maxDepth bounds nesting: no manifest needs more than a handful.
const maxDepth = 100

// isEmpty tells what means "nothing more to say": null, {} and [].
func (n *node) isEmpty() bool {
	return n.kind == null || n.kind != word && len(n.elems) == 0
}

// get is the value of a key, or nil.
func (n *node) get(key string) *node {
	for i := range n.keys {
		if n.keys[i].value.Text == key {
			return &n.elems[i]
		}
	}
	return nil
}
