package cfn

import (
	"strings"

	"arc/manifest"

	"github.com/awslabs/goformation/v7/cloudformation/apigatewayv2"
)

// Logical IDs of the HTTP API, as existing stacks have them.
const (
	httpAPI   = "HTTP"
	httpStage = "HTTPApiGatewayDefaultStage"
)

// AnyMethod is the operation that answers every method of a path without one of
// its own, in the OpenAPI bodies of API Gateway.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-any-method.html
const AnyMethod = "x-amazon-apigateway-any-method"

// openAPI is the body of the HTTP API. All routes are in this one resource, so
// an update of them is one step and their number is not limited by the
// resources of a stack.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html
type openAPI struct {
	OpenAPI string                          `json:"openapi"`
	Info    openAPIInfo                     `json:"info"`
	Paths   map[string]map[string]operation `json:"paths"` // by path and method
}

type openAPIInfo struct {
	Title   string `json:"title"`
	Version string `json:"version"`
}

type operation struct {
	Integration integration     `json:"x-amazon-apigateway-integration"`
	Parameters  []pathParameter `json:"parameters,omitempty"`
	Default     bool            `json:"isDefaultRoute,omitempty"`
}

type pathParameter struct {
	Name     string `json:"name"`
	In       string `json:"in"`
	Required bool   `json:"required"`
}

type integration struct {
	Type                 string `json:"type"`
	HTTPMethod           string `json:"httpMethod"`
	URI                  string `json:"uri"`
	PayloadFormatVersion string `json:"payloadFormatVersion"`
	ConnectionType       string `json:"connectionType"`
	TimeoutInMillis      int    `json:"timeoutInMillis,omitempty"`
}

// http compiles @http: the API, its routes, and a function for each.
func (c *compiler) http() {
	routes := c.staticRoutes(c.app.HTTP)
	if len(routes) == 0 && c.app.Proxy == nil {
		return
	}
	body := openAPI{
		OpenAPI: "3.0.1",
		Info:    openAPIInfo{Title: Ref("AWS::StackName"), Version: "1"},
		Paths:   map[string]map[string]operation{},
	}
	pos := c.app.Pos
	if len(routes) > 0 {
		pos = routes[0].Pos
	}
	names := routeIDs(routes)
	made := map[*manifest.Function]*lambdaFunction{}
	for i, r := range routes {
		f := made[r.Function]
		if f == nil {
			f = c.function(names[i], r.Function)
			made[r.Function] = f
			c.permission(f.id+"HTTPEventPermission", r.Pos, f, "apigateway", routeSource(r))
		}
		body.add(r, c.lambdaIntegration(f))
	}
	c.proxy(&body)
	c.add(httpAPI, pos, &apigatewayv2.Api{Body: body})
	c.add(httpStage, pos, &apigatewayv2.Stage{ApiId: Ref(httpAPI), StageName: "$default", AutoDeploy: new(true)})
	c.output("API", "URL of the HTTP API", GetAtt(httpAPI, "ApiEndpoint"))
	c.output("ApiId", "ID of the HTTP API", Ref(httpAPI))
}

// routeIDs gives the logical ID of each route's function.
func routeIDs(routes []manifest.Route) []string {
	items := make([]naming, len(routes))
	for i, r := range routes {
		items[i] = naming{base: routeName(r.Method, r.Path), key: r.Method + " " + r.Path, pos: r.Pos}
	}
	ids := distinct(items)
	for i, r := range routes {
		ids[i] += "HTTPLambda"
		if r.Function.Asset && r.Path == staticPath {
			ids[i] = staticLambda
		}
	}
	return ids
}

func (b openAPI) add(r manifest.Route, i integration) {
	path, parameters := openAPIPath(r.Path)
	if b.Paths[path] == nil {
		b.Paths[path] = map[string]operation{}
	}
	method := r.Method
	if method == "any" {
		method = AnyMethod
	}
	b.Paths[path][method] = operation{Integration: i, Parameters: parameters}
}

// openAPIPath writes a route's path in API Gateway's way: /a/:b/* → /a/{b}/{proxy+}.
func openAPIPath(path string) (string, []pathParameter) {
	var parameters []pathParameter
	parts := strings.Split(path, "/")
	for i, part := range parts {
		name, ok := strings.CutPrefix(part, ":")
		if part == "*" {
			name, ok = "proxy+", true
		}
		if ok {
			parts[i] = "{" + name + "}"
			parameters = append(parameters, pathParameter{Name: name, In: "path", Required: true})
		}
	}
	return strings.Join(parts, "/"), parameters
}

// routeSource is the ARN that API Gateway invokes a route's function in the
// name of, with a star for each variable part.
func routeSource(r manifest.Route) string {
	method := strings.ToUpper(r.Method)
	if method == "ANY" {
		method = "*"
	}
	parts := strings.Split(r.Path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, ":") {
			parts[i] = "*"
		}
	}
	return Sub(executeARN(httpAPI) + "/*/" + method + strings.Join(parts, "/"))
}

// executeARN is the start of the ARNs of one API's calls, for use inside Sub.
func executeARN(api string) string {
	return "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${" + api + "}"
}

func (c *compiler) lambdaIntegration(f *lambdaFunction) integration {
	version := "2.0"
	if c.app.AWS.APIGateway == "httpv1" {
		version = "1.0"
	}
	return integration{
		Type:                 "aws_proxy",
		HTTPMethod:           "POST",
		URI:                  invocationURI(f),
		PayloadFormatVersion: version,
		ConnectionType:       "INTERNET",
	}
}

// invocationURI is what API Gateway calls to invoke a function.
func invocationURI(f *lambdaFunction) string {
	return Sub("arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/" + f.arnInSub() + "/invocations")
}
