package manifest

import "arc/manifest/syntax"

// Event is one topic of @events and its subscriber.
type Event struct {
	Name     string
	Function *Function
	Pos      syntax.Pos
}
