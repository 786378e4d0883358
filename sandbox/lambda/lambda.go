// Package lambda runs functions: warm worker processes that speak the Lambda
// Runtime API, a bounded number of them, and a queue in front whose waiting
// time is not counted against the function's timeout.
package lambda

import "context"

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
}

// Result is the outcome of an invocation that reached the function.
type Result struct {
	Payload []byte // the function's JSON result, or the error object
	// Failed is "" on success, "Unhandled" when the handler threw, when the
	// worker died, when the module could not be loaded, or on timeout.
	Failed    string
	RequestID string
}

// Invoker runs a function by name with a JSON event. The error is for what
// never reached the function: unknown name, shutting down, cancelled context.
type Invoker interface {
	Invoke(ctx context.Context, name string, event []byte) (Result, error)
}
