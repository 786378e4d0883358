package graph

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Sizes in pixels. Letters are measured by their number, since whoever draws
// the file has fonts of their own; the numbers suit the widest monospaced ones.
const (
	nodeHeight  = 36
	rowGap      = 10
	groupGap    = 34 // above the first node of a kind, with its heading
	columnGap   = 112
	crowd       = 3 // more of it for each edge
	widestCrowd = 200
	margin      = 32
	header      = 84 // the app's name and summary

	labelLetter  = 7.3
	detailLetter = 5.9
	badgeLetter  = 6.4
	badgePadding = 14
	longestLabel = 42
	narrowest    = 132
)

// SVG draws the graph in one file that needs no other: triggers to the left,
// then functions, then what they use and what that triggers. It follows the
// viewer's light or dark scheme, and every card tells more when pointed at.
func (g *Graph) SVG() []byte {
	p := &painter{columns: newColumns(g)}
	p.place()
	p.measure()
	p.paint()
	return p.out.Bytes()
}

// painter knows how wide everything is.
type painter struct {
	*columns
	left, width   [columnCount]int
	badges        []int // by node: the widest badge of its kind, so that labels align
	right, bottom int   // of the picture
	out           bytes.Buffer
}

func (p *painter) printf(format string, args ...any) { fmt.Fprintf(&p.out, format, args...) }

// measure gives columns the width of their widest card.
func (p *painter) measure() {
	p.badges = make([]int, len(p.g.Nodes))
	var widest [len(groups)]int
	for _, n := range p.g.Nodes {
		widest[n.Kind] = max(widest[n.Kind], letters(n.Badge, badgeLetter)+badgePadding)
	}
	x := margin
	p.bottom = header
	for i, column := range p.slots {
		if len(column) == 0 {
			continue
		}
		p.left[i], p.width[i] = x, narrowest
		for _, s := range column {
			n := p.g.Nodes[s.node]
			p.badges[s.node] = widest[n.Kind]
			p.width[i] = max(p.width[i], cardWidth(n, widest[n.Kind]))
			p.bottom = max(p.bottom, s.y+s.reach/2)
		}
		p.right = x + p.width[i]
		x = p.right + columnGap + min(crowd*p.joining(i), widestCrowd)
	}
	p.right = max(p.right, margin+letters(p.g.summary(), 7), margin+letters(p.g.App, 14), margin+p.legendWidth()) + margin
	p.bottom += margin + legendHeight
	if p.g.AppRole {
		p.right = max(p.right, margin*2+letters(roleNote, 5.7))
		p.bottom += noteHeight
	}
}

// joining counts the edges between a column and the next.
func (p *painter) joining(column int) int {
	n := 0
	for _, e := range p.g.Edges {
		if min(p.byNode[e.From].column, p.byNode[e.To].column) == column && len(e.Verbs) > 0 {
			n++
		}
	}
	return n
}

const (
	legendHeight = 40
	legendWidth  = 330
	noteHeight   = 20
)

// letters is the width of a text, whose letters are so wide.
func letters(text string, each float64) int {
	return int(math.Ceil(float64(utf8.RuneCountInString(text)) * each))
}

func cardWidth(n Node, badge int) int {
	return 8 + badge + 8 + max(letters(shorten(n.Label), labelLetter), letters(shorten(n.Detail), detailLetter)) + 12
}

// shorten leaves out the middle of a long text; the card's title has it all.
func shorten(text string) string {
	r := []rune(text)
	if len(r) <= longestLabel {
		return text
	}
	half := (longestLabel - 1) / 2
	return string(r[:half+1]) + "…" + string(r[len(r)-half:])
}

// escape makes text safe between tags and in quotes, and replaces what XML
// cannot hold.
func escape(text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		return "" // a strings.Builder takes everything
	}
	return b.String()
}

func (p *painter) paint() {
	p.printf("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"arc-graph\" role=\"img\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n",
		p.right, p.bottom, p.right, p.bottom)
	p.printf("<title>%s</title>\n", escape(p.g.App+": "+p.g.summary()))
	p.printf("<style>\n%s</style>\n", css(p.marked, slices.ContainsFunc(p.g.Nodes, func(n Node) bool { return n.Kind == Other })))
	p.printf("<rect class=\"ground\" width=\"100%%\" height=\"100%%\"/>\n")
	p.printf("<text class=\"name sans\" x=\"%d\" y=\"48\">%s</text>\n", margin, escape(p.g.App))
	p.printf("<text class=\"summary sans\" x=\"%d\" y=\"70\">%s</text>\n", margin, escape(p.g.summary()))
	for _, e := range p.g.Edges {
		p.edge(e)
	}
	for i, column := range p.slots {
		for n, s := range column {
			if n == 0 || column[n-1].kind != s.kind {
				p.printf("<text class=\"group sans\" x=\"%d\" y=\"%d\">%s</text>\n", p.left[i], s.y-s.reach/2-10, escape(p.g.group(s.kind)))
			}
			p.card(s)
		}
	}
	p.legend()
	p.printf("</svg>\n")
}

// edge draws a curve that leaves and arrives level. One that runs back, from
// the right to the left, keeps below one that may run the other way.
func (p *painter) edge(e Edge) {
	from, to := p.byNode[e.From], p.byNode[e.To]
	class := classes[to.kind]
	if len(e.Verbs) == 0 {
		class = classes[from.kind]
	}
	x1, y1 := p.left[from.column]+p.width[from.column], from.y
	x2, y2, length := p.left[to.column], to.y, headLength
	if to.column < from.column {
		x1, y1 = p.left[from.column], from.y+backShift
		x2, y2, length = p.left[to.column]+p.width[to.column], to.y+backShift, -headLength
	}
	path := fmt.Sprintf("M%d %dH%d", x1, y1, x2-length)
	if y1 != y2 {
		middle := (x1 + x2) / 2
		path = fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, middle, y1, middle, y2, x2-length, y2)
	}
	read := ""
	if e.only("read") {
		read = " read"
	}
	p.printf("<path class=\"edge %s%s\" d=\"%s\"/>\n", class, read, path)
	p.head(class, x2, y2, length)
}

const (
	headLength = 8
	backShift  = 9
)

// head draws an arrowhead with its tip at x, y; length is negative for one that
// points to the left.
func (p *painter) head(class string, x, y, length int) {
	p.printf("<path class=\"head %s\" d=\"M%d %dl%d -4v8z\"/>\n", class, x, y, -length)
}

func (p *painter) card(s *slot) {
	n, badge := p.g.Nodes[s.node], p.badges[s.node]
	x, y, width := p.left[s.column], s.y-nodeHeight/2, p.width[s.column]
	class := classes[n.Kind]
	if n.Mark != Unmarked {
		class += " " + marks[n.Mark]
	}
	p.printf("<g class=\"%s\"><title>%s</title>", class, escape(p.title(s)))
	p.printf("<rect class=\"card\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>", x, y, width, nodeHeight, radius(n.Kind))
	p.printf("<rect class=\"tint\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"18\" rx=\"%d\"/>", x+8, y+9, badge, radius(n.Kind)/2)
	p.printf("<text class=\"badge\" x=\"%d\" y=\"%d\">%s</text>", x+8+badge/2, y+21, escape(n.Badge))
	at := x + 8 + badge + 8
	if n.Detail == "" {
		p.printf("<text class=\"label\" x=\"%d\" y=\"%d\">%s</text></g>\n", at, y+22, escape(shorten(n.Label)))
		return
	}
	p.printf("<text class=\"label\" x=\"%d\" y=\"%d\">%s</text>", at, y+16, escape(shorten(n.Label)))
	p.printf("<text class=\"detail\" x=\"%d\" y=\"%d\">%s</text></g>\n", at, y+29, escape(shorten(n.Detail)))
}

// title is all there is to say about a node, on one line.
func (p *painter) title(s *slot) string {
	n := p.g.Nodes[s.node]
	parts := []string{n.Badge + " " + n.Label}
	if n.Detail != "" {
		parts = append(parts, n.Detail)
	}
	for _, e := range s.uses {
		parts = append(parts, "may "+strings.Join(e.Verbs, " and ")+": "+p.g.Nodes[e.To].Label)
	}
	if n.Pos != "" {
		parts = append(parts, n.Pos)
	}
	if n.Mark != Unmarked {
		parts = append(parts, marks[n.Mark])
	}
	return strings.Join(parts, " · ")
}

// radius rounds what triggers only; what runs or keeps things has corners.
func radius(k Kind) int {
	switch k {
	case Route, Action, Schedule, Clients, Outside:
		return nodeHeight / 2
	}
	return 8
}

// marked reports whether any node has the mark.
func (p *painter) marked(m Mark) bool {
	return m != Unmarked && slices.ContainsFunc(p.g.Nodes, func(n Node) bool { return n.Mark == m })
}

// legendWidth is that of the legend, with what it says of marks.
func (p *painter) legendWidth() int {
	width := legendWidth
	for mark, text := range marks {
		if p.marked(Mark(mark)) {
			width += 26 + letters(text, 6) + 24
		}
	}
	return width
}

// legend explains the two kinds of line, and what no line can show.
func (p *painter) legend() {
	y := p.bottom - margin + 4
	if p.g.AppRole {
		p.printf("<text class=\"note sans\" font-size=\"11\" x=\"%d\" y=\"%d\">%s</text>\n", margin, y, escape(roleNote))
		y -= noteHeight
	}
	x := margin
	for _, entry := range []struct{ class, text string }{{"", "triggers, writes or sends"}, {" read", "only reads"}} {
		p.printf("<path class=\"edge files%s\" d=\"M%d %dh22\"/>", entry.class, x, y-4)
		p.head("files", x+30, y-4, headLength)
		p.printf("<text class=\"note sans\" font-size=\"11\" x=\"%d\" y=\"%d\">%s</text>\n", x+38, y, entry.text)
		x += 38 + letters(entry.text, 6) + 24
	}
	for mark, text := range marks {
		if p.marked(Mark(mark)) {
			p.printf("<g class=\"%s\"><rect class=\"card\" x=\"%d\" y=\"%d\" width=\"18\" height=\"12\" rx=\"3\"/></g>", text, x, y-10)
			p.printf("<text class=\"note sans\" font-size=\"11\" x=\"%d\" y=\"%d\">%s</text>\n", x+26, y, text)
			x += 26 + letters(text, 6) + 24
		}
	}
}
