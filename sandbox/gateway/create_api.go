package gateway

import (
	"encoding/json"
	"io"
	"net/http"
	"unicode"
	"unicode/utf8"

	"arc/sandbox/stack"
)

// maxCreate bounds the body of CreateApi, in bytes.
const maxCreate = 1 << 20

// byClient begins the logical IDs of APIs that no stack made.
const byClient = "made by a client: "

// create answers CreateApi where it makes a whole API in one step, by a Target. What
// of an API takes several calls, stacks make.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html#CreateApi
func (c Control) create(r *http.Request) (any, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxCreate))
	if err != nil {
		return nil, badRequest("the body cannot be read: " + err.Error())
	}
	var in map[string]any
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, badRequest("the body is not the JSON that was expected: " + err.Error())
	}
	if target, _ := in["target"].(string); target == "" {
		return nil, &stack.Error{Code: "UnknownOperationException", Status: http.StatusNotImplemented, Message: "the local cloud's API Gateway does not run CreateApi without a target, which makes a whole API in one step: stacks make others"}
	}
	g := c.Gateway
	region := stack.RegionOf(r.Context())
	if region == "" {
		region = c.Region
	}
	name, _ := in["name"].(string)
	id := stack.ARN(region, "apigateway", region, "", "/apis/"+name) // its front end is its own
	req := stack.Request{Stack: stack.Ref{Name: name + " (made by a client)", ID: id, Region: region, Account: c.Account}, LogicalID: byClient + name, Token: name, Properties: raised(in)}
	g.mu.Lock()
	defer g.mu.Unlock()
	made, err := g.createAPI(req)
	if err != nil {
		return nil, badRequest(err.Error())
	}
	g.options.Tell.Or().Notice("the API %s that a client made answers at %s; it ends with the local cloud", made.PhysicalID, made.Attributes["ApiEndpoint"])
	return g.apis[made.PhysicalID].shown(), nil
}

// remove answers DeleteApi for an API that a client made.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html#DeleteApi
func (c Control) remove(id string) error {
	g := c.Gateway
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.apis[id]
	switch {
	case a == nil:
		return c.notFound("API", id)
	case !a.byClient():
		return &stack.Error{Code: "UnknownOperationException", Status: http.StatusNotImplemented, Message: "the API " + id + " is of the stack " + a.stack.Name + ", which deletes it"}
	}
	return g.deleteAPI(stack.Request{PhysicalID: id})
}

// byClient reports that no stack made the API.
func (a *api) byClient() bool {
	return len(a.logical) >= len(byClient) && a.logical[:len(byClient)] == byClient
}

func badRequest(message string) error {
	return &stack.Error{Code: "BadRequestException", Message: message}
}

// raised gives members of the API the names that properties have: name is Name. Tags
// are among them as they are.
func raised(members map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range members {
		if inner, ok := value.(map[string]any); ok && name != "tags" {
			value = raised(inner)
		}
		first, size := utf8.DecodeRuneInString(name)
		out[string(unicode.ToUpper(first))+name[size:]] = value
	}
	return out
}
