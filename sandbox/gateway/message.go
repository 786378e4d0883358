package gateway

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
)

// message has the function run that a message selects, and does not wait for it: done
// is called when all is through. The function's result goes back only from a route with
// a RouteResponse, and its statusCode means nothing here; only a function that fails is
// told of.
func (c *connection) message(body string, done func()) {
	live := c.api.stage(c.stageName)
	if live == nil {
		done() // the stage is being deleted, and this connection closed
		return
	}
	rt := live.selectRoute(body)
	request := ingress.NewToken()
	unfit := ""
	if rt != nil {
		unfit = rt.models.check(body)
	}
	switch {
	case rt == nil || rt.integration == nil:
		c.gateway.tell(activity.Event{Kind: activity.Message, Route: "message", Connection: c.id, Text: "no $default route"})
		go func() {
			defer done()
			c.sendError("Forbidden", request)
		}()
	case unfit != "":
		go func() {
			defer done()
			c.served(rt, request, unfit, "Invalid request body")
		}()
	case rt.integration.kind == "AWS_PROXY":
		c.callRoute(live, rt, request, body, func(why, report string) {
			c.served(rt, request, why, report)
			done()
		})
	default:
		go func() {
			defer done()
			why, report := c.callBackend(live, rt, request, body)
			c.served(rt, request, why, report)
		}()
	}
}

// served tells the log of a message's end, and the client of a failure.
func (c *connection) served(rt *route, request, why, report string) {
	c.gateway.tell(activity.Event{Kind: activity.Message, Route: strings.TrimPrefix(rt.key, "$"), Connection: c.id, RequestID: request, Text: why})
	if report != "" {
		c.sendError(report, request)
	}
}

// frozenNote follows a refusal, for a common reason of it.
const frozenNote = " (a deployment keeps the integration that it was made with, here as on AWS: after a change of it there must be a new AWS::ApiGatewayV2::Deployment)"

// callRoute has a route's function run; end gets what to log and, on failure, what to
// tell the client. Where there is nothing to be sent, it is called by whoever learns of
// the function's end.
func (c *connection) callRoute(live *liveStage, rt *route, request, body string, end func(why, report string)) {
	event, err := c.messageEvent(live, rt.key, request, body)
	if err != nil {
		go end(err.Error(), "Internal server error")
		return
	}
	c.gateway.begin(rt.integration, event, func(result invoke.Result, err error) {
		if err != nil || result.Failed != "" || rt.respond {
			go func() { end(c.routeEnd(rt, result, err)) }()
			return
		}
		end(rt.unsent+delay(result), "")
	}, c.api.source(c.stageName, rt.key))
}

// routeEnd sends the response of a route that has one; else it gives what to log and
// what to tell the client.
func (c *connection) routeEnd(rt *route, result invoke.Result, err error) (why, report string) {
	defer func() { why += delay(result) }()
	switch {
	case errors.Is(err, errTimedOut):
		return err.Error(), "Endpoint request timed out"
	case errors.Is(err, invoke.ErrNotFound):
		return err.Error() + " (a deployment keeps a route that was removed until its routes change again, here as on AWS)", "Internal server error"
	case errors.As(err, new(forbidden)):
		return err.Error() + frozenNote, "Internal server error"
	case err != nil:
		return err.Error(), "Internal server error"
	case result.Failed != "":
		return thrown(c.gateway.called(rt.integration.function), result).why, "Internal server error"
	}
	text, err := responseText(result.Payload)
	if err != nil {
		return c.gateway.called(rt.integration.function) + ": " + err.Error(), "Internal server error"
	}
	return c.answer(text)
}

// answer sends the response of a route; else it gives what to log and what to tell the
// client.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
func (c *connection) answer(text string) (why, report string) {
	if len(text) > maxMessage {
		return fmt.Sprintf("the response of the route has %d bytes, and a message has 128 KB at most", len(text)), "Internal server error"
	}
	if text != "" {
		c.send(text) // a client that is gone gets no answer
	}
	return "", ""
}

// responseText is the body of a route response.
func responseText(payload []byte) (string, error) {
	var r struct {
		StatusCode      json.RawMessage `json:"statusCode"`
		Body            string          `json:"body"`
		IsBase64Encoded bool            `json:"isBase64Encoded"`
	}
	if err := invoke.Exact(payload, &r); err != nil || r.StatusCode == nil {
		return "", errors.New("a route with a response must return an object with a statusCode, and a body that is text")
	}
	if !r.IsBase64Encoded {
		return r.Body, nil
	}
	plain, err := base64.StdEncoding.DecodeString(r.Body)
	if err != nil {
		return "", fmt.Errorf("isBase64Encoded is true, but body is not base64: %w", err)
	}
	return strings.ToValidUTF8(string(plain), "\ufffd"), nil
}

// selectRoute evaluates the route selection expression. Only an action's own
// key counts: $connect and $disconnect cannot be reached by a message, nor can
// "connect", which is no key at all. What selects nothing goes to $default,
// nil if there is none.
func (s *liveStage) selectRoute(body string) *route {
	key, ok := s.selection.key(body)
	if !ok {
		return s.socket["$default"]
	}
	if rt := s.socket[key]; rt != nil && !strings.HasPrefix(key, "$") {
		return rt
	}
	return s.socket["$default"]
}

// errorFrame is how API Gateway spells its own messages to a client.
func (c *connection) errorFrame(message, request string) string {
	return fmt.Sprintf(`{"message": "%s", "connectionId":"%s", "requestId":"%s"}`, message, c.id, request)
}

func (c *connection) sendError(message, request string) {
	c.send(c.errorFrame(message, request)) // a client that is gone needs none
}

// writeError answers an upgrade that $connect made fail.
func (c *connection) writeError(w http.ResponseWriter, status int, message string) {
	if message == "" {
		message = "Internal server error"
	}
	if status == http.StatusGatewayTimeout {
		message = "Endpoint request timed out"
	}
	body := c.errorFrame(message, ingress.NewToken())
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write([]byte(body))
}

// socketEvent is what the functions of a WebSocket API get.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-websocket-api-mapping-template-reference.html
type socketEvent struct {
	Headers                         map[string]string   `json:"headers,omitempty"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders,omitempty"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters,omitempty"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters,omitempty"`
	StageVariables                  map[string]string   `json:"stageVariables,omitempty"`
	RequestContext                  socketContext       `json:"requestContext"`
	Body                            *string             `json:"body,omitempty"`
	IsBase64Encoded                 bool                `json:"isBase64Encoded"`
}

type socketContext struct {
	RouteKey             string         `json:"routeKey"`
	DisconnectStatusCode int            `json:"disconnectStatusCode,omitempty"`
	MessageID            string         `json:"messageId,omitempty"`
	EventType            string         `json:"eventType"`
	ExtendedRequestID    string         `json:"extendedRequestId"`
	RequestTime          string         `json:"requestTime"`
	MessageDirection     string         `json:"messageDirection"`
	DisconnectReason     *string        `json:"disconnectReason,omitempty"`
	Stage                string         `json:"stage"`
	ConnectedAt          int64          `json:"connectedAt"`
	RequestTimeEpoch     int64          `json:"requestTimeEpoch"`
	Identity             socketIdentity `json:"identity"`
	RequestID            string         `json:"requestId"`
	DomainName           string         `json:"domainName"`
	ConnectionID         string         `json:"connectionId"`
	APIID                string         `json:"apiId"`

	// Authorizer is what $connect's authorizer said.
	Authorizer map[string]string `json:"authorizer,omitempty"`
}

type socketIdentity struct {
	AccountID string `json:"accountId,omitempty"`
	APIKey    string `json:"apiKey,omitempty"`
	APIKeyID  string `json:"apiKeyId,omitempty"`
	Caller    string `json:"caller,omitempty"`
	User      string `json:"user,omitempty"`
	UserARN   string `json:"userArn,omitempty"`
	UserAgent string `json:"userAgent,omitempty"`
	SourceIP  string `json:"sourceIp"`
}

// identity is who is connected: with a signature, what is known of its key; with an API
// key, that.
func (c *connection) identity() socketIdentity {
	i := socketIdentity{UserAgent: c.userAgent, SourceIP: c.sourceIP, APIKey: c.key.value, APIKeyID: c.key.id}
	if c.caller != nil && c.caller.iam != nil {
		who := c.caller.iam
		i.AccountID, i.Caller, i.User, i.UserARN = who.Account, who.ID, who.ID, who.ARN
	}
	return i
}

func (c *connection) context(live *liveStage, routeKey, eventType, request string) socketContext {
	now := time.Now()
	return socketContext{
		RouteKey: routeKey, EventType: eventType, ExtendedRequestID: request, RequestID: request,
		RequestTime: now.UTC().Format(clockFormat), RequestTimeEpoch: now.UnixMilli(),
		MessageDirection: "IN", Stage: live.name, ConnectedAt: c.connected.UnixMilli(),
		Identity:   c.identity(),
		DomainName: c.domain, ConnectionID: c.id, APIID: c.api.id, Authorizer: c.caller.seenSocket(),
	}
}

func (c *connection) connectEvent(live *liveStage, r *http.Request) socketEvent {
	e := socketEvent{
		Headers: map[string]string{}, MultiValueHeaders: map[string][]string{},
		StageVariables: live.variables,
		RequestContext: c.context(live, "$connect", "CONNECT", ingress.NewToken()),
	}
	h := ingress.Forwarded(r, c.connected)
	ingress.DropHops(h)
	for name, values := range h {
		// Go writes it Sec-Websocket-Key; clients and API Gateway do not.
		name = strings.Replace(name, "Sec-Websocket-", "Sec-WebSocket-", 1)
		e.MultiValueHeaders[name], e.Headers[name] = values, values[len(values)-1]
	}
	if r.URL.RawQuery != "" {
		e.QueryStringParameters, e.MultiValueQueryStringParameters = map[string]string{}, ingress.Query(r)
		for name, values := range e.MultiValueQueryStringParameters {
			e.QueryStringParameters[name] = values[len(values)-1]
		}
	}
	return e
}

// authorizerEvent is what a WebSocket API's authorizer is asked.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
func (c *connection) authorizerEvent(live *liveStage, r *http.Request) func(*authorizer, string, []string) ([]byte, error) {
	return func(_ *authorizer, arn string, _ []string) ([]byte, error) {
		e := c.connectEvent(live, r)
		// It is told these of the upgrade, which $connect's function is not.
		for name, value := range map[string]string{"Connection": "upgrade", "Upgrade": "websocket", "content-length": "0"} {
			e.Headers[name], e.MultiValueHeaders[name] = value, []string{value}
		}
		return ingress.Encode(struct {
			Type                            string              `json:"type"`
			MethodARN                       string              `json:"methodArn"`
			Headers                         map[string]string   `json:"headers"`
			MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
			QueryStringParameters           map[string]string   `json:"queryStringParameters"`
			MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`
			StageVariables                  map[string]string   `json:"stageVariables"`
			RequestContext                  socketContext       `json:"requestContext"`
		}{
			authorizerRequest, arn, e.Headers, e.MultiValueHeaders, orEmpty(e.QueryStringParameters), orEmpty(e.MultiValueQueryStringParameters),
			orEmpty(e.StageVariables), e.RequestContext,
		})
	}
}

// orEmpty is a map, for functions that look into it without asking.
func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}

func (c *connection) messageContext(live *liveStage, key, request string) socketContext {
	at := c.context(live, key, "MESSAGE", request)
	at.MessageID = ingress.NewToken()
	return at
}

// disconnectEvent has the few headers that API Gateway sends here, two of
// them always empty.
func (c *connection) disconnectEvent(live *liveStage, code int, reason string) ([]byte, error) {
	e := socketEvent{
		Headers:           map[string]string{"Host": c.domain, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""},
		MultiValueHeaders: map[string][]string{"Host": {c.domain}, "x-api-key": {""}, "X-Forwarded-For": {""}, "x-restapi": {""}},
		StageVariables:    live.variables,
		RequestContext:    c.disconnectContext(live, code, reason),
	}
	return ingress.Encode(e)
}

func (c *connection) disconnectContext(live *liveStage, code int, reason string) socketContext {
	at := c.context(live, "$disconnect", "DISCONNECT", ingress.NewToken())
	at.DisconnectStatusCode = code
	reason = strings.ToValidUTF8(reason, "\ufffd")
	at.DisconnectReason = &reason
	return at
}
