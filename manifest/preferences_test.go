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
		"@sandbox useAWS": "Prefs.UseAWS", "@sandbox allow-origin": "Prefs.AllowOrigin", "@sandbox allow-host": "Prefs.AllowHost", "@sandbox livereload": "Prefs.LiveReload", "@sandbox external-db": "Prefs.ExternalDB",
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

	// The ports of @sandbox ports are keys of their own.
	idle := func(text string) (messages []string) {
		for _, d := range Load(fstest.MapFS{"app.arc": {Data: []byte("@app\nmy-app\n")}, "preferences.arc": {Data: []byte(text)}}, Options{}).Diagnostics {
			messages = append(messages, d.Code+": "+d.Message)
		}
		return messages
	}
	for _, name := range portNames {
		got := idle("@sandbox\nports\n  " + name + " 4000\n")
		switch reader := map[string]string{"http": "Prefs.Ports.HTTP"}[name]; {
		case reader != "" && strings.Contains(code.String(), reader) && got == nil:
		case reader == "" && len(got) == 1 && got[0] == "preference-idle: the port "+name+" of @sandbox has no effect":
		default:
			t.Errorf("ports %s: %v", name, got)
		}
	}
	for _, text := range []string{"@sandbox\nports\n  tables 4000\nexternal-db true\n", "@sandbox\nexternal-db true\nports\n  tables 4000\n"} {
		if got := idle(text); got != nil || !strings.Contains(code.String(), "Prefs.Ports.Tables") {
			t.Errorf("%s: %v", text, got)
		}
	}
}
