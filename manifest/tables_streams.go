package manifest

import "arc/manifest/syntax"

// Stream is a function that reads a table's item stream.
type Stream struct {
	Name     string // the function's name; the table's when not given
	Table    string
	Retries  int  // of changes that the function fails on
	MaxAge   int  // of a change, in seconds
	Bisect   bool // a batch that fails is tried again in two halves
	ToBucket bool // what is given up goes to a bucket, else its place in the stream to a queue
	// ReportsFailures says that the function names the changes it failed on.
	ReportsFailures bool
	Function        *Function
	Pos             syntax.Pos

	reports *bool // as written below the name
}

// What becomes of changes that a function fails on, unless the manifest says
// otherwise. A stream keeps changes for 24 hours: what is given up an hour before
// is still told of.
const (
	streamRetries = 10
	streamMaxAge  = 23 * 60 * 60
)

// newStream gives a stream that the manifest says nothing of.
func newStream(name, table string, fn *Function, pos syntax.Pos) Stream {
	return Stream{Name: name, Table: table, Retries: streamRetries, MaxAge: streamMaxAge, Bisect: true, Function: fn, Pos: pos}
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
			l.app.Streams = append(l.app.Streams, newStream(t.Name, t.Name, fn, t.Pos))
		}
		t.Stream = t.Stream || listed[t.Name]
	}
}

func (l *loader) readStream(n named) (Stream, bool) {
	s := newStream(n.name, "", n.function, n.pos)
	table := n.value
	spec := findPragma(pragmas, "tables-streams")
	for _, ln := range n.keys {
		set, ok := spec.setting(ln.key.Text), true
		switch set.name {
		case "table":
			table, ok = l.single(set, ln)
		case "retries":
			ok = l.integerSetting(set, ln, &s.Retries)
		case "age":
			ok = l.integerSetting(set, ln, &s.MaxAge)
		case "bisect":
			ok = l.booleanSetting(set, ln, &s.Bisect)
		case "reportBatchItemFailures":
			s.reports = l.optionalBoolean(set, ln)
			ok = s.reports != nil
		case "onFailure":
			var where string
			ok = l.choiceSetting(set, ln, &where)
			s.ToBucket = where == "bucket"
		}
		if !ok {
			return s, false
		}
	}
	t := l.wantTable("tables-streams", table)
	if t == nil {
		return s, false
	}
	s.Table = t.Name
	return s, true
}
