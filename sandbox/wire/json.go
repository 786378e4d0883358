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

// json answers a request of a JSON protocol, whose operation is named in the
// X-Amz-Target header.
func (h *Handler) json(w http.ResponseWriter, r *http.Request, service string, to JSONService) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if to == nil || operation == "" {
		writeJSONError(w, &stack.Error{Code: "UnknownOperationException", Message: fmt.Sprintf("this endpoint runs no operation %q of %s", operation, service)})
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		writeJSONError(w, &stack.Error{Code: "SerializationException", Message: "the request cannot be read: " + err.Error()})
		return
	}
	if len(body) == 0 {
		body = []byte("{}")
	}
	out, err := to.Handle(operation, body)
	if err != nil {
		writeJSONError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, out)
}

func writeJSON(w http.ResponseWriter, status int, out any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("x-amzn-RequestId", newRequestID())
	b, err := json.Marshal(out)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"__type":"InternalFailure"}`)
	}
	w.WriteHeader(status)
	w.Write(b)
}

func writeJSONError(w http.ResponseWriter, err error) {
	var api *stack.Error
	if !errors.As(err, &api) {
		api = &stack.Error{Code: "InternalFailure", Message: err.Error(), Status: http.StatusInternalServerError}
	}
	w.Header().Set("x-amzn-ErrorType", api.Code)
	writeJSON(w, api.HTTPStatus(), struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}{api.Code, api.Message})
}
