package stack

import (
	"fmt"
	"net/http"
)

// Error is an answer of an AWS API other than success. Every service of the
// local cloud uses it; the protocol in front gives it its shape.
type Error struct {
	Code    string // "ValidationError"
	Message string
	Status  int // HTTP status; 0 means 400
}

// Error is the code and the message, as SDKs print them.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// HTTPStatus is the status that the answer has.
func (e *Error) HTTPStatus() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// invalid is CloudFormation's answer to most that is wrong with a request.
func invalid(format string, args ...any) *Error {
	return &Error{Code: "ValidationError", Message: fmt.Sprintf(format, args...)}
}

func unknownStack(name string) *Error {
	return invalid("Stack with id %s does not exist", name)
}
