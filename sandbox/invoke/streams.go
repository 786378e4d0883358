package invoke

import (
	"context"
	"time"
)

// Streams is what reads the streams of tables for a function. A position is
// what only Streams understands; "" is the oldest record that there is.
type Streams interface {
	// Latest is the position behind everything that is in the stream. A stream
	// that does not exist is an error.
	Latest(ctx context.Context, arn string) (position string, err error)
	// Read gives at most most records behind a position, and the position behind
	// them. Where there are none it waits for them, up to wait.
	Read(ctx context.Context, arn, after string, most int, wait time.Duration) (records []Record, position string, err error)
}

// Record is a change of a table.
type Record struct {
	// Position is behind the record; Sequence and Shard are DynamoDB's own terms.
	Position, Sequence, Shard string
	Created                   time.Time
	JSON                      []byte // as functions are given it
}
