package ingress

import (
	"encoding/json"
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
