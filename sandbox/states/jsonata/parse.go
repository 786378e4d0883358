package jsonata

import "slices"

// powers are how strongly operators bind what is left of them.
var powers = map[string]int{
	".": 75, "[": 80, "{": 70, "(": 80, "@": 80, "#": 80, "?": 20, "+": 50, "-": 50, "*": 60, "/": 60, "%": 60,
	"=": 40, "<": 40, ">": 40, "^": 40, ":=": 10, "!=": 40, "<=": 40, ">=": 40, "~>": 40, "and": 30, "or": 25, "in": 40, "&": 50,
}

// Limits of how deep expressions may be nested, and how many operators may follow each
// other.
const (
	maxNested    = 500
	maxOperators = 10000
)

// parser is one of operator precedence, after Pratt.
type parser struct {
	lexer  lexer
	now    token
	nested int
}

// parse reads an expression into a tree, which resolve makes ready.
func parse(source string) (*node, error) {
	p := &parser{lexer: lexer{source: source}}
	if err := p.advance("", false); err != nil {
		return nil, err
	}
	n, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if p.now.kind != "" {
		return nil, p.lexer.fail("S0201", p.now.text, p.now.at)
	}
	return n, nil
}

// is reports whether the token is an operator.
func (p *parser) is(op string) bool { return p.now.kind == "operator" && p.now.text == op }

// advance goes to the next token; want "" = the present one may be any.
func (p *parser) advance(want string, infix bool) error {
	if want != "" && !p.is(want) {
		e := &Error{Code: "S0202", Position: p.now.at, Token: p.now.text, expected: want}
		if p.now.kind == "" {
			e.Code = "S0203"
		}
		return e
	}
	t, err := p.lexer.next(infix)
	if err != nil {
		return err
	}
	if t.kind == "operator" && (t.text == "!" || t.text == "~") {
		return p.lexer.fail("S0204", t.text, t.at)
	}
	p.now = t
	return nil
}

// power is how strongly the present token binds.
func (p *parser) power() int {
	if p.now.kind != "operator" {
		return 0
	}
	return powers[p.now.text]
}

func (p *parser) expression(least int) (*node, error) {
	if p.nested++; p.nested > maxNested {
		return nil, &Error{Code: tooDeep, Position: p.now.at}
	}
	defer func() { p.nested-- }()
	t := p.now
	if err := p.advance("", true); err != nil {
		return nil, err
	}
	left, err := p.first(t)
	for n := 0; err == nil && least < p.power(); n++ {
		if n > maxOperators {
			return nil, &Error{Code: tooDeep, Position: p.now.at}
		}
		t := p.now
		if err = p.advance("", false); err == nil {
			left, err = p.follow(t, left)
		}
	}
	return left, err
}

// literals are the kinds of tokens that are values by themselves.
var literals = map[string]kind{"text": kindText, "number": kindNumber, "value": kindValue, "name": kindName, "variable": kindVariable, "regex": kindRegex}

// first reads what a token begins.
func (p *parser) first(t token) (*node, error) {
	n := &node{text: t.text, value: t.value, at: t.at}
	if k, ok := literals[t.kind]; ok {
		n.kind = k
		return n, nil
	}
	if t.kind == "" {
		return n, nil
	}
	n.op = t.text
	switch t.text {
	case "and", "or", "in":
		n.kind = kindWord
		return n, nil
	case "-":
		n.kind = kindUnary
		var err error
		n.left, err = p.expression(70)
		return n, err
	case "*":
		n.kind = kindWildcard
		return n, nil
	case "**":
		n.kind = kindDescendant
		return n, nil
	case "%":
		n.kind = kindParent
		return n, nil
	case "(":
		return n, p.block(n)
	case "[":
		return n, p.array(n)
	case "{":
		n.kind = kindUnary
		return n, p.object(n)
	case "|":
		return n, p.transform(n)
	}
	return nil, p.lexer.fail("S0211", t.text, t.at)
}

func (p *parser) block(n *node) error {
	n.kind = kindBlock
	for !p.is(")") {
		one, err := p.expression(0)
		if err != nil {
			return err
		}
		n.list = append(n.list, one)
		if !p.is(";") {
			break
		}
		if err := p.advance(";", false); err != nil {
			return err
		}
	}
	return p.advance(")", true)
}

func (p *parser) array(n *node) error {
	n.kind = kindUnary
	for more := !p.is("]"); more; {
		one, err := p.expression(0)
		if err != nil {
			return err
		}
		if p.is("..") {
			span := &node{kind: kindBinary, op: "..", at: p.now.at, left: one}
			if err := p.advance("..", false); err != nil {
				return err
			}
			if span.right, err = p.expression(0); err != nil {
				return err
			}
			one = span
		}
		n.list = append(n.list, one)
		if more = p.is(","); more {
			if err := p.advance(",", false); err != nil {
				return err
			}
		}
	}
	return p.advance("]", true)
}

// object reads the members of an object, or of a grouping.
func (p *parser) object(n *node) error {
	for more := !p.is("}"); more; {
		name, err := p.expression(0)
		if err == nil {
			err = p.advance(":", false)
		}
		if err != nil {
			return err
		}
		value, err := p.expression(0)
		if err != nil {
			return err
		}
		n.pairs = append(n.pairs, [2]*node{name, value})
		if more = p.is(","); more {
			if err := p.advance(",", false); err != nil {
				return err
			}
		}
	}
	return p.advance("}", true)
}

func (p *parser) transform(n *node) (err error) {
	n.kind = kindTransform
	if n.left, err = p.expression(0); err != nil {
		return err
	}
	if err = p.advance("|", false); err != nil {
		return err
	}
	if n.right, err = p.expression(0); err != nil {
		return err
	}
	if p.is(",") {
		if err = p.advance(",", false); err != nil {
			return err
		}
		if n.other, err = p.expression(0); err != nil {
			return err
		}
	}
	return p.advance("|", false)
}

// follow reads what comes after an operand.
func (p *parser) follow(t token, left *node) (*node, error) {
	n := &node{kind: kindBinary, op: t.text, left: left, at: t.at}
	var err error
	switch t.text {
	case "(":
		return n, p.call(n)
	case "[":
		if p.is("]") {
			step := left
			for step.kind == kindBinary && step.op == "[" {
				step = step.left
			}
			step.keep = true
			return left, p.advance("]", false)
		}
		if n.right, err = p.expression(0); err != nil {
			return nil, err
		}
		return n, p.advance("]", true)
	case "^":
		return n, p.order(n)
	case "{":
		return n, p.object(n)
	case ":=":
		if left.kind != kindVariable {
			return nil, p.lexer.fail("S0212", left.text, left.at)
		}
		n.right, err = p.expression(powers[":="] - 1)
		return n, err
	case "@", "#":
		if n.right, err = p.expression(powers[t.text]); err == nil && n.right.kind != kindVariable {
			err = p.lexer.fail("S0214", t.text, n.right.at)
		}
		return n, err
	case "?":
		n.kind = kindCondition
		if n.right, err = p.expression(0); err != nil || !p.is(":") {
			return n, err
		}
		if err = p.advance(":", false); err != nil {
			return nil, err
		}
		n.other, err = p.expression(0)
		return n, err
	}
	n.right, err = p.expression(powers[t.text])
	return n, err
}

func (p *parser) order(n *node) error {
	if err := p.advance("(", false); err != nil {
		return err
	}
	for more := true; more; {
		var one term
		if one.descending = p.is(">"); one.descending || p.is("<") {
			if err := p.advance("", false); err != nil {
				return err
			}
		}
		var err error
		if one.by, err = p.expression(0); err != nil {
			return err
		}
		n.terms = append(n.terms, one)
		if more = p.is(","); more {
			if err := p.advance(",", false); err != nil {
				return err
			}
		}
	}
	return p.advance(")", false)
}

// call reads arguments, and the body of what turns out to be the definition of a
// function.
func (p *parser) call(n *node) error {
	n.kind, n.text = kindCall, n.left.text
	for more := !p.is(")"); more; {
		if p.is("?") {
			n.kind = kindPartial
			n.list = append(n.list, &node{kind: kindHole, at: p.now.at})
			if err := p.advance("?", false); err != nil {
				return err
			}
		} else {
			one, err := p.expression(0)
			if err != nil {
				return err
			}
			n.list = append(n.list, one)
		}
		if more = p.is(","); more {
			if err := p.advance(",", false); err != nil {
				return err
			}
		}
	}
	if err := p.advance(")", true); err != nil {
		return err
	}
	if n.left.kind != kindName || n.left.text != "function" && n.left.text != "λ" {
		return nil
	}
	for i, one := range n.list {
		if one.kind != kindVariable {
			return &Error{Code: "S0208", Position: one.at, Token: one.text, index: i + 1}
		}
	}
	n.kind = kindLambda
	if p.is("<") {
		if err := p.signed(n); err != nil {
			return err
		}
	}
	if err := p.advance("{", false); err != nil {
		return err
	}
	body, err := p.expression(0)
	if err != nil {
		return err
	}
	n.left = body
	return p.advance("}", false)
}

// signed reads the signature of a function's definition.
func (p *parser) signed(n *node) error {
	at, text := p.now.at, "<"
	for depth := 1; depth > 0 && !p.is("{") && p.now.kind != ""; {
		if err := p.advance("", false); err != nil {
			return err
		}
		switch {
		case p.is(">"):
			depth--
		case p.is("<"):
			depth++
		}
		text += p.now.text
	}
	if err := p.advance(">", false); err != nil {
		return err
	}
	s, err := parseSignature(text)
	if e, ok := err.(*Error); ok {
		e.Position += at
	}
	n.signature = s
	return err
}

// contains reports whether any node of a list is of a kind.
func contains(list []*node, is func(*node) bool) bool { return slices.ContainsFunc(list, is) }
