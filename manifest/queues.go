package manifest

import "arc/manifest/syntax"

// Queue is one queue of @queues and its consumer.
type Queue struct {
	Name        string
	Fifo        bool
	BatchSize   int // 0 = not set
	BatchWindow int // seconds; 0 = not set
	// ReportsFailures says that the function names the messages it failed on.
	ReportsFailures bool
	Function        *Function
	Pos             syntax.Pos

	fifo, reports *bool // as written below the name
}

// readQueues reads @queues.
func (l *loader) readQueues() {
	p := l.pragma("queues")
	if p == nil {
		return
	}
	spec := findPragma(pragmas, "queues")
	for _, n := range l.namedItems(p, messageNames) {
		q := Queue{Name: n.name, Function: n.function, Pos: n.pos}
		for _, ln := range n.keys {
			s := spec.setting(ln.key.Text)
			switch s.name {
			case "fifo":
				q.fifo = l.optionalBoolean(s, ln)
			case "batchSize":
				l.integerSetting(s, ln, &q.BatchSize)
			case "batchWindow":
				l.integerSetting(s, ln, &q.BatchWindow)
			case "reportBatchItemFailures":
				q.reports = l.optionalBoolean(s, ln)
			}
		}
		l.app.Queues = append(l.app.Queues, q)
	}
}

// settleBatches decides each queue's kind, and which functions name what they
// failed on, once they are configured: what the manifest says below the name, else
// what the function's config file or @aws says, else fifo, and none.
func (l *loader) settleBatches() {
	for i := range l.app.Queues {
		q := &l.app.Queues[i]
		q.Fifo = true
		if q.fifo == nil {
			q.fifo = q.Function.Config.Fifo
		}
		if q.fifo != nil {
			q.Fifo = *q.fifo
		}
		q.ReportsFailures = either(q.reports, q.Function.Config.ReportsFailures)
	}
	for i := range l.app.Streams {
		s := &l.app.Streams[i]
		s.ReportsFailures = either(s.reports, s.Function.Config.ReportsFailures)
	}
}

// either is the first of two that is set; false = none is.
func either(a, b *bool) bool {
	if a == nil {
		a = b
	}
	return a != nil && *a
}
