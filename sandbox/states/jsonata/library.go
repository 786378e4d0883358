package jsonata

import "sync"

// entry is a function of the library. One that is not loose has no value where its
// first argument has none.
type entry struct {
	name, signature string
	arity, params   int
	loose           bool
	run             func(c *callee, args []any) (any, error)
}

// library is the frame around all others: the functions.
// https://docs.jsonata.org/string-functions
var library = sync.OnceValue(func() *frame {
	f := &frame{vars: map[string]any{}}
	for _, list := range [][]entry{texts(), regexes(), numeric(), lists(), objects(), times(), added()} {
		for _, one := range list {
			s, _ := parseSignature(one.signature) // each is one, as a test sees
			run := one.run
			if !one.loose {
				inner := run
				run = func(c *callee, args []any) (any, error) {
					if len(args) == 0 || args[0] == nil {
						return nil, nil
					}
					return inner(c, args)
				}
			}
			f.vars[one.name] = &native{name: one.name, signature: s, arity: one.arity, params: one.params, run: padded(max(one.arity, one.params), run)}
		}
	}
	return f
})

// padded has nothing in the place of arguments that are not given.
func padded(n int, run func(c *callee, args []any) (any, error)) func(c *callee, args []any) (any, error) {
	return func(c *callee, args []any) (any, error) {
		for len(args) < n {
			args = append(args, nil)
		}
		return run(c, args)
	}
}

// textArg is an argument that a signature made a text, or that is missing.
func textArg(v any) string {
	s, _ := v.(string)
	return s
}

// numberArg is one that a signature made a number, or that is missing.
func numberArg(v any) float64 {
	n, _ := v.(float64)
	return n
}

// listArg is one that a signature made a list, or that is missing.
func listArg(v any) []any { return items(v) }
