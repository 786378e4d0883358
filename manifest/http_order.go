package manifest

import (
	"cmp"
	"slices"
	"strings"
)

// sortRoutes puts routes into the order in which the first match is the right
// one (manifest reference, 6.3.1): method, then deeper before shallower, then
// part by part fixed before captured, then by name; captures at the end of a
// path last within their depth, and /, /:x and /* after everything.
func sortRoutes(routes []Route) {
	keys := make(map[*Function]routeKey, len(routes))
	for _, r := range routes {
		keys[r.Function] = newRouteKey(r)
	}
	slices.SortStableFunc(routes, func(a, b Route) int {
		return keys[a.Function].compare(keys[b.Function])
	})
}

type routeKey struct {
	method   int
	root     int // 0 for all but /, /:x and /*
	depth    int
	trailing int // 1 for /a/:x, 2 for /a/*
	parts    []string
}

func newRouteKey(r Route) routeKey {
	k := routeKey{method: slices.Index(methods, r.Method)}
	if r.Path != "/" {
		k.parts = strings.Split(r.Path[1:], "/")
	}
	k.depth = len(k.parts)
	if k.depth > 0 {
		k.trailing = capture(k.parts[k.depth-1])
	}
	switch {
	case k.depth == 0:
		k.root = 1
	case k.depth == 1 && k.trailing > 0:
		k.root = 1 + k.trailing
	}
	return k
}

// capture ranks a part: fixed text, a parameter, a catchall.
func capture(part string) int {
	switch {
	case strings.HasPrefix(part, ":"):
		return 1
	case part == "*":
		return 2
	}
	return 0
}

func (k routeKey) compare(o routeKey) int {
	if c := cmp.Or(cmp.Compare(k.method, o.method), cmp.Compare(k.root, o.root), cmp.Compare(o.depth, k.depth),
		cmp.Compare(k.trailing, o.trailing)); c != 0 {
		return c
	}
	for i := range k.parts {
		if c := cmp.Compare(capture(k.parts[i]), capture(o.parts[i])); c != 0 {
			return c
		}
	}
	return slices.Compare(k.parts, o.parts)
}
