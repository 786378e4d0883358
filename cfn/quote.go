package cfn

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// This file reads and writes JSON strings. A large template has a hundred
// thousand of them, nearly all of plain letters, for which encoding/json's
// reflection would be most of the work of a command.

// appendQuoted appends s as a JSON string, without HTML escapes.
func appendQuoted(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return append(b, encode(s)...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// encode is json.Marshal without HTML escapes. It is given strings, lists and
// maps of them only, which cannot fail.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// unquote gives the text of a JSON string; raw has its quotes. The result may
// be a part of raw.
func unquote(raw []byte) []byte {
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	text := make([]byte, 0, len(inner))
	for i := 0; i < len(inner); i++ {
		c := inner[i]
		if c != '\\' {
			text = append(text, c)
			continue
		}
		i++
		switch c := inner[i]; c {
		case '"', '\\', '/':
			text = append(text, c)
		case 'u':
			if inner[i+1] != '0' || inner[i+2] != '0' {
				return unquoteAny(raw)
			}
			text = append(text, hexDigit(inner[i+3])<<4|hexDigit(inner[i+4]))
			if text[len(text)-1] >= utf8.RuneSelf {
				return unquoteAny(raw)
			}
			i += 4
		default: // \n and the like
			return unquoteAny(raw)
		}
	}
	return text
}

func unquoteAny(raw []byte) []byte {
	var s string
	_ = json.Unmarshal(raw, &s) // well formed: encoding/json wrote it
	return []byte(s)
}

func hexDigit(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}

// stringEnd is the length of the JSON string at the start of src.
func stringEnd(src []byte) int {
	for i := 1; ; i++ {
		switch src[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

// valueEnd is the length of the JSON value at the start of src.
func valueEnd(src []byte) int {
	switch src[0] {
	case '"':
		return stringEnd(src)
	case '{', '[':
		depth := 0
		for i := 0; ; i++ {
			switch src[i] {
			case '"':
				i += stringEnd(src[i:]) - 1
			case '{', '[':
				depth++
			case '}', ']':
				depth--
				if depth == 0 {
					return i + 1
				}
			}
		}
	}
	if end := bytes.IndexAny(src, ",]}"); end >= 0 {
		return end
	}
	return len(src)
}
