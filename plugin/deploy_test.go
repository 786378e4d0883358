package plugin

import (
	"encoding/json"
	"os"
	"testing"
	"testing/fstest"

	"arc/manifest"

	"github.com/google/go-cmp/cmp"
)

// TestSame: two templates hold the same whatever the order of their members is.
func TestSame(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{`{"a":1,"b":[2,3]}`, `{ "b": [2, 3], "a": 1 }`, true},
		{`{"a":1}`, `{"a":2}`, false},
		{`{"a":[1,2]}`, `{"a":[2,1]}`, false},
		{`{"a":1}`, `{"a":1,"b":null}`, false},
		{`{`, `{`, false},
		{`{}`, `{`, false},
		{`{`, `{}`, false},
	} {
		if got := Same([]byte(c.a), []byte(c.b)); got != c.same {
			t.Errorf("%s and %s: %t", c.a, c.b, got)
		}
	}
}

// TestBringer: what SAM makes of a resource is of the plugin of that resource; of
// what nobody is known for, only the one plugin that there is can be the one.
func TestBringer(t *testing.T) {
	one, two := &Plugin{Ref: Ref{Name: "one"}}, &Plugin{Ref: Ref{Name: "two"}}
	both := Edited{
		By:      map[string]*Plugin{"Resources.Api": two, "Resources.ApiFunction": one, "Outputs.URL": two, "Transform": one},
		Brought: map[string]*Plugin{"Resources.Api": one},
	}
	alone := Edited{By: map[string]*Plugin{"Resources.Api": one, "Outputs.URL": one}}
	for _, c := range []struct {
		edited            Edited
		path, by, brought string
	}{
		{both, "Resources.Api", "two", "one"},
		{both, "Resources.ApiStage", "two", "one"},
		{both, "Resources.ApiFunctionRole", "one", "one"},
		{both, "Resources.Api.Properties.Name", "two", "one"},
		{both, "Resources.Api (its stage)", "two", "one"},
		{both, "Resources. odd", "", ""},
		{both, "Resources.Unknown", "", ""},
		{both, "Outputs.URL", "two", "two"},
		{both, "Outputs.URLs", "", ""},
		{both, "Transform", "one", "one"},
		{alone, "Resources.Unknown", "", "one"},
		{Edited{}, "Resources.Unknown", "", ""},
	} {
		name := func(p *Plugin) string {
			if p == nil {
				return ""
			}
			return p.Name
		}
		if by, brought := name(c.edited.Whose(c.path)), name(c.edited.Bringer(c.path)); by != c.by || brought != c.brought {
			t.Errorf("%s: by %q, brought by %q; want %q and %q", c.path, by, brought, c.by, c.brought)
		}
	}
}

// TestPascal: names become parts of logical IDs as Architect's toLogicalID has it.
func TestPascal(t *testing.T) {
	for name, want := range map[string]string{
		"endpoint": "Endpoint", "a-b": "AB", "search_domain": "SearchDomain", "camelCase": "CamelCase", "URL": "URL", "2nd": "2nd",
		"scope-plugin_esm": "ScopePluginEsm", "x[y]": "XY", "Zebra": "Zebra", "-": "",
	} {
		if got := pascal(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := serviceFolder("scope/my.plugin-x"); got != "scope-my_plugin_x" {
		t.Errorf("the folder of services is %s", got)
	}
}

// TestVariables: a plugin is told the names of variables, and the values of those
// alone that plugins set.
func TestVariables(t *testing.T) {
	files := fstest.MapFS{
		"app.arc":         {Data: []byte("@app\nvars\n@plugins\nx\n@http\nget /\n")},
		"preferences.arc": {Data: []byte("@env\ntesting\n  OWN secret\nstaging\n  OTHER secret\n")},
	}
	result := manifest.Load(files, manifest.Options{Set: []manifest.Set{
		{Plugin: "x", Hook: "env", Value: json.RawMessage(`[{"testing":{"SET":"told"},"production":{"SET":"told too"}}]`)},
	}})
	if result.App == nil || result.Diagnostics.HasErrors() {
		t.Fatal(result.Diagnostics)
	}
	raw, err := Project{Dir: os.TempDir(), Result: result}.Inventory()
	if err != nil {
		t.Fatal(err)
	}
	var ours struct {
		Inv struct {
			Project struct{ Env any } `json:"_project"`
		}
	}
	if err := json.Unmarshal(raw, &ours); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"aws":     nil,
		"local":   map[string]any{"testing": map[string]any{"OWN": "", "SET": "told"}, "staging": map[string]any{"OTHER": ""}, "production": map[string]any{"SET": "told too"}},
		"plugins": map[string]any{"testing": map[string]any{"SET": "told"}, "staging": nil, "production": map[string]any{"SET": "told too"}},
	}
	if d := cmp.Diff(want, ours.Inv.Project.Env); d != "" {
		t.Error(d)
	}
}
