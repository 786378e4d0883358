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

	fifo *bool // as written below the name
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
				l.booleanSetting(s, ln, &q.ReportsFailures)
			}
		}
		l.app.Queues = append(l.app.Queues, q)
	}
}

// settleFifo decides each queue's kind once its function is configured: what
// the manifest says, else what the function's config file or @aws says, else
// fifo.
func (l *loader) settleFifo() {
	for i := range l.app.Queues {
		q := &l.app.Queues[i]
		q.Fifo = true
		if q.fifo == nil {
			q.fifo = q.Function.Config.Fifo
		}
		if q.fifo != nil {
			q.Fifo = *q.fifo
		}
	}
}
