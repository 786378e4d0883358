package main

import (
	"os"
	"path/filepath"

	"arc/manifest"
)

// manifestAbove finds the manifest that somebody means who is in a folder of the
// project's: the nearest one above dir, an absolute folder, as it is called from there.
// "" = dir has one itself, or there is none up to the top of the repository.
func manifestAbove(dir string) string {
	has := func(dir, name string) bool {
		info, err := os.Stat(filepath.Join(dir, name))
		return err == nil && info.Mode().IsRegular()
	}
	for up := "."; ; up = filepath.Join(up, "..") {
		at := filepath.Join(dir, up)
		for _, name := range manifest.ManifestFiles {
			if has(at, name) {
				if up == "." {
					return ""
				}
				return filepath.ToSlash(filepath.Join(up, name))
			}
		}
		if _, err := os.Stat(filepath.Join(at, ".git")); err == nil || at == filepath.Dir(at) {
			return ""
		}
	}
}

// noManifest says that a folder has no manifest, and where the next one is.
func noManifest(dir string) error {
	if above := manifestAbove(dir); above != "" {
		return withHint(errNoManifest, "cd %s: %s is a manifest", filepath.ToSlash(filepath.Dir(above)), above)
	}
	return withHint(errNoManifest, "arc init writes one; or go to the folder that holds app.arc")
}
