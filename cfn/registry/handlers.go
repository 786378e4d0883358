package registry

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed schemas/handlers.txt
var handlersText string

// Handler is what CloudFormation does in its caller's name, or in that of the
// stack's role, with a resource of one type: IAM actions, sorted, by step. A step
// asks for those of them that what the template sets makes it call.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-type-schemas.html
type Handler struct{ Create, Read, Update, Delete []string }

// All are the actions of all steps, each as often as a step has it.
func (h Handler) All() []string {
	var all []string
	for _, actions := range [][]string{h.Create, h.Read, h.Update, h.Delete} {
		all = append(all, actions...)
	}
	return all
}

// handlers are the lines of schemas/handlers.txt, by type.
var handlers = sync.OnceValue(func() map[string]Handler {
	table := map[string]Handler{}
	kind := ""
	for line := range strings.Lines(handlersText) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
			continue
		case !strings.HasPrefix(line, "\t"):
			kind = words[0]
			table[kind] = Handler{}
			continue
		}
		var actions []string
		for _, group := range words[1:] {
			prefix, names, _ := strings.Cut(group, ":")
			for name := range strings.SplitSeq(names, ",") {
				actions = append(actions, prefix+":"+name)
			}
		}
		h := table[kind]
		switch words[0] {
		case "create":
			h.Create = actions
		case "read":
			h.Read = actions
		case "update":
			h.Update = actions
		case "delete":
			h.Delete = actions
		}
		table[kind] = h
	}
	return table
})

// HandlerOf is what CloudFormation does with a resource of a type; false = it is
// not known.
func HandlerOf(typ string) (Handler, bool) {
	h, ok := handlers()[typ]
	return h, ok
}
