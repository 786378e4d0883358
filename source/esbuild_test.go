package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBundleStaysInside has a handler import a file of the machine.
func TestBundleStaysInside(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"secret.json":                     `{"key": "value"}`,
		"project/src/http/get-x/index.ts": "import secret from '../../../../secret.json'\nexport const handler = async () => secret\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	project := filepath.Join(dir, "project")
	bundles, err := Tree{Files: os.DirFS(project)}.CollectAll([]Function{{
		Dir: "src/http/get-x", HandlerFile: "index.ts", Runtime: "nodejs22.x", Build: &Builder{Dir: project, Env: os.Getenv},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := bundles[0].mistakes(); err == nil || !strings.Contains(err.Error(), "is bundled with ../secret.json, which lies outside the project") {
		t.Errorf("found %v", err)
	}
}
