package cfn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
)

// TestQuote: every character is quoted as encoding/json does, but that HTML's
// are left alone.
func TestQuote(t *testing.T) {
	texts := []string{"", "a\x00b\x1f\"\\/", "\u2028\u2029", "é😀", "<>&", "a\xffb"}
	for r := rune(0); r < 0x200; r++ {
		texts = append(texts, "x"+string(r)+"y")
	}
	for _, text := range texts {
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(text); err != nil {
			t.Fatal(err)
		}
		got := appendQuoted(nil, text)
		var back string
		if err := json.Unmarshal(got, &back); err != nil {
			t.Errorf("%q is quoted as %s: %v", text, got, err)
			continue
		}
		var wanted string
		if err := json.Unmarshal(want.Bytes(), &wanted); err != nil || back != wanted {
			t.Errorf("%q comes back as %q", text, back)
		}
	}
}

// TestUnquote reads escapes however they are written; hexadecimal digits may be
// capitals.
func TestUnquote(t *testing.T) {
	for _, format := range []string{"%04x", "%04X"} {
		for r := rune(0); r < 0x200; r++ {
			raw := []byte(fmt.Sprintf(`"a\u`+format+`b"`, r))
			if got, want := string(unquote(raw)), "a"+string(r)+"b"; got != want {
				t.Errorf("%s is %q, want %q", raw, got, want)
			}
		}
	}
	for raw, want := range map[string]string{`""`: "", `"a"`: "a", `"\"\\\/"`: `"\/`, `"\n\t\ud83d\ude00"`: "\n\t😀", `"\u4e00"`: "一"} {
		if got := string(unquote([]byte(raw))); got != want {
			t.Errorf("%s is %q, want %q", raw, got, want)
		}
	}
}
