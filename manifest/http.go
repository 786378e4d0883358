package manifest

import (
	"fmt"
	"slices"
	"strings"

	"arc/manifest/syntax"
)

// Route is one line of @http.
type Route struct {
	Method   string // lower case: "get", "any"
	Path     string // as written: "/notes/:id", "/files/*"
	Function *Function
	Pos      syntax.Pos
}

// methods in the order in which routes are tried.
var methods = []string{"get", "post", "put", "patch", "delete", "options", "head", "any"}

const httpUsage = "write a method and a path: get /notes/:id"

// readHTTP reads @http: "get /path" lines, and maps named after a path.
func (l *loader) readHTTP() {
	p := l.pragma("http")
	if p == nil {
		return
	}
	l.app.HTTP = make([]Route, 0, len(p.Items)+1)
	for _, it := range p.Items {
		l.readRoute(it)
	}
	l.checkRoutes()
	sortRoutes(l.app.HTTP)
}

func (l *loader) readRoute(it *syntax.Item) {
	var method, route, src syntax.Value
	switch it.Kind {
	case syntax.Map:
		route = it.Name()
		method, src = l.routeMap(it)
		if method.Text == "" {
			return
		}
	case syntax.Tuple:
		if len(it.Values) != 2 {
			l.errorf(at(it.Values[2]), "route-form", httpUsage+"; a path cannot hold blanks",
				"a route is a method and a path, but here are %d words", len(it.Values))
			return
		}
		method, route = it.Values[0], it.Values[1]
	case syntax.Vector:
		l.errorf(at(it.Name()), "route-form", "write method get below the path",
			"the lines below %s must each be a key and a value", it.Name().Text)
		return
	default:
		l.loneRoute(it.Name())
		return
	}
	m := strings.ToLower(method.Text)
	if turned := strings.ToLower(route.Text); it.Kind == syntax.Tuple && slices.Contains(methods, turned) {
		l.errorf(atAll(it.Values), "route-turned", "write "+turned+" "+method.Text, "the method stands before the path")
		return
	}
	known := slices.Contains(methods, m)
	if !known {
		l.errorf(at(method), "route-method", nearHint(m, methods, "known: "+strings.Join(methods, ", ")),
			"there is no HTTP method %s", method.Text)
	}
	if !l.checkPath(route) || !known {
		return
	}
	dir, ok := l.sourceDir(src, "src/http/"+m+folderName(route.Text))
	if !ok {
		return
	}
	fn := &Function{Pragma: "http", Name: m + " " + route.Text, Dir: dir, Pos: it.Pos}
	l.written[fn] = written{atAll(it.Values), src.Text != ""}
	l.app.HTTP = append(l.app.HTTP, Route{Method: m, Path: route.Text, Function: fn, Pos: it.Pos})
}

// loneRoute explains what is missing on a line of one word.
func (l *loader) loneRoute(v syntax.Value) {
	hint := httpUsage
	if strings.HasPrefix(v.Text, "/") {
		hint = "write get " + v.Text
	} else if slices.Contains(methods, strings.ToLower(v.Text)) {
		hint = "write " + v.Text + " /"
	}
	l.errorf(at(v), "route-form", hint, "a route is a method and a path, but here is only %s", v.Text)
}

// routeMap reads the keys below a path.
func (l *loader) routeMap(it *syntax.Item) (method, src syntax.Value) {
	spec := findPragma(pragmas, "http")
	seen := map[string]syntax.Value{}
	for _, ln := range entryLines(it.Entries) {
		s := l.settingOf(spec, ln)
		if s == nil {
			continue
		}
		l.repeats(seen, s.name, ln)
		v, ok := l.single(s, ln)
		switch {
		case !ok:
		case s.name == "method":
			method = v
		default:
			src = v
		}
	}
	if _, ok := seen["method"]; !ok {
		l.errorf(at(it.Name()), "route-method-missing", "write method get below it, indented by two blanks",
			"the route %s has no method", it.Name().Text)
	}
	return method, src
}

// checkPath reports everything that is wrong with a route's path.
func (l *loader) checkPath(v syntax.Value) bool {
	before := len(l.ds)
	p := v.Text
	if bad := strangers(p, "/-:._*"); bad != "" {
		l.errorf(at(v), "path-characters", "use letters, digits, and / - . _ : *", "a path cannot hold %s", bad)
		return false
	}
	if !strings.HasPrefix(p, "/") {
		l.errorf(at(v), "path-slash", "write /"+p, "the path %s does not start with a slash", p)
		return false
	}
	if p == "/" {
		return true
	}
	if strings.HasSuffix(p, "/") && !strings.HasSuffix(p, "//") {
		l.errorf(at(v), "path-trailing-slash", "write "+strings.TrimRight(p, "/"), "the path %s ends with a slash", p)
	}
	if strings.Contains(p, "//") {
		l.errorf(at(v), "path-empty-part", "remove one of the slashes", "the path %s has nothing between two slashes", p)
	}
	parts := strings.Split(p[1:], "/")
	for i, part := range parts {
		if code, hint, message := partProblem(part, i == len(parts)-1); code != "" {
			l.errorf(at(v), code, hint, "%s: %s", message, p)
		}
	}
	return len(l.ds) == before
}

// partProblem checks what stands between two slashes of a path.
func partProblem(part string, last bool) (code, hint, message string) {
	switch {
	case part == "":
		return "", "", "" // checkPath has told
	case part == ":":
		return "path-parameter", "write a name after the colon: /:id", "a parameter has no name"
	case strings.LastIndex(part, ":") > 0:
		return "path-parameter-place", "a parameter is a whole part: /:id", fmt.Sprintf("a colon only starts a part of a path, but stands inside %q", part)
	case strings.Contains(part, "*") && (part != "*" || !last):
		return "path-catchall", "write * as the last part by itself: /files/*", "a catchall is only the whole last part of a path"
	case strings.HasSuffix(part, "-") || strings.HasSuffix(part, ".") || strings.HasSuffix(part, "_"):
		return "path-part-end", "end it with a letter or digit", fmt.Sprintf("the part %q of a path ends with %q", part, part[len(part)-1:])
	}
	return "", "", ""
}

// checkRoutes finds routes that no request can tell apart, in manifest order.
func (l *loader) checkRoutes() {
	first := make(map[string]*Route, len(l.app.HTTP))
	kept := l.app.HTTP[:0]
	for i := range l.app.HTTP {
		r := l.app.HTTP[i]
		key := r.Method + " " + anonymous(r.Path)
		other := first[key]
		if other == nil {
			first[key] = &r
			kept = append(kept, r)
			continue
		}
		where := l.written[r.Function].mark
		if other.Path == r.Path {
			l.errorf(where, "duplicate-route", "remove one of the two", "%s %s is at %s already", r.Method, r.Path, other.Pos)
			continue
		}
		l.errorf(where, "route-conflict", "keep one of the two: a request cannot tell them apart",
			"%s %s and %s %s at %s mean the same requests", r.Method, r.Path, other.Method, other.Path, other.Pos)
		kept = append(kept, r)
	}
	l.app.HTTP = kept
}

// anonymous takes the names out of a path's parameters.
func anonymous(route string) string {
	if !strings.Contains(route, ":") {
		return route
	}
	parts := strings.Split(route, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, ":") {
			parts[i] = ":"
		}
	}
	return strings.Join(parts, "/")
}

// RootRoute is the route that answers GET /: "/" before "/*" and "/:x", get
// before any (manifest reference, 6.3.2). nil when there is none.
func (a *App) RootRoute() *Route {
	var best *Route
	rank := 0
	for i := range a.HTTP {
		r := &a.HTTP[i]
		if n := rootRank(r); n > rank {
			best, rank = r, n
		}
	}
	return best
}

func rootRank(r *Route) int {
	if r.Method != "get" && r.Method != "any" {
		return 0
	}
	rank := 0
	switch {
	case r.Path == "/":
		rank = 3
	case r.Path == "/*", strings.HasPrefix(r.Path, "/:") && strings.Count(r.Path, "/") == 1:
		rank = 1
	default:
		return 0
	}
	if r.Method == "get" {
		rank++
	}
	return rank
}

// addAssetRoute gives an app without a root route one: arc's asset function at
// get /*, which serves the static folder.
func (l *loader) addAssetRoute() {
	p := l.pragma("http")
	if p == nil || l.pragma("proxy") != nil || l.app.Static == nil || l.app.RootRoute() != nil {
		return
	}
	fn := &Function{Pragma: "http", Name: "get /*", Asset: true, Pos: p.Pos}
	l.app.HTTP = append(l.app.HTTP, Route{Method: "get", Path: "/*", Function: fn, Pos: p.Pos})
	sortRoutes(l.app.HTTP)
}
