package restapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"arc/sandbox/velocity"
)

// TestSelectPath finds parts of JSON.
func TestSelectPath(t *testing.T) {
	value, err := velocity.FromJSON([]byte(`{"a":{"b":[1,{"c":"x"}]},"d e":2,"l":[{"n":1},{"n":2},{}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"$": `{"a":{"b":[1,{"c":"x"}]},"d e":2,"l":[{"n":1},{"n":2},{}]}`, "$.a.b": `[1,{"c":"x"}]`, "$.a.b[0]": "1", "$.a.b[1].c": `"x"`, "$.a['b'][-1]": `{"c":"x"}`, `$["d e"]`: "2",
		"$.l[*].n": "[1,2]", "$.none": "null", "$.a.none.more": "null", "$.l[9]": "null", "a.b[0]": "1", "$.a.*": `[[1,{"c":"x"}]]`,
	} {
		if got, err := selectPath(value, path); err != nil || velocity.JSON(got) != want {
			t.Errorf("%s: %s %v, want %s", path, velocity.JSON(got), err, want)
		}
	}
	for _, path := range []string{"$..n", "$.l[?(@.n>1)]", "$.l[0:2]", "$.l[", "$x"} {
		if got, err := selectPath(value, path); err == nil {
			t.Errorf("%s: %s", path, velocity.JSON(got))
		}
	}
}

// FuzzSelectPath finds something or says why not.
func FuzzSelectPath(f *testing.F) {
	f.Add(`{"a":[1,{"b":2}]}`, "$.a[1].b")
	f.Add(`[[]]`, "$[*][0]['x']")
	f.Fuzz(func(t *testing.T, body, path string) {
		value, err := velocity.FromJSON([]byte(body))
		if err != nil {
			return
		}
		if found, err := selectPath(value, path); err == nil && !json.Valid([]byte(velocity.JSON(found))) {
			t.Errorf("%s of %s: %s is no JSON", path, body, velocity.JSON(found))
		}
	})
}

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
