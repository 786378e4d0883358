package manifest

import "arc/manifest/syntax"

// Queue is one queue of @queues and its consumer.
type Queue struct {
	Name        string
	Fifo        bool
	BatchSize   int // 0 = not set
	BatchWindow int // seconds; 0 = not set
	Function    *Function
	Pos         syntax.Pos
}
