package states

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"arc/sandbox/invoke"
	"arc/sandbox/states/asl"
	"arc/sandbox/wire"
)

// session is in whose name the execution calls.
func (x *execution) session() invoke.Session {
	// AWS makes a session of each execution. Here what a machine lacks is told once.
	name := x.Machine.Name[:min(len(x.Machine.Name), 64)]
	return invoke.Session{Role: x.Machine.Role, Name: name, For: x.Machine.ARN, Called: x.Machine.called(), Region: regionOf(x.Machine.ARN)}
}

// call calls what the task names, and gives its answer.
func (t *attempt) call(ctx context.Context) (any, *asl.Failure) {
	r := t.resource
	given, _ := t.given.(map[string]any)
	if failure := t.assume(ctx); failure != nil {
		return nil, failure
	}
	switch {
	case r.function != "":
		_, result, failure := t.invoke(ctx, r.function, t.given)
		return result, failure
	case given == nil:
		return nil, &asl.Failure{Name: asl.ErrRuntime, Cause: fmt.Sprintf("The Parameters '%s' could not be used to start the Task: they are no object", asl.Encode(t.given))}
	case !r.sdk && r.service == "lambda" && given["InvocationType"] != "Event":
		return t.invokeFunction(ctx, given)
	}
	service := r.service
	if r.sdk {
		service = sdkServices[r.service]
	}
	if !r.sdk {
		given = shaped(r, given)
	}
	request, failure := requestFor(ctx, service, r.action, given)
	if failure != nil {
		return nil, failure
	}
	who := t.session()
	who.Service = service
	said := t.x.s.options.Call(who, request)
	if said.Status >= 300 {
		return nil, refused(r, service, said)
	}
	result := answerOf(service, r.action, said)
	if r.sdk {
		return result, nil
	}
	if n, ok := asl.Whole(result["FailedEntryCount"]); ok && n > 0 && service == "events" {
		return nil, &asl.Failure{Name: "EventBridge.FailedEntry", Cause: asl.Encode(result)}
	}
	return withMetadata(result, said), nil
}

// withMetadata adds what optimized integrations tell of the answer itself.
func withMetadata(result map[string]any, said invoke.Answer) map[string]any {
	headers, all := map[string]any{}, map[string]any{}
	for name := range said.Header {
		headers[name] = said.Header.Get(name)
		all[name] = []any{said.Header.Get(name)}
	}
	result["SdkHttpMetadata"] = map[string]any{"AllHttpHeaders": all, "HttpHeaders": headers, "HttpStatusCode": json.Number(fmt.Sprint(said.Status))}
	result["SdkResponseMetadata"] = map[string]any{"RequestId": said.Header.Get("X-Amzn-Requestid")}
	return result
}

// texts are the members of requests that services take as texts, and optimized
// integrations as JSON, too.
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-sqs.html
var texts = map[string][]string{"sqs": {"MessageBody"}, "sns": {"Message"}, "states": {"Input"}}

// shaped is a request of an optimized integration as the service takes it.
func shaped(r resource, given map[string]any) map[string]any {
	out := make(map[string]any, len(given))
	for name, value := range given {
		out[name] = value
	}
	for _, name := range texts[r.service] {
		if value, ok := out[name]; ok {
			out[name] = plain(value)
		}
	}
	if entries, ok := out["Entries"].([]any); ok && r.service == "events" {
		list := make([]any, len(entries))
		for i, entry := range entries {
			if m, ok := entry.(map[string]any); ok {
				m = shaped(resource{}, m)
				m["Detail"] = plain(m["Detail"])
				entry = m
			}
			list[i] = entry
		}
		out["Entries"] = list
	}
	return out
}

// invoke runs a function and waits for it.
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
func (t *attempt) invoke(ctx context.Context, function string, event any) (invoke.Result, any, *asl.Failure) {
	x := t.x
	session := t.session()
	resource := function
	if !strings.HasPrefix(function, "arn:") {
		resource = fmt.Sprintf("%s:lambda:%s:%s:function:%s", strings.Join(strings.SplitN(x.Machine.ARN, ":", 3)[:2], ":"), session.Region, x.s.options.Account, function)
	}
	because := func(status int, code, message string) *asl.Failure {
		return &asl.Failure{Name: "Lambda." + code, Cause: fmt.Sprintf("%s (Service: AWSLambda; Status Code: %d; Error Code: %s; Request ID: %s; Proxy: null)", message, status, code, wire.NewRequestID())}
	}
	err := x.s.options.Permit.Ask(ctx, invoke.Errand{Service: principal, Role: session.Role, Session: session.Name, For: session.For, Called: session.Called, Taken: t.role != "", Action: "lambda:InvokeFunction", Resource: resource})
	if err != nil {
		failure := because(http.StatusForbidden, "AccessDeniedException", err.Error())
		failure.Name = "Lambda.AWSLambdaException"
		return invoke.Result{}, nil, failure
	}
	result, err := x.s.options.Invoker.Invoke(ctx, function, []byte(asl.Encode(event)))
	switch {
	case errors.Is(err, invoke.ErrNotFound):
		return result, nil, because(http.StatusNotFound, "ResourceNotFoundException", "Function not found: "+resource)
	case errors.Is(err, invoke.ErrThrottled):
		return result, nil, because(http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.")
	case err != nil:
		failure := because(http.StatusInternalServerError, "ServiceException", err.Error())
		return result, nil, failure
	case result.Failed != "":
		return result, nil, thrown(result)
	}
	value, err := asl.Decode(result.Payload)
	if err != nil {
		value = string(result.Payload) // a function may answer with what is no JSON
	}
	return result, value, nil
}

// thrown is how a function's error fails a task: by the error's own type.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-handling-lambda-exceptions
func thrown(result invoke.Result) *asl.Failure {
	var object struct {
		Type string `json:"errorType"`
	}
	if json.Unmarshal(result.Payload, &object) != nil || object.Type == "" {
		return &asl.Failure{Name: "Lambda.Unknown", Cause: "The cause could not be determined because Lambda did not return an error type. Returned payload: " + string(result.Payload)}
	}
	return &asl.Failure{Name: object.Type, Cause: string(result.Payload)}
}

// invokeFunction is lambda:invoke.
func (t *attempt) invokeFunction(ctx context.Context, given map[string]any) (any, *asl.Failure) {
	function, _ := given["FunctionName"].(string)
	if function == "" {
		return nil, &asl.Failure{Name: asl.ErrRuntime, Cause: fmt.Sprintf("The Parameters '%s' could not be used to start the Task: [The field 'FunctionName' is required but was missing]", asl.Encode(given))}
	}
	if qualifier, _ := given["Qualifier"].(string); qualifier != "" {
		function += ":" + qualifier
	}
	event, ok := given["Payload"]
	if !ok {
		event = map[string]any{}
	}
	result, value, failure := t.invoke(ctx, function, event)
	if failure != nil {
		return nil, failure
	}
	header := http.Header{}
	header.Set("X-Amz-Executed-Version", result.Version)
	header.Set("Content-Type", "application/json")
	header.Set("X-Amzn-Requestid", result.RequestID)
	out := map[string]any{"ExecutedVersion": result.Version, "Payload": value, "StatusCode": json.Number("200")}
	return withMetadata(out, invoke.Answer{Status: http.StatusOK, Header: header}), nil
}
