package jsonata

import (
	"encoding/base64"
	"math"
	"net/url"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// texts are the functions of texts, but for those of regular expressions.
// https://docs.jsonata.org/string-functions
func texts() []entry {
	plain := func(run func(s string) any) func(*callee, []any) (any, error) {
		return func(_ *callee, args []any) (any, error) { return run(textArg(args[0])), nil }
	}
	return []entry{
		{"string", "<x-b?:s>", 1, 2, false, func(c *callee, args []any) (any, error) {
			indent := ""
			if args[1] == true {
				indent = "  "
			}
			out, err := text(args[0], indent)
			if err != nil {
				return nil, err
			}
			return out, c.holds(len(out))
		}},
		{"substring", "<s-nn?:s>", 3, 0, false, func(_ *callee, args []any) (any, error) {
			return substring(textArg(args[0]), numberArg(args[1]), args[2]), nil
		}},
		{"substringBefore", "<s-s:s>", 2, 0, false, func(_ *callee, args []any) (any, error) {
			before, _, _ := strings.Cut(textArg(args[0]), textArg(args[1]))
			return before, nil
		}},
		{"substringAfter", "<s-s:s>", 2, 0, false, func(_ *callee, args []any) (any, error) {
			if _, after, ok := strings.Cut(textArg(args[0]), textArg(args[1])); ok {
				return after, nil
			}
			return args[0], nil
		}},
		{"lowercase", "<s-:s>", 1, 0, false, plain(func(s string) any { return strings.ToLower(s) })},
		{"uppercase", "<s-:s>", 1, 0, false, plain(func(s string) any { return strings.ToUpper(s) })},
		{"length", "<s-:n>", 1, 0, false, plain(func(s string) any { return float64(utf8.RuneCountInString(s)) })},
		{"trim", "<s-:s>", 1, 0, false, plain(func(s string) any {
			return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' }), " ")
		})},
		{"pad", "<s-ns?:s>", 3, 0, false, pad},
		{"join", "<a<s>s?:s>", 2, 0, false, func(c *callee, args []any) (any, error) {
			var parts []string
			size := 0
			for _, item := range listArg(args[0]) {
				parts = append(parts, textArg(item))
				size += len(textArg(item)) + len(textArg(args[1]))
			}
			if err := c.holds(size); err != nil {
				return nil, err
			}
			return strings.Join(parts, textArg(args[1])), nil
		}},
		{"base64encode", "<s-:s>", 1, 0, false, plain(func(s string) any {
			var out []byte
			for _, unit := range utf16.Encode([]rune(s)) {
				out = append(out, byte(unit)) // as the reference implementation does: of each unit a byte
			}
			return base64.StdEncoding.EncodeToString(out)
		})},
		{"base64decode", "<s-:s>", 1, 0, false, plain(base64decode)},
		{"encodeUrlComponent", "<s-:s>", 1, 0, false, encoder("encodeUrlComponent", "-_.!~*'()")},
		{"encodeUrl", "<s-:s>", 1, 0, false, encoder("encodeUrl", "-_.!~*'();/?:@&=+$,#")},
		{"decodeUrlComponent", "<s-:s>", 1, 0, false, decoder("decodeUrlComponent", "")},
		{"decodeUrl", "<s-:s>", 1, 0, false, decoder("decodeUrl", ";/?:@&=+$,#")},
	}
}

// substring counts characters; from the end where start is below 0.
func substring(s string, start float64, length any) string {
	all := []rune(s)
	size := float64(len(all))
	if size+start < 0 {
		start = 0
	}
	end := size
	if n, ok := length.(float64); ok {
		if n <= 0 {
			return ""
		}
		if end = start + n; start < 0 {
			end = size + start + n
		}
	}
	place := func(f float64) int {
		f = math.Trunc(f)
		if f < 0 {
			f += size
		}
		return int(math.Max(0, math.Min(f, size)))
	}
	from, to := place(start), place(end)
	if from >= to {
		return ""
	}
	return string(all[from:to])
}

func pad(c *callee, args []any) (any, error) {
	s, width, with := textArg(args[0]), numberArg(args[1]), textArg(args[2])
	if with == "" {
		with = " "
	}
	lacks := math.Abs(width) - float64(utf8.RuneCountInString(s))
	if lacks <= 0 {
		return s, nil
	}
	if lacks > maxBytes {
		return nil, &Error{Code: tooLarge}
	}
	n := int(lacks)
	if err := c.holds(n * len(with)); err != nil {
		return nil, err
	}
	padding := strings.Repeat(with, n)
	if size := utf8.RuneCountInString(with); size > 1 {
		padding = string([]rune(padding)[:n])
	}
	if width > 0 {
		return s + padding, nil
	}
	return padding + s, nil
}

// base64decode gives a character for each byte, and passes over what is no base64.
func base64decode(s string) any {
	s, _, _ = strings.Cut(s, "=")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '-':
			return '+'
		case r == '_':
			return '/'
		case r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '+', r == '/':
			return r
		}
		return -1
	}, s)
	if len(s)%4 == 1 {
		s = s[:len(s)-1]
	}
	data, _ := base64.RawStdEncoding.DecodeString(s) // nothing else is left
	out := make([]rune, len(data))
	for i, b := range data {
		out[i] = rune(b)
	}
	return string(out)
}

// encoder escapes all but letters, digits and some other characters.
func encoder(name, plain string) func(*callee, []any) (any, error) {
	return func(c *callee, args []any) (any, error) {
		s := textArg(args[0])
		if !utf8.ValidString(s) {
			return nil, &Error{Code: "D3140", Token: name, value: s}
		}
		const hex = "0123456789ABCDEF"
		var out strings.Builder
		for i := range len(s) {
			b := s[i]
			if b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || strings.IndexByte(plain, b) >= 0 {
				out.WriteByte(b)
			} else {
				out.WriteString(string([]byte{'%', hex[b>>4], hex[b&15]}))
			}
		}
		return out.String(), c.holds(out.Len())
	}
}

// decoder undoes it, but for escapes of some characters.
func decoder(name, kept string) func(*callee, []any) (any, error) {
	return func(_ *callee, args []any) (any, error) {
		s := textArg(args[0])
		var out strings.Builder
		for i := 0; i < len(s); i++ {
			if s[i] != '%' {
				out.WriteByte(s[i])
				continue
			}
			if i+3 > len(s) {
				return nil, &Error{Code: "D3140", Token: name, value: s}
			}
			one, err := url.PathUnescape(s[i : i+3])
			if err != nil {
				return nil, &Error{Code: "D3140", Token: name, value: s}
			}
			if strings.Contains(kept, one) && kept != "" {
				one = s[i : i+3]
			}
			out.WriteString(one)
			i += 2
		}
		if !utf8.ValidString(out.String()) {
			return nil, &Error{Code: "D3140", Token: name, value: s}
		}
		return out.String(), nil
	}
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// cut is a part of a text, by places in UTF-16; to below 0 = up to the end.
func cut(s string, from, to int) string {
	var units []uint16
	size := len(s)
	if !ascii(s) {
		units = utf16.Encode([]rune(s))
		size = len(units)
	}
	if to < 0 || to > size {
		to = size
	}
	from = max(0, min(from, to))
	if units == nil {
		return s[from:to]
	}
	return string(utf16.Decode(units[from:to]))
}
