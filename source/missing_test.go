package source

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFindingsNameWhatIsMissing: whoever asks which package a finding is about need
// not read its words.
func TestFindingsNameWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	var fns []Function
	for name, text := range map[string]string{
		"module/index.mjs":      "import '@scope/one/sub'\nimport './gone.mjs'\nexport const handler = () => 1\n",
		"common/index.cjs":      "require('two')\nexports.handler = () => 1\n",
		"declared/index.mjs":    "export const handler = () => 1\n",
		"declared/package.json": `{"dependencies": {"three": "1"}}`,
		"typed/index.ts":        "import four from 'four/sub'\nimport './away'\nexport const handler = () => four\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"common/index.cjs", "declared/index.mjs", "module/index.mjs", "typed/index.ts"} {
		fns = append(fns, Function{Dir: filepath.Dir(name), HandlerFile: filepath.Base(name), Handler: "index.handler", Runtime: "nodejs22.x",
			Build: &Builder{Dir: dir, Env: os.Getenv}})
	}
	bundles, err := Tree{Files: os.DirFS(dir)}.CollectAll(fns)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, b := range bundles {
		for _, f := range b.Findings {
			fmt.Fprintf(&got, "%s: module %q, package %q\n", f.File, f.Module, f.Package)
		}
	}
	want := `common/index.cjs: module "two", package "two"
declared/package.json: module "", package "three"
module/index.mjs: module "@scope/one/sub", package "@scope/one"
module/index.mjs: module "./gone.mjs", package ""
typed/index.ts: module "four/sub", package "four"
typed/index.ts: module "./away", package ""
`
	if d := cmp.Diff(want, got.String()); d != "" {
		t.Error(d)
	}
}
