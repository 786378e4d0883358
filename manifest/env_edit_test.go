package manifest

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestEditPreferences: what is not the variable stays, byte for byte.
func TestEditPreferences(t *testing.T) {
	value := "new"
	for name, c := range map[string]struct {
		stage, variable string
		value           *string
		src, want       string
	}{
		"no file":    {"testing", "B", &value, "", "@env\ntesting\n  B \"new\"\n"},
		"no pragma":  {"testing", "B", &value, "@sandbox # s\nlivereload false", "@sandbox # s\nlivereload false\n\n@env\ntesting\n  B \"new\"\n"},
		"no stage":   {"staging", "B", &value, "# top\n@env # why\ntesting\n  A 1\n", "# top\n@env # why\nstaging\n  B \"new\"\ntesting\n  A 1\n"},
		"no name":    {"testing", "B", &value, "@env\ntesting\n    # above\n    A 1 # one\n    # below\n@sandbox\n", "@env\ntesting\n    # above\n    A 1 # one\n    B \"new\"\n    # below\n@sandbox\n"},
		"empty":      {"testing", "B", &value, "@env\ntesting", "@env\ntesting\n  B \"new\"\n"},
		"other":      {"testing", "A", &value, "@env\ntesting\n  A 'x y' # one\n  C 2\n", "@env\ntesting\n  A \"new\" # one\n  C 2\n"},
		"words":      {"testing", "A", &value, "@env\ntesting\n  A x y # one\n", "@env\ntesting\n  A \"new\" # one\n"},
		"long":       {"testing", "A", &value, "@env\ntesting\n  A \"x\ny\" # one\n  C 2\n", "@env\ntesting\n  A \"new\" # one\n  C 2\n"},
		"remove":     {"testing", "A", nil, "@env\ntesting\n  # of C\n  C 2\n  A \"x\ny\" # one\n# end\n", "@env\ntesting\n  # of C\n  C 2\n# end\n"},
		"no such":    {"staging", "A", nil, "@env\ntesting\n  A 1\n", "@env\ntesting\n  A 1\n"},
		"windows":    {"testing", "A", &value, "\ufeff@env\r\ntesting\r\n  A 1\r\n", "\ufeff@env\r\ntesting\r\n  A \"new\"\r\n"},
		"wide signs": {"testing", "A", &value, "@env\ntesting\n  A \"ü\" # ü\n", "@env\ntesting\n  A \"new\" # ü\n"},
	} {
		got, err := EditPreferences([]byte(c.src), c.stage, c.variable, c.value)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%q, not\n%q", name, err, got, c.want)
		}
	}
	for _, src := range []string{"@env\ntesting A 1\n", "@env\ntesting\n  A \"x\n"} {
		if got, err := EditPreferences([]byte(src), "testing", "A", &value); err == nil {
			t.Errorf("%q: %q", src, got)
		}
	}
}

// TestEditDotenv: as TestEditPreferences, for .env.
func TestEditDotenv(t *testing.T) {
	value := "new"
	for name, c := range map[string]struct {
		variable  string
		value     *string
		src, want string
	}{
		"none":    {"B", &value, "", "B=new\n"},
		"another": {"B", &value, "# a\nA=1", "# a\nA=1\nB=new\n"},
		"same":    {"A", &value, "export A = 'x\ny' # why\nC=2\n", "export A = new # why\nC=2\n"},
		"twice":   {"A", &value, "A=1\nB=2\nA=3\n", "B=2\nA=new\n"},
		"remove":  {"A", nil, "# a\nA=\"x\ny\"\n# c\nC=2\nA=3\n", "# a\n# c\nC=2\n"},
		"windows": {"A", &value, "A=1\r\nC=2\r\n", "A=new\r\nC=2\r\n"},
	} {
		got, err := EditDotenv([]byte(c.src), c.variable, c.value)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%q, not\n%q", name, err, got, c.want)
		}
	}
}

// FuzzEditEnv: a value that is written is read again as it was, or is refused.
func FuzzEditEnv(f *testing.F) {
	f.Add("plain", "@env\ntesting\n  A 1\n")
	f.Add("a 'b' \"c\" `d` # \\", "@env # x\nstaging\n  A 1\n")
	f.Add("line\nline\\n", "")
	f.Fuzz(func(t *testing.T, value, src string) {
		files := fstest.MapFS{"app.arc": {Data: []byte("@app\nx\n@http\nget /\n")}}
		if text, err := EditDotenv([]byte(src), "NAME", &value); err == nil {
			files[".env"] = &fstest.MapFile{Data: text}
			check(t, files, value)
			delete(files, ".env")
		}
		if text, err := EditPreferences([]byte(src), "testing", "NAME", &value); err == nil && !strings.HasPrefix(strings.TrimSpace(src), "{") {
			files["preferences.arc"] = &fstest.MapFile{Data: text}
			check(t, files, value)
		}
	})
}

func check(t *testing.T, files fstest.MapFS, value string) {
	t.Helper()
	result := Load(files, Options{})
	if result.App == nil {
		return // something else of the file is wrong
	}
	for _, v := range result.App.Env["testing"] {
		if v.Name == "NAME" {
			if v.Value != value {
				t.Fatalf("%q was written, and %q is read", value, v.Value)
			}
			return
		}
	}
	if !result.Diagnostics.HasErrors() {
		t.Fatalf("%q was written, and nothing is read", value)
	}
}
