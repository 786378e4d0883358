package jsonata

// What % asks for is found when an expression is read: the step that gives the value
// is told to bind it, beside the values that it gives.
// https://docs.jsonata.org/path-operators#-parent

// seek takes over what a part of the node asks for.
func (n *node) seek(part *node) {
	n.seeks = append(n.seeks, part.seeks...)
	if part.kind == kindParent {
		n.seeks = append(n.seeks, part.asks)
	}
}

// give has a step bind its context for what asks for it, or counts a level.
func (n *node) give(a *ancestor) error {
	switch n.kind {
	case kindName, kindWildcard:
		if a.level--; a.level > 0 {
			return nil
		}
		if n.ancestor != nil {
			a.label = n.ancestor.label
		}
		n.ancestor, n.tuple = a, true
	case kindParent:
		a.level++
	case kindBlock:
		if len(n.list) > 0 {
			n.tuple = true
			return n.list[len(n.list)-1].give(a)
		}
	case kindPath:
		n.tuple = true
		for i := len(n.list) - 1; i == len(n.list)-1 || a.level > 0 && i >= 0; i-- {
			if err := n.list[i].give(a); err != nil {
				return err
			}
		}
	default:
		return &Error{Code: "S0217", Token: kindNames[n.kind], Position: n.at}
	}
	return nil
}

// askSteps asks the steps of a path for what the last one wants of them.
func (n *node) askSteps() error {
	last := n.list[len(n.list)-1]
	asked := last.seeks
	if last.kind == kindParent {
		asked = append(asked[:len(asked):len(asked)], last.asks)
	}
	for _, a := range asked {
		for i := len(n.list) - 2; a.level > 0; {
			if i < 0 {
				n.seeks = append(n.seeks, a)
				break
			}
			step := n.list[i]
			i--
			for i >= 0 && step.focus != "" && n.list[i].focus != "" {
				step = n.list[i]
				i--
			}
			if err := step.give(a); err != nil {
				return err
			}
		}
	}
	return nil
}
