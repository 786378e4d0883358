package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"arc/sandbox/stack"
)

// JSON makes the handler of a service with a JSON protocol, whose operation is
// named in the X-Amz-Target header.
func JSON(service string, to JSONService) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serveJSON(w, r, service, to) })
}

func serveJSON(w http.ResponseWriter, r *http.Request, service string, to JSONService) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if operation == "" {
		WriteJSONError(w, &stack.Error{Code: "UnknownOperationException", Message: fmt.Sprintf("this endpoint runs no operation %q of %s", operation, service)})
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		WriteJSONError(w, unreadable(err))
		return
	}
	if len(body) == 0 {
		body = []byte("{}")
	}
	out, err := to.Handle(r.Context(), operation, body)
	if err != nil {
		WriteJSONError(w, err)
		return
	}
	WriteJSON(w, http.StatusOK, out)
}

// WriteJSON prints an answer of a JSON protocol. A Content-Type that is set stays.
func WriteJSON(w http.ResponseWriter, status int, out any) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	}
	w.Header().Set("x-amzn-RequestId", NewRequestID())
	b, err := json.Marshal(out)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"__type":"InternalFailure"}`)
	}
	w.WriteHeader(status)
	w.Write(b)
}

// WriteJSONError prints an error of a JSON protocol: a *stack.Error as what it
// says, any other as a failure of the service.
func WriteJSONError(w http.ResponseWriter, err error) {
	var api *stack.Error
	if !errors.As(err, &api) {
		api = &stack.Error{Code: "InternalFailure", Message: err.Error(), Status: http.StatusInternalServerError}
	}
	w.Header().Set("x-amzn-ErrorType", api.Code)
	WriteJSON(w, api.HTTPStatus(), struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}{api.Code, api.Message})
}
