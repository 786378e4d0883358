package jsonata

import "strings"

// signature says which arguments a function takes.
// https://docs.jsonata.org/programming#function-signatures
type signature struct{ params []param }

// param is one parameter.
type param struct {
	kinds    string // letters of the values that it takes; m is a missing one
	array    bool   // made a list of where it is none
	of       string // the letters of a list's items, or a function's signature
	context  bool   // - : the context stands for one that is missing
	optional bool   // ?
	many     bool   // +
}

// itemNames are the types of items in messages.
var itemNames = map[string]string{"a": "arrays", "b": "booleans", "f": "functions", "n": "numbers", "o": "objects", "s": "strings"}

// parseSignature reads one: "<s-nn?:s>".
func parseSignature(text string) (*signature, error) {
	s := &signature{}
	for at := 1; at < len(text) && text[at] != ':'; at++ {
		c := text[at]
		var last *param
		if len(s.params) > 0 {
			last = &s.params[len(s.params)-1]
		}
		switch c {
		case 's', 'n', 'b', 'l', 'o':
			s.params = append(s.params, param{kinds: string(c) + "m"})
		case 'a':
			s.params = append(s.params, param{kinds: "asnblfom", array: true})
		case 'f':
			s.params = append(s.params, param{kinds: "f"})
		case 'j':
			s.params = append(s.params, param{kinds: "asnblom"})
		case 'x':
			s.params = append(s.params, param{kinds: "asnblfom"})
		case '(':
			end := closing(text, at, '(', ')')
			choice := text[at+1 : end]
			if strings.Contains(choice, "<") {
				return nil, &Error{Code: "S0402", Position: at, value: choice}
			}
			s.params = append(s.params, param{kinds: choice + "m"})
			at = end
		case '<':
			if last == nil || !last.array && last.kinds != "f" {
				return nil, &Error{Code: "S0401", Position: at}
			}
			end := closing(text, at, '<', '>')
			last.of = text[at+1 : end]
			at = end
		case '-', '?', '+':
			if last != nil {
				last.context, last.optional, last.many = last.context || c == '-', last.optional || c != '+', last.many || c == '+'
			}
		}
	}
	return s, nil
}

// closing is where the bracket ends that begins at a place.
func closing(text string, at int, open, shut byte) int {
	depth := 0
	for i := at; i < len(text); i++ {
		switch text[i] {
		case open:
			depth++
		case shut:
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(text) - 1
}

// split gives each parameter its arguments, by their kinds, as many as it may have
// while the others have theirs. ok is false where that is not possible.
func (s *signature) split(kinds string) (counts []int, ok bool) {
	counts = make([]int, len(s.params))
	var fit func(i, at int) bool
	fit = func(i, at int) bool {
		if i == len(s.params) {
			return at == len(kinds)
		}
		p := s.params[i]
		most, least := 1, 1
		if p.many {
			most = len(kinds)
		}
		if p.optional {
			least = 0
		}
		n := 0
		for n < most && at+n < len(kinds) && strings.IndexByte(p.kinds, kinds[at+n]) >= 0 {
			n++
		}
		for ; n >= least; n-- {
			if counts[i] = n; fit(i+1, at+n) {
				return true
			}
		}
		return false
	}
	return counts, fit(0, 0)
}

// validate looks at arguments, and puts the context and lists where they belong.
func (s *signature) validate(args []any, context any) ([]any, error) {
	if s == nil {
		return args, nil
	}
	kinds := make([]byte, len(args))
	for i, arg := range args {
		kinds[i] = kindOf(arg)
	}
	counts, ok := s.split(string(kinds))
	if !ok {
		return nil, s.mismatch(string(kinds), args)
	}
	var out []any
	at := 0
	for i, p := range s.params {
		if counts[i] == 0 {
			switch {
			case !p.context:
				var arg any
				if at < len(args) {
					arg = args[at]
				}
				out = append(out, arg)
				at++
			case strings.IndexByte(p.kinds, kindOf(context)) < 0:
				return nil, &Error{Code: "T0411", index: at + 1, value: context}
			default:
				out = append(out, context)
			}
			continue
		}
		for range counts[i] {
			arg := args[at]
			if p.array && arg != nil {
				if !p.holds(arg) {
					return nil, &Error{Code: "T0412", index: at + 1, value: arg, expected: itemNames[p.of]}
				}
				if _, isList := arg.(*array); !isList {
					arg = listOf(arg)
				}
			}
			out = append(out, arg)
			at++
		}
	}
	return out, nil
}

// holds reports whether a list's items are of the kind that they must be.
func (p param) holds(v any) bool {
	if p.of == "" {
		return true
	}
	list, ok := v.(*array)
	if !ok {
		return string(kindOf(v)) == p.of
	}
	for _, item := range list.items {
		if kindOf(item) != p.of[0] {
			return false
		}
	}
	return true
}

// mismatch says which argument does not fit.
func (s *signature) mismatch(kinds string, args []any) error {
	good := 0
	for i := range s.params {
		front := &signature{params: s.params[:i+1]}
		n := -1
		for end := len(kinds); end >= 0 && n < 0; end-- {
			if _, ok := front.split(kinds[:end]); ok {
				n = end
			}
		}
		if n < 0 {
			break
		}
		good = n
	}
	e := &Error{Code: "T0410", index: good + 1}
	if good < len(args) {
		e.value = args[good]
	}
	return e
}
