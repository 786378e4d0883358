package restapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

// sources are the ARNs that a request may be in the name of: its own method and path,
// and its resource's, whose variables people write as * or as they are.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
func (c *call) sources() []string {
	path := ingress.Unescape(c.path)
	return []string{
		c.api.arn(c.stage.name + "/" + c.request.Method + path),
		c.api.arn(c.stage.name + "/" + c.request.Method + c.route.resource.path),
		c.api.arn(c.stage.name + "/" + c.route.verb + c.route.resource.path),
	}
}

// callFunction runs the integration's function.
func (g *APIs) callFunction(c *call, i *integration, event []byte) (invoke.Result, *failure) {
	if len(event) > maxEvent {
		return invoke.Result{}, &failure{kind: "REQUEST_TOO_LARGE", status: http.StatusRequestEntityTooLarge, message: "Request Too Long", code: "RequestTooLargeException",
			why: "the event is larger than the 6 MB that Lambda takes; binary bodies grow by a third as base64"}
	}
	t, err := i.of(c.stage.variables)
	if err != nil {
		return invoke.Result{}, misconfigured("%v", err)
	}
	result, err := g.invoke(t, event, c.sources()...)
	c.delay = delay(result)
	switch {
	case errors.Is(err, errTimedOut):
		return result, &failure{kind: "INTEGRATION_TIMEOUT", status: http.StatusGatewayTimeout, message: "Endpoint request timed out", code: "InternalServerErrorException", spaced: true, why: err.Error()}
	case errors.Is(err, context.Canceled), errors.Is(err, invoke.ErrClosed):
		return result, unable(http.StatusInternalServerError, "the local cloud is stopping")
	case err != nil:
		return result, unable(http.StatusInternalServerError, "%v", err)
	}
	return result, nil
}

// delay says, for the log, what a call's time was spent on before the function had
// its event, where that is more than a moment.
func delay(result invoke.Result) (text string) {
	if result.Waited >= 50*time.Millisecond {
		text = fmt.Sprintf("(waited %dms for a worker) ", result.Waited.Milliseconds())
	}
	if result.Init >= time.Second {
		text += fmt.Sprintf("(Init Duration: %dms)", result.Init.Milliseconds())
	}
	return strings.TrimSpace(text)
}

// lambdaProxy hands a request to a function as it is, and its result to the client.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
func (g *APIs) lambdaProxy(c *call, i *integration) (response, *failure) {
	event, err := ingress.Encode(c.event())
	if err != nil {
		return response{}, unable(http.StatusInternalServerError, "making the event: %v", err)
	}
	result, failed := g.callFunction(c, i, event)
	if failed != nil {
		return response{}, failed
	}
	called := g.called(i.target.function)
	if result.Failed != "" {
		return response{}, unable(http.StatusBadGateway, "%s: %s", called, thrown(result))
	}
	out, encoded, err := readResult(result.Payload)
	if err != nil {
		return response{}, unable(http.StatusBadGateway, "%s: %v", called, err)
	}
	if failed := c.decoded(&out, encoded); failed != nil {
		return out, failed
	}
	remap(out.header)
	return out, nil
}

// thrown is what a function's error object says, in a line.
func thrown(result invoke.Result) string {
	var object struct{ ErrorType, ErrorMessage string }
	if json.Unmarshal(result.Payload, &object) != nil || object.ErrorType+object.ErrorMessage == "" {
		return result.Failed + " " + string(result.Payload)
	}
	return strings.TrimPrefix(object.ErrorType+": "+object.ErrorMessage, ": ")
}

// resultFields are what a function may return, and nothing else.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
var resultFields = []string{"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}

// readResult reads a function's result, which must be an object of resultFields.
func readResult(payload []byte) (out response, encoded bool, err error) {
	out = response{status: http.StatusOK, header: http.Header{}}
	var fields map[string]json.RawMessage
	if !bytes.HasPrefix(bytes.TrimSpace(payload), []byte("{")) || json.Unmarshal(payload, &fields) != nil {
		return out, false, errors.New("malformed Lambda proxy response: it must return an object with a statusCode, headers and a body")
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(resultFields, name) {
			return out, false, fmt.Errorf("malformed Lambda proxy response: %s is none of %s", name, strings.Join(resultFields, ", "))
		}
	}
	if raw := fields["statusCode"]; raw != nil && string(raw) != "null" {
		status, err := strconv.Atoi(strings.Trim(string(raw), `"`))
		if err != nil || status < 200 || status > 599 {
			return out, false, fmt.Errorf("malformed Lambda proxy response: statusCode: got %s, want a whole number from 200 to 599", raw)
		}
		out.status = status
	}
	var body *string
	if raw := fields["body"]; raw != nil && json.Unmarshal(raw, &body) != nil {
		return out, false, errors.New("malformed Lambda proxy response: body: must be text; pass objects through JSON.stringify, binary as base64 with isBase64Encoded")
	}
	if raw := fields["isBase64Encoded"]; raw != nil && json.Unmarshal(raw, &encoded) != nil {
		return out, false, errors.New("malformed Lambda proxy response: isBase64Encoded: must be true or false")
	}
	if body != nil {
		out.body = []byte(*body)
	}
	return out, encoded, readHeaders(out.header, fields["headers"], fields["multiValueHeaders"])
}

// readHeaders reads the headers of a result; where both have one, it has the values of
// both.
func readHeaders(h http.Header, single, multi json.RawMessage) error {
	var lists map[string][]any
	if multi != nil && json.Unmarshal(multi, &lists) != nil {
		return errors.New("malformed Lambda proxy response: multiValueHeaders: must be an object of lists")
	}
	var values map[string]any
	if single != nil && json.Unmarshal(single, &values) != nil {
		return errors.New("malformed Lambda proxy response: headers: must be an object of strings")
	}
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		for _, value := range lists[name] {
			text, err := headerText(name, value)
			if err != nil {
				return err
			}
			h.Add(name, text)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text, err := headerText(name, values[name])
		if err != nil {
			return err
		}
		if !slices.Contains(h.Values(name), text) {
			h.Add(name, text)
		}
	}
	return nil
}

func headerText(name string, value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	}
	return "", fmt.Errorf("malformed Lambda proxy response: header %s: got a list or an object, want a string", name)
}

// lambda calls a function with what the template makes of the request, and makes an
// answer of its result by the integration responses.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-custom-integrations.html
func (g *APIs) lambda(c *call, i *integration) (response, *failure) {
	body, o, failed := c.mapped(i)
	if failed != nil {
		return response{}, failed
	}
	header := c.mappedHeader(i, o)
	event := []byte(body)
	if len(event) == 0 {
		event = []byte("{}")
	}
	if !json.Valid(event) {
		return response{}, unable(http.StatusInternalServerError, "what the function is to get is no JSON: %.200s", body)
	}
	var result invoke.Result
	if header.Get("X-Amz-Invocation-Type") == "Event" {
		failed = g.sendFunction(c, i, event)
	} else {
		result, failed = g.callFunction(c, i, event)
	}
	if failed != nil {
		return response{}, failed
	}
	selector := ""
	var object struct{ ErrorMessage *string }
	if result.Failed != "" && json.Unmarshal(result.Payload, &object) == nil && object.ErrorMessage != nil {
		selector = *object.ErrorMessage
		c.delay = strings.TrimSpace(g.called(i.target.function) + ": " + thrown(result) + " " + c.delay)
	}
	return c.respond(i, selector, &backendAnswer{http.StatusOK, http.Header{"Content-Type": {"application/json"}}, result.Payload})
}

// sendFunction hands an event to a function that nobody waits for.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-integration-async.html
func (g *APIs) sendFunction(c *call, i *integration, event []byte) *failure {
	t, err := i.of(c.stage.variables)
	if err == nil {
		err = g.permit(t, c.sources()...)
	}
	if err == nil && g.options.Send == nil {
		err = errors.New("nothing is sent to functions here")
	}
	if err == nil {
		arn := stack.ARN(c.api.stack.Region, "lambda", c.api.stack.Region, c.api.stack.Account, "function:"+t.name())
		err = g.options.Send(g.ctx, arn, invoke.Message{Body: event, Principal: "apigateway.amazonaws.com", Source: c.sources()[0]})
	}
	if err != nil {
		return unable(http.StatusInternalServerError, "%s: %v", g.called(i.target.function), err)
	}
	return nil
}
