package gateway

import (
	"fmt"
	"strings"

	"arc/sandbox/stack"
)

// beyond says that there are more of something than API Gateway lets an API have by
// default, which can be asked to be more.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
func beyond(n, most int, what string) []string {
	if n <= most {
		return nil
	}
	return []string{fmt.Sprintf("the API has %d %s now, and AWS's default quota is %d: deployed, it is refused unless the account's quota was raised", n, what, most)}
}

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
