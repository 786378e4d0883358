package graph

import (
	"cmp"
	"slices"
)

// slot is a node's place in a column.
type slot struct {
	node   int // index into Graph.Nodes
	kind   Kind
	column int
	y      int     // of the centre
	reach  int     // vertical room it asks for, nodeHeight or more
	before []*slot // what it is linked with in the column to the left
	after  []*slot // what it triggers
	uses   []Edge  // what it may do besides
}

// The columns, from left to right. What comes from outside triggers functions;
// those use resources; some resources trigger functions in turn, which stand to
// the right of them and use resources by arrows that run back. So every edge
// joins neighbours, and crosses nothing but air.
const (
	triggerColumn = iota
	functionColumn
	resourceColumn
	consumerColumn
	columnCount
)

// columns is a graph cut into columns. One without nodes takes no room.
type columns struct {
	g      *Graph
	slots  [columnCount][]*slot // from top to bottom
	byNode []*slot
}

func newColumns(g *Graph) *columns {
	c := &columns{g: g, byNode: make([]*slot, len(g.Nodes))}
	for i, column := range columnOf(g) {
		s := &slot{node: i, kind: g.Nodes[i].Kind, column: column}
		c.byNode[i] = s
		c.slots[column] = append(c.slots[column], s)
	}
	for _, e := range g.Edges {
		from, to := c.byNode[e.From], c.byNode[e.To]
		if from.column < to.column {
			to.before = append(to.before, from)
		}
		if len(e.Verbs) > 0 {
			from.uses = append(from.uses, e)
		} else {
			from.after = append(from.after, to)
		}
	}
	return c
}

// columnOf gives each node its column: that of its kind, but a function that a
// resource triggers stands behind the resources.
func columnOf(g *Graph) []int {
	column := make([]int, len(g.Nodes))
	for i, n := range g.Nodes {
		switch n.Kind {
		case Route, Action, Schedule:
			column[i] = triggerColumn
		case Function:
			column[i] = functionColumn
		default:
			column[i] = resourceColumn
		}
	}
	for _, e := range g.Edges {
		if len(e.Verbs) == 0 && column[e.From] == resourceColumn {
			column[e.To] = consumerColumn
		}
	}
	return column
}

// place gives every slot its height on the page. The triggers are stacked in
// the order of the App; every other column is sorted by where what it is linked
// with stands, kind by kind, and keeps as near to that as can be.
func (c *columns) place() {
	for i, column := range c.slots {
		for _, s := range column {
			s.reach = max(nodeHeight, c.exclusive(s)*(nodeHeight+rowGap)-rowGap)
		}
		slices.SortStableFunc(column, func(a, b *slot) int {
			if i == triggerColumn {
				return cmp.Compare(a.kind, b.kind)
			}
			return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.wish(), b.wish()))
		})
		settle(column)
	}
}

// exclusive counts what s alone triggers: that is given room beside it.
func (c *columns) exclusive(s *slot) int {
	n := 0
	for _, to := range s.after {
		if len(to.before) == 1 {
			n++
		}
	}
	return n
}

// nowhere is the wish of a slot that is linked with nothing to the left.
const nowhere = 1 << 30

// wish is the height at which a slot would stand if it were alone.
func (s *slot) wish() int {
	if len(s.before) == 0 {
		return nowhere
	}
	sum := 0
	for _, b := range s.before {
		sum += b.y
	}
	return sum / len(s.before)
}

// settle gives each slot its wish, and where it is too near to a neighbour
// then, moves both by as much: the pool-adjacent-violators method, on heights
// less what the slots above take up. A slot without a wish follows the one
// above it.
func settle(column []*slot) {
	type pool struct{ sum, count int }
	mean := func(p pool) int { return p.sum / p.count }
	var pools []pool
	offsets := make([]int, len(column))
	offset := header + groupGap
	for i, s := range column {
		if i > 0 {
			offset += column[i-1].reach/2 + gap(column[i-1], s)
		}
		offset += s.reach / 2
		offsets[i] = offset
		p := pool{0, 1}
		if wish := s.wish(); wish != nowhere {
			p.sum = wish - offset
		} else if i > 0 {
			p.sum = mean(pools[len(pools)-1])
		}
		for len(pools) > 0 && mean(pools[len(pools)-1]) >= mean(p) {
			last := pools[len(pools)-1]
			pools = pools[:len(pools)-1]
			p.sum, p.count = p.sum+last.sum, p.count+last.count
		}
		pools = append(pools, p)
	}
	i := 0
	for _, p := range pools {
		for range p.count {
			column[i].y = max(mean(p), 0) + offsets[i]
			i++
		}
	}
}

// gap is the room between two slots; a kind begins with a heading.
func gap(above, below *slot) int {
	if above.kind != below.kind {
		return groupGap
	}
	return rowGap
}
