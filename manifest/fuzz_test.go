package manifest

import (
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzLoad feeds the loader anything as a manifest, a config file, preferences
// and .env: it must end, without a panic, and what it says must be printable.
func FuzzLoad(f *testing.F) {
	for _, name := range fuzzSeeds(f) {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range a.Files {
			if strings.HasSuffix(file.Name, "arc") || file.Name == ".env" {
				f.Add(string(file.Data))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		data := &fstest.MapFile{Data: []byte(text)}
		for _, name := range []string{"app.arc", "arc.json", "arc.yaml"} {
			files := fstest.MapFS{name: data, "preferences.arc": data, ".env": data,
				"src/events/ping/config.arc": data}
			r := Load(files, Options{Home: files})
			if err := r.Diagnostics.Render(io.Discard, r.Sources); err != nil {
				t.Fatal(err)
			}
		}
		small := fstest.MapFS{"app.arc": {Data: []byte("@app\nmy-app\n@events\nping\n")}, "src/events/ping/config.arc": data}
		if r := Load(small, Options{}); r.App == nil || len(r.App.Events) != 1 {
			t.Fatalf("a config file changed what the manifest holds: %+v", r.App)
		}
	})
}

// FuzzMask holds secrets to their promise: a value below @env is not in the
// text that diagnostics may quote, and no column moves.
func FuzzMask(f *testing.F) {
	f.Add("  FOO ", "hush")
	f.Add("  FOO\n    ", "hush")
	f.Add("    FOO \"a\n@b ", "hush")
	f.Fuzz(func(t *testing.T, before, secret string) {
		if strings.ContainsAny(secret, " \t\r\n*") || len(secret) < 6 || strings.Contains(before, secret) ||
			strings.Contains("@env\ntesting\n", secret) || strings.TrimSpace(before) == "" || !strings.HasSuffix(before, " ") {
			t.Skip()
		}
		for _, line := range strings.Split(before, "\n") {
			if text := strings.TrimSpace(line); text == "" || strings.HasPrefix(text, "@") || strings.ContainsAny(text, "\"'`\\#\r") {
				t.Skip() // another pragma, or quotes, which have their own test
			}
		}
		src := "@env\ntesting\n" + before + secret + "\n"
		got := string(maskEnv([]byte(src)))
		if len([]rune(got)) != len([]rune(src)) {
			t.Fatalf("%q became %q", src, got)
		}
		if last := before[strings.LastIndex(before, "\n")+1:]; strings.TrimSpace(last) != "" && strings.Contains(got, secret) {
			t.Fatalf("%q shows the secret: %q", src, got)
		}
	})
}

func fuzzSeeds(tb testing.TB) []string {
	tb.Helper()
	names, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(names) == 0 {
		tb.Fatalf("no seeds: %v", err)
	}
	return names
}

func TestMaskEnv(t *testing.T) {
	src := "@env # local\ntesting\n  FOO hush # x\n  LIST\n    hush hush\n  QUOTED \"hush\n  hush\"\n  AFTER hush\n\n@sandbox\nports\n  http 3333\n"
	want := "@env # local\ntesting\n  FOO **** * *\n  LIST\n    **** ****\n  QUOTED *****\n  *****\n  AFTER ****\n\n@sandbox\nports\n  http 3333\n"
	if got := string(maskEnv([]byte(src))); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
