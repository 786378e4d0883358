package manifest_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"arc/manifest"
)

// TestRepeatedKeys reads manifests of a hundred thousand repeated keys: what
// looks at each key for each other one takes five minutes for them, and
// what does not a second.
func TestRepeatedKeys(t *testing.T) {
	const keys, allowed = 100_000, time.Minute
	for name, text := range map[string]string{
		"arc.json": `{"app":"x","http":[{"/a":{"method":"get","src":"x"}}],"aws":{` + strings.TrimSuffix(strings.Repeat(`"memory":128,`, keys), ",") + `}}`,
		"app.arc":  "@app\nx\n@http\n" + strings.Repeat("get /a\n", keys),
		"arc.yaml": "app: x\nhttp:\n  - get: /\naws:\n" + strings.Repeat("  - memory: 128\n", keys/4),
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			result := manifest.Load(fstest.MapFS{name: &fstest.MapFile{Data: []byte(text)}}, manifest.Options{})
			if n := len(result.Diagnostics); n < keys/4 {
				t.Errorf("%d of %d repetitions are told", n, keys)
			}
			if took := time.Since(began); took > allowed {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestLargeManifest: what no manifest is as large as is told in a sentence, unread.
func TestLargeManifest(t *testing.T) {
	for name, head := range map[string]string{"arc.json": `{"app":"x","pad":"`, "app.arc": "@app\nx\n# ", "arc.yaml": "app: x\n# "} {
		for size, refused := range map[int]bool{4 << 20: false, 4<<20 + 1: true} {
			tail := strings.Repeat("x", size-len(head))
			if name == "arc.json" {
				tail = tail[2:] + `"}`
			}
			result := manifest.Load(fstest.MapFS{name: &fstest.MapFile{Data: []byte(head + tail)}}, manifest.Options{})
			told := false
			for _, d := range result.Diagnostics {
				told = told || d.Code == "file-size" && d.Pos.File == name && strings.Contains(d.Message, "a manifest at most 4") && d.Hint != ""
			}
			if told != refused || refused && len(result.Diagnostics) != 1 {
				t.Errorf("%s of %d bytes: refused %t, with %d mistakes", name, size, told, len(result.Diagnostics))
			}
		}
	}
}
