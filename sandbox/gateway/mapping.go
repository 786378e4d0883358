package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"arc/sandbox/ingress"
)

// mapping is one entry of an HTTP API's parameter mapping.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
type mapping struct {
	verb  string // append, overwrite, remove
	place string // header, querystring, path, statuscode
	name  string
	value string // an expression, or text
}

// reservedHeaders are those that no mapping may name, or begin with where a *
// stands at the end.
var reservedHeaders = []string{"access-control-*", "apigw-*", "authorization", "connection", "content-encoding", "content-length", "content-location",
	"forwarded", "keep-alive", "origin", "proxy-authenticate", "proxy-authorization", "te", "trailers", "transfer-encoding", "upgrade", "x-amz-*", "x-amzn-*",
	"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "via"}

func reservedHeader(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(reservedHeaders, func(reserved string) bool {
		prefix, any := strings.CutSuffix(reserved, "*")
		return name == reserved || any && strings.HasPrefix(name, prefix)
	})
}

// readMappings reads RequestParameters, or the ResponseParameters of one status.
func readMappings(p *problems, property string, values map[string]string, response bool) []mapping {
	var list []mapping
	for _, key := range slices.Sorted(maps.Keys(values)) {
		verb, rest, _ := strings.Cut(key, ":")
		place, name, _ := strings.Cut(rest, ".")
		m := mapping{verb, place, name, values[key]}
		known := slices.Contains([]string{"append", "overwrite", "remove"}, verb)
		switch {
		case known && (place == "header" || place == "querystring" && !response) && name != "":
		case verb == "overwrite" && place == "path" && name == "" && !response:
		case verb == "overwrite" && place == "statuscode" && name == "" && response:
		default:
			p.fail(property, "%q is none; use append, overwrite or remove with :header.NAME, or :querystring.NAME of a request, overwrite:path, overwrite:statuscode", key)
			continue
		}
		if place == "header" && reservedHeader(name) {
			p.fail(property, "%s: the header is reserved", key)
		}
		list = append(list, m)
	}
	return list
}

// readResponseMappings reads ResponseParameters: by status, a list of Source and
// Destination in templates, an object in OpenAPI documents.
func readResponseMappings(p *problems, property string, values map[string]any) map[int][]mapping {
	out := map[int][]mapping{}
	for _, status := range slices.Sorted(maps.Keys(values)) {
		code, err := strconv.Atoi(status)
		object, ok := values[status].(map[string]any)
		if err != nil || !ok {
			p.fail(property, "%s: must be an object below a status code", status)
			continue
		}
		if code < 200 || code > 599 {
			p.fail(property, "Status Code %s is not valid: a response has one from 200 to 599", status)
			continue
		}
		plain := map[string]string{}
		if list, ok := object["ResponseParameters"].([]any); ok {
			for _, item := range list {
				entry, _ := item.(map[string]any)
				plain[fmt.Sprint(entry["Destination"])] = fmt.Sprint(entry["Source"])
			}
		} else {
			for key, value := range object {
				plain[key] = fmt.Sprint(value)
			}
		}
		out[code] = readMappings(p, property, plain, true)
	}
	return out
}

var embedded = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$\{([^}]+)\}`) })

// text is the value of a mapping: that of its expression, or of those within ${}
// in it, or itself; false when there is none.
func (s *surroundings) text(value string) (string, bool) {
	if strings.HasPrefix(value, "$") && !strings.HasPrefix(value, "${") {
		return s.lookup(value)
	}
	all := true
	out := embedded().ReplaceAllStringFunc(value, func(found string) string {
		text, ok := s.lookup("$" + found[2:len(found)-1])
		all = all && ok
		return text
	})
	return out, all
}

// namesBody reports whether a mapping needs the request's body.
func namesBody(list []mapping) bool {
	return slices.ContainsFunc(list, func(m mapping) bool {
		return strings.Contains(m.value, "$request.body") || strings.Contains(m.value, "${request.body")
	})
}

// mapped are a list's mappings with the values that they have for a request; those
// that have none are left out.
func mapped(list []mapping, s *surroundings) []mapping {
	var out []mapping
	for _, m := range list {
		value, ok := s.text(m.value)
		if ok || m.verb == "remove" {
			out = append(out, mapping{m.verb, m.place, m.name, value})
		}
	}
	return out
}

// mapRequest changes what the integration gets of a request.
func (c *call) mapRequest(list []mapping) {
	if len(list) == 0 {
		return
	}
	r := c.request.Clone(c.request.Context())
	for _, m := range mapped(list, c.surroundings()) {
		switch m.place {
		case "header":
			change(r.Header, m)
		case "querystring":
			r.URL.RawQuery = changeQuery(r.URL.RawQuery, m)
		case "path":
			c.path, c.overwritten = m.value, true
			r.URL.Path, r.URL.RawPath = ingress.Unescape(m.value), ""
		}
	}
	c.request = r
}

func change(h http.Header, m mapping) {
	switch m.verb {
	case "append":
		h.Add(m.name, m.value)
	case "overwrite":
		h.Set(m.name, m.value)
	case "remove":
		h.Del(m.name)
	}
}

// changeQuery changes a query string and leaves the rest of it as it was sent.
func changeQuery(raw string, m mapping) string {
	var kept []string
	for part := range strings.SplitSeq(raw, "&") {
		name, _, _ := strings.Cut(part, "=")
		if part != "" && (m.verb == "append" || ingress.DecodeQuery(name) != m.name) {
			kept = append(kept, part)
		}
	}
	if m.verb != "remove" {
		kept = append(kept, url.QueryEscape(m.name)+"="+url.QueryEscape(m.value))
	}
	return strings.Join(kept, "&")
}

// mapResponse changes what comes back from an integration.
func (c *call) mapResponse(status int, h http.Header, body []byte) int {
	s := c.surroundings()
	s.response = &answered{h.Clone(), body}
	for _, m := range mapped(c.route.integration.responseParameters[status], s) {
		if m.place == "header" {
			change(h, m)
			continue
		}
		if code, err := strconv.Atoi(m.value); err == nil && code >= 200 && code <= 599 {
			status = code
		}
	}
	return status
}

// mapProxied does so with the response of an HTTP integration.
func (c *call) mapProxied(resp *http.Response) error {
	list := c.route.integration.responseParameters[resp.StatusCode]
	if len(list) == 0 {
		return nil
	}
	var body []byte
	if slices.ContainsFunc(list, func(m mapping) bool { return strings.Contains(m.value, "response.body") }) {
		var err error
		if body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody)); err != nil {
			return err
		}
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), resp.Body), resp.Body}
	}
	status := c.mapResponse(resp.StatusCode, resp.Header, body)
	resp.StatusCode, resp.Status = status, fmt.Sprintf("%d %s", status, http.StatusText(status))
	return nil
}

// answered is a response as expressions see it.
type answered struct {
	header http.Header
	body   []byte
}

// lookup is what follows $response.
func (a *answered) lookup(name string) (string, bool) {
	if a == nil {
		return "", false
	}
	if name, ok := strings.CutPrefix(name, "header."); ok {
		values := a.header.Values(name)
		return strings.Join(values, ","), len(values) > 0
	}
	if name, ok := strings.CutPrefix(name, "body."); ok {
		return ingress.Field(a.body, strings.Split(name, "."))
	}
	return string(a.body), name == "body" && json.Valid(a.body)
}
