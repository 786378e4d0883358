package ingress

import (
	"encoding/json"
	"fmt"
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

// TestAt reads a path of a body as text.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html
func TestAt(t *testing.T) {
	const body = `{"a":[{"b c":"d"},2,true,null,["x",1],{"e":[null]}]}`
	for path, want := range map[string]string{
		"$.a[0]['b c']": "d true", "$.a[1]": "2 true", "$.a[2]": "true true", "$.a[3]": " false", "$.a[4]": "[x, 1] true", "$.a[5]": " false", "$.a[5].e": " false",
		"$.a[9]": " false", "$.a.1": " false", "$[0]": " false", "$.a[-1].f": " false", "$.a[4][*]": "[x, 1] true", "$.a[?(@)]": " false", "$['a'][1]": "2 true",
	} {
		text, ok := At([]byte(body), path)
		if got := fmt.Sprint(text, " ", ok); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if _, ok := At([]byte("no JSON"), "$.a[0]"); ok {
		t.Error("found in no JSON")
	}
	if CheckPath("$.a[0]") != nil || CheckPath("$..a") == nil {
		t.Error("CheckPath")
	}
}
