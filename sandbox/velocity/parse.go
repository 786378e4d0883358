package velocity

import (
	"fmt"
	"slices"
	"strings"
)

// parser reads a template.
type parser struct {
	src   string
	at    int
	depth int
	hosts Hosts
}

// Parse reads a template. hosts are the objects that it will find.
func Parse(source string, hosts Hosts) (*Template, error) {
	p := &parser{src: source, hosts: hosts}
	nodes, end, err := p.block()
	if err == nil && end != "" {
		err = fmt.Errorf("#%s without its #if or #foreach", end)
	}
	if err != nil {
		line := strings.Count(source[:min(p.at, len(source))], "\n") + 1
		return nil, fmt.Errorf("line %d: %w", line, err)
	}
	return &Template{nodes}, nil
}

// block reads up to a directive that ends it: end, else, elseif, or "" for the
// template's end.
func (p *parser) block() (nodes []node, end string, err error) {
	if p.depth++; p.depth > maxDepth {
		return nil, "", fmt.Errorf("directives stand too deep within each other")
	}
	defer func() { p.depth-- }()
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			nodes = append(nodes, text(plain.String()))
			plain.Reset()
		}
	}
	for p.at < len(p.src) {
		c := p.src[p.at]
		rest := p.src[p.at:]
		switch {
		case strings.HasPrefix(rest, "##"):
			p.skipLine()
		case strings.HasPrefix(rest, "#*"):
			length := strings.Index(rest, "*#")
			if length < 0 {
				return nil, "", fmt.Errorf("a comment #* has no *#")
			}
			p.at += length + 2
		case strings.HasPrefix(rest, "#[["):
			length := strings.Index(rest, "]]#")
			if length < 0 {
				return nil, "", fmt.Errorf("#[[ has no ]]#")
			}
			plain.WriteString(rest[3:length])
			p.at += length + 3
		case c == '\\' && len(rest) > 1 && (rest[1] == '$' || rest[1] == '#'):
			plain.WriteByte(rest[1])
			p.at += 2
		case c == '#':
			name, length := directive(rest)
			if name == "" {
				plain.WriteByte('#')
				p.at++
				continue
			}
			if name == "set" { // blanks before it are its own
				kept := strings.TrimRight(plain.String(), " \t")
				plain.Reset()
				plain.WriteString(kept)
			}
			flush()
			p.at += length
			switch name {
			case "end", "else":
				p.eatLine()
				return nodes, name, nil
			case "elseif":
				return nodes, name, nil
			}
			n, err := p.directive(name)
			if err != nil {
				return nil, "", err
			}
			nodes = append(nodes, n)
		case c == '$':
			start := p.at
			ref, quiet, err := p.reference()
			if err != nil {
				return nil, "", err
			}
			if ref == nil {
				plain.WriteByte('$')
				p.at = start + 1
				continue
			}
			flush()
			nodes = append(nodes, shown{ref, quiet, p.src[start:p.at]})
		default:
			length := strings.IndexAny(rest[1:], `#$\`)
			if length < 0 {
				length = len(rest) - 1
			}
			plain.WriteString(rest[:length+1])
			p.at += length + 1
		}
	}
	flush()
	return nodes, "", nil
}

// directives are those that are evaluated; the others of the language are refused.
var (
	directives = []string{"set", "if", "elseif", "else", "end", "foreach", "define", "break", "stop"}
	refused    = []string{"macro", "include", "parse", "evaluate"}
)

// directive is the name of the directive that a text begins with, and its length;
// "" = it is text.
func directive(rest string) (name string, length int) {
	inner := rest[1:]
	braced := strings.HasPrefix(inner, "{")
	if braced {
		inner = inner[1:]
	}
	n := 0
	for n < len(inner) && inner[n] >= 'a' && inner[n] <= 'z' {
		n++
	}
	name = inner[:n]
	length = 1 + n
	if braced {
		if n == len(inner) || inner[n] != '}' {
			return "", 0
		}
		length += 2
	}
	if !slices.Contains(directives, name) && !slices.Contains(refused, name) {
		// #elsefoo is #else and text; so is #endfoo.
		for _, short := range []string{"else", "end"} {
			if strings.HasPrefix(name, short) && !braced {
				return short, 1 + len(short)
			}
		}
		return "", 0
	}
	return name, length
}

func (p *parser) directive(name string) (node, error) {
	switch name {
	case "set":
		return p.set()
	case "if":
		return p.conditional()
	case "foreach":
		return p.loop()
	case "define":
		return p.define()
	case "break":
		p.eatLine()
		return leave{errBreak}, nil
	case "stop":
		p.eatLine()
		return leave{errStop}, nil
	}
	return nil, fmt.Errorf("#%s is not evaluated by the local cloud", name)
}

func (p *parser) set() (node, error) {
	if err := p.want("("); err != nil {
		return nil, fmt.Errorf("#set: %w", err)
	}
	p.blanks()
	ref, _, err := p.reference()
	if err != nil {
		return nil, err
	}
	if ref == nil {
		return nil, fmt.Errorf("#set( is to be followed by a $reference")
	}
	if err := p.want("="); err != nil {
		return nil, fmt.Errorf("#set: %w", err)
	}
	from, err := p.expression()
	if err != nil {
		return nil, err
	}
	if err := p.close(); err != nil {
		return nil, fmt.Errorf("#set: %w", err)
	}
	return set{ref, from}, nil
}

func (p *parser) conditional() (node, error) {
	var all conditional
	end := "if"
	for {
		var b branch
		if end != "else" {
			if err := p.want("("); err != nil {
				return nil, fmt.Errorf("#%s: %w", end, err)
			}
			var err error
			if b.condition, err = p.expression(); err != nil {
				return nil, err
			}
			if err := p.close(); err != nil {
				return nil, fmt.Errorf("#%s: %w", end, err)
			}
		}
		last := end == "else"
		var err error
		if b.body, end, err = p.block(); err != nil {
			return nil, err
		}
		all = append(all, b)
		switch {
		case end == "end":
			return all, nil
		case end == "" || last:
			return nil, fmt.Errorf("#if has no #end")
		}
	}
}

func (p *parser) loop() (node, error) {
	if err := p.want("("); err != nil {
		return nil, fmt.Errorf("#foreach: %w", err)
	}
	p.blanks()
	ref, _, err := p.reference()
	if err != nil {
		return nil, err
	}
	if ref == nil || len(ref.steps) > 0 {
		return nil, fmt.Errorf("#foreach( is to be followed by a $name")
	}
	p.blanks()
	if !p.word("in") {
		return nil, fmt.Errorf("#foreach: no in after $%s", ref.name)
	}
	over, err := p.expression()
	if err != nil {
		return nil, err
	}
	if err := p.close(); err != nil {
		return nil, fmt.Errorf("#foreach: %w", err)
	}
	body, end, err := p.block()
	if err == nil && end != "end" {
		err = fmt.Errorf("#foreach has no #end")
	}
	return loop{ref.name, over, body}, err
}

func (p *parser) define() (node, error) {
	if err := p.want("("); err != nil {
		return nil, fmt.Errorf("#define: %w", err)
	}
	p.blanks()
	ref, _, err := p.reference()
	if err == nil && (ref == nil || len(ref.steps) > 0) {
		err = fmt.Errorf("#define( is to be followed by a $name")
	}
	if err != nil {
		return nil, err
	}
	if err := p.close(); err != nil {
		return nil, fmt.Errorf("#define: %w", err)
	}
	body, end, err := p.block()
	if err == nil && end != "end" {
		err = fmt.Errorf("#define has no #end")
	}
	return define{ref.name, &block{body}}, err
}

// skipLine skips a comment and its line's end.
func (p *parser) skipLine() {
	if i := strings.IndexByte(p.src[p.at:], '\n'); i >= 0 {
		p.at += i + 1
		return
	}
	p.at = len(p.src)
}

// eatLine skips the end of a line after a directive, with the blanks before it.
func (p *parser) eatLine() {
	at := p.at
	for at < len(p.src) && (p.src[at] == ' ' || p.src[at] == '\t') {
		at++
	}
	switch rest := p.src[at:]; {
	case strings.HasPrefix(rest, "\r\n"):
		p.at = at + 2
	case strings.HasPrefix(rest, "\n"), strings.HasPrefix(rest, "\r"):
		p.at = at + 1
	}
}

func (p *parser) blanks() {
	for p.at < len(p.src) && strings.IndexByte(" \t\r\n", p.src[p.at]) >= 0 {
		p.at++
	}
}

// take skips a token, if it is next after blanks.
func (p *parser) take(token string) bool {
	p.blanks()
	if strings.HasPrefix(p.src[p.at:], token) {
		p.at += len(token)
		return true
	}
	return false
}

func (p *parser) want(token string) error {
	if p.take(token) {
		return nil
	}
	rest := p.src[p.at:]
	return fmt.Errorf("%q is expected before %q", token, rest[:min(len(rest), 20)])
}

// close reads the ) of a directive, with the end of its line.
func (p *parser) close() error {
	err := p.want(")")
	if err == nil {
		p.eatLine()
	}
	return err
}

// word takes a word, if it is next after blanks and ends there.
func (p *parser) word(w string) bool {
	p.blanks()
	rest := p.src[p.at:]
	if !strings.HasPrefix(rest, w) || len(rest) > len(w) && isName(rest[len(w)]) {
		return false
	}
	p.at += len(w)
	return true
}

func isName(c byte) bool {
	return c == '_' || c == '-' || c >= '0' && c <= '9' || isLetter(c)
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// name reads a name; "" = there is none.
func (p *parser) name() string {
	start := p.at
	for p.at < len(p.src) && (isName(p.src[p.at]) && p.at > start || isLetter(p.src[p.at]) || p.src[p.at] == '_') {
		p.at++
	}
	return p.src[start:p.at]
}
