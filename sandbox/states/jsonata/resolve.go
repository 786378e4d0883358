package jsonata

import "strconv"

// resolver makes of a tree of operators one of paths: the operands of . become the
// steps of a path, those of [ their filters.
type resolver struct{ labels int }

// resolve makes a parsed expression ready to be evaluated.
func resolve(n *node) (*node, error) {
	r := &resolver{}
	out, err := r.node(n)
	if err != nil {
		return nil, err
	}
	if out.kind == kindParent || len(out.seeks) > 0 {
		return nil, &Error{Code: "S0217", Token: kindNames[out.kind], Position: out.at}
	}
	return out, nil
}

func (r *resolver) node(n *node) (*node, error) {
	out, err := r.resolved(n)
	if err != nil {
		return nil, err
	}
	if n.keep {
		out.keep = true
	}
	return out, nil
}

// nodes resolves all of a list, for a node that has them.
func (r *resolver) nodes(of *node, list []*node) error {
	for i := range list {
		one, err := r.node(list[i])
		if err != nil {
			return err
		}
		of.seek(one)
		list[i] = one
	}
	return nil
}

// operand resolves one that may be nil.
func (r *resolver) operand(of *node, n *node) (*node, error) {
	if n == nil {
		return nil, nil
	}
	out, err := r.node(n)
	if err == nil {
		of.seek(out)
	}
	return out, err
}

func (r *resolver) pairs(of *node, pairs [][2]*node) (err error) {
	for i := range pairs {
		for j := range pairs[i] {
			if pairs[i][j], err = r.node(pairs[i][j]); err != nil {
				return err
			}
			if of != nil {
				of.seek(pairs[i][j])
			}
		}
	}
	return nil
}

func (r *resolver) resolved(n *node) (*node, error) {
	var err error
	switch n.kind {
	case kindBinary:
		return r.binary(n)
	case kindUnary:
		return r.unary(n)
	case kindCall, kindPartial:
		if err = r.nodes(n, n.list); err != nil {
			return nil, err
		}
		n.left, err = r.node(n.left)
		return n, err
	case kindLambda:
		body, err := r.node(n.left)
		if err != nil {
			return nil, err
		}
		n.left = lastCall(body)
		return n, nil
	case kindCondition:
		for _, part := range []**node{&n.left, &n.right, &n.other} {
			if *part, err = r.operand(n, *part); err != nil {
				return nil, err
			}
		}
		return n, nil
	case kindTransform:
		for _, part := range []**node{&n.left, &n.right, &n.other} {
			if *part == nil {
				continue
			}
			if *part, err = r.node(*part); err != nil {
				return nil, err
			}
		}
		return n, nil
	case kindBlock:
		if err = r.nodes(n, n.list); err != nil {
			return nil, err
		}
		n.cons = contains(n.list, func(one *node) bool { return one.cons || one.kind == kindPath && one.list[0].cons })
		return n, nil
	case kindWord:
		return r.resolved(&node{kind: kindName, text: n.op, at: n.at, keep: n.keep})
	case kindName:
		return &node{kind: kindPath, list: []*node{n}, keepPath: n.keep, at: n.at}, nil
	case kindParent:
		n.asks = &ancestor{label: "!" + strconv.Itoa(r.labels), level: 1}
		r.labels++
		return n, nil
	case kindEnd:
		return nil, &Error{Code: "S0207", Position: n.at, Token: "(end)"}
	}
	return n, nil
}

func (r *resolver) unary(n *node) (_ *node, err error) {
	switch n.op {
	case "[":
		return n, r.nodes(n, n.list)
	case "{":
		return n, r.pairs(n, n.pairs)
	}
	if n.left, err = r.node(n.left); err != nil {
		return nil, err
	}
	if number, ok := n.left.value.(float64); ok && n.left.kind == kindNumber {
		n.left.value = -number
		return n.left, nil
	}
	n.seek(n.left)
	return n, nil
}

// lastCall makes a call in the last place one that is not nested, so that functions
// may call themselves as often as they like.
func lastCall(n *node) *node {
	switch {
	case n.kind == kindCall && n.predicates == nil:
		return &node{kind: kindLambda, thunk: true, left: n, at: n.at}
	case n.kind == kindCondition:
		n.right = lastCall(n.right)
		if n.other != nil {
			n.other = lastCall(n.other)
		}
	case n.kind == kindBlock && len(n.list) > 0:
		n.list[len(n.list)-1] = lastCall(n.list[len(n.list)-1])
	}
	return n
}

func (r *resolver) binary(n *node) (*node, error) {
	var err error
	switch n.op {
	case ".":
		return r.path(n)
	case "[":
		return r.filter(n)
	case "{":
		out, err := r.node(n.left)
		if err != nil {
			return nil, err
		}
		if out.group != nil {
			return nil, &Error{Code: "S0210", Position: n.at}
		}
		out.group = &grouping{n.pairs, n.at}
		return out, r.pairs(nil, n.pairs)
	case "^":
		return r.sort(n)
	case ":=":
		n.kind = kindBind
		n.right, err = r.operand(n, n.right)
		return n, err
	case "@", "#":
		return r.bound(n)
	case "~>":
		n.kind = kindApply
		if n.left, err = r.node(n.left); err != nil {
			return nil, err
		}
		if n.right, err = r.node(n.right); err != nil {
			return nil, err
		}
		n.keep = n.left.keep || n.right.keep
		return n, nil
	}
	if n.left, err = r.operand(n, n.left); err != nil {
		return nil, err
	}
	n.right, err = r.operand(n, n.right)
	return n, err
}

func (r *resolver) path(n *node) (*node, error) {
	left, err := r.node(n.left)
	if err != nil {
		return nil, err
	}
	out, known := left, len(left.list)
	if left.kind != kindPath {
		out, known = &node{kind: kindPath, list: []*node{left}, at: n.at}, 0
	}
	if left.kind == kindParent {
		out.seeks = []*ancestor{left.asks}
	}
	rest, err := r.node(n.right)
	if err != nil {
		return nil, err
	}
	if rest.kind == kindPath {
		out.list = append(out.list, rest.list...)
	} else {
		if rest.predicates != nil {
			rest.stages, rest.predicates = rest.predicates, nil
		}
		out.list = append(out.list, rest)
	}
	for _, step := range out.list[known:] {
		switch step.kind {
		case kindNumber, kindValue:
			return nil, &Error{Code: "S0213", Position: step.at, value: step.value}
		case kindText:
			step.kind = kindName
		}
		out.keepPath = out.keepPath || step.keep
	}
	for _, step := range []*node{out.list[0], out.list[len(out.list)-1]} {
		if step.kind == kindUnary && step.op == "[" {
			step.cons = true
		}
	}
	return out, out.askSteps()
}

// last is the step that what follows belongs to.
func (n *node) last() *node {
	if n.kind == kindPath {
		return n.list[len(n.list)-1]
	}
	return n
}

func (r *resolver) filter(n *node) (*node, error) {
	out, err := r.node(n.left)
	if err != nil {
		return nil, err
	}
	step := out.last()
	if step.group != nil {
		return nil, &Error{Code: "S0209", Position: n.at}
	}
	by, err := r.node(n.right)
	if err != nil {
		return nil, err
	}
	if len(by.seeks) > 0 {
		for _, a := range by.seeks {
			if a.level == 1 {
				if err := step.give(a); err != nil {
					return nil, err
				}
			} else {
				a.level--
			}
		}
		step.seek(by)
	}
	one := stage{filter: by, at: n.at}
	if out.kind == kindPath {
		step.stages = append(step.stages, one)
	} else {
		step.predicates = append(step.predicates, one)
	}
	return out, nil
}

func (r *resolver) sort(n *node) (*node, error) {
	out, err := r.node(n.left)
	if err != nil {
		return nil, err
	}
	if out.kind != kindPath {
		out = &node{kind: kindPath, list: []*node{out}, at: n.at}
	}
	step := &node{kind: kindSort, at: n.at, terms: n.terms}
	for i := range step.terms {
		if step.terms[i].by, err = r.operand(step, step.terms[i].by); err != nil {
			return nil, err
		}
	}
	out.list = append(out.list, step)
	return out, out.askSteps()
}

// bound is a step whose values, or their places, are bound to a variable.
func (r *resolver) bound(n *node) (*node, error) {
	out, err := r.node(n.left)
	if err != nil {
		return nil, err
	}
	step := out.last()
	step.tuple = true
	if n.op == "@" {
		if step.stages != nil || step.predicates != nil {
			return nil, &Error{Code: "S0215", Position: n.at}
		}
		if step.kind == kindSort {
			return nil, &Error{Code: "S0216", Position: n.at}
		}
		if n.keep {
			step.keep = true
		}
		step.focus = n.right.text
		return out, nil
	}
	if out.kind != kindPath {
		out = &node{kind: kindPath, list: []*node{out}, at: n.at}
		if step.predicates != nil {
			step.stages, step.predicates = step.predicates, nil
		}
	}
	if step.stages == nil {
		step.index = n.right.text
	} else {
		step.stages = append(step.stages, stage{index: n.right.text, at: n.at})
	}
	return out, nil
}
