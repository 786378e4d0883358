package graph

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"arc/manifest"
)

// Of turns an App into its graph. The static files, which arc's own asset
// function serves below /_static/, are in it as soon as @static is on.
func Of(app *manifest.App) *Graph {
	b := &builder{
		app: app, g: &Graph{App: app.Name, CDN: app.CDN != nil && app.CDN.Enabled},
		ids: map[string]int{}, resources: map[string]int{}, functions: map[*manifest.Function]int{},
	}
	b.http()
	for _, a := range app.WS {
		b.trigger(b.add(Node{Kind: Action, Badge: "WS", Label: a.Name, Pos: a.Pos.String()}), a.Function)
	}
	for _, s := range app.Schedules {
		kind, _, _ := strings.Cut(s.Expression, "(")
		n := Node{Kind: Schedule, Badge: strings.ToUpper(kind), Label: s.Name, Detail: strings.TrimSpace(s.Expression + " " + s.Timezone), Pos: s.Pos.String()}
		b.trigger(b.add(n), s.Function)
	}
	for _, e := range app.Events {
		b.trigger(b.resource("events", e.Name, Node{Kind: Topic, Badge: "TOPIC", Label: e.Name, Pos: e.Pos.String()}), e.Function)
	}
	for _, q := range app.Queues {
		b.trigger(b.resource("queues", q.Name, queueNode(q)), q.Function)
	}
	for _, t := range app.Tables {
		b.resource("tables", t.Name, tableNode(t))
	}
	for _, s := range app.Streams {
		if t, ok := b.resources["tables "+s.Table]; ok {
			b.trigger(t, s.Function)
		}
	}
	b.uses()
	return b.g
}

type builder struct {
	app       *manifest.App
	g         *Graph
	ids       map[string]int // how often an ID has been asked for
	resources map[string]int // node by pragma and name, as @uses calls them
	functions map[*manifest.Function]int
}

// add gives a node its ID and its place.
func (b *builder) add(n Node) int {
	id := groupIDs[n.Kind] + " " + n.Label
	if n.Kind == Route {
		id = groupIDs[n.Kind] + " " + n.Badge + " " + n.Label
	}
	id = slug(id)
	b.ids[id]++
	if again := b.ids[id]; again > 1 {
		id += "__" + strconv.Itoa(again) // a slug never has two _ in a row
	}
	n.ID = id
	b.g.Nodes = append(b.g.Nodes, n)
	return len(b.g.Nodes) - 1
}

var groupIDs = [...]string{
	Route: "route", Action: "action", Schedule: "schedule", Topic: "topic", Queue: "queue", Table: "table",
	Bucket: "files", Clients: "clients", Outside: "outside", Function: "function", Other: "other",
}

// slug keeps the ASCII letters and digits of text, and one _ for all between.
func slug(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	return strings.Join(words, "_")
}

func (b *builder) resource(pragma, name string, n Node) int {
	i := b.add(n)
	b.resources[pragma+" "+name] = i
	return i
}

// trigger draws an edge from a node to a function.
func (b *builder) trigger(from int, fn *manifest.Function) {
	b.g.Edges = append(b.g.Edges, Edge{From: from, To: b.function(fn)})
}

func (b *builder) function(fn *manifest.Function) int {
	i, ok := b.functions[fn]
	if !ok {
		n := Node{Kind: Function, Badge: "λ", Label: fn.Dir, Pos: fn.Pos.String()}
		if c := fn.Config; fn.Asset {
			n.Label, n.Detail = "asset function", "arc's own, serves the static files"
		} else {
			n.Detail = fmt.Sprintf("%s, %d MB, %d s", c.Runtime, c.Memory, c.Timeout)
		}
		i = b.add(n)
		b.functions[fn] = i
	}
	return i
}

const staticPath = "/_static/*"

// http adds the routes, what serves the static files, and @proxy.
func (b *builder) http() {
	routes, asset := b.routes()
	for _, r := range routes {
		b.trigger(b.add(Node{Kind: Route, Badge: strings.ToUpper(r.Method), Label: r.Path, Pos: r.Pos.String()}), r.Function)
	}
	if st := b.app.Static; st != nil {
		bucket := b.resource("static", "", Node{Kind: Bucket, Badge: "FILES", Label: st.Folder, Detail: "in a private bucket", Pos: st.Pos.String()})
		if asset != nil {
			b.g.Edges = append(b.g.Edges, Edge{From: b.function(asset), To: bucket, Verbs: []string{"read"}})
		}
	}
	if p := b.app.Proxy; p != nil {
		from := b.add(Node{Kind: Route, Badge: "ANY", Label: "other paths", Pos: p.Pos.String()})
		to := b.add(Node{Kind: Outside, Badge: "PROXY", Label: host(p.Production), Detail: "staging: " + host(p.Staging), Pos: p.Pos.String()})
		b.g.Edges = append(b.g.Edges, Edge{From: from, To: to})
	}
}

// routes are those of @http with those of the static files, and the asset
// function; nil when the app serves its files itself.
func (b *builder) routes() (routes []manifest.Route, asset *manifest.Function) {
	own := slices.ContainsFunc(b.app.HTTP, func(r manifest.Route) bool { return r.Method == "get" && r.Path == staticPath })
	if b.app.Static == nil || own {
		return b.app.HTTP, nil
	}
	pos := b.app.Static.Pos
	for _, r := range b.app.HTTP {
		routes = append(routes, r)
		if r.Function.Asset { // the two routes of one function stand together
			asset = r.Function
			routes = append(routes, manifest.Route{Method: "get", Path: staticPath, Function: asset, Pos: pos})
		}
	}
	if asset != nil {
		return routes, asset
	}
	asset = &manifest.Function{Asset: true, Pos: pos}
	if len(routes) == 0 && b.app.Proxy == nil {
		routes = append(routes, manifest.Route{Method: "get", Path: "/*", Function: asset, Pos: pos})
	}
	return append(routes, manifest.Route{Method: "get", Path: staticPath, Function: asset, Pos: pos}), asset
}

// host is the part of a URL that may be shown: its user part may hold a password.
func host(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "unknown"
	}
	return u.Host
}

func queueNode(q manifest.Queue) Node {
	n := Node{Kind: Queue, Badge: "QUEUE", Label: q.Name, Detail: "standard", Pos: q.Pos.String()}
	if q.Fifo {
		n.Detail = "fifo"
	}
	if q.BatchSize > 0 {
		n.Detail += fmt.Sprintf(", batches of %d", q.BatchSize)
	}
	return n
}

func tableNode(t manifest.Table) Node {
	n := Node{Kind: Table, Badge: "TABLE", Label: t.Name, Detail: t.PartitionKey.Name, Pos: t.Pos.String()}
	if t.SortKey != nil {
		n.Detail += ", " + t.SortKey.Name
	}
	switch len(t.Indexes) {
	case 0:
	case 1:
		n.Detail += "; 1 index"
	default:
		n.Detail += fmt.Sprintf("; %d indexes", len(t.Indexes))
	}
	return n
}

// uses adds what functions may do beside being triggered.
func (b *builder) uses() {
	usable := len(b.app.Tables)+len(b.app.Queues)+len(b.app.Events)+len(b.app.WS) > 0 || b.app.Static != nil
	for _, fn := range b.app.Functions() {
		if fn.Config.Uses == nil {
			b.g.AppRole = b.g.AppRole || usable && !fn.Asset
			continue
		}
		from := b.function(fn)
		first := len(b.g.Edges)
		for _, u := range fn.Config.Uses {
			to, ok := b.resources[u.Kind+" "+u.Name]
			if !ok && u.Kind == "ws" {
				to, ok = b.resource("ws", "", Node{Kind: Clients, Badge: "WS", Label: "connected clients"}), true
			}
			if ok {
				b.use(first, from, to, u.Action)
			}
		}
	}
}

// use adds a verb to the edge between two nodes; the edges of one function
// start at first.
func (b *builder) use(first, from, to int, verb string) {
	for i := first; i < len(b.g.Edges); i++ {
		e := &b.g.Edges[i]
		if e.To == to {
			if !slices.Contains(e.Verbs, verb) {
				e.Verbs = append(e.Verbs, verb)
			}
			return
		}
	}
	b.g.Edges = append(b.g.Edges, Edge{From: from, To: to, Verbs: []string{verb}})
}
