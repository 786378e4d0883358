package cfn

import (
	"strings"
	"testing"
	"testing/fstest"

	"arc/manifest"
)

// TestVersionFollowsItsVariables: a new value alone makes a new version of a
// function that is invoked by one, if the function reads it.
func TestVersionFollowsItsVariables(t *testing.T) {
	files := fstest.MapFS{
		"app.arc":                       {Data: []byte("@app\nx\n@http\nget /\nget /some\nget /none\nget /plain\n")},
		"src/http/get-index/config.arc": {Data: []byte("@aws\nprovisionedConcurrency 1\n")},
		"src/http/get-some/config.arc":  {Data: []byte("@aws\nprovisionedConcurrency 1\n@uses\nenv OTHER\n")},
		"src/http/get-none/config.arc":  {Data: []byte("@aws\nprovisionedConcurrency 1\nenv false\n")},
		"src/http/get-index/index.mjs":  {},
		"src/http/get-some/index.mjs":   {},
		"src/http/get-none/index.mjs":   {},
		"src/http/get-plain/index.mjs":  {},
	}
	app := manifest.Load(files, manifest.Options{}).App
	versions := func(set map[string]string) map[string]bool {
		t.Helper()
		stack, ds := Compile(app, Options{Stage: "staging", Env: []string{"KEY", "OTHER"}, EnvVersions: set})
		if ds.HasErrors() {
			t.Fatal(ds)
		}
		text, err := stack.Template.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), `"Description": "environment `); set != nil && n != 2 {
			t.Errorf("%d functions have a mark", n)
		}
		ids := map[string]bool{}
		for id := range stack.Template.Resources {
			if strings.Contains(id, "LambdaVersion") {
				ids[id] = true
			}
		}
		return ids
	}
	before := versions(map[string]string{"KEY": "1@5", "OTHER": "1@5"})
	if same := versions(map[string]string{"KEY": "1@5", "OTHER": "1@5"}); !equalKeys(before, same) {
		t.Errorf("%v and %v", before, same)
	}
	changed := 0
	for id := range versions(map[string]string{"KEY": "2@9", "OTHER": "1@5"}) {
		if !before[id] {
			changed++
			if !strings.HasPrefix(id, "GetIndex") {
				t.Errorf("%s is new", id)
			}
		}
	}
	if len(before) != 3 || changed != 1 {
		t.Errorf("of %d versions, %d are new", len(before), changed)
	}
	versions(nil)
}

func equalKeys(a, b map[string]bool) bool {
	for id := range a {
		if !b[id] {
			return false
		}
	}
	return len(a) == len(b)
}
