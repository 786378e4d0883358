package lambda

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"arc/sandbox/journal"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Endpoint is where clients find the service.
func (s *Service) Endpoint() wire.Endpoint {
	return wire.Endpoint{Service: "lambda", Variable: "LAMBDA", Path: functionsPath, Handler: s}
}

// Restore keeps how far event source mappings have read their streams, and the
// asynchronous events that are under way. All else comes back with its stack.
func (s *Service) Restore(log *journal.Log) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.positions = log
	for key, value := range log.All() {
		if strings.HasPrefix(key, underWay) {
			if err := s.restoreEvent(key, value); err != nil {
				return fmt.Errorf("data of the local cloud: %s: %w", key, err)
			}
			continue
		}
		if version, ok := strings.CutPrefix(key, frozenVersion); ok {
			s.resources.frozen[version] = value
			continue
		}
		if strings.HasPrefix(key, publishedVersion) {
			continue // read when its function is there
		}
		var at string
		if err := json.Unmarshal(value, &at); err != nil {
			return fmt.Errorf("data of the local cloud: %s: %w", key, err)
		}
		s.places[key] = at
	}
	return nil
}

// functionsPath begins the paths of the operations that are answered.
const functionsPath = "/2015-03-31/functions"

// maxAsync is how long an asynchronous invocation's payload may be.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxAsync = 1 << 20

// ServeHTTP answers the part of Lambda's API that reads, invokes and updates:
// functions are made by stacks only.
// https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if out, known, err := s.read(r); known {
		if err != nil {
			wire.WriteJSONError(w, err)
			return
		}
		wire.WriteJSON(w, http.StatusOK, out)
		return
	}
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), functionsPath)
	if !ok {
		rest, ok = strings.CutPrefix(r.URL.EscapedPath(), concurrencyPath)
	}
	rest = strings.Trim(rest, "/")
	name, what, _ := strings.Cut(rest, "/")
	name, err := url.PathUnescape(name)
	switch {
	case !ok || err != nil:
	case r.Method == http.MethodGet && name == "":
		s.list(w, r)
		return
	case r.Method == http.MethodGet && (what == "" || what == "configuration"):
		s.show(w, name, r.URL.Query().Get("Qualifier"), what == "")
		return
	case r.Method == http.MethodPost && what == "invocations":
		s.serveInvoke(w, r, name)
		return
	case name != "" && s.update(w, r, name, what):
		return
	}
	wire.WriteJSONError(w, &stack.Error{
		Code: "UnknownOperationException", Status: http.StatusNotImplemented,
		Message: fmt.Sprintf("the local cloud's Lambda does not run %s %s", r.Method, r.URL.Path),
	})
}

// find gives a function by what it may be called by.
func (s *Service) find(called string) (Function, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.resolve(called); f != nil {
		return f.Function, nil
	}
	return Function{}, &stack.Error{
		Code: "ResourceNotFoundException", Status: http.StatusNotFound,
		Message: fmt.Sprintf("Function not found: arn:%s:lambda:%s:%s:function:%s", stack.Partition(s.options.Region), s.options.Region, s.options.Account, called),
	}
}

func (s *Service) show(w http.ResponseWriter, name, qualifier string, whole bool) {
	called := name
	if qualifier != "" {
		called += ":" + qualifier
	}
	fn, err := s.find(called)
	if err != nil {
		wire.WriteJSONError(w, err)
		return
	}
	if whole {
		out := map[string]any{"Configuration": s.qualified(fn, name, qualifier), "Tags": s.tagsOf(fn.Name)}
		if fn.Reserved != nil {
			out["Concurrency"] = reserved(fn)
		}
		wire.WriteJSON(w, http.StatusOK, out)
		return
	}
	wire.WriteJSON(w, http.StatusOK, s.qualified(fn, name, qualifier))
}

func (s *Service) serveInvoke(w http.ResponseWriter, r *http.Request, name string) {
	if qualifier := r.URL.Query().Get("Qualifier"); qualifier != "" {
		if _, in := splitName(name); in != "" && in != qualifier {
			wire.WriteJSONError(w, invalid("The derived qualifier from the function name does not match the specified qualifier."))
			return
		} else if in == "" {
			name += ":" + qualifier
		}
	}
	fn, err := s.find(name)
	if err != nil {
		wire.WriteJSONError(w, err)
		return
	}
	name = withQualifier(fn.Name, name)
	kind, limit := r.Header.Get("X-Amz-Invocation-Type"), int64(maxPayload)
	if kind == "Event" {
		limit = maxAsync
	}
	event, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		wire.WriteJSONError(w, &stack.Error{Code: "RequestTooLargeException", Message: err.Error(), Status: http.StatusRequestEntityTooLarge})
		return
	}
	if len(event) == 0 {
		event = []byte("{}")
	}
	if !json.Valid(event) {
		wire.WriteJSONError(w, &stack.Error{Code: "InvalidRequestContentException", Message: "Could not parse request body into json: the payload is not JSON", Status: http.StatusBadRequest})
		return
	}
	switch kind {
	case "DryRun":
		w.WriteHeader(http.StatusNoContent)
		return
	case "Event":
		id := newRequestID()
		if err := s.Deliver(name, id, event); err != nil {
			wire.WriteJSONError(w, err)
			return
		}
		w.Header().Set("x-amzn-RequestId", id)
		w.WriteHeader(http.StatusAccepted)
		return
	}
	s.answer(w, r, fn, name, event)
}

// answer runs a function for a caller that waits.
func (s *Service) answer(w http.ResponseWriter, r *http.Request, fn Function, name string, event []byte) {
	result, err := s.Invoke(r.Context(), name, event)
	if err != nil {
		wire.WriteJSONError(w, &stack.Error{Code: "ServiceException", Message: err.Error(), Status: http.StatusInternalServerError})
		return
	}
	if result.Failed != "" {
		w.Header().Set("X-Amz-Function-Error", result.Failed)
	}
	if r.Header.Get("X-Amz-Log-Type") == "Tail" && s.options.Tail != nil {
		tail := s.options.Tail(fn.Logs(), result.RequestID, maxLogTail)
		w.Header().Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString([]byte(tail)))
	}
	w.Header().Set("X-Amz-Executed-Version", result.Version)
	w.Header().Set("x-amzn-RequestId", result.RequestID)
	w.Header().Set("Content-Type", "application/json")
	w.Write(result.Payload)
}

// maxLogTail is how many bytes of an invocation's log go back with its result.
const maxLogTail = 4 << 10

// configuration is Lambda's FunctionConfiguration, without the environment's
// values: they may be secrets.
func configuration(fn Function) map[string]any {
	is := map[string]any{
		"FunctionName": fn.Name,
		"FunctionArn":  fn.ARN,
		"Runtime":      fn.Runtime,
		"Handler":      fn.Handler,
		"Timeout":      fn.Timeout,
		"MemorySize":   fn.MemoryMB,
		"PackageType":  "Zip",
		"Description":  fn.Description,
		"Environment":  map[string]any{"Variables": fn.Env},
		"State":        "Active",
		// A function is listed when it is ready, and its update takes no time.
		"LastUpdateStatus": "Successful",
		"Version":          fn.version(),
		"LoggingConfig":    map[string]any{"LogFormat": "Text", "LogGroup": fn.Logs()},
	}
	is["EphemeralStorage"] = map[string]int{"Size": cmp.Or(fn.Storage, 512)}
	if fn.DeadLetter != "" {
		is["DeadLetterConfig"] = map[string]string{"TargetArn": fn.DeadLetter}
	}
	if fn.Role != "" {
		is["Role"] = fn.Role
	}
	if fn.CodeSHA256 != "" {
		is["CodeSha256"] = fn.CodeSHA256
	}
	return is
}
