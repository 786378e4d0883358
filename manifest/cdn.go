package manifest

import (
	"slices"

	"arc/manifest/syntax"
)

// CDN is the @cdn pragma.
type CDN struct {
	Enabled bool
	Pos     syntax.Pos
}

// readCDN reads @cdn. By itself it asks for a distribution, as "true" does.
// (Architect's deploy acts on the word true alone, though its own model calls
// an empty @cdn enabled.)
func (l *loader) readCDN() {
	p := l.pragma("cdn")
	if p == nil {
		return
	}
	cdn := &CDN{Enabled: true, Pos: p.Pos}
	l.app.CDN = cdn
	if len(p.Items) > 0 {
		v := p.Items[0].Name()
		switch {
		case p.Items[0].Kind == syntax.Scalar && slices.Contains(off, v.Text):
			cdn.Enabled = false
		case p.Items[0].Kind != syntax.Scalar || v.Text != "true":
			l.errorf(at(v), "cdn-value", nearHint(v.Text, []string{"true", "false", "disabled"}, "write true or false"), "@cdn cannot be %s", v.Text)
		}
	}
	if cdn.Enabled && l.pragma("http") == nil {
		l.missing(atPragma(p), "cdn-http", "add @http", "@cdn needs @http: there is nothing to put it in front of")
	}
}
