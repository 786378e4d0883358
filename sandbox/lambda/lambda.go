// Package lambda runs functions: warm worker processes that speak the Lambda
// Runtime API, and for each function a queue in front of its own whose waiting
// time is not counted against the function's timeout. It provides the
// AWS::Lambda::* resource types to the stack engine.
//
// As on AWS, a worker handles one event at a time and lives on for the next
// one, so what a module keeps in its variables is still there. Unlike on AWS,
// one whose code or settings have changed is never used again, not even once.
package lambda

import (
	"context"
	"errors"
	"time"

	"arc/source"
)

// Function is a deployed function, ready to run.
type Function struct {
	Name     string // physical name
	ARN      string
	Runtime  string
	Handler  string            // "index.handler"
	Dir      string            // folder on this machine with the unpacked (or live) code
	Env      map[string]string // the function's own variables, ARC_* and the user's
	Timeout  int               // seconds
	MemoryMB int
	Label    string // for log lines: "@http get /" or the logical ID

	// Shared and Views are absolute folders that the code finds as
	// @architect/shared and @architect/views (vendor/shared and vendor/views
	// outside Node) although they lie elsewhere; "" = none, or already in Dir.
	Shared, Views string
	// Code builds what runs, when that is not what Dir holds; nil = it is.
	Code *source.Live
	// Reserved is how many events it handles at once at most; nil = no limit
	// of its own. With 0 it is switched off.
	Reserved *int
	LogGroup string // "" = /aws/lambda/NAME
	// CodeSHA256 is the hash of the zip that the code came in, in base64; "" for
	// code that came in none.
	CodeSHA256 string
	// Provisioned says that an alias keeps environments of it ready: it has
	// longer to get ready.
	Provisioned bool
}

// Unpacked is the code of a zip.
type Unpacked struct {
	Dir    string // the folder that it was unpacked to
	SHA256 string // of the zip, in base64; "" when there was none
}

// Logs is the log group that the function's lines go to.
func (fn *Function) Logs() string {
	if fn.LogGroup == "" {
		return "/aws/lambda/" + fn.Name
	}
	return fn.LogGroup
}

// Result is the outcome of an invocation that reached the function.
type Result struct {
	Payload []byte // the function's JSON result, or the error object
	// Failed is "" on success, "Unhandled" when the handler threw, when the
	// worker died, when the module could not be loaded, or on timeout.
	Failed    string
	RequestID string
	Kind      Kind // why it failed; "" on success
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

// Invoker runs a function by name with a JSON event. The error is for what
// never reached the function: unknown name, shutting down, cancelled context.
type Invoker interface {
	Invoke(ctx context.Context, name string, event []byte) (Result, error)
}

// Errors of Invoke, for errors.Is.
var (
	ErrNotFound  = errors.New("no such function")
	ErrThrottled = errors.New("throttled (TooManyRequestsException)")
	ErrTooLarge  = errors.New("event is over 6 MB")
	ErrClosed    = errors.New("the local cloud is stopping")
)

// maxPayload is the most bytes of an event or a result.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxPayload = 6<<20 + 100
