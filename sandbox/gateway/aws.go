package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

// Integrations of WebSocket APIs of the type AWS: services, called in the name of the
// integration's role, and functions that get what a template makes.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html

// pointAWS checks where an AWS integration leads.
func (i *integration) pointAWS(uri, role string) (err error) {
	i.uri = uri
	if ingress.IsFunction(uri) {
		if i.method != "" && i.method != http.MethodPost {
			return fmt.Errorf("property IntegrationMethod: must be POST for a function, not %q", i.method)
		}
		i.function, i.qualifier, err = ingress.LambdaName(uri)
		return err
	}
	i.role = role
	if _, err := ingress.ServiceIn(ingress.PlainVariables(uri), "route"); err != nil {
		return fmt.Errorf("property IntegrationUri: %w", err)
	}
	switch {
	case i.method == "":
		return errors.New("property IntegrationMethod: is required for an integration with a service")
	case role == "":
		return errors.New("property CredentialsArn: role ARN must be specified for AWS integrations: a service is called in the name of a role that apigateway.amazonaws.com may take")
	case strings.HasPrefix(role, "arn:aws:iam::*:"):
		return errors.New("property CredentialsArn: not emulated by the local cloud: the caller's own rights; name a role")
	}
	return nil
}

// askService calls a service with what the template made.
func (c *connection) askService(ctx context.Context, live *liveStage, rt *route, s *surroundings, body []byte) (answer, error) {
	g, i := c.gateway, rt.integration
	service, err := ingress.ServiceIn(ingress.FillVariables(i.uri, live.variables), "route")
	if err != nil {
		return answer{}, err
	}
	header, query, path := rt.parametersOf(s)
	r, err := service.Request(ctx, i.verb(), header, query, path, string(body))
	if err != nil {
		return answer{}, err
	}
	if g.options.Call == nil {
		return answer{}, errors.New("there are no services to call here")
	}
	source, called := c.api.source(c.stageName, rt.key), "API "+c.api.logical
	errand := invoke.Errand{Service: "apigateway.amazonaws.com", Role: i.role, Session: ingress.SessionName, For: source, Called: called}
	if err := g.options.Errand.Ask(ctx, errand); err != nil {
		return answer{}, err
	}
	said := service.Answer(g.options.Call(invoke.Session{Role: i.role, Name: ingress.SessionName, For: source, Called: called, Region: service.Region, Service: service.Name}, r))
	out := answer{status: said.Status, header: said.Header, body: said.Body}
	if said.Status >= 400 {
		out.why = fmt.Sprintf("%s answered %d: %.300s", service.Name, said.Status, bytes.TrimSpace(said.Body))
	}
	return out, nil
}

// askFunction runs a function with what the template made, or hands it over to nobody
// who waits.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-integration-async.html
func (c *connection) askFunction(rt *route, s *surroundings, event []byte) (answer, error) {
	g, i := c.gateway, rt.integration
	if len(event) == 0 {
		event = []byte("{}")
	}
	if !json.Valid(event) {
		return answer{}, fmt.Errorf("%s is to get JSON, not %.200q", g.called(i.function), event)
	}
	source := c.api.source(c.stageName, rt.key)
	header, _, _ := rt.parametersOf(s)
	if header.Get("X-Amz-Invocation-Type") == "Event" {
		return answer{status: http.StatusAccepted, body: []byte{}}, c.sendFunction(i, event, source)
	}
	result, err := g.invoke(i, event, source)
	out := answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json"}}, body: result.Payload, failed: result.Failed != ""}
	if errors.As(err, new(forbidden)) {
		err = fmt.Errorf("%w%s", err, frozenNote)
	}
	if out.failed {
		var object struct{ ErrorMessage string }
		if json.Unmarshal(result.Payload, &object) == nil {
			out.matched = object.ErrorMessage
		}
		out.why = thrown(g.called(i.function), result).why
	}
	out.why += delay(result)
	return out, err
}

// sendFunction hands an event to a function that nobody waits for.
func (c *connection) sendFunction(i *integration, event []byte, source string) error {
	g := c.gateway
	if err := g.permit(i, source); err != nil {
		return err
	}
	if g.options.Send == nil {
		return errors.New("nothing is sent to functions here")
	}
	at := c.api.stack
	arn := stack.ARN(at.Region, "lambda", at.Region, at.Account, "function:"+i.target())
	return g.named(i.function, g.options.Send(g.ctx, arn, invoke.Message{Body: event, Principal: "apigateway.amazonaws.com", Source: source}))
}
