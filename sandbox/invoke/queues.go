package invoke

import (
	"context"
	"time"
)

// Queues is what takes messages out of queues for a function.
type Queues interface {
	// Take waits up to wait for messages and gives at most most of them, hidden
	// for the queue's visibility timeout. A queue that does not exist is an error.
	Take(ctx context.Context, arn string, most int, wait time.Duration) ([]Queued, error)
	// Delete removes what was taken; a message whose time is over stays.
	Delete(arn string, handles ...string)
	// Release makes what was taken visible again, as if it had not been received.
	Release(arn string, handles ...string)
	// Queue describes a queue; ok is false when there is none.
	Queue(arn string) (q Queue, ok bool)
}

// Queue is what a consumer must know of a queue.
type Queue struct {
	Name       string
	FIFO       bool
	Visibility time.Duration
	// DeadLetters is the name of its dead-letter queue; "" = it has none.
	DeadLetters string
}

// Queued is a message that was taken from a queue, with what SQS tells of it.
type Queued struct {
	ID, Handle, Body, MD5 string
	System                map[string]string
	Attributes            map[string]Attribute
	MD5OfAttributes       string
}
