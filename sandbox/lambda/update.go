package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
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
	if fn.Version != "" {
		return fn, invalid("%s: a version is what it is: change the function, and publish another", name)
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
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields() // what is not taken is refused by its name
	if err := d.Decode(into); err != nil {
		if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
			return invalid("%s: the local cloud does not take it", strings.Trim(name, `"`))
		}
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
		Architectures   []string // code of either runs on this machine's, or does not
	}
	if err := readUpdate(body, &in); err != nil {
		return nil, err
	}
	var code Unpacked
	switch {
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
	if err := s.settle(ctx, fn.Name); err != nil || !in.Publish {
		return configuration(fn), err
	}
	return s.publish(fn.Name, "", "")
}

// updateConfiguration answers UpdateFunctionConfiguration.
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
func (s *Service) updateConfiguration(ctx context.Context, name string, body []byte) (any, error) {
	fn, err := s.deployed(name)
	if err != nil {
		return nil, err
	}
	var in struct {
		Description, Handler, Runtime, Role *string
		MemorySize, Timeout                 *int
		Environment                         *struct{ Variables map[string]string }
		Layers                              *[]string
		EphemeralStorage                    *struct{ Size int }
		DeadLetterConfig                    *struct{ TargetArn string }
		LoggingConfig                       *struct{ LogGroup, LogFormat, ApplicationLogLevel, SystemLogLevel *string }
		// What changes nothing here.
		KMSKeyArn, TracingConfig, VpcConfig, SnapStart any
	}
	if err := readUpdate(body, &in); err != nil {
		return nil, err
	}
	if l := in.LoggingConfig; l != nil {
		set(&fn.LogGroup, l.LogGroup)
		for name, value := range map[string]*string{"LogFormat": l.LogFormat, "ApplicationLogLevel": l.ApplicationLogLevel, "SystemLogLevel": l.SystemLogLevel} {
			if value != nil && *value != "Text" {
				s.leftOut(fn.Name, map[string]any{"LoggingConfig." + name: *value})
			}
		}
	}
	if d := in.DeadLetterConfig; d != nil {
		fn.DeadLetter = d.TargetArn
	}
	if e := in.EphemeralStorage; e != nil {
		fn.Storage = e.Size
		if err := checkStorage(fn.Storage); err != nil {
			return nil, invalid("EphemeralStorage.Size: %v", err)
		}
	}
	set(&fn.Role, in.Role)
	if in.Role != nil || in.DeadLetterConfig != nil {
		if err := s.mayRun(ctx, fn); err != nil {
			return nil, err
		}
	}
	if in.Layers != nil {
		fn.Opt, fn.Missing = "", nil
		if err := s.layered(&fn, *in.Layers); err != nil {
			return nil, invalid("%v", err)
		}
	}
	s.leftOut(fn.Name, map[string]any{"KMSKeyArn": in.KMSKeyArn, "TracingConfig": in.TracingConfig, "VpcConfig": in.VpcConfig, "SnapStart": in.SnapStart})
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

// checkStorage refuses a size of /tmp that Lambda refuses.
// https://docs.aws.amazon.com/lambda/latest/api/API_EphemeralStorage.html
func checkStorage(mb int) error {
	if mb < 512 || mb > 10240 {
		return fmt.Errorf("%d: must be 512 to 10240 MB", mb)
	}
	return nil
}

// leftOut tells once what of a change makes no difference here.
func (s *Service) leftOut(function string, members map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if members[name] == nil {
			continue
		}
		s.mu.Lock()
		said := s.resources.told[function+" "+name]
		s.resources.told[function+" "+name] = true
		s.mu.Unlock()
		if !said {
			s.options.Tell.Or().Notice("function %s: its %s makes no difference here", function, name)
		}
	}
}

// publishVersion answers PublishVersion.
// https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
func (s *Service) publishVersion(_ context.Context, name string, body []byte) (any, error) {
	fn, err := s.deployed(name)
	if err != nil {
		return nil, err
	}
	var in struct{ CodeSha256, Description string }
	if err := readUpdate(body, &in); err != nil {
		return nil, err
	}
	return s.publish(fn.Name, in.Description, in.CodeSha256)
}

// publish freezes a function under a number, and answers with the newest version
// where that is the same.
func (s *Service) publish(name, description, sum string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.functions[name]
	if f == nil {
		return nil, notFound("Function not found: %s", name)
	}
	if sum != "" && f.CodeSHA256 != "" && sum != f.CodeSHA256 {
		return nil, invalid("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.", sum, f.CodeSHA256)
	}
	number := s.unchanged(f)
	if number == "" {
		number = strconv.Itoa(s.resources.numbers[f.ARN] + 1)
		if err := s.keepPublished(f.Function, number, description); err != nil {
			return nil, err
		}
		s.resources.numbers[f.ARN]++
		s.qualify(f.Name, number)
		s.freeze(f.Function, number, description)
	}
	return s.versioned(f.Function, number), nil
}

// moveAlias answers UpdateAlias.
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html
func (s *Service) moveAlias(name, of string, body []byte) (any, error) {
	fn, err := s.deployed(name)
	if err != nil {
		return nil, err
	}
	var in struct {
		FunctionVersion, Description *string
		RoutingConfig                *struct{ AdditionalVersionWeights map[string]float64 }
	}
	if err := readUpdate(body, &in); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.functions[fn.Name]
	to, ok := s.resources.aliases[fn.ARN+":"+of]
	if f == nil || !ok {
		return nil, notFound("Function not found: %s:%s", fn.ARN, of)
	}
	set(&to.version, in.FunctionVersion)
	set(&to.description, in.Description)
	if in.RoutingConfig != nil {
		to.routing = in.RoutingConfig.AdditionalVersionWeights
	}
	if err := s.pointAlias(f, of, to); err != nil {
		return nil, err
	}
	return to.told(fn.ARN+":"+of, of), nil
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
