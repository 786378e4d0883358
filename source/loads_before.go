package source

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// before are the handlers in which an earlier run found nothing, a line of the
// user's cache each: the hash of all that the answer depends on. An app that did
// not change is not parsed again. It is of no harm who else writes that file: what it
// spares is a warning ahead of Lambda's own.
type before struct {
	file  string // "" = nothing is remembered
	known map[string]bool
	size  int
	fresh []string
}

// maxBefore is how long the file may get, in bytes: some sixteen thousand
// handlers. One that is longer is begun anew.
const maxBefore = 1 << 20

func (b *Builder) before() *before {
	l := &before{known: map[string]bool{}}
	if b.Cache == "" {
		return l
	}
	l.file = filepath.Join(b.Cache, "parsed.sha256")
	text, err := os.ReadFile(l.file)
	if err != nil || len(text) > 2*maxBefore {
		return l // nothing is known
	}
	l.size = len(text)
	for line := range strings.Lines(string(text)) {
		l.known[strings.TrimSuffix(line, "\n")] = true
	}
	return l
}

// knownSum is the hash of what an answer depends on. The first word is to change
// with what is looked for.
func knownSum(parts ...string) string {
	h := sha256.New()
	for _, part := range append([]string{"3"}, parts...) {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// fine remembers that nothing is wrong.
func (l *before) fine(sum string) {
	if !l.known[sum] {
		l.known[sum] = true
		l.fresh = append(l.fresh, sum)
	}
}

// keep writes down what is new; when it cannot, the next run looks again.
func (l *before) keep() {
	if l.file == "" || len(l.fresh) == 0 || os.MkdirAll(filepath.Dir(l.file), 0o700) != nil {
		return
	}
	how := os.O_APPEND
	if l.size > maxBefore {
		how = os.O_TRUNC
	}
	f, err := os.OpenFile(l.file, os.O_CREATE|os.O_WRONLY|how, 0o600)
	if err != nil {
		return
	}
	slices.Sort(l.fresh)
	f.WriteString(strings.Join(l.fresh, "\n") + "\n") // one write, so that two runs do not mix
	f.Close()
}
