package gateway

import (
	"encoding/base64"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"arc/sandbox/ingress"
)

// clockFormat is how API Gateway writes requestContext.time and requestTime.
const clockFormat = "02/Jan/2006:15:04:05 +0000"

// call is one HTTP request on its way to a function, with what both payload
// formats need of it.
type call struct {
	request   *http.Request
	api       *api
	stage     *liveStage
	route     *route
	path      string // within the stage, as it was sent
	variables map[string]string
	caller    *caller
	body      []byte // nil: not read yet
	// overwritten says that path is what a mapping made of it.
	overwritten bool
	at          time.Time
	id          string
	delay       string // what the log says of the time before the function had the event
}

// event2 is payload format 2.0.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
type event2 struct {
	Version               string            `json:"version"`
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext        context2          `json:"requestContext"`
	PathParameters        map[string]string `json:"pathParameters,omitempty"`
	StageVariables        map[string]string `json:"stageVariables,omitempty"`
	Body                  string            `json:"body,omitempty"`
	IsBase64Encoded       bool              `json:"isBase64Encoded"`
}

type context2 struct {
	AccountID    string     `json:"accountId"`
	APIID        string     `json:"apiId"`
	Authorizer   any        `json:"authorizer,omitempty"`
	DomainName   string     `json:"domainName"`
	DomainPrefix string     `json:"domainPrefix"`
	HTTP         httpFields `json:"http"`
	RequestID    string     `json:"requestId"`
	RouteKey     string     `json:"routeKey"`
	Stage        string     `json:"stage"`
	Time         string     `json:"time"`
	TimeEpoch    int64      `json:"timeEpoch"`
}

type httpFields struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// event2 builds the payload. rawPath is decoded in spite of its name, and
// keeps a named stage, since that is what API Gateway sends.
func (c *call) event2() event2 {
	r := c.request
	host, prefix := ingress.Domain(r)
	e := event2{
		Version:        "2.0",
		RouteKey:       c.route.key,
		RawPath:        r.URL.Path,
		RawQueryString: r.URL.RawQuery,
		Headers:        map[string]string{},
		PathParameters: c.variables,
		StageVariables: c.stage.variables,
		RequestContext: context2{
			AccountID: c.api.stack.Account, APIID: c.api.id, Authorizer: c.caller.seen2(), DomainName: host, DomainPrefix: prefix,
			HTTP: httpFields{
				Method: r.Method, Path: r.URL.Path, Protocol: r.Proto,
				SourceIP: ingress.SourceIP(r), UserAgent: ingress.Latin1(r.UserAgent()),
			},
			RequestID: c.id, RouteKey: c.route.key, Stage: c.stage.name,
			Time: c.at.UTC().Format(clockFormat), TimeEpoch: c.at.UnixMilli(),
		},
	}
	for name, values := range c.headers() {
		e.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	for _, line := range r.Header["Cookie"] {
		for cookie := range strings.SplitSeq(line, ";") {
			if cookie = strings.TrimSpace(cookie); cookie != "" {
				e.Cookies = append(e.Cookies, ingress.Latin1(cookie))
			}
		}
	}
	delete(e.Headers, "cookie")
	if r.URL.RawQuery != "" {
		e.QueryStringParameters = map[string]string{}
		for name, values := range ingress.Query(r) {
			e.QueryStringParameters[name] = strings.Join(values, ",")
		}
	}
	e.Body, e.IsBase64Encoded = bodyText(r.Header.Get("Content-Type"), c.body)
	return e
}

// event1 is payload format 1.0.
type event1 struct {
	Version                         string              `json:"version"`
	Resource                        string              `json:"resource"`
	Path                            string              `json:"path"`
	HTTPMethod                      string              `json:"httpMethod"`
	Headers                         map[string]string   `json:"headers"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`
	RequestContext                  context1            `json:"requestContext"`
	PathParameters                  map[string]string   `json:"pathParameters"`
	StageVariables                  map[string]string   `json:"stageVariables"`
	Body                            *string             `json:"body"`
	IsBase64Encoded                 bool                `json:"isBase64Encoded"`
}

type context1 struct {
	AccountID         string    `json:"accountId"`
	APIID             string    `json:"apiId"`
	Authorizer        any       `json:"authorizer,omitempty"`
	DomainName        string    `json:"domainName"`
	DomainPrefix      string    `json:"domainPrefix"`
	ExtendedRequestID string    `json:"extendedRequestId"`
	HTTPMethod        string    `json:"httpMethod"`
	Identity          identity1 `json:"identity"`
	Path              string    `json:"path"`
	Protocol          string    `json:"protocol"`
	RequestID         string    `json:"requestId"`
	RequestTime       string    `json:"requestTime"`
	RequestTimeEpoch  int64     `json:"requestTimeEpoch"`
	ResourceID        string    `json:"resourceId"`
	ResourcePath      string    `json:"resourcePath"`
	Stage             string    `json:"stage"`
}

// identity1 has the fields of an unauthenticated caller: API Gateway sends
// the empty ones as null.
type identity1 struct {
	AccessKey                     *string `json:"accessKey"`
	AccountID                     *string `json:"accountId"`
	Caller                        *string `json:"caller"`
	CognitoAMR                    *string `json:"cognitoAmr"`
	CognitoAuthenticationProvider *string `json:"cognitoAuthenticationProvider"`
	CognitoAuthenticationType     *string `json:"cognitoAuthenticationType"`
	CognitoIdentityID             *string `json:"cognitoIdentityId"`
	CognitoIdentityPoolID         *string `json:"cognitoIdentityPoolId"`
	PrincipalOrgID                *string `json:"principalOrgId"`
	SourceIP                      string  `json:"sourceIp"`
	User                          *string `json:"user"`
	UserAgent                     string  `json:"userAgent"`
	UserARN                       *string `json:"userArn"`
}

// identity1 is who called: with a signature, what is known of its key.
func (c *call) identity1() identity1 {
	i := identity1{SourceIP: ingress.SourceIP(c.request), UserAgent: ingress.Latin1(c.request.UserAgent())}
	if c.caller != nil && c.caller.iam != nil {
		who := c.caller.iam
		i.AccessKey, i.AccountID, i.Caller, i.User, i.UserARN = &who.AccessKey, &who.Account, &who.ID, &who.ID, &who.ARN
	}
	return i
}

func (c *call) event1() event1 {
	r := c.request
	host, prefix := ingress.Domain(r)
	resource := c.route.key
	if _, path, ok := strings.Cut(c.route.key, " "); ok {
		resource = path
	}
	e := event1{
		Version: "1.0", Resource: resource, Path: r.URL.Path, HTTPMethod: r.Method,
		Headers: map[string]string{}, MultiValueHeaders: map[string][]string{},
		PathParameters: c.variables, StageVariables: c.stage.variables,
		RequestContext: context1{
			AccountID: c.api.stack.Account, APIID: c.api.id, Authorizer: c.caller.seen1(), DomainName: host, DomainPrefix: prefix,
			ExtendedRequestID: c.id, HTTPMethod: r.Method, Path: r.URL.Path, Protocol: r.Proto,
			Identity:  c.identity1(),
			RequestID: c.id, RequestTime: c.at.UTC().Format(clockFormat), RequestTimeEpoch: c.at.UnixMilli(),
			ResourceID: c.route.key, ResourcePath: resource, Stage: c.stage.name,
		},
	}
	for name, values := range c.headers() {
		name = headerName1(name)
		e.Headers[name] = values[len(values)-1]
		e.MultiValueHeaders[name] = values
	}
	if r.URL.RawQuery != "" {
		e.QueryStringParameters, e.MultiValueQueryStringParameters = map[string]string{}, ingress.Query(r)
		for name, values := range e.MultiValueQueryStringParameters {
			e.QueryStringParameters[name] = values[len(values)-1]
		}
	}
	if len(c.body) > 0 {
		var text string
		text, e.IsBase64Encoded = bodyText(r.Header.Get("Content-Type"), c.body)
		e.Body = &text
	}
	return e
}

// headerName1 is a header's case in format 1.0: capitals for those that API
// Gateway itself looks at, lower case for the rest.
func headerName1(name string) string {
	switch name {
	case "Content-Length", "Content-Type", "Host", "User-Agent", "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto":
		return name
	}
	return strings.ToLower(name)
}

// headers are the request's headers as a function sees them.
func (c *call) headers() http.Header {
	h := ingress.Forwarded(c.request, c.at)
	ingress.DropHops(h)
	h.Set("Content-Length", strconv.FormatInt(max(int64(len(c.body)), c.unread()), 10))
	return h
}

// unread is how long the body is that the request announces.
func (c *call) unread() int64 {
	if c.body != nil {
		return 0
	}
	return c.request.ContentLength
}

// bodyText gives a body as text or base64. The content types that API Gateway
// passes as text are few: forms, missing types and +json ones are base64. Text
// that is not UTF-8 could not survive JSON, so it is base64 as well.
func bodyText(contentType string, body []byte) (text string, isBase64 bool) {
	if len(body) == 0 {
		return "", false
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind, _, _ = strings.Cut(contentType, ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
	}
	switch {
	case strings.HasPrefix(kind, "text/"), kind == "application/json", kind == "application/xml", kind == "application/javascript":
		if utf8.Valid(body) {
			return string(body), false
		}
	}
	return base64.StdEncoding.EncodeToString(body), true
}
