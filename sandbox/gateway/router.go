package gateway

import (
	"slices"
	"strings"

	"arc/sandbox/ingress"
)

// route is one route of an API with all that serving it takes.
type route struct {
	key         string // "GET /pets/{id}", "ANY /{proxy+}", "$default", "publish"
	integration *integration
	auth        *authorization // nil: everybody may call
	respond     bool           // WebSocket: the function's result is sent back
	unsent      string         // WebSocket: why it is not, where that may surprise
	models      *validation    // WebSocket: of messages; nil = they are not checked
	// parameters are what of the request that opens a connection the integration of a
	// WebSocket API's route may map: "header.X", "querystring.X".
	parameters map[string]bool
}

// router finds the HTTP route for a request by API Gateway's precedence: a
// full match of the path first, literal segments before {variables}; then
// greedy variables, the most specific first; then $default. Among routes of
// one path the request's method goes before ANY.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
type router struct {
	root     node
	fallback *route // $default
}

type node struct {
	literal  map[string]*node
	variable *node
	here     map[string]*route // by method: the path ends here
	greedy   map[string]*route // by method: a greedy variable begins here
}

func newRouter(routes []*route) *router {
	rt := &router{}
	sorted := slices.SortedFunc(slices.Values(routes), func(a, b *route) int { return strings.Compare(a.key, b.key) })
	for _, r := range sorted {
		if r.key == "$default" {
			rt.fallback = r
			continue
		}
		method, path, _ := strings.Cut(r.key, " ")
		n := &rt.root
		methods := &n.here
		for _, segment := range segments(path) {
			if strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "+}") {
				methods = &n.greedy
				break
			}
			n = n.child(segment)
			methods = &n.here
		}
		if *methods == nil {
			*methods = map[string]*route{}
		}
		if (*methods)[method] == nil {
			(*methods)[method] = r
		}
	}
	return rt
}

func (n *node) child(segment string) *node {
	if strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}") {
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

// segments splits a path after its first slash: "/" has one empty segment.
func segments(path string) []string { return strings.Split(strings.TrimPrefix(path, "/"), "/") }

// find gives the route for a request and its path variables, decoded. The
// path is still percent-encoded, so that an encoded slash stays in its segment.
func (rt *router) find(method, escapedPath string) (*route, map[string]string) {
	path := segments(escapedPath)
	r := rt.root.exact(method, path)
	if r == nil {
		r = rt.root.widest(method, path)
	}
	if r == nil {
		return rt.fallback, nil
	}
	return r, r.variables(path)
}

func (n *node) exact(method string, path []string) *route {
	if len(path) == 0 {
		return pick(n.here, method)
	}
	if next := n.literal[ingress.Unescape(path[0])]; next != nil {
		if r := next.exact(method, path[1:]); r != nil {
			return r
		}
	}
	if n.variable != nil && path[0] != "" {
		return n.variable.exact(method, path[1:])
	}
	return nil
}

// widest finds the greedy route that leaves least to its variable. The
// variable may be empty after a slash ("/docs/" for /docs/{proxy+}), but the
// slash must be there.
func (n *node) widest(method string, path []string) *route {
	if len(path) == 0 {
		return nil
	}
	if next := n.literal[ingress.Unescape(path[0])]; next != nil {
		if r := next.widest(method, path[1:]); r != nil {
			return r
		}
	}
	if n.variable != nil && path[0] != "" {
		if r := n.variable.widest(method, path[1:]); r != nil {
			return r
		}
	}
	return pick(n.greedy, method)
}

func pick(methods map[string]*route, method string) *route {
	if r := methods[method]; r != nil {
		return r
	}
	return methods["ANY"]
}

func (r *route) variables(path []string) map[string]string {
	_, template, _ := strings.Cut(r.key, " ")
	var found map[string]string
	for i, segment := range segments(template) {
		name, isVariable := strings.CutPrefix(segment, "{")
		if !isVariable {
			continue
		}
		if found == nil {
			found = map[string]string{}
		}
		if greedy, ok := strings.CutSuffix(name, "+}"); ok {
			found[greedy] = ingress.Unescape(strings.Join(path[i:], "/"))
			break
		}
		found[strings.TrimSuffix(name, "}")] = ingress.Unescape(path[i])
	}
	return found
}
