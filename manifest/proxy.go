package manifest

import "arc/manifest/syntax"

// Proxy is the @proxy pragma: where requests go that no route takes.
type Proxy struct {
	Testing, Staging, Production string // URLs
	Pos                          syntax.Pos
}
