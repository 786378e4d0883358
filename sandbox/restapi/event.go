package restapi

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"arc/sandbox/ingress"
	"arc/sandbox/velocity"
)

// clockFormat is how API Gateway writes requestTime.
const clockFormat = "02/Jan/2006:15:04:05 +0000"

// call is one request on its way to an integration.
type call struct {
	request   *http.Request
	api       *api
	stage     *liveStage
	route     *route
	path      string // within the stage, as it was sent
	full      string // with the stage, decoded
	headers   http.Header
	queried   map[string][]string
	variables map[string]string
	caller    *caller
	keyID     string // of the API key
	key       string
	body      []byte
	at        time.Time
	id        string // requestId
	extended  string // extendedRequestId
	trace     string
	delay     string // what the log says of the time before the function had the event
	failed    *failure
}

// event is what a function is given by the proxy integration.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
type event struct {
	Resource                        string              `json:"resource"`
	Path                            string              `json:"path"`
	HTTPMethod                      string              `json:"httpMethod"`
	Headers                         map[string]string   `json:"headers"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`
	PathParameters                  map[string]string   `json:"pathParameters"`
	StageVariables                  map[string]string   `json:"stageVariables"`
	RequestContext                  requestContext      `json:"requestContext"`
	Body                            *string             `json:"body"`
	IsBase64Encoded                 bool                `json:"isBase64Encoded"`
}

type requestContext struct {
	ResourceID        string         `json:"resourceId"`
	Authorizer        map[string]any `json:"authorizer,omitempty"`
	ResourcePath      string         `json:"resourcePath"`
	OperationName     string         `json:"operationName,omitempty"`
	HTTPMethod        string         `json:"httpMethod"`
	ExtendedRequestID string         `json:"extendedRequestId"`
	RequestTime       string         `json:"requestTime"`
	Path              string         `json:"path"`
	AccountID         string         `json:"accountId"`
	Protocol          string         `json:"protocol"`
	Stage             string         `json:"stage"`
	DomainPrefix      string         `json:"domainPrefix"`
	RequestTimeEpoch  int64          `json:"requestTimeEpoch"`
	RequestID         string         `json:"requestId"`
	Identity          identity       `json:"identity"`
	DomainName        string         `json:"domainName"`
	DeploymentID      string         `json:"deploymentId"`
	APIID             string         `json:"apiId"`
}

// identity has the fields of an unauthenticated caller: API Gateway sends the empty
// ones as null, and those of an API key where the method asks for one.
type identity struct {
	CognitoIdentityPoolID         *string `json:"cognitoIdentityPoolId"`
	APIKey                        *string `json:"apiKey,omitempty"`
	APIKeyID                      *string `json:"apiKeyId,omitempty"`
	AccountID                     *string `json:"accountId"`
	CognitoIdentityID             *string `json:"cognitoIdentityId"`
	Caller                        *string `json:"caller"`
	SourceIP                      string  `json:"sourceIp"`
	PrincipalOrgID                *string `json:"principalOrgId"`
	AccessKey                     *string `json:"accessKey"`
	CognitoAuthenticationType     *string `json:"cognitoAuthenticationType"`
	CognitoAuthenticationProvider *string `json:"cognitoAuthenticationProvider"`
	UserARN                       *string `json:"userArn"`
	UserAgent                     *string `json:"userAgent"`
	User                          *string `json:"user"`
}

// received are the request's headers as an API tells them on.
func received(r *http.Request, at time.Time) http.Header {
	h := ingress.Forwarded(r, at)
	ingress.DropHops(h)
	h.Del("Content-Length")
	return h
}

func (c *call) query() map[string][]string {
	if c.queried == nil {
		c.queried = ingress.Query(c.request)
	}
	return c.queried
}

func (c *call) identity() identity {
	i := identity{SourceIP: ingress.SourceIP(c.request)}
	if agent := c.request.UserAgent(); agent != "" {
		agent = ingress.Latin1(agent)
		i.UserAgent = &agent
	}
	if c.route != nil && c.route.key && c.key != "" {
		i.APIKey, i.APIKeyID = &c.key, &c.keyID
	}
	if c.caller != nil && c.caller.iam != nil {
		who := c.caller.iam
		i.AccessKey, i.AccountID, i.Caller, i.User, i.UserARN = &who.AccessKey, &who.Account, &who.ID, &who.ID, &who.ARN
	}
	return i
}

func (c *call) requestContext() requestContext {
	host, prefix := ingress.Domain(c.request)
	return requestContext{
		ResourceID: c.route.resource.id, Authorizer: c.caller.seen(), ResourcePath: c.route.resource.path, OperationName: c.route.operation,
		HTTPMethod: c.request.Method, ExtendedRequestID: c.extended, RequestTime: c.at.UTC().Format(clockFormat), Path: c.full,
		AccountID: c.api.stack.Account, Protocol: c.request.Proto, Stage: c.stage.name, DomainPrefix: prefix, RequestTimeEpoch: c.at.UnixMilli(),
		RequestID: c.id, Identity: c.identity(), DomainName: host, DeploymentID: c.stage.deployment, APIID: c.api.id,
	}
}

func (c *call) event() event {
	e := event{
		Resource: c.route.resource.path, Path: c.shownPath(), HTTPMethod: c.request.Method, Headers: ingress.Lasts(c.headers), MultiValueHeaders: c.headers,
		PathParameters: c.variables, StageVariables: c.stage.variables, RequestContext: c.requestContext(),
	}
	if len(e.StageVariables) == 0 {
		e.StageVariables = nil
	}
	if len(c.query()) > 0 {
		e.QueryStringParameters, e.MultiValueQueryStringParameters = ingress.Lasts(c.queried), c.queried
	}
	if len(c.body) > 0 {
		text := string(c.body)
		if c.stage.isBinary(c.headers.Get("Content-Type")) || !utf8.ValidString(text) {
			text, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(c.body), true
		}
		e.Body = &text
	}
	return e
}

// shownPath is event.path: without the stage, but with the mapping of a custom domain.
func (c *call) shownPath() string {
	if _, _, chosen := ingress.ChosenStage(c.request); chosen {
		return c.request.URL.Path
	}
	return ingress.Unescape(c.path)
}

// isBinary reports whether a content type is one of the API's BinaryMediaTypes.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html
func (s settings) isBinary(header string) bool {
	if len(s.binary) == 0 {
		return false
	}
	kind := mediaType(header)
	return slices.ContainsFunc(s.binary, func(b string) bool {
		prefix, any := strings.CutSuffix(b, "*")
		return strings.EqualFold(b, kind) || b == "*/*" || any && strings.HasPrefix(kind, strings.ToLower(prefix))
	})
}

// context is $context.NAME; false = there is none.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html#context-variable-reference
func (c *call) context(name string) (string, bool) {
	at := any(c.contextMap())
	for part := range strings.SplitSeq(name, ".") {
		m, ok := at.(*velocity.Map)
		if !ok {
			return "", false
		}
		if at = m.Get(part); at == nil {
			return "", false
		}
	}
	if _, isMap := at.(*velocity.Map); isMap {
		return "", false
	}
	return velocity.String(at), true
}

// contextMap is $context.
func (c *call) contextMap() *velocity.Map {
	host, prefix := ingress.Domain(c.request)
	m := velocity.NewMap()
	put := func(pairs ...any) {
		for i := 0; i+1 < len(pairs); i += 2 {
			m.Put(fmt.Sprint(pairs[i]), pairs[i+1])
		}
	}
	put("accountId", c.api.stack.Account, "apiId", c.api.id, "domainName", host, "domainPrefix", prefix, "extendedRequestId", c.extended,
		"httpMethod", c.request.Method, "path", c.full, "protocol", c.request.Proto, "requestId", c.id, "requestTime", c.at.UTC().Format(clockFormat),
		"requestTimeEpoch", c.at.UnixMilli(), "xrayTraceId", c.trace)
	if c.stage != nil {
		put("stage", c.stage.name, "deploymentId", c.stage.deployment)
	}
	if c.route != nil {
		put("resourceId", c.route.resource.id, "resourcePath", c.route.resource.path)
		if c.route.operation != "" {
			put("operationName", c.route.operation)
		}
	}
	who := velocity.NewMap()
	i := c.identity()
	for name, value := range map[string]*string{
		"apiKey": i.APIKey, "apiKeyId": i.APIKeyID, "accessKey": i.AccessKey, "accountId": i.AccountID, "caller": i.Caller, "user": i.User,
		"userAgent": i.UserAgent, "userArn": i.UserARN,
	} {
		if value != nil {
			who.Put(name, *value)
		}
	}
	who.Put("sourceIp", i.SourceIP)
	m.Put("identity", who)
	if seen := c.caller.seen(); seen != nil {
		m.Put("authorizer", authorizerMap(seen))
	}
	if f := c.failed; f != nil {
		e := velocity.NewMap()
		quoted := velocity.JSON(f.message)
		if f.nothing {
			quoted = "null"
		}
		e.Put("message", f.message)
		e.Put("messageString", quoted)
		e.Put("responseType", f.kind)
		e.Put("validationErrorString", f.invalid)
		m.Put("error", e)
	}
	return m
}

func authorizerMap(seen map[string]any) *velocity.Map {
	m := velocity.NewMap()
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		switch v := seen[name].(type) {
		case map[string]string:
			inner := map[string]any{}
			for k, text := range v {
				inner[k] = text
			}
			m.Put(name, authorizerMap(inner))
		case int64:
			m.Put(name, strconv.FormatInt(v, 10))
		default:
			m.Put(name, v)
		}
	}
	return m
}
