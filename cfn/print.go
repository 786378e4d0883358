package cfn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// printer writes JSON that encoding/json made: it indents it, expands marked
// strings, takes HTML escapes back, and reports null and references to
// nothing. It reads the bytes itself: a template of a thousand routes is a
// megabyte, and json.Decoder would take most of the time of a command.
type printer struct {
	buf   []byte
	depth int
	first bool   // nothing printed yet in this object or list
	path  []step // from the top of the template to here
	wrong []error

	// known reports whether a Ref to name resolves, and whether it is a
	// resource, of which attributes can be had.
	known func(name string) (known, resource bool)
	// rename gives what to refer to in place of a name and an attribute ("" for
	// Ref); nil = the same. A template that is split into parts needs it.
	rename func(name, attribute string) (newName, newAttribute string)
}

// step is one level of a path: a key, or an index where key is nil.
type step struct {
	key   []byte
	index int
}

func (p *printer) where() string {
	parts := make([]string, len(p.path))
	for i, s := range p.path {
		parts[i] = string(s.key)
		if s.key == nil {
			parts[i] = strconv.Itoa(s.index)
		}
	}
	return strings.Join(parts, ".")
}

func (p *printer) fail(message string, args ...any) {
	p.wrong = append(p.wrong, fmt.Errorf("%s: %w", p.where(), fmt.Errorf(message, args...)))
}

func (p *printer) open(bracket byte) {
	p.buf = append(p.buf, bracket)
	p.depth++
	p.first = true
}

func (p *printer) close(bracket byte) {
	p.depth--
	if !p.first {
		p.indent()
	}
	p.first = false
	p.buf = append(p.buf, bracket)
}

// next starts the next member of an object or list.
func (p *printer) next() {
	if !p.first {
		p.buf = append(p.buf, ',')
	}
	p.first = false
	p.indent()
}

func (p *printer) indent() {
	p.buf = append(p.buf, '\n')
	for range p.depth {
		p.buf = append(p.buf, "  "...)
	}
}

// section prints a key and an object of entries below it.
func (p *printer) section(name string, entries func()) {
	p.next()
	p.buf = append(appendQuoted(p.buf, name), ": "...)
	p.path = append(p.path, step{key: []byte(name)})
	p.open('{')
	entries()
	p.close('}')
	p.path = p.path[:len(p.path)-1]
}

// entry prints a key and what rawJSON makes of v.
func (p *printer) entry(key string, v any) {
	p.next()
	p.buf = append(appendQuoted(p.buf, key), ": "...)
	p.path = append(p.path, step{key: []byte(key)})
	defer func() { p.path = p.path[:len(p.path)-1] }()
	raw, err := rawJSON(v)
	if err != nil {
		p.fail("%w", err)
		return
	}
	p.value(raw)
}

// value prints the JSON value at the start of src and gives what follows it.
// src is well formed and compact: encoding/json wrote it.
func (p *printer) value(src []byte) (rest []byte) {
	switch src[0] {
	case '{':
		return p.object(src)
	case '[':
		return p.list(src)
	case '"':
		return p.string(src)
	case 'n':
		p.fail("the value is missing (null)")
	}
	end := valueEnd(src)
	p.buf = append(p.buf, src[:end]...)
	return src[end:]
}

func (p *printer) object(src []byte) []byte {
	p.open('{')
	src = src[1:]
	for src[0] != '}' {
		if src[0] == ',' {
			src = src[1:]
		}
		end := stringEnd(src)
		p.next()
		p.path = append(p.path, step{key: src[1 : end-1]})
		if isReference(src[1 : end-1]) {
			src = p.reference(string(src[1:end-1]), src[end+1:])
		} else {
			p.string(src[:end])
			p.buf = append(p.buf, ": "...)
			src = p.value(src[end+1:])
		}
		p.path = p.path[:len(p.path)-1]
	}
	p.close('}')
	return src[1:]
}

func (p *printer) list(src []byte) []byte {
	p.open('[')
	src = src[1:]
	for i := 0; src[0] != ']'; i++ {
		if src[0] == ',' {
			src = src[1:]
		}
		p.next()
		p.path = append(p.path, step{index: i})
		src = p.value(src)
		p.path = p.path[:len(p.path)-1]
	}
	p.close(']')
	return src[1:]
}

// jsonMark is how encoding/json writes the start of a marked string.
var jsonMark = []byte(`"\u0000cfn:`)

// string prints the string at the start of src: an intrinsic where it is
// marked.
func (p *printer) string(src []byte) []byte {
	end := stringEnd(src)
	raw := src[:end]
	if bytes.IndexByte(raw, '\\') < 0 {
		p.buf = append(p.buf, raw...)
		return src[end:]
	}
	text := unquote(raw)
	if bytes.HasPrefix(raw, jsonMark) {
		p.value(text[len(mark):])
	} else {
		p.buf = appendQuoted(p.buf, string(text))
	}
	return src[end:]
}

// compacted leaves the blanks out of a template that is too long with them.
func (p *printer) compacted() []byte {
	if len(p.buf) <= MaxTemplate {
		return p.buf
	}
	var b bytes.Buffer
	_ = json.Compact(&b, p.buf) // well formed
	return append(b.Bytes(), '\n')
}
