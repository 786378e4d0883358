package manifest

import "arc/manifest/syntax"

// CDN is the @cdn pragma.
type CDN struct {
	Enabled bool
	Pos     syntax.Pos
}
