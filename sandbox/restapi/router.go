package restapi

import (
	"strings"

	"arc/sandbox/ingress"
)

// router finds the route for a request: of two paths that fit, the one with a
// literal segment goes first, then {variables}, then a greedy {variable+}. Of the
// methods of a path, the request's own goes before ANY; without either, a path that
// fits less well is looked for.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html
type router struct{ root node }

type node struct {
	literal  map[string]*node
	variable *node
	here     map[string]*route // by verb: the path ends here
	greedy   map[string]*route // by verb: a greedy variable begins here
}

// add puts a route at its resource's path.
func (rt *router) add(r *route) {
	n := &rt.root
	methods := &n.here
	for _, segment := range segments(r.resource.path) {
		if _, greedy := variable(segment); greedy {
			methods = &n.greedy
			break
		}
		n = n.child(segment)
		methods = &n.here
	}
	if *methods == nil {
		*methods = map[string]*route{}
	}
	(*methods)[r.verb] = r
}

// variable is the name in a segment like {name} or {name+}; "" = it is literal.
func variable(segment string) (name string, greedy bool) {
	inner, ok := strings.CutPrefix(segment, "{")
	if !ok || !strings.HasSuffix(inner, "}") {
		return "", false
	}
	return strings.CutSuffix(strings.TrimSuffix(inner, "}"), "+")
}

func (n *node) child(segment string) *node {
	if name, _ := variable(segment); name != "" {
		if n.variable == nil {
			n.variable = &node{}
		}
		return n.variable
	}
	if n.literal == nil {
		n.literal = map[string]*node{}
	}
	if n.literal[segment] == nil {
		n.literal[segment] = &node{}
	}
	return n.literal[segment]
}

// segments splits a path; "/" has none, and a slash at the end is none of its own.
func segments(path string) []string {
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// find gives the route for a request and its path variables, decoded; nil = there is
// none. The path is still percent-encoded, so that an encoded slash stays in its
// segment.
func (rt *router) find(verb, escapedPath string) (*route, map[string]string) {
	path := segments(escapedPath)
	r := rt.root.find(verb, path)
	if r == nil {
		return nil, nil
	}
	return r, r.variables(path)
}

func (n *node) find(verb string, path []string) *route {
	if len(path) == 0 {
		return pick(n.here, verb)
	}
	if next := n.literal[ingress.Unescape(path[0])]; next != nil {
		if r := next.find(verb, path[1:]); r != nil {
			return r
		}
	}
	if n.variable != nil && path[0] != "" {
		if r := n.variable.find(verb, path[1:]); r != nil {
			return r
		}
	}
	return pick(n.greedy, verb)
}

func pick(methods map[string]*route, verb string) *route {
	if r := methods[verb]; r != nil {
		return r
	}
	return methods["ANY"]
}

func (r *route) variables(path []string) map[string]string {
	var found map[string]string
	for i, segment := range segments(r.resource.path) {
		name, greedy := variable(segment)
		if name == "" {
			continue
		}
		if found == nil {
			found = map[string]string{}
		}
		if greedy {
			found[name] = ingress.Unescape(strings.Join(path[i:], "/"))
			break
		}
		found[name] = ingress.Unescape(path[i])
	}
	return found
}
