package gateway

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"arc/sandbox/ingress"
)

// parameter is one of the RequestParameters of a WebSocket API's integration.
type parameter struct{ place, name, value string }

// What of the request that opens a connection may be mapped, the last value of a name or
// all of them. Messages have neither headers nor a query.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-mapping.html
var requestSource = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^route\.request\.(multivalue)?(header|querystring)\.([a-zA-Z0-9._$-]+)$`)
})

// source is the part of a request that an expression names: "header.X" or
// "querystring.X", be it of one value or of all; "" = it names none.
func source(expression string) (name string, all bool) {
	m := requestSource().FindStringSubmatch(expression)
	if m == nil {
		return "", false
	}
	if m[2] == "header" {
		m[3] = http.CanonicalHeaderKey(m[3])
	}
	return m[2] + "." + m[3], m[1] != ""
}

// readParameters reads the RequestParameters of a WebSocket API's integration.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-mapping.html
func readParameters(p *problems, values map[string]string) []parameter {
	var list []parameter
	for _, key := range slices.Sorted(maps.Keys(values)) {
		rest, ok := strings.CutPrefix(key, "integration.request.")
		place, name, _ := strings.Cut(rest, ".")
		if !ok || name == "" || !slices.Contains([]string{"header", "querystring", "path"}, place) {
			p.fail("RequestParameters", "%s: must be integration.request.header.NAME, .querystring.NAME or .path.NAME", key)
			continue
		}
		if value := values[key]; !mappable(value) {
			p.fail("RequestParameters", "%s: must be route.request.querystring.NAME, .header.NAME, .multivaluequerystring.NAME, .multivalueheader.NAME or .body.PATH, stageVariables.NAME, context.NAME or 'text' in single quotes, not %q", key, value)
		}
		list = append(list, parameter{place, name, values[key]})
	}
	return list
}

// mappable reports whether a value is one that a parameter may be mapped from.
func mappable(value string) bool {
	if quoted(value) || value == "route.request.body" {
		return true
	}
	if path, ok := strings.CutPrefix(value, "route.request.body"); ok {
		return strings.ContainsRune(".[", rune(path[0])) && len(path) > 1 && ingress.CheckPath("$"+path) == nil
	}
	for _, prefix := range []string{"stageVariables.", "context."} {
		if rest, ok := strings.CutPrefix(value, prefix); ok && rest != "" {
			return true
		}
	}
	name, _ := source(value)
	return name != ""
}

// quoted reports whether a value is text in single quotes.
func quoted(value string) bool {
	return len(value) >= 2 && value[0] == '\'' && value[len(value)-1] == '\''
}

// readRouteParameters reads the RequestParameters of a route: what of the request its
// integration may map, true where the request must have it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigatewayv2-route-parameterconstraints.html
func readRouteParameters(p *problems, values map[string]struct {
	Required bool `cfn:"required"`
}) map[string]bool {
	parameters := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		name, _ := source(key)
		if name == "" {
			p.fail("RequestParameters", "%s: must be route.request.querystring.NAME or route.request.header.NAME", key)
			continue
		}
		parameters[name] = parameters[name] || values[key].Required
	}
	return parameters
}

// parameterNotes says what is not known, or comes to nothing, of the parameters of a
// route: those that are required, those that no message has, and those that its
// integration maps without the route's defining them.
func (r *explicitRoute) parameterNotes(i *integration) []string {
	var notes []string
	var required, unheard []string
	for _, name := range slices.Sorted(maps.Keys(r.parameters)) {
		switch {
		case r.key != "$connect":
			unheard = append(unheard, "route.request."+name)
		case r.parameters[name]:
			required = append(required, "route.request."+name)
		}
	}
	if len(required) > 0 {
		notes = append(notes, fmt.Sprintf("RequestParameters require %s, and no page of AWS says what becomes of a connection without it: here $connect is called all the same; "+
			"have its function refuse the connection, or name it in the IdentitySource of a Lambda authorizer, which answers 401", strings.Join(required, ", ")))
	}
	if len(unheard) > 0 {
		notes = append(notes, "RequestParameters name "+strings.Join(unheard, ", ")+": $connect alone has headers and a query, so that nothing is found; leave them out")
	}
	if i == nil {
		return notes
	}
	for _, m := range i.sent {
		name, _ := source(m.value)
		_, defined := r.parameters[name]
		switch {
		case name == "":
		case r.key != "$connect":
			notes = append(notes, fmt.Sprintf("its integration maps %s: $connect alone has headers and a query, so that nothing is found", m.value))
		case !defined:
			notes = append(notes, fmt.Sprintf("its integration maps %s, which RequestParameters of the route do not define: nothing is found; add %s: {Required: false}", m.value, m.value))
		}
	}
	return notes
}

// expression is the value of a parameter: text in single quotes, or what the request
// has.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-mapping.html
func (s *surroundings) expression(value string) (string, bool) {
	if quoted(value) {
		return value[1 : len(value)-1], true
	}
	return s.lookup("$" + value)
}

// mapped are the values that a parameter has for a request; nil = none.
func (rt *route) mapped(s *surroundings, value string) []string {
	name, all := source(value)
	if name == "" {
		if text, ok := s.expression(value); ok {
			return []string{text}
		}
		return nil
	}
	if _, defined := rt.parameters[name]; !defined {
		return nil
	}
	place, name, _ := strings.Cut(name, ".")
	values := s.query[name]
	if place == "header" {
		values = s.header.Values(name)
	}
	if !all && len(values) > 1 {
		values = values[len(values)-1:] // as the functions of $connect are told it
	}
	return values
}

// parametersOf are the parameters of a route's integration with their values; those that
// have none are left out.
func (rt *route) parametersOf(s *surroundings) (http.Header, url.Values, map[string]string) {
	header, query, path := http.Header{}, url.Values{}, map[string]string{}
	for _, m := range rt.integration.sent {
		values := rt.mapped(s, m.value)
		switch {
		case len(values) == 0:
		case m.place == "header":
			header[http.CanonicalHeaderKey(m.name)] = values
		case m.place == "querystring":
			query[m.name] = values
		case m.place == "path":
			path[m.name] = strings.Join(values, ",")
		}
	}
	return header, query, path
}

// passed adds to what an HTTP_PROXY integration is sent the headers and the query of the
// request that opens a connection, which is passed through as it is; messages have none.
// What is mapped stands for what the client sent by that name.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations-integrationid.html (IntegrationType)
func (c *connection) passed(header http.Header, query url.Values, s *surroundings) (http.Header, url.Values) {
	if s.header == nil {
		return header, query
	}
	all, values := s.header.Clone(), url.Values{}
	all.Del("Host")
	// https://stackoverflow.com/questions/67640010 has them from API Gateway's own log.
	all.Set("X-Amzn-Apigateway-Api-Id", c.api.id)
	if all.Get("User-Agent") == "" {
		all.Set("User-Agent", "AmazonAPIGateway_"+c.api.id)
	}
	maps.Copy(all, header)
	maps.Copy(values, s.query)
	maps.Copy(values, query)
	return all, values
}
