// Package wire speaks AWS's protocols in front of the local cloud: Query with
// XML for CloudFormation, STS and IAM, JSON for SSM and CloudWatch Logs, REST
// for Lambda and S3. Any AWS client works with it unchanged, given the endpoint;
// any credentials will do, as signatures are not checked.
package wire

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

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
	if handler := h.handlers[service]; handler != nil {
		handler.ServeHTTP(w, r)
		return
	}
	unknownService(w, r, service)
}

// serviceOf is the service that a request is for. Clients sign for a service,
// so the signature says it best; unsigned requests are told by their form.
func (h *Handler) serviceOf(r *http.Request) string {
	if scope := credentialScope(r); scope != "" {
		parts := strings.Split(scope, "/")
		if len(parts) >= 4 { // key, date, [region,] service, aws4_request
			service := parts[len(parts)-2]
			if service == "s3express" {
				return "s3"
			}
			return service
		}
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
		version := formOf(r).Get("Version")
		if service := by(func(e Endpoint) bool { return e.Version != "" && e.Version == version }); service != "" {
			return service
		}
	}
	return "s3"
}

// credentialScope finds the scope in the header, or in a presigned URL's query.
func credentialScope(r *http.Request) string {
	if _, rest, ok := strings.Cut(r.Header.Get("Authorization"), "Credential="); ok {
		scope, _, _ := strings.Cut(rest, ",")
		return strings.TrimSpace(scope)
	}
	return r.URL.Query().Get("X-Amz-Credential")
}

func isForm(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") ||
		r.URL.Query().Has("Action")
}

// maxForm bounds a Query or JSON request; CloudFormation's own limit is about 1 MB.
const maxForm = 4 << 20

// formOf reads the parameters of a Query request, from body and URL.
func formOf(r *http.Request) url.Values {
	r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return url.Values{}
	}
	return r.Form
}

func unknownService(w http.ResponseWriter, r *http.Request, service string) {
	message := fmt.Sprintf("the local cloud runs no %s at this endpoint", service)
	if isForm(r) {
		writeQueryError(w, "", &stack.Error{Code: "InvalidAction", Message: message, Status: http.StatusNotImplemented})
		return
	}
	WriteJSONError(w, &stack.Error{Code: "UnknownOperationException", Message: message, Status: http.StatusNotImplemented})
}

// NewRequestID makes the ID of a request: a random UUID.
func NewRequestID() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
