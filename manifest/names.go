package manifest

import (
	"path"
	"strings"
)

// ValidAppName reports whether name may stand below @app: 2 to 100 letters,
// digits, - or _, with a lower-case letter first (manifest reference, 6.1).
func ValidAppName(name string) bool {
	if len(name) < 2 || len(name) > 100 || name[0] < 'a' || name[0] > 'z' {
		return false
	}
	return onlyWordsAnd(name, "-_")
}

// onlyWordsAnd reports whether s has only ASCII letters, digits, and the
// characters of extra.
func onlyWordsAnd(s, extra string) bool {
	for i := 0; i < len(s); i++ {
		if !isWord(s[i]) && strings.IndexByte(extra, s[i]) < 0 {
			return false
		}
	}
	return true
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// strangers lists the characters of s that onlyWordsAnd objects to, each once
// and quoted, for a message.
func strangers(s, extra string) string {
	var found []string
	seen := map[rune]bool{}
	for _, r := range s {
		ok := r < 0x80 && (isWord(byte(r)) || strings.IndexByte(extra, byte(r)) >= 0)
		if !ok && !seen[r] {
			seen[r] = true
			found = append(found, "'"+string(r)+"'")
		}
	}
	return strings.Join(found, ", ")
}

// folderName turns a route's path into the rest of its folder's name, after
// the method (manifest reference, 4.2): /foo/:bar-baz → -foo-000bar_baz.
func folderName(route string) string {
	if route == "/" {
		return "-index"
	}
	name := pathLetters.Replace(route)
	return strings.Replace(name, "*", "catchall", 1)
}

var pathLetters = strings.NewReplacer("-", "_", ".", "_", "/", "-", `\`, "-", ":", "000")

// projectPath cleans a path that the manifest gives. ok is false when it
// points outside the project.
func projectPath(text string) (clean string, ok bool) {
	text = strings.ReplaceAll(text, `\`, "/")
	// A leading slash means the project's root, as it does for Architect.
	clean = path.Clean(strings.TrimLeft(text, "/"))
	return clean, clean != ".." && !strings.HasPrefix(clean, "../")
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
