package wire

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"arc/sandbox/stack"
)

// maxPayload is how long a synchronous invocation's payload may be on AWS.
const maxPayload = 6 << 20

// lambda answers the part of Lambda's API that reads and invokes: functions
// are made by stacks only.
// https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
func (h *Handler) lambda(w http.ResponseWriter, r *http.Request) {
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/2015-03-31/functions")
	rest = strings.Trim(rest, "/")
	name, what, _ := strings.Cut(rest, "/")
	name, err := url.PathUnescape(name)
	switch {
	case !ok || err != nil || h.options.Functions == nil:
	case r.Method == http.MethodGet && name == "":
		h.listFunctions(w, r)
		return
	case r.Method == http.MethodGet && (what == "" || what == "configuration"):
		h.function(w, name, what == "")
		return
	case r.Method == http.MethodPost && what == "invocations" && h.options.Invoker != nil:
		h.invoke(w, r, name)
		return
	}
	writeJSONError(w, &stack.Error{
		Code: "UnknownOperationException", Status: http.StatusNotImplemented,
		Message: fmt.Sprintf("the local cloud's Lambda does not run %s %s", r.Method, r.URL.Path),
	})
}

func (h *Handler) function(w http.ResponseWriter, name string, whole bool) {
	configuration, ok := h.options.Functions.Function(name)
	if !ok {
		writeJSONError(w, h.noFunction(name))
		return
	}
	if whole {
		writeJSON(w, http.StatusOK, map[string]any{"Configuration": configuration, "Tags": map[string]string{}})
		return
	}
	writeJSON(w, http.StatusOK, configuration)
}

func (h *Handler) noFunction(name string) error {
	return &stack.Error{
		Code: "ResourceNotFoundException", Status: http.StatusNotFound,
		Message: fmt.Sprintf("Function not found: arn:%s:lambda:%s:%s:function:%s", stack.Partition(h.options.Region), h.options.Region, h.options.Account, name),
	}
}

func (h *Handler) invoke(w http.ResponseWriter, r *http.Request, name string) {
	configuration, ok := h.options.Functions.Function(name)
	if !ok {
		writeJSONError(w, h.noFunction(name))
		return
	}
	event, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	if err != nil {
		writeJSONError(w, &stack.Error{Code: "RequestTooLargeException", Message: err.Error(), Status: http.StatusRequestEntityTooLarge})
		return
	}
	if len(event) == 0 {
		event = []byte("{}")
	}
	if !json.Valid(event) {
		writeJSONError(w, &stack.Error{Code: "InvalidRequestContentException", Message: "Could not parse request body into json: the payload is not JSON", Status: http.StatusBadRequest})
		return
	}
	physical, _ := configuration["FunctionName"].(string)
	switch r.Header.Get("X-Amz-Invocation-Type") {
	case "DryRun":
		w.WriteHeader(http.StatusNoContent)
		return
	case "Event":
		// Like AWS, answer at once; unlike AWS, nothing is tried again.
		go h.options.Invoker.Invoke(context.WithoutCancel(r.Context()), physical, event)
		w.WriteHeader(http.StatusAccepted)
		return
	}
	result, err := h.options.Invoker.Invoke(r.Context(), physical, event)
	if err != nil {
		writeJSONError(w, &stack.Error{Code: "ServiceException", Message: err.Error(), Status: http.StatusInternalServerError})
		return
	}
	if result.Failed != "" {
		w.Header().Set("X-Amz-Function-Error", result.Failed)
	}
	if r.Header.Get("X-Amz-Log-Type") == "Tail" {
		w.Header().Set("X-Amz-Log-Result", h.logTail(configuration, result.RequestID))
	}
	w.Header().Set("X-Amz-Executed-Version", "$LATEST")
	w.Header().Set("x-amzn-RequestId", result.RequestID)
	w.Header().Set("Content-Type", "application/json")
	w.Write(result.Payload)
}

// maxLogTail is how much of an invocation's log goes back with its result.
const maxLogTail = 4 << 10

// logTail gives the end of what a function printed for a request, in base64.
func (h *Handler) logTail(configuration map[string]any, request string) string {
	var where struct{ LoggingConfig struct{ LogGroup string } }
	var found struct{ Events []struct{ Message string } }
	if h.options.Logs == nil || reshape(configuration, &where) != nil {
		return ""
	}
	query, err := json.Marshal(map[string]string{"logGroupName": where.LoggingConfig.LogGroup, "filterPattern": `"` + request + `"`})
	if err != nil {
		return ""
	}
	// A group that is not there yet holds no lines.
	answer, err := h.options.Logs.Handle("FilterLogEvents", query)
	if err != nil || reshape(answer, &found) != nil {
		return ""
	}
	var text strings.Builder
	for _, e := range found.Events {
		text.WriteString(e.Message + "\n")
	}
	return base64.StdEncoding.EncodeToString([]byte(text.String()[max(0, text.Len()-maxLogTail):]))
}

// reshape gives a value that prints as JSON the form of another one.
func reshape(from, to any) error {
	data, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, to)
}
