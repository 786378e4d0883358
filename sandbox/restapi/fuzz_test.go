package restapi

import (
	"net/http"
	"strings"
	"testing"
)

// FuzzRouter finds a route whose variables, put into its path, give the request's.
func FuzzRouter(f *testing.F) {
	f.Add("/a/{b}/c", "/a/{p+}", "/a/x/c")
	f.Add("/", "/{p+}", "/x/")
	f.Fuzz(func(t *testing.T, one, two, path string) {
		if strings.ContainsAny(path, "%") || !strings.HasPrefix(path, "/") || strings.Contains(path, "//") {
			return
		}
		rt := &router{}
		for _, template := range []string{one, two} {
			if strings.HasPrefix(template, "/") {
				rt.add(&route{method: &method{verb: "GET"}, resource: &resource{path: template}})
			}
		}
		r, variables := rt.find(http.MethodGet, path)
		if r == nil {
			return
		}
		made := r.resource.path
		for name, value := range variables {
			made = strings.NewReplacer("{"+name+"}", value, "{"+name+"+}", value).Replace(made)
		}
		if len(variables) <= 1 && strings.Count(made, "{") == 0 && strings.Trim(made, "/") != strings.Trim(path, "/") && !strings.Contains(made, "//") {
			t.Errorf("%s goes to %s with %v", path, r.resource.path, variables)
		}
	})
}

// FuzzResult reads any result of a function as an answer, or says what is wrong.
func FuzzResult(f *testing.F) {
	f.Add([]byte(`{"statusCode":200,"headers":{"a":1},"multiValueHeaders":{"b":["c"]},"body":"x","isBase64Encoded":false}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		out, _, err := readResult(payload)
		if err == nil && (out.status < 200 || out.status > 599) {
			t.Errorf("status %d", out.status)
		}
	})
}
