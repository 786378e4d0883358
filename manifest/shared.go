package manifest

import "arc/manifest/syntax"

// SharedFolder is code that goes into functions: @shared or @views.
type SharedFolder struct {
	Dir string // slash path relative to the project root
	Pos syntax.Pos
}
