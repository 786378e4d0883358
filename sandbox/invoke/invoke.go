// Package invoke is how one service of the local cloud sets another to work:
// it runs functions (Invoker), delivers events to them in the background with
// Lambda's retries, dead letters and destinations (Async), and hands messages
// to queues, topics and buses (Send).
package invoke

import (
	"context"
	"errors"
	"time"
)

// Invoker runs a function by name with a JSON event. The error is for what
// never reached the function: unknown name, shutting down, cancelled context.
type Invoker interface {
	Invoke(ctx context.Context, name string, event []byte) (Result, error)
}

// Result is the outcome of an invocation that reached the function.
type Result struct {
	Payload []byte // the function's JSON result, or the error object
	// Failed is "" on success, "Unhandled" when the handler threw, when the
	// worker died, when the module could not be loaded, or on timeout.
	Failed    string
	RequestID string
	Version   string // that ran: a number, or "$LATEST"
	Streamed  bool   // it went to the Stream, and Payload is nil
	Kind      Kind   // why it failed; "" on success
	// Waited is how long the event waited for a worker, and Init how long that
	// one took to get ready, when this was its first event.
	Waited, Init time.Duration
}

// Kind says why an invocation failed. AWS does not tell its callers; it is for
// those who explain the failure to a developer.
type Kind string

// The kinds of failure.
const (
	Thrown         Kind = "thrown"          // the handler threw, rejected, or called back with an error
	TimedOut       Kind = "timed out"       // no result within the function's timeout
	Crashed        Kind = "crashed"         // the process ended during the invocation
	TooLarge       Kind = "too large"       // the result is over 6 MB
	InitFailed     Kind = "init failed"     // the code could not be loaded: a missing package, a syntax error, a throw
	HandlerMissing Kind = "handler missing" // no such file, or no such function in it
	RuntimeMissing Kind = "runtime missing" // the runtime's program is not installed, or cannot run here
)

// Errors of Invoke, for errors.Is.
var (
	ErrNotFound  = errors.New("no such function")
	ErrThrottled = errors.New("throttled (TooManyRequestsException)")
	ErrTooLarge  = errors.New("event is over 6 MB")
	ErrForbidden = errors.New("no permission allows it")
	ErrClosed    = errors.New("the local cloud is stopping")
)

// Missing is a resource that does not exist; it is an ErrNotFound.
type Missing string

// Error names it.
func (m Missing) Error() string { return string(m) + " does not exist" }

// Is makes it an ErrNotFound.
func (m Missing) Is(target error) bool { return target == ErrNotFound }

type requestID struct{}

// WithRequestID gives invocations the ID of the request that asked for them, so
// that a retry has the ID of the first try, as on AWS.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestID{}, id)
}

// RequestID is the ID that WithRequestID gave; "" = none.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestID{}).(string)
	return id
}

// Message is what a service hands to a queue, a topic, a bus or a function.
type Message struct {
	ID         string // by which it is told of; a function has it as its request's; "" = a new one
	Body       []byte
	Attributes map[string]Attribute // of an SQS or SNS message
	Principal  string               // the service that sends it: "lambda.amazonaws.com"
	Source     string               // ARN of the resource on whose behalf
	Role       string               // ARN of the role in whose name it is sent; "" = the service's own
	Session    string               // what the service calls its session of the role
	Group      string               // FIFO queues and topics
	Dedup      string
	Unasked    bool // nobody's policies are asked
}

// Attribute is a message attribute as SQS and SNS have it.
type Attribute struct{ Type, Value string }

// Receiver is a service that takes messages for its resources.
type Receiver interface {
	Receive(ctx context.Context, arn string, m Message) error
}

// Send hands a message to the resource with an ARN. Its error names a resource
// that there is not, or one whose service the local cloud does not run.
type Send func(ctx context.Context, arn string, m Message) error
