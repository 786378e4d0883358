package manifest

import "arc/manifest/syntax"

// Stream is a function that reads a table's item stream.
type Stream struct {
	Name     string // the function's name; the table's when not given
	Table    string
	Function *Function
	Pos      syntax.Pos
}

// readStreams reads @tables-streams, and gives each table with "stream true"
// a function unless one is listed for it.
func (l *loader) readStreams() {
	listed := map[string]bool{}
	p := l.pragma("tables-streams")
	if p != nil && l.pragma("tables") == nil {
		l.missing(atPragma(p), "tables-missing", "add @tables with the table", "@tables-streams needs @tables")
	} else if p != nil {
		for _, n := range l.namedItems(p, nameRule{min: 3, max: 255}) {
			if s, ok := l.readStream(n); ok {
				listed[s.Table] = true
				l.app.Streams = append(l.app.Streams, s)
			}
		}
	}
	for i := range l.app.Tables {
		t := &l.app.Tables[i]
		if t.Stream && !listed[t.Name] {
			fn := &Function{Pragma: "tables-streams", Name: t.Name, Dir: "src/tables-streams/" + t.Name, Pos: t.Pos}
			l.app.Streams = append(l.app.Streams, Stream{Name: t.Name, Table: t.Name, Function: fn, Pos: t.Pos})
		}
		t.Stream = t.Stream || listed[t.Name]
	}
}

func (l *loader) readStream(n named) (Stream, bool) {
	s := Stream{Name: n.name, Function: n.function, Pos: n.pos}
	table := n.value
	spec := findPragma(pragmas, "tables-streams")
	for _, ln := range n.keys {
		v, ok := l.single(spec.setting(ln.key.Text), ln)
		if !ok {
			return s, false
		}
		table = v
	}
	t := l.wantTable("tables-streams", table)
	if t == nil {
		return s, false
	}
	s.Table = t.Name
	return s, true
}
