package manifest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// TestPreferencesAreRead walks the schema of preferences: every key has a reader
// outside this package, or is told to have no effect, with what to do instead.
func TestPreferencesAreRead(t *testing.T) {
	readers := map[string]string{ // key → what reads it
		"@env testing": "app.Env[", "@env staging": "app.Env[", "@env production": "app.Env[",
		"@sandbox useAWS": "Prefs.UseAWS", "@sandbox livereload": "Prefs.LiveReload", "@sandbox external-db": "Prefs.ExternalDB",
		"@sandbox seed-data": "Prefs.SeedData", "@sandbox ports": "Prefs.Ports.HTTP",
		"@sandbox-start": "Prefs.Startup", "@sandbox-startup": "Prefs.Startup",
	}
	files, err := filepath.Glob("../cmd/arc/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(text)
	}
	read := func(key string) bool {
		by := readers[key]
		return by != "" && (strings.Contains(code.String(), by) || by == "app.Env[" && strings.Contains(code.String(), "app.Env"))
	}
	for _, p := range preferencePragmas {
		if len(p.keys) == 0 && !read("@"+p.name) {
			t.Errorf("nothing reads @%s", p.name)
		}
		for _, s := range p.keys {
			key := "@" + p.name + " " + s.name
			if s.instead == "" && !read(key) {
				t.Errorf("%s has no reader, and no warning that says what to do instead", key)
			}
			if s.instead == "" {
				continue
			}
			value := map[valueType]string{booleanValue: " true", choiceValue: " staging", stagesValue: "\n  http a.js", textValue: " a"}[s.typ]
			got := Load(fstest.MapFS{
				"app.arc":         {Data: []byte("@app\nmy-app\n")},
				"preferences.arc": {Data: []byte("@" + p.name + "\n" + s.name + value + "\n")},
			}, Options{})
			if len(got.Diagnostics) != 1 || got.Diagnostics[0].Code != "preference-idle" || got.Diagnostics[0].Hint != s.instead {
				t.Errorf("%s: %v", key, got.Diagnostics)
			}
		}
	}
}
