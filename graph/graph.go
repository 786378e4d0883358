// Package graph draws an app: what triggers which function, and what a
// function may use. Of turns an App into a Graph; a Graph prints itself as a
// Mermaid flowchart and as an SVG of its own small layout. The same App gives
// the same bytes everywhere, and nothing that a manifest says can get out of
// the text it stands in.
package graph

import (
	"fmt"
	"strings"
)

// Kind is what a node stands for.
type Kind int

// The kinds of node. A route, action or schedule only triggers; topics, queues
// and tables trigger and are used.
const (
	Route Kind = iota
	Action
	Schedule
	Topic
	Queue
	Table
	Bucket
	Clients // those connected to the WebSocket API
	Outside // where @proxy sends requests
	Function
	Other // any other resource of a template, told by its type
)

// Node is one thing of the app.
type Node struct {
	ID     string // unique, of letters, digits and _; the same as long as the thing keeps its name
	Kind   Kind
	Badge  string // a word about it: the method of a route
	Label  string // its name, or a function's folder
	Detail string // settings worth a glance; may be empty
	Pos    string // file:line:col; may be empty
	Mark   Mark   // when the picture is one of two sides of a change
}

// Mark tells what a change does to a node.
type Mark int

// The marks.
const (
	Unmarked Mark = iota
	Added         // it comes
	Changed       // it stays, and is another one
	Gone          // it goes
)

// marks name them in CSS and in words.
var marks = [...]string{Unmarked: "", Added: "added", Changed: "changed", Gone: "gone"}

// Edge says that node From triggers node To, or, with Verbs, that function
// From may do that with To. From and To are indexes into Graph.Nodes.
type Edge struct {
	From, To int
	Verbs    []string // "read", "write", "send"
}

// Graph is an app as nodes and edges, in the order of the App.
type Graph struct {
	App   string
	Nodes []Node
	Edges []Edge
	CDN   bool // CloudFront stands in front of the routes
	// AppRole tells that some functions have no @uses, so that no edge shows
	// what they may use: everything.
	AppRole bool
}

// only reports whether e is for reading alone.
func (e Edge) only(verb string) bool { return len(e.Verbs) == 1 && e.Verbs[0] == verb }

// groups head the nodes of each kind.
var groups = [...]string{
	Route: "HTTP API", Action: "WebSocket API", Schedule: "Schedules", Topic: "Topics", Queue: "Queues", Table: "Tables",
	Bucket: "Files", Clients: "Clients", Outside: "Elsewhere", Function: "Functions", Other: "Other resources",
}

// group is the heading of a kind's nodes.
func (g *Graph) group(k Kind) string {
	if k == Route && g.CDN {
		return groups[k] + " behind CloudFront"
	}
	return groups[k]
}

// summary counts what the app consists of: "3 routes, 1 table".
func (g *Graph) summary() string {
	var counts [len(groups)]int
	for _, n := range g.Nodes {
		counts[n.Kind]++
	}
	var parts []string
	for _, c := range []struct {
		kind Kind
		word string
	}{{Route, "route"}, {Action, "action"}, {Schedule, "schedule"}, {Topic, "topic"}, {Queue, "queue"}, {Table, "table"}, {Function, "function"}} {
		switch n := counts[c.kind]; {
		case n == 1:
			parts = append(parts, "1 "+c.word)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", n, c.word))
		}
	}
	return strings.Join(parts, ", ")
}

// roleNote explains what no edge can show.
const roleNote = "A function without @uses has the app's role: it may use every table, queue, topic, file and connection."
