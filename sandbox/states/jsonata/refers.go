package jsonata

// Context lists what an expression looks for in its input without naming it, which
// expressions of state machines have not: bare names, $ and $$, each once. Within
// paths, predicates and functions the input is another one.
func (e *Expression) Context() []string {
	var list []string
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			list = append(list, name)
		}
	}
	e.root.walk(true, func(n *node, top bool) {
		switch {
		case n.kind == kindName && top:
			add(n.text)
		case n.kind == kindVariable && (n.text == "" && top || n.text == "$"):
			add("$" + n.text)
		}
	})
	return list
}

// Fields lists the members of a variable that an expression names: of "states",
// $states.input names "input".
func (e *Expression) Fields(variable string) []string {
	var list []string
	e.root.walk(true, func(n *node, _ bool) {
		if n.kind == kindPath && len(n.list) > 1 && n.list[0].kind == kindVariable && n.list[0].text == variable && n.list[1].kind == kindName {
			list = append(list, n.list[1].text)
		}
	})
	return list
}

// walk calls with all nodes; top says that a node looks at the input of the whole.
func (n *node) walk(top bool, call func(n *node, top bool)) {
	if n == nil {
		return
	}
	call(n, top)
	pairs := func(list [][2]*node, top bool) {
		for _, pair := range list {
			pair[0].walk(top, call)
			pair[1].walk(top, call)
		}
	}
	switch n.kind {
	case kindPath:
		for i, step := range n.list {
			step.walk(top && i == 0, call)
		}
	case kindLambda:
		n.left.walk(top && n.thunk, call)
	case kindTransform:
		n.left.walk(false, call)
		n.right.walk(false, call)
		n.other.walk(false, call)
	case kindBind:
		n.right.walk(top, call)
	default:
		n.left.walk(top, call)
		n.right.walk(top, call)
		n.other.walk(top, call)
		for _, one := range n.list {
			one.walk(top, call)
		}
		pairs(n.pairs, top)
		for _, one := range n.terms {
			one.by.walk(false, call)
		}
	}
	for _, list := range [][]stage{n.predicates, n.stages} {
		for _, s := range list {
			s.filter.walk(false, call)
		}
	}
	if n.group != nil {
		pairs(n.group.pairs, false)
	}
}
