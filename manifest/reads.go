package manifest

import (
	"path"
	"slices"
	"strings"
)

// Reads reports whether Load would read the file (a slash path relative to the
// project root) for what it says: a manifest, a function's config, preferences
// or .env. When one of them changes, the app has to be loaded again.
func Reads(name string) bool {
	base := path.Base(name)
	if slices.Contains(configFiles, base) {
		return true
	}
	if strings.Contains(name, "/") {
		return false
	}
	return base == ".env" || base == "package.json" || slices.Contains(ManifestFiles, base) || slices.Contains(preferenceFiles, base)
}
