// Package wire speaks AWS's protocols in front of the local cloud: Query with
// XML for CloudFormation, STS and IAM, JSON for SSM and CloudWatch Logs, REST
// for Lambda and S3. Any AWS client works with it unchanged, given the endpoint;
// any credentials will do, as signatures are not checked; package rights knows the
// keys of functions.
package wire

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"arc/sandbox/door"
	"arc/sandbox/stack"
)

// Endpoint is a service behind the one address of the local cloud.
type Endpoint struct {
	// Service is the name that clients sign their requests for: "ssm".
	Service string
	// Variable ends the name of the variable that points an SDK at the service,
	// AWS_ENDPOINT_URL_SSM; "" = none.
	// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
	Variable string
	// Base is the path at which an SDK is to find the service; "" = the root.
	Base string
	// Unsigned requests are told by what is before the dot of X-Amz-Target, by
	// the version of a Query API, or by how the path begins.
	Targets []string
	Version string
	Path    string
	// Unsigned is a pattern of http.ServeMux for requests that nobody signs: GET
	// must change nothing there, and the rest is refused to pages. "" = none.
	Unsigned string
	// Handler answers: JSON or Query makes one of a service's operations.
	Handler http.Handler
}

// JSONService answers an operation of a JSON protocol: the request's body in,
// a value to print as JSON out.
type JSONService interface {
	Handle(ctx context.Context, operation string, body []byte) (any, error)
}

// QueryService answers an operation of a Query protocol: the form in, a value
// to print as XML out.
type QueryService interface {
	Handle(ctx context.Context, operation string, form url.Values) (any, error)
}

// Handler is the endpoint of the local cloud.
type Handler struct {
	endpoints []Endpoint
	handlers  map[string]http.Handler // by service
}

// New puts services behind one handler.
func New(endpoints ...Endpoint) *Handler {
	h := &Handler{endpoints: endpoints, handlers: map[string]http.Handler{}}
	for _, e := range endpoints {
		h.handlers[e.Service] = e.Handler
	}
	return h
}

// ServeHTTP finds out which service a request is for and hands it on.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	service := h.serviceOf(r)
	handler := h.handlers[service]
	for _, e := range h.endpoints { // two versions of a service have one name
		if e.Service == service && e.Path != "" && strings.HasPrefix(r.URL.Path, e.Path) {
			handler = e.Handler
			break
		}
	}
	if handler != nil {
		handler.ServeHTTP(w, r.WithContext(stack.WithRegion(r.Context(), door.ScopeOf(r).Region)))
		return
	}
	unknownService(w, r, service)
}

// serviceOf is the service that a request is for. Clients sign for a service,
// so the signature says it best; unsigned requests are told by their form.
func (h *Handler) serviceOf(r *http.Request) string {
	if service := door.ScopeOf(r).Service; service != "" {
		return service
	}
	// What the door lets in as a form with files is S3's, which looks for the
	// signature in it.
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return "s3"
	}
	by := func(match func(Endpoint) bool) string {
		if i := slices.IndexFunc(h.endpoints, match); i >= 0 {
			return h.endpoints[i].Service
		}
		return ""
	}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		prefix, _, _ := strings.Cut(target, ".")
		if service := by(func(e Endpoint) bool { return slices.Contains(e.Targets, prefix) }); service != "" {
			return service
		}
		return prefix
	}
	if service := by(func(e Endpoint) bool { return e.Path != "" && strings.HasPrefix(r.URL.Path, e.Path) }); service != "" {
		return service
	}
	if isForm(r) && r.URL.Path == "/" {
		form, _ := formOf(r) // what cannot be read has no version, and is answered for by S3
		version := form.Get("Version")
		if service := by(func(e Endpoint) bool { return e.Version != "" && e.Version == version }); service != "" {
			return service
		}
	}
	return "s3"
}

// isForm reports whether a request is a Query action. By GET, the door lets in
// none but what is presigned and changes nothing.
func isForm(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") ||
		r.Method == http.MethodGet && r.URL.Query().Has("Action")
}

// maxForm bounds a Query or JSON request; CloudFormation's own limit is about 1 MB.
const maxForm = 4 << 20

// formOf reads the parameters of a Query request, from body and URL.
func formOf(r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return url.Values{}, unreadable(err)
	}
	return r.Form, nil
}

// unreadable is the answer when a request's body cannot be read to its end.
func unreadable(err error) error {
	if errors.Is(err, door.ErrFull) {
		return &stack.Error{Code: "ThrottlingException", Message: err.Error(), Status: http.StatusServiceUnavailable}
	}
	return &stack.Error{Code: "SerializationException", Message: "the request cannot be read: " + err.Error()}
}

func unknownService(w http.ResponseWriter, r *http.Request, service string) {
	WriteError(w, r, service, &stack.Error{Code: "UnknownOperationException", Status: http.StatusNotImplemented, Message: fmt.Sprintf("the local cloud runs no %s at this endpoint: %s", service, asked(r))})
}

// NewRequestID makes the ID of a request: a random UUID.
func NewRequestID() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
