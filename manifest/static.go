package manifest

import "arc/manifest/syntax"

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
