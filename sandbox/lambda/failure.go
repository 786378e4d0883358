package lambda

import (
	"encoding/json"
	"fmt"

	"arc/sandbox/invoke"
)

// failed is a result with an error object of our own making.
func failed(kind invoke.Kind, errorType, message string) invoke.Result {
	payload, err := json.Marshal(struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{errorType, message})
	if err != nil {
		payload = []byte(`{"errorType":"Runtime.Unknown"}`)
	}
	return invoke.Result{Payload: payload, Failed: "Unhandled", Kind: kind}
}

func timedOut(fn Function, id string) invoke.Result {
	return failed(invoke.TimedOut, "Sandbox.Timedout", fmt.Sprintf("RequestId: %s Error: Task timed out after %d.00 seconds", id, fn.Timeout))
}

// exited says, in Lambda's words, that a process ended when it should not have.
func exited(fn Function, id string, err error) invoke.Result {
	how := "Runtime exited without providing a reason"
	if err != nil {
		how = fmt.Sprintf("Runtime exited with error: %v", err)
	}
	return failed(invoke.Crashed, "Runtime.ExitError", fmt.Sprintf("RequestId: %s Error: %s", id, how))
}

// startError is why a worker's process could not be started.
type startError struct {
	kind      invoke.Kind
	errorType string
	err       error
}

func (e *startError) Error() string { return e.err.Error() }
func (e *startError) Unwrap() error { return e.err }

func (e *startError) result() invoke.Result { return failed(e.kind, e.errorType, e.err.Error()) }
