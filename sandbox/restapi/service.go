package restapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
)

// Integrations with services of AWS: what the mappings make of the request goes to
// the service as a call in the name of the integration's role.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-integration-types.html
// https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html (uri)

// service calls a service and makes an answer of what it says by the integration
// responses, whose patterns are matched with the status.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-integration-settings-integration-response.html
func (g *APIs) service(c *call, i *integration) (response, *failure) {
	body, o, failed := c.mapped(i)
	if failed != nil {
		return response{}, failed
	}
	s, err := ingress.ServiceIn(ingress.FillVariables(i.uri, c.stage.variables), "method")
	if err != nil {
		return response{}, misconfigured("%v", err)
	}
	header := c.mappedHeader(i, o)
	verb := i.verb
	if verb == "ANY" || verb == "" {
		verb = c.request.Method
	}
	query, path := c.parameters(i, nil, o)
	r, err := s.Request(c.request.Context(), verb, header, query, path, body)
	if err != nil {
		return response{}, unable(http.StatusInternalServerError, "%v", err)
	}
	if err := g.mayCall(c, i); err != nil {
		return response{}, misconfigured("%v", err)
	}
	said := g.options.Call(invoke.Session{
		Role: i.role, Name: ingress.SessionName, For: c.api.arn(c.stage.name + "/" + c.route.verb + c.route.resource.path),
		Called: "API " + c.api.logical, Region: s.Region, Service: s.Name,
	}, r)
	if said.Status >= 400 {
		c.delay = strings.TrimSpace(fmt.Sprintf("%s answered %d: %.300s %s", s.Name, said.Status, bytes.TrimSpace(said.Body), c.delay))
	}
	said = s.Answer(said)
	return c.respond(i, strconv.Itoa(said.Status), &backendAnswer{said.Status, said.Header, said.Body})
}

// mayCall says why the integration's role cannot be taken.
func (g *APIs) mayCall(c *call, i *integration) error {
	if g.options.Call == nil {
		return errors.New("there are no services to call here")
	}
	return g.options.Errand.Ask(context.Background(), invoke.Errand{
		Service: "apigateway.amazonaws.com", Role: i.role, Session: ingress.SessionName, For: c.api.arn(c.stage.name + "/" + c.route.verb + c.route.resource.path), Called: "API " + c.api.logical,
	})
}
