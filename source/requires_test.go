package source

import (
	"os"
	"testing"
	"testing/fstest"
)

// TestGlobalRequire: where some code of the app's defines a global require, nothing is
// said of modules that call it, also when all that was read before was fine.
func TestGlobalRequire(t *testing.T) {
	files := fstest.MapFS{
		"fn/index.mjs":  {Data: []byte("import './define.mjs'\nexport const handler = async () => 1\n")},
		"fn/define.mjs": {Data: []byte("import { createRequire } from 'node:module'\nglobalThis.require = createRequire(import.meta.url)\n")},
	}
	fn := Function{Dir: "fn", HandlerFile: "index.mjs", Handler: "index.handler", Runtime: "nodejs22.x", Build: &Builder{Dir: t.TempDir(), Env: os.Getenv, Cache: t.TempDir()}}
	said := func() (all []Finding) {
		bundles, err := Tree{Files: files}.CollectAll([]Function{fn})
		if err != nil {
			t.Fatal(err)
		}
		return bundles[0].Findings
	}
	if f := said(); len(f) > 0 {
		t.Errorf("it says %v", f)
	}
	files["fn/index.mjs"].Data = []byte("import './define.mjs'\nconst fs = require('fs')\nexport const handler = async () => fs\n")
	if f := said(); len(f) > 0 {
		t.Errorf("it says %v", f)
	}
	files["fn/define.mjs"].Data = []byte("export const nothing = 1\n")
	if f := said(); len(f) != 1 || f[0].Code != "require-in-module" || f[0].Line != 2 {
		t.Errorf("it says %v, want require-in-module in line 2", f)
	}
}
