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
	"strings"

	"arc/sandbox/lambda"
	"arc/sandbox/stack"
)

// Options are the services that the handler stands in front of. A service that
// is nil is answered for with an error that names it.
type Options struct {
	Account, Region string

	Stacks     *stack.Engine
	Objects    http.Handler // S3
	Parameters JSONService  // SSM
	Logs       JSONService  // CloudWatch Logs
	Identities QueryService // IAM
	Functions  Functions    // what of Lambda can be read
	Invoker    lambda.Invoker
}

// JSONService answers an operation of a JSON protocol: the request's body in,
// a value to print as JSON out.
type JSONService interface {
	Handle(operation string, body []byte) (any, error)
}

// QueryService answers an operation of a Query protocol: the form in, a value
// to print as XML out.
type QueryService interface {
	Handle(operation string, form url.Values) (any, error)
}

// Functions tells what functions there are, in the JSON shape of Lambda's
// FunctionConfiguration.
type Functions interface {
	List() []map[string]any
	// Function finds one by name or ARN; ok is false when there is none.
	Function(name string) (configuration map[string]any, ok bool)
}

// Handler is the endpoint of the local cloud.
type Handler struct {
	options    Options
	operations map[string]map[string]operation // of Query services: service, operation
}

// New makes the endpoint.
func New(options Options) *Handler {
	h := &Handler{options: options}
	h.operations = map[string]map[string]operation{"sts": h.sts()}
	if options.Stacks != nil {
		h.operations["cloudformation"] = cloudFormation(options.Stacks)
	}
	return h
}

// ServeHTTP finds out which service a request is for and hands it on.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Discovery as the @architect/functions libraries ask for it.
	if r.URL.Path == "/_arc/ssm" {
		h.json(w, r, "ssm", h.options.Parameters)
		return
	}
	switch service := serviceOf(r); service {
	case "cloudformation", "sts", "iam":
		h.query(w, r, service)
	case "ssm":
		h.json(w, r, service, h.options.Parameters)
	case "logs":
		h.json(w, r, service, h.options.Logs)
	case "lambda":
		h.lambda(w, r)
	case "s3":
		if h.options.Objects == nil {
			unknownService(w, r, service)
			return
		}
		h.options.Objects.ServeHTTP(w, r)
	default:
		unknownService(w, r, service)
	}
}

// serviceOf is the service that a request is for. Clients sign for a service,
// so the signature says it best; unsigned requests are told by their form.
func serviceOf(r *http.Request) string {
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
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		prefix, _, _ := strings.Cut(target, ".")
		if service, ok := targets[prefix]; ok {
			return service
		}
		return prefix
	}
	if strings.HasPrefix(r.URL.Path, "/2015-03-31/functions") {
		return "lambda"
	}
	if isForm(r) && r.URL.Path == "/" {
		if service, ok := versions[formOf(r).Get("Version")]; ok {
			return service
		}
	}
	return "s3"
}

// targets are the services by the prefix of their X-Amz-Target header.
var targets = map[string]string{
	"AmazonSSM":                "ssm",
	"Logs_20140328":            "logs",
	"DynamoDB_20120810":        "dynamodb",
	"AmazonSQS":                "sqs",
	"AWSEvents":                "events",
	"DynamoDBStreams_20120810": "dynamodb",
}

// versions are the Query services by the version of their API.
var versions = map[string]string{
	"2010-05-15": "cloudformation",
	"2011-06-15": "sts",
	"2010-05-08": "iam",
	"2010-03-31": "sns",
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
	writeJSONError(w, &stack.Error{Code: "UnknownOperationException", Message: message, Status: http.StatusNotImplemented})
}

// operation answers one operation of a Query service.
type operation func(ctx context.Context, form url.Values) (any, error)

func newRequestID() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
