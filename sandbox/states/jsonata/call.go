package jsonata

// lambda is a function of an expression, with what it sees where it stands.
type lambda struct {
	node      *node
	signature *signature
	in        any
	frame     *frame
	thunk     bool
	params    []*node // of one that has some of its arguments; nil = the node's
	partly    bool
	native    *native // what it calls, where that is none of an expression
}

func (l *lambda) parameters() []*node {
	if l.partly {
		return l.params
	}
	return l.node.list
}

// native is a function of the library.
type native struct {
	name      string
	signature *signature
	arity     int // how many arguments the functions that take functions hand it
	params    int // how many a partial application counts; 0 = as many as arity
	run       func(c *callee, args []any) (any, error)
}

// callee is where a native function runs.
type callee struct {
	*evaluation
	in any
}

// arity is how many arguments a function takes.
func arity(v any) int {
	switch v := v.(type) {
	case *lambda:
		return len(v.parameters())
	case *native:
		return v.arity
	}
	return 0
}

// procedure is how a call names what it calls.
func (n *node) procedure() string {
	if n.left.kind == kindPath {
		return n.left.list[0].text
	}
	return n.left.text
}

// call calls a function; one that ~> is followed by has its first argument from there.
func (e *evaluation) call(n *node, in any, f *frame, first any, applied bool) (any, error) {
	fn, err := e.eval(n.left, in, f)
	if err != nil {
		return nil, err
	}
	if fn == nil && n.left.kind == kindPath && f.lookup(n.procedure()) != nil {
		return nil, &Error{Code: "T1005", Position: n.at, Token: n.procedure()}
	}
	args := make([]any, 0, len(n.list)+1)
	if applied {
		args = append(args, first)
	}
	for _, one := range n.list {
		arg, err := e.eval(one, in, f)
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
	}
	out, err := e.apply(fn, args, in)
	if e, ok := err.(*Error); ok {
		if e.Position == 0 {
			e.Position = n.at
		}
		if e.Token == "" {
			e.Token = n.procedure()
		}
	}
	return out, err
}

// apply calls a function, and what it calls in its last place, until there is a value.
func (e *evaluation) apply(fn any, args []any, in any) (any, error) {
	out, err := e.once(fn, args, in)
	for err == nil {
		next, ok := out.(*lambda)
		if !ok || !next.thunk {
			break
		}
		call := next.node.left
		if fn, err = e.eval(call.left, next.in, next.frame); err != nil {
			break
		}
		args = make([]any, 0, len(call.list))
		for _, one := range call.list {
			var arg any
			if arg, err = e.eval(one, next.in, next.frame); err != nil {
				return nil, err
			}
			args = append(args, arg)
		}
		out, err = e.once(fn, args, in)
		if e, ok := err.(*Error); ok && e.Token == "" {
			e.Token, e.Position = call.procedure(), call.at
		}
	}
	return out, err
}

func (e *evaluation) once(fn any, args []any, in any) (any, error) {
	switch fn := fn.(type) {
	case *native:
		args, err := fn.signature.validate(args, in)
		if err != nil {
			return nil, err
		}
		return fn.run(&callee{e, in}, args)
	case *lambda:
		args, err := fn.signature.validate(args, in)
		if err != nil {
			return nil, err
		}
		inner := &frame{outer: fn.frame}
		for i, one := range fn.parameters() {
			var arg any
			if i < len(args) {
				arg = args[i]
			}
			inner.bind(one.text, arg)
		}
		if fn.native == nil {
			return e.eval(fn.node.left, fn.in, inner)
		}
		args = nil
		for _, one := range fn.node.list {
			args = append(args, inner.lookup(one.text))
		}
		return fn.native.run(&callee{e, nil}, args)
	}
	return nil, &Error{Code: "T1006"}
}

// invoke calls a function that was handed to another one.
func (c *callee) invoke(fn any, args ...any) (any, error) { return c.apply(fn, args, null{}) }

// with calls one with as many arguments as it takes.
func (c *callee) with(fn any, args ...any) (any, error) {
	n := max(1, min(arity(fn), len(args)))
	return c.invoke(fn, args[:n]...)
}

// partial is a function with some of its arguments.
// https://docs.jsonata.org/programming#partial-function-application
func (e *evaluation) partial(n *node, in any, f *frame) (any, error) {
	args := make([]any, len(n.list))
	for i, one := range n.list {
		if one.kind == kindHole {
			continue
		}
		var err error
		if args[i], err = e.eval(one, in, f); err != nil {
			return nil, err
		}
	}
	fn, err := e.eval(n.left, in, f)
	if err != nil {
		return nil, err
	}
	out := &lambda{partly: true, params: []*node{}}
	switch fn := fn.(type) {
	case *lambda:
		out.node, out.in, out.native = fn.node, fn.in, fn.native
		out.frame = &frame{outer: fn.frame}
		out.params = out.rest(n, fn.parameters(), args)
	case *native:
		// Its parameters have names that no variable has.
		out.node, out.native, out.frame = &node{kind: kindLambda}, fn, &frame{}
		for i := range max(fn.arity, fn.params) {
			out.node.list = append(out.node.list, &node{kind: kindVariable, text: "?" + string(rune('a'+i))})
		}
		out.params = out.rest(n, out.node.list, args)
	default:
		if fn == nil && n.left.kind == kindPath && f.lookup(n.procedure()) != nil {
			return nil, &Error{Code: "T1007", Position: n.at, Token: n.procedure()}
		}
		return nil, &Error{Code: "T1008", Position: n.at, Token: n.procedure()}
	}
	return out, nil
}

// rest binds the arguments that there are, and gives the parameters that are left.
func (l *lambda) rest(n *node, params []*node, args []any) []*node {
	left := []*node{}
	for i, one := range params {
		if i < len(n.list) && n.list[i].kind == kindHole {
			left = append(left, one)
			continue
		}
		var arg any
		if i < len(args) {
			arg = args[i]
		}
		l.frame.bind(one.text, arg)
	}
	return left
}

// applied is ~>: a value that goes into a function, or two functions that become one.
// https://docs.jsonata.org/other-operators#-chain
func (e *evaluation) applied(n *node, in any, f *frame) (any, error) {
	left, err := e.eval(n.left, in, f)
	if err != nil {
		return nil, err
	}
	if n.right.kind == kindCall {
		return e.call(n.right, in, f, left, true)
	}
	fn, err := e.eval(n.right, in, f)
	if err != nil {
		return nil, err
	}
	if !isFunction(fn) {
		return nil, &Error{Code: "T2006", Position: n.at, value: fn}
	}
	if !isFunction(left) {
		return e.apply(fn, []any{left}, null{})
	}
	return &native{arity: 1, run: func(c *callee, args []any) (any, error) {
		var x any
		if len(args) > 0 {
			x = args[0]
		}
		between, err := c.apply(left, []any{x}, null{})
		if err != nil {
			return nil, err
		}
		return c.apply(fn, []any{between}, null{})
	}}, nil
}

// transformer is the function that |…|…| is.
// https://docs.jsonata.org/other-operators#-------transform
func transformer(n *node, f *frame) *native {
	s, _ := parseSignature("<(oa):o>") // is one
	return &native{arity: 1, signature: s, run: func(c *callee, args []any) (any, error) {
		if args[0] == nil {
			return nil, nil
		}
		clone := f.lookup("clone")
		if !isFunction(clone) {
			return nil, &Error{Code: "T2013", Position: n.at}
		}
		out, err := c.apply(clone, args[:1], null{})
		if err != nil {
			return nil, err
		}
		matches, err := c.eval(n.left, out, f)
		if err != nil {
			return nil, err
		}
		for _, match := range items(matches) {
			if err := c.change(n, match, f); err != nil {
				return nil, err
			}
		}
		return out, nil
	}}
}

// change updates one match of a transform.
func (c *callee) change(n *node, match any, f *frame) error {
	into, _ := match.(*object)
	update, err := c.eval(n.right, match, f)
	if err != nil {
		return err
	}
	if update != nil {
		from, ok := update.(*object)
		if !ok {
			return &Error{Code: "T2011", Position: n.right.at, value: update}
		}
		if into != nil {
			from.each(into.set)
		}
	}
	if n.other == nil {
		return nil
	}
	gone, err := c.eval(n.other, match, f)
	if err != nil {
		return err
	}
	for _, name := range items(gone) {
		key, ok := name.(string)
		if !ok {
			return &Error{Code: "T2012", Position: n.other.at, value: gone}
		}
		if into != nil {
			into.remove(key)
		}
	}
	return nil
}

// each calls with all members.
func (o *object) each(call func(key string, v any)) {
	for _, key := range append([]string(nil), o.keys...) {
		call(key, o.values[key])
	}
}
