package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// maxUpdate bounds the body of a call that changes a function: 50 MB of zip, as
// base64. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxUpdate = 70 << 20

// concurrencyPath begins the paths of the operations on reserved concurrency.
const concurrencyPath = "/2017-10-31/functions"

// updates are the operations that change a function which a stack made: by
// method and what stands behind the function's name.
func (s *Service) update(w http.ResponseWriter, r *http.Request, name, what string) bool {
	var do func(ctx context.Context, name string, body []byte) (any, error)
	kind, rest, _ := strings.Cut(what, "/")
	switch r.Method + " " + kind {
	case "PUT code":
		do = s.updateCode
	case "PUT configuration":
		do = s.updateConfiguration
	case "POST versions":
		do = s.publishVersion
	case "PUT aliases":
		do = func(_ context.Context, name string, body []byte) (any, error) { return s.moveAlias(name, rest, body) }
	case "PUT concurrency":
		do = s.putConcurrency
	case "DELETE concurrency":
		do = s.deleteConcurrency
	default:
		return false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxUpdate))
	if err != nil {
		wire.WriteJSONError(w, &stack.Error{Code: "RequestEntityTooLargeException", Message: err.Error(), Status: http.StatusRequestEntityTooLarge})
		return true
	}
	answer, err := do(r.Context(), name, body)
	if err != nil {
		wire.WriteJSONError(w, err)
		return true
	}
	if answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return true
	}
	wire.WriteJSON(w, http.StatusOK, answer)
	return true
}

// deployed finds a function whose code came in a zip.
func (s *Service) deployed(name string) (Function, error) {
	fn, err := s.find(name)
	if err != nil {
		return fn, err
	}
	s.mu.Lock()
	_, live := s.resources.live[fn.Name]
	s.mu.Unlock()
	if live {
		return fn, invalid("%s runs from its folder in the project: what is saved there is what it runs", fn.Name)
	}
	return fn, nil
}

func invalid(format string, args ...any) error {
	return &stack.Error{Code: "InvalidParameterValueException", Status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
}

func readUpdate(body []byte, into any) error {
	if len(body) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &stack.Error{Code: "SerializationException", Status: http.StatusBadRequest, Message: "the request's JSON cannot be read: " + err.Error()}
	}
	return nil
}

// updateCode answers UpdateFunctionCode.
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
func (s *Service) updateCode(ctx context.Context, name string, body []byte) (any, error) {
	fn, err := s.deployed(name)
	if err != nil {
		return nil, err
	}
	var in struct {
		ZipFile         []byte
		S3Bucket, S3Key string
		DryRun, Publish bool
	}
	if err := readUpdate(body, &in); err != nil {
		return nil, err
	}
	var code Unpacked
	switch {
	case in.Publish:
		return nil, invalid("Publish: the local cloud publishes a version by PublishVersion")
	case len(in.ZipFile) > 0 && s.options.Zip != nil:
		code, err = s.options.Zip(in.ZipFile)
	case in.S3Bucket != "" && in.S3Key != "" && s.options.Code != nil:
		code, err = s.options.Code(ctx, in.S3Bucket, in.S3Key)
	default:
		return nil, invalid("Please provide a source for function code.")
	}
	if err != nil {
		return nil, invalid("Could not unzip uploaded file: %v", err)
	}
	fn.Dir, fn.CodeSHA256 = code.Dir, code.SHA256
	if in.DryRun {
		return configuration(fn), nil
	}
	s.remember(fn.Name, code)
	s.Put(fn)
	return configuration(fn), s.settle(ctx, fn.Name)
}

// updateConfiguration answers UpdateFunctionConfiguration.
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
func (s *Service) updateConfiguration(ctx context.Context, name string, body []byte) (any, error) {
	fn, err := s.deployed(name)
	if err != nil {
		return nil, err
	}
	var in struct {
		Description, Handler, Runtime *string
		MemorySize, Timeout           *int
		Environment                   *struct{ Variables map[string]string }
	}
	if err := readUpdate(body, &in); err != nil {
		return nil, err
	}
	set(&fn.Description, in.Description)
	set(&fn.Handler, in.Handler)
	if fn.Runtime != "deno" { // which is provided.al2023, with its layer
		set(&fn.Runtime, in.Runtime)
	}
	set(&fn.MemoryMB, in.MemorySize)
	set(&fn.Timeout, in.Timeout)
	switch {
	case fn.Timeout < 1 || fn.Timeout > 900:
		return nil, invalid("Timeout: %d: must be 1 to 900 seconds", fn.Timeout)
	case fn.MemoryMB < 128 || fn.MemoryMB > 10240:
		return nil, invalid("MemorySize: %d: must be 128 to 10240 MB", fn.MemoryMB)
	}
	if in.Environment != nil {
		fn.Env = in.Environment.Variables
	}
	s.Put(fn)
	return configuration(fn), s.settle(ctx, fn.Name)
}

func set[T any](to *T, value *T) {
	if value != nil {
		*to = *value
	}
}

// publishVersion answers PublishVersion: every number runs the same here.
// https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
func (s *Service) publishVersion(_ context.Context, name string, _ []byte) (any, error) {
	fn, err := s.deployed(name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resources.numbers[fn.ARN]++
	number := strconv.Itoa(s.resources.numbers[fn.ARN])
	s.qualify(fn.Name, number)
	is := configuration(fn)
	is["Version"], is["FunctionArn"] = number, fn.ARN+":"+number
	return is, nil
}

// moveAlias answers UpdateAlias.
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html
func (s *Service) moveAlias(name, alias string, body []byte) (any, error) {
	fn, err := s.deployed(name)
	if err != nil {
		return nil, err
	}
	var in struct{ FunctionVersion string }
	if err := readUpdate(body, &in); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, qualifier := range []string{alias, in.FunctionVersion} {
		if !s.resources.qualifiers[fn.Name][qualifier] {
			return nil, &stack.Error{Code: "ResourceNotFoundException", Status: http.StatusNotFound, Message: "Function not found: " + fn.ARN + ":" + qualifier}
		}
	}
	s.resources.aliases[fn.ARN+":"+alias] = in.FunctionVersion
	return map[string]string{"AliasArn": fn.ARN + ":" + alias, "Name": alias, "FunctionVersion": in.FunctionVersion}, nil
}

// putConcurrency answers PutFunctionConcurrency.
// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html
func (s *Service) putConcurrency(_ context.Context, name string, body []byte) (any, error) {
	fn, err := s.deployed(name)
	if err != nil {
		return nil, err
	}
	var in struct{ ReservedConcurrentExecutions *int }
	if err := readUpdate(body, &in); err != nil {
		return nil, err
	}
	if in.ReservedConcurrentExecutions == nil || *in.ReservedConcurrentExecutions < 0 {
		return nil, invalid("ReservedConcurrentExecutions: must be 0 or more")
	}
	fn.Reserved = in.ReservedConcurrentExecutions
	s.Put(fn)
	return map[string]int{"ReservedConcurrentExecutions": *fn.Reserved}, nil
}

// deleteConcurrency answers DeleteFunctionConcurrency.
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionConcurrency.html
func (s *Service) deleteConcurrency(_ context.Context, name string, _ []byte) (any, error) {
	fn, err := s.deployed(name)
	if err != nil {
		return nil, err
	}
	fn.Reserved = nil
	s.Put(fn)
	return nil, nil
}
