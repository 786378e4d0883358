package face

import (
	"fmt"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/cfn/diff/compare"
	"arc/cfn/diff/model"
	"arc/cfn/diff/values"
	"arc/cfn/registry"
	"arc/graph"
)

// Pictures draws both sides of a review as the apps they are, from their
// templates alone, so that what is deployed by whatever tool has a picture too.
// What goes is marked in the first one, what comes or changes in the second. A
// side that is nil has none. label names a function by its logical ID, "" = by
// what invokes it.
func Pictures(before, after *cfn.Document, r *diff.Review, label func(logicalID string) string) []Graph {
	old, new := Graphs(before, after, r, label)
	var out []Graph
	for _, side := range []struct {
		title string
		doc   *cfn.Document
		g     *graph.Graph
	}{{r.Before, before, old}, {r.After, after, new}} {
		if side.doc != nil {
			out = append(out, Graph{side.title, side.g.SVG()})
		}
	}
	return out
}

// Graphs are the pictures before they are drawn.
func Graphs(before, after *cfn.Document, r *diff.Review, label func(logicalID string) string) (old, new *graph.Graph) {
	changed := map[string]bool{}
	for _, c := range r.Changes {
		changed[c.LogicalID] = c.Action == compare.Modify
	}
	was, is := newPicture(before, r.Stack, label), newPicture(after, r.Stack, label)
	was.mark(is, nil, graph.Gone)
	is.mark(was, changed, graph.Added)
	return was.g, is.g
}

// picture is a graph under construction.
type picture struct {
	m         *model.App
	g         *graph.Graph
	label     func(string) string
	nodes     map[string]int      // by key
	resources map[string][]string // key → logical IDs that the node stands for
	owners    map[string]int      // role → how many functions have it
}

func newPicture(doc *cfn.Document, app string, label func(string) string) *picture {
	p := &picture{g: &graph.Graph{App: app}, label: label, nodes: map[string]int{}, resources: map[string][]string{}, owners: map[string]int{}}
	if doc == nil {
		return p
	}
	p.m = model.New(doc)
	p.g.CDN = len(p.m.ByType[registry.CloudFrontDistribution]) > 0
	for _, fn := range p.m.ByType[model.FunctionType] {
		p.owners[p.roleOf(fn)]++
	}
	p.routes(graph.Route, p.m.Routes)
	p.routes(graph.Action, p.m.Actions)
	for _, s := range p.m.ReadSchedules() {
		kind, _, _ := strings.Cut(s.Expression, "(")
		at := p.add(graph.Node{Kind: graph.Schedule, Badge: strings.ToUpper(kind), Label: s.Name, Detail: strings.TrimSpace(s.Expression + " " + s.Timezone)}, s.ID)
		p.join(at, s.Function)
	}
	p.sources()
	p.others()
	for _, fn := range p.m.ByType[model.FunctionType] {
		p.uses(fn)
	}
	return p
}

// add gives the node of a key, which its kind and name make.
func (p *picture) add(n graph.Node, resources ...string) int {
	n.ID = fmt.Sprintf("%d %s %s", n.Kind, n.Badge, n.Label)
	if i, ok := p.nodes[n.ID]; ok {
		return i
	}
	p.g.Nodes = append(p.g.Nodes, n)
	p.nodes[n.ID] = len(p.g.Nodes) - 1
	p.resources[n.ID] = resources
	return p.nodes[n.ID]
}

// join draws an edge to a function, if it is one.
func (p *picture) join(from int, fn string) {
	if fn != "" {
		p.g.Edges = append(p.g.Edges, graph.Edge{From: from, To: p.function(fn)})
	}
}

func (p *picture) function(id string) int {
	props := p.m.Doc.Resources[id].Properties
	n := graph.Node{Kind: graph.Function, Badge: "λ", Label: p.label(id)}
	if n.Label == "" {
		n.Label = model.Bare(id)
	}
	var settings []string
	for _, s := range []struct{ property, unit string }{{"Runtime", ""}, {"MemorySize", " MB"}, {"Timeout", " s"}} {
		if v := props[s.property]; v != nil {
			settings = append(settings, values.PlainText(v)+s.unit)
		}
	}
	n.Detail = strings.Join(settings, ", ")
	return p.add(n, id)
}

// routes adds the routes of an API, with those elsewhere.
func (p *picture) routes(kind graph.Kind, routes map[string]model.Route) {
	for _, name := range values.KeysOfBoth(nil, routes) {
		to := routes[name]
		n := graph.Node{Kind: kind, Badge: "WS", Label: strings.TrimPrefix(name, "$")}
		if kind == graph.Route {
			method, path, ok := strings.Cut(name, " ")
			if n.Badge, n.Label = strings.ToUpper(method), path; !ok || path == "/$default" {
				n.Badge, n.Label = "ANY", "other paths"
			}
		}
		at := p.add(n, to.Parts...)
		if to.Function != "" {
			p.join(at, to.Function)
		} else if to.Target != "" {
			there := p.add(graph.Node{Kind: graph.Outside, Badge: "PROXY", Label: hostOf(to.Target)})
			p.g.Edges = append(p.g.Edges, graph.Edge{From: at, To: there})
		}
	}
}

// hostOf is the part of a URL that may be shown: its user part may hold a
// password.
func hostOf(target string) string {
	_, rest, _ := strings.Cut(target, "://")
	rest, _, _ = strings.Cut(rest, "/")
	return rest[strings.LastIndexByte(rest, '@')+1:]
}

// sources adds topics, queues, tables and the bucket of static files, with the
// functions that they trigger.
func (p *picture) sources() {
	letters := p.deadLetters()
	for _, kind := range []struct {
		kind  graph.Kind
		badge string
		types []string
	}{
		{graph.Topic, "TOPIC", []string{registry.SNSTopic}},
		{graph.Queue, "QUEUE", []string{registry.SQSQueue}},
		{graph.Table, "TABLE", []string{registry.DynamoDBTable, registry.DynamoDBGlobalTable}},
		{graph.Bucket, "FILES", []string{registry.S3Bucket}},
	} {
		for _, typ := range kind.types {
			for _, id := range p.m.ByType[typ] {
				if !letters[id] {
					p.add(graph.Node{Kind: kind.kind, Badge: kind.badge, Label: p.m.NameOf(id), Detail: p.detail(id)}, id)
				}
			}
		}
	}
	for _, id := range p.m.ByType[registry.SNSSubscription] {
		props := p.m.Doc.Resources[id].Properties
		p.triggers(props["TopicArn"], props["Endpoint"])
	}
	for _, id := range p.m.ByType[registry.LambdaEventSourceMapping] {
		props := p.m.Doc.Resources[id].Properties
		p.triggers(props["EventSourceArn"], props["FunctionName"])
	}
}

// maxOthers bounds the boxes of what has no kind of its own.
const maxOthers = 60

// others adds a box for each resource that no node stands for, whatever its type:
// what is not known is not left out. What only joins or guards others (wiring,
// rights, policies, logs, parts of an API or of a CDN) has none.
func (p *picture) others() {
	letters := p.deadLetters()
	drawn := map[string]bool{}
	for _, ids := range p.resources {
		for _, id := range ids {
			drawn[id] = true
		}
	}
	n := 0
	for _, id := range values.KeysOfBoth(nil, p.m.Doc.Resources) {
		typ := p.m.Doc.Resources[id].Type
		known := registry.Of(typ)
		if drawn[id] || letters[id] || known.Wiring || known.Rights != 0 || known.Policy.Of != "" || joins(typ) {
			continue
		}
		if n++; n > maxOthers {
			break
		}
		parts := strings.Split(typ, "::")
		badge := strings.ToUpper(parts[max(len(parts)-2, 0)])
		p.add(graph.Node{Kind: graph.Other, Badge: badge, Label: p.m.NameOf(id), Detail: parts[len(parts)-1]}, id)
	}
}

// joins reports whether a type is a part of what is drawn otherwise.
func joins(typ string) bool {
	for _, front := range []string{"AWS::ApiGateway", "AWS::CloudFront::", "AWS::Lambda::", "AWS::Logs::", "AWS::Events::", "AWS::Scheduler::", "AWS::CDK::", "AWS::IAM::"} {
		if strings.HasPrefix(typ, front) {
			return true
		}
	}
	return false
}

func (p *picture) triggers(source, fn any) {
	for _, id := range cfn.References(source) {
		if at, ok := p.nodeOf(id); ok {
			p.join(at, p.m.FunctionOf(fn))
		}
	}
}

// nodeOf finds the node of a resource that is drawn already.
func (p *picture) nodeOf(id string) (int, bool) {
	for key, resources := range p.resources {
		if slices.Contains(resources, id) {
			return p.nodes[key], true
		}
	}
	return 0, false
}

// deadLetters are the queues that only take what others could not deliver.
func (p *picture) deadLetters() map[string]bool {
	found := map[string]bool{}
	for _, def := range p.m.Doc.Resources {
		for _, at := range [][2]string{{"RedrivePolicy", "deadLetterTargetArn"}, {"DeadLetterConfig", "TargetArn"}} {
			if m, ok := def.Properties[at[0]].(map[string]any); ok {
				for _, id := range cfn.References(m[at[1]]) {
					found[id] = true
				}
			}
		}
	}
	return found
}

// detail says what is worth a glance: keys and indexes.
func (p *picture) detail(id string) string {
	props := p.m.Doc.Resources[id].Properties
	var keys []string
	for _, k := range values.List(props["KeySchema"]) {
		key, _ := k.(map[string]any)
		keys = append(keys, values.PlainText(key["AttributeName"]))
	}
	text := strings.Join(keys, ", ")
	if n := len(values.List(props["GlobalSecondaryIndexes"])); n == 1 {
		text += "; 1 index"
	} else if n > 1 {
		text += fmt.Sprintf("; %d indexes", n)
	}
	if values.On(props["FifoQueue"]) {
		text = "fifo"
	}
	return text
}

func (p *picture) roleOf(fn string) string {
	for _, id := range cfn.References(p.m.Doc.Resources[fn].Properties["Role"]) {
		return id
	}
	return ""
}

// uses draws what a function with a role of its own may do with what is drawn.
func (p *picture) uses(fn string) {
	role := p.roleOf(fn)
	if role == "" {
		return
	}
	if p.owners[role] > 1 {
		p.g.AppRole = true
		return
	}
	from := p.function(fn)
	verbs := map[int][]string{}
	for _, pol := range values.List(p.m.Doc.Resources[role].Properties["Policies"]) {
		policy, _ := pol.(map[string]any)
		document, _ := policy["PolicyDocument"].(map[string]any)
		for _, s := range values.List(document["Statement"]) {
			statement, _ := s.(map[string]any)
			if statement["Effect"] != "Allow" {
				continue
			}
			for _, id := range cfn.References(statement["Resource"]) {
				if at, ok := p.nodeOf(id); ok && at != from {
					verbs[at] = append(verbs[at], verbsOf(statement["Action"])...)
				}
			}
		}
	}
	for _, at := range slices.Sorted(func(yield func(int) bool) {
		for at := range verbs {
			if !yield(at) {
				return
			}
		}
	}) {
		slices.Sort(verbs[at])
		if may := slices.Compact(verbs[at]); len(may) > 0 {
			p.g.Edges = append(p.g.Edges, graph.Edge{From: from, To: at, Verbs: may})
		}
	}
}

// verbsOf sums up IAM actions.
func verbsOf(actions any) []string {
	all := values.List(actions)
	if one, ok := actions.(string); ok {
		all = []any{one}
	}
	var verbs []string
	for _, a := range all {
		_, name, _ := strings.Cut(values.PlainText(a), ":")
		switch {
		case strings.HasPrefix(name, "GetQueue"): // its address, not its messages
		case name == "*":
			verbs = append(verbs, "read", "write")
		case strings.HasPrefix(name, "Send"), strings.HasPrefix(name, "Publish"):
			verbs = append(verbs, "send")
		case strings.HasPrefix(name, "Put"), strings.HasPrefix(name, "Update"), strings.HasPrefix(name, "Delete"), strings.HasPrefix(name, "BatchWrite"):
			verbs = append(verbs, "write")
		case strings.HasPrefix(name, "Get"), strings.HasPrefix(name, "BatchGet"), name == "Query", name == "Scan":
			verbs = append(verbs, "read")
		}
	}
	return verbs
}

// mark marks the nodes that the other side lacks, and those whose resources
// change.
func (p *picture) mark(other *picture, changed map[string]bool, lacking graph.Mark) {
	for i := range p.g.Nodes {
		n := &p.g.Nodes[i]
		if _, ok := other.nodes[n.ID]; !ok {
			n.Mark = lacking
		} else if slices.ContainsFunc(p.resources[n.ID], func(id string) bool { return changed[id] }) {
			n.Mark = graph.Changed
		}
	}
}
