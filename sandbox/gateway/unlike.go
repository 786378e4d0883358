package gateway

import (
	"strings"

	"arc/sandbox/stack"
)

// unlike says of a resource what the local cloud does otherwise than API Gateway, or not
// at all: in the resource's event, and once, when it is made or changed, in the log, since
// few read events.
func (g *Gateway) unlike(req stack.Request, made stack.Resource, notes ...string) stack.Resource {
	if len(notes) == 0 {
		return made
	}
	if text := strings.Join(notes, "; "); made.Note == "" {
		made.Note = text
	} else {
		made.Note += "; " + text
	}
	kind := req.Type[strings.LastIndex(req.Type, ":")+1:]
	for _, note := range notes {
		g.options.Tell.Notice("%s %s: %s", kind, req.LogicalID, note)
	}
	return made
}
