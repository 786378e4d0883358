package graph

import (
	"fmt"
	"strings"
)

// colors are those of a kind: ink for words, tint for what stands behind them,
// line for edges.
type colors struct{ ink, tint, line string }

// classes name the kinds in CSS and in Mermaid.
var classes = [...]string{
	Route: "route", Action: "action", Schedule: "schedule", Topic: "topic", Queue: "queue", Table: "table",
	Bucket: "files", Clients: "clients", Outside: "outside", Function: "lambda", Other: "other",
}

var light = [...]colors{
	Route:    {"#1d4ed8", "#dbeafe", "#8fb3f7"},
	Action:   {"#6d28d9", "#ede9fe", "#b9a3f5"},
	Schedule: {"#b45309", "#fef3c7", "#ecc06a"},
	Topic:    {"#be185d", "#fce7f3", "#ee9ac4"},
	Queue:    {"#0e7490", "#cffafe", "#6cc7da"},
	Table:    {"#047857", "#d1fae5", "#6fc7a3"},
	Bucket:   {"#475569", "#e2e8f0", "#a3b1c4"},
	Clients:  {"#6d28d9", "#ede9fe", "#b9a3f5"},
	Outside:  {"#475569", "#e2e8f0", "#a3b1c4"},
	Function: {"#c2410c", "#ffedd5", "#f3b27f"},
	Other:    {"#475569", "#e2e8f0", "#a3b1c4"},
}

var dark = [...]colors{
	Route:    {"#93c5fd", "#1e3a6e", "#3b66b5"},
	Action:   {"#c4b5fd", "#43307f", "#6d53bd"},
	Schedule: {"#fcd34d", "#5b3c0c", "#94701f"},
	Topic:    {"#f9a8d4", "#6b1f48", "#a34577"},
	Queue:    {"#67e8f9", "#134e5e", "#23869c"},
	Table:    {"#6ee7b7", "#0f4d3a", "#208565"},
	Bucket:   {"#cbd5e1", "#334155", "#586a84"},
	Clients:  {"#c4b5fd", "#43307f", "#6d53bd"},
	Outside:  {"#cbd5e1", "#334155", "#586a84"},
	Function: {"#fdba74", "#63300f", "#a85d23"},
	Other:    {"#cbd5e1", "#334155", "#586a84"},
}

// page are the colours that belong to no kind.
type page struct {
	ground, card, border, text, faint string
	marks                             [len(marks)]string
}

// dashed lets a mark be told without colours.
var dashed = [len(marks)]string{Changed: ";stroke-dasharray:2 3", Gone: ";stroke-dasharray:7 4"}

var (
	lightPage = page{"#ffffff", "#ffffff", "#d3dae4", "#111827", "#6b7280",
		[len(marks)]string{Added: "#15803d", Changed: "#b45309", Gone: "#b91c1c"}}
	darkPage = page{"#0d1117", "#161b22", "#343d4a", "#e6edf3", "#8b949e",
		[len(marks)]string{Added: "#3fb950", Changed: "#d29922", Gone: "#f85149"}}
)

// css is the style of the picture. Every rule is bound to the picture's class,
// for a page that takes the SVG in is styled by it too; plain properties serve
// viewers that know no variables.
func css(marked func(Mark) bool, others bool) string {
	var b strings.Builder
	rule := func(indent, selector, format string, args ...any) {
		fmt.Fprintf(&b, "%s.arc-graph %s{%s}\n", indent, selector, fmt.Sprintf(format, args...))
	}
	b.WriteString(".arc-graph text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace}\n")
	rule("", ".sans", "font-family:system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu Sans\",sans-serif")
	rule("", ".name", "font-size:22px;font-weight:650")
	rule("", ".summary", "font-size:13px")
	rule("", ".group", "font-size:11px;font-weight:600;letter-spacing:.06em;text-transform:uppercase")
	rule("", ".label", "font-size:12px")
	rule("", ".detail", "font-size:9.6px")
	rule("", ".badge", "font-size:9.6px;font-weight:700;text-anchor:middle")
	rule("", ".edge", "fill:none;stroke-width:1.5")
	rule("", ".read", "stroke-dasharray:5 4")
	kinds := len(light)
	if !others {
		kinds = int(Other) // the last
	}
	palette(rule, "", lightPage, light[:kinds], marked)
	b.WriteString("@media (prefers-color-scheme:dark){\n")
	palette(rule, "  ", darkPage, dark[:kinds], marked)
	b.WriteString("}\n")
	return b.String()
}

func palette(rule func(indent, selector, format string, args ...any), indent string, p page, kinds []colors, marked func(Mark) bool) {
	rule(indent, ".ground", "fill:%s", p.ground)
	rule(indent, ".card", "fill:%s;stroke:%s", p.card, p.border)
	for m, color := range p.marks {
		if marked(Mark(m)) {
			rule(indent, "."+marks[m]+" .card", "stroke:%s;stroke-width:2.5%s", color, dashed[m])
		}
	}
	rule(indent, ".name,.arc-graph .label", "fill:%s", p.text)
	rule(indent, ".summary,.arc-graph .group,.arc-graph .detail,.arc-graph .note", "fill:%s", p.faint)
	for k, c := range kinds {
		rule(indent, "."+classes[k]+" .tint", "fill:%s", c.tint)
		rule(indent, "."+classes[k]+" .badge", "fill:%s", c.ink)
		rule(indent, ".edge."+classes[k], "stroke:%s", c.line)
		rule(indent, ".head."+classes[k], "fill:%s", c.line)
	}
}
