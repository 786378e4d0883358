package sam

import (
	"regexp"
	"strings"
	"sync"

	"arc/cfn"
)

const (
	integrationKey = "x-amazon-apigateway-integration"
	authorizerKey  = "x-amazon-apigateway-authorizer"
	defaultPath    = "$default"
)

// methodName writes a method as OpenAPI has it.
func methodName(method string) string {
	method = strings.ToLower(method)
	if method == "any" {
		return cfn.AnyMethod
	}
	return method
}

// cases gives a value, or what Fn::If chooses from but for AWS::NoValue.
func cases(v any) []any {
	args, ok := asObject(v)["Fn::If"].([]any)
	if !ok || len(args) < 2 {
		return []any{v}
	}
	var list []any
	for _, arg := range args[1:] {
		if !noValue(arg) {
			list = append(list, arg)
		}
	}
	return list
}

// operations gives the operations of a path and method, those in conditions, too.
func operations(paths object, path, method string) []object {
	var list []object
	for _, item := range cases(paths[path]) {
		for _, operation := range cases(asObject(item)[method]) {
			if m := asObject(operation); m != nil {
				list = append(list, m)
			}
		}
	}
	return list
}

// isOpenAPI reports whether a body is one that SAM edits.
func isOpenAPI(body any) bool {
	m := asObject(body)
	return isVersion3(m["openapi"]) && asObject(m["paths"]) != nil
}

// operation adds an empty operation to an API's body, unless it is there, and
// reports whether it can be written into.
func (x *expander) operation(apiID string, paths object, path, method string) bool {
	addOperation(paths, path, method)
	for _, item := range cases(paths[path]) {
		if asObject(asObject(item)[method]) == nil {
			x.fail("Resources."+apiID+".Properties.DefinitionBody.paths."+path, "write a map of methods to operations", "the body of the API is no OpenAPI document")
			return false
		}
	}
	return true
}

// addOperation adds an empty operation, unless it is there.
func addOperation(paths object, path, method string) {
	if paths == nil {
		return
	}
	if asObject(paths[path]) == nil {
		paths[path] = object{}
	}
	for _, item := range cases(paths[path]) {
		if m := asObject(item); m != nil && m[method] == nil {
			m[method] = object{}
		}
	}
}

// hasIntegration reports whether an operation says already who answers it.
func hasIntegration(paths object, path, method string) bool {
	items := cases(paths[path])
	if paths[path] == nil || len(items) == 0 {
		return false
	}
	for _, item := range items {
		found := false
		for _, operation := range cases(asObject(item)[method]) {
			found = found || given(asObject(operation)[integrationKey])
		}
		if !found {
			return false
		}
	}
	return true
}

// pathVariable matches a variable part of a path.
var pathVariable = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\{([a-zA-Z0-9._-]+|proxy\+)\}`)
})

// sourcePath is a path as it stands in the ARN of calls.
func sourcePath(path string) string {
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	return pathVariable().ReplaceAllString(path, "*")
}

// variables names the variable parts of a path.
func pathVariables(path string) []string {
	var names []string
	for {
		_, rest, ok := strings.Cut(path, "{")
		if !ok {
			return names
		}
		name, rest, ok := strings.Cut(rest, "}")
		if !ok {
			return names
		}
		names, path = append(names, name), rest
	}
}

// invokeURI is what API Gateway calls for a target.
func invokeURI(to target, partition, version, call string) object {
	name := "${" + to.id + ".Arn}"
	if to.id != to.function {
		name = "${" + to.id + "}"
	}
	return sub("arn:"+partition+":apigateway:${AWS::Region}:lambda:path/"+version+"/functions/"+name+"/"+call, nil)
}
