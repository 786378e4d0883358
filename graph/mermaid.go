package graph

import (
	"bytes"
	"fmt"
	"strings"
)

// shapes are the brackets that give each kind its outline.
var shapes = [...][2]string{
	Route: {"([", "])"}, Action: {"([", "])"}, Schedule: {"{{", "}}"}, Topic: {">", "]"}, Queue: {"[[", "]]"}, Table: {"[(", ")]"},
	Bucket: {"[(", ")]"}, Clients: {"((", "))"}, Outside: {"((", "))"}, Function: {"[", "]"}, Other: {"[", "]"},
}

// Mermaid prints the graph as a Mermaid flowchart, from left to right.
// https://mermaid.js.org/syntax/flowchart.html
func (g *Graph) Mermaid() []byte {
	var b bytes.Buffer
	b.WriteString("flowchart LR\n")
	for k := range Kind(len(groups)) {
		g.mermaidNodes(&b, k)
	}
	if g.CDN {
		b.WriteString("  cdn([\"CloudFront\"]) --> http\n")
	}
	for _, e := range g.Edges {
		label := ""
		switch from := g.Nodes[e.From]; {
		case len(e.Verbs) > 0:
			label = "|" + strings.Join(e.Verbs, ", ") + "|"
		case from.Kind == Table:
			label = "|stream|"
		}
		arrow := "-->"
		if e.only("read") {
			arrow = "-.->"
		}
		fmt.Fprintf(&b, "  %s %s%s %s\n", g.Nodes[e.From].ID, arrow, label, g.Nodes[e.To].ID)
	}
	for k := range Kind(len(groups)) {
		g.mermaidClass(&b, k)
	}
	if g.AppRole {
		b.WriteString("  %% " + roleNote + "\n")
	}
	return b.Bytes()
}

// mermaidNodes prints the nodes of a kind; the two APIs are boxes.
func (g *Graph) mermaidNodes(b *bytes.Buffer, k Kind) {
	indent, box := "  ", map[Kind]string{Route: "http", Action: "websocket"}[k]
	for _, n := range g.Nodes {
		if n.Kind != k {
			continue
		}
		if box != "" && indent == "  " {
			fmt.Fprintf(b, "  subgraph %s[\"%s\"]\n", box, groups[k])
			indent = "    "
		}
		text := mermaidText(n.Label)
		if k == Route {
			text = mermaidText(n.Badge + " " + n.Label)
		}
		if n.Detail != "" && k != Function { // whose settings would double the height of the chart
			text += "<br>" + mermaidText(n.Detail)
		}
		fmt.Fprintf(b, "%s%s%s\"%s\"%s\n", indent, n.ID, shapes[k][0], text, shapes[k][1])
	}
	if indent != "  " {
		b.WriteString("  end\n")
	}
}

func (g *Graph) mermaidClass(b *bytes.Buffer, k Kind) {
	var ids []string
	for _, n := range g.Nodes {
		if n.Kind == k {
			ids = append(ids, n.ID)
		}
	}
	if len(ids) > 0 {
		c := light[k]
		fmt.Fprintf(b, "  classDef %s fill:%s,stroke:%s,color:%s\n", classes[k], c.tint, c.ink, "#1f2937")
		fmt.Fprintf(b, "  class %s %s\n", strings.Join(ids, ","), classes[k])
	}
}

// mermaidText spells what could mean something to Mermaid or to HTML as a
// character's number.
func mermaidText(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(" /-_.,:()?+", r):
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			b.WriteString("#65533;")
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
