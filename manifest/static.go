package manifest

import (
	"slices"
	"strings"

	"arc/manifest/syntax"
)

// Static is the @static pragma: the folder of files served under /_static/.
type Static struct {
	Folder      string // slash path relative to the project root
	Fingerprint string // "" (off), "true" or "external"
	Prefix      string
	Prune       bool
	Ignore      []string // substrings of paths that are not published
	Compression string   // "", "br" or "gzip"
	SPA         bool
	Staging     string // name of an existing bucket, or ""
	Production  string
	Implied     bool // @http implied it; nobody wrote @static
	Pos         syntax.Pos
}

// off are the words that turn @static and @cdn off.
var off = []string{"false", "disable", "disabled"}

// readStatic reads @static, which exists by itself where @http does.
func (l *loader) readStatic() {
	p, http := l.pragma("static"), l.pragma("http")
	if p == nil && http == nil {
		return
	}
	st := &Static{Folder: "public"}
	l.app.Static = st
	if p == nil {
		st.Implied, st.Pos = true, http.Pos
		return
	}
	st.Pos = p.Pos
	spec := findPragma(pragmas, "static")
	seen := map[string]syntax.Value{}
	for i, it := range p.Items {
		ln := itemLine(it)
		if it.Kind == syntax.Scalar && i == 0 && slices.Contains(off, ln.key.Text) {
			l.app.Static = nil
			return
		}
		s := l.settingOf(spec, ln)
		if s == nil {
			continue
		}
		l.repeats(seen, s.name, ln)
		l.staticSetting(st, s, ln)
	}
}

func (l *loader) staticSetting(st *Static, s *setting, ln line) {
	switch s.name {
	case "folder":
		if v, ok := l.single(s, ln); ok {
			if dir, ok := l.sourceDir(v, st.Folder); ok {
				st.Folder = dir
			}
		}
	case "fingerprint":
		if l.choiceSetting(s, ln, &st.Fingerprint) && st.Fingerprint == "false" {
			st.Fingerprint = ""
		}
	case "prefix":
		l.textSetting(s, ln, &st.Prefix)
	case "prune":
		l.booleanSetting(s, ln, &st.Prune)
	case "ignore":
		st.Ignore = words(ln.values)
	case "compression":
		if l.choiceSetting(s, ln, &st.Compression) {
			st.Compression = map[string]string{"true": "br", "br": "br", "gzip": "gzip"}[st.Compression]
		}
	case "spa":
		l.booleanSetting(s, ln, &st.SPA)
	case "staging":
		l.bucketSetting(s, ln, &st.Staging)
	case "production":
		l.bucketSetting(s, ln, &st.Production)
	}
}

// bucketSetting reads the name of a bucket that exists (S3 user guide, "Bucket
// naming rules").
func (l *loader) bucketSetting(s *setting, ln line, to *string) {
	v, ok := l.single(s, ln)
	if !ok {
		return
	}
	*to = v.Text
	name := v.Text
	fits := len(name) >= 3 && len(name) <= 63 && onlyWordsAnd(name, "-.") && name == strings.ToLower(name) &&
		!strings.HasPrefix(name, "-") && !strings.HasPrefix(name, ".") && !strings.HasSuffix(name, "-") && !strings.HasSuffix(name, ".")
	if !fits {
		l.warnf(at(v), "bucket-name", "write 3 to 63 lower-case letters, digits, - or .", "%s cannot be the name of a bucket", name)
	}
}
