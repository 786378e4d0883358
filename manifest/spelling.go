package manifest

import (
	"path"

	"arc/manifest/syntax"
)

// parseAs reads a file in the spelling that its name tells: .arc text, JSON,
// YAML, or the arc key of package.json.
func parseAs(name string, src []byte) (*syntax.File, syntax.Diagnostics) {
	switch {
	case path.Base(name) == "package.json":
		return syntax.ParsePackageJSON(name, src)
	case path.Ext(name) == ".json":
		return syntax.ParseJSON(name, src)
	case path.Ext(name) == ".yaml" || path.Ext(name) == ".yml":
		return syntax.ParseYAML(name, src)
	}
	return syntax.Parse(name, src)
}
