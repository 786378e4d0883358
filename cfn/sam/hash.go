package sam

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// hashOf is the part of a logical ID that changes with what a value says: ten
// digits of a SHA-1, as SAM's translator makes them, so that a stack under it
// keeps its resources.
func hashOf(v any) string {
	if !given(v) {
		return ""
	}
	text, ok := v.(string)
	if !ok {
		var b strings.Builder
		canonical(&b, v)
		text = b.String()
	}
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:])[:10]
}

// canonical writes compact JSON with sorted keys and nothing but ASCII.
func canonical(b *strings.Builder, v any) {
	switch v := v.(type) {
	case object:
		b.WriteByte('{')
		for i, key := range sorted(v) {
			if i > 0 {
				b.WriteByte(',')
			}
			canonical(b, key)
			b.WriteByte(':')
			canonical(b, v[key])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			canonical(b, e)
		}
		b.WriteByte(']')
	case string:
		b.WriteByte('"')
		for _, r := range v {
			switch {
			case r == '"' || r == '\\':
				b.WriteByte('\\')
				b.WriteRune(r)
			case r == '\n':
				b.WriteString(`\n`)
			case r == '\r':
				b.WriteString(`\r`)
			case r == '\t':
				b.WriteString(`\t`)
			case r < 0x20 || r > 0x7e && r <= 0xffff:
				fmt.Fprintf(b, `\u%04x`, r)
			case r > 0xffff:
				r -= 0x10000
				fmt.Fprintf(b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
			default:
				b.WriteRune(r)
			}
		}
		b.WriteByte('"')
	case json.Number:
		b.WriteString(v.String())
	case bool:
		fmt.Fprint(b, v)
	case nil:
		b.WriteString("null")
	}
}

// isAlphanumeric is what a logical ID may hold.
func isAlphanumeric(s string) bool {
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return s != ""
}
