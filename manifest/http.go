package manifest

import "arc/manifest/syntax"

// Route is one line of @http.
type Route struct {
	Method   string // lower case: "get", "any"
	Path     string // as written: "/notes/:id", "/files/*"
	Function *Function
	Pos      syntax.Pos
}
