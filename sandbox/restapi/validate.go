package restapi

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// validate checks what the method's request validator asks for.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html
func (c *call) validate() *failure {
	v := c.route.validator
	if v == nil {
		return nil
	}
	if v.parameters {
		var missing []string
		for _, name := range slices.Sorted(maps.Keys(c.route.parameters)) {
			if !c.route.parameters[name] {
				continue
			}
			if values, ok := c.value(name, nil); !ok || strings.Join(values, "") == "" {
				_, short, _ := strings.Cut(strings.TrimPrefix(name, "method.request."), ".")
				missing = append(missing, short)
			}
		}
		if missing != nil {
			message := "Missing required request parameters: [" + strings.Join(missing, ", ") + "]"
			return &failure{kind: "BAD_REQUEST_PARAMETERS", status: http.StatusBadRequest, message: message, code: "BadRequestException", spaced: true, why: message}
		}
	}
	if !v.body {
		return nil
	}
	m := c.route.schemas[mediaType(c.headers.Get("Content-Type"))]
	if m == nil {
		if m = c.route.schemas["$default"]; m == nil {
			return nil // https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-validation-set-up.html
		}
	}
	if found := m.check(c.api, c.body); found != "" {
		return &failure{kind: "BAD_REQUEST_BODY", status: http.StatusBadRequest, message: "Invalid request body", code: "BadRequestException", spaced: true, invalid: found, why: "the body does not fit model " + m.name + ": " + found}
	}
	return nil
}
