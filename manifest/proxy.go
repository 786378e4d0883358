package manifest

import (
	"net/url"
	"strings"

	"arc/manifest/syntax"
)

// Proxy is the @proxy pragma: where requests go that no route takes.
type Proxy struct {
	Testing, Staging, Production string // URLs
	Pos                          syntax.Pos
}

// readProxy reads @proxy: a URL for each of the three stages.
func (l *loader) readProxy() {
	p := l.pragma("proxy")
	if p == nil {
		return
	}
	if l.pragma("http") == nil {
		l.missing(atPragma(p), "proxy-http", "add @http", "@proxy needs @http")
	}
	proxy := &Proxy{Pos: p.Pos}
	to := map[string]*string{"testing": &proxy.Testing, "staging": &proxy.Staging, "production": &proxy.Production}
	spec := findPragma(pragmas, "proxy")
	seen := map[string]syntax.Value{}
	for _, ln := range pragmaLines(p) {
		s := l.settingOf(spec, ln)
		if s == nil {
			continue
		}
		l.repeats(seen, s.name, ln)
		if v, ok := l.single(s, ln); ok {
			l.checkURL(v)
			*to[s.name] = v.Text
		}
	}
	for _, stage := range stages {
		if _, ok := seen[stage]; !ok {
			l.errorf(atPragma(p), "proxy-stage", "write "+stage+" https://example.com below @proxy", "@proxy has no URL for %s", stage)
		}
	}
	l.app.Proxy = proxy
}

func (l *loader) checkURL(v syntax.Value) {
	u, err := url.Parse(v.Text)
	switch {
	case err != nil || u.Host == "" && u.Scheme != "" && !strings.Contains(v.Text, "://"):
		l.errorf(at(v), "proxy-url", "write https://"+v.Text, "%s is not a URL", v.Text)
	case u.Scheme != "http" && u.Scheme != "https":
		l.errorf(at(v), "proxy-scheme", "write an address that starts with http:// or https://", "%s is neither http nor https", v.Text)
	case u.Host == "":
		l.errorf(at(v), "proxy-url", "write an address such as https://example.com", "%s names no host", v.Text)
	}
}
