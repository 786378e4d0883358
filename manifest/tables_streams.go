package manifest

import "arc/manifest/syntax"

// Stream is a function that reads a table's item stream.
type Stream struct {
	Name     string // the function's name; the table's when not given
	Table    string
	Function *Function
	Pos      syntax.Pos
}
