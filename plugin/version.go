package plugin

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Digest tells one state of a plugin's code from another: its version, where it
// has one, and a hash of its package, or of the folder of the project's own
// plugins. What its packages need in turn is no part of it.
func (p *Plugin) Digest(project string) (string, error) {
	folder := p.Folder
	for _, own := range []string{"src/plugins", "src/macros"} {
		if dir := filepath.Join(project, filepath.FromSlash(own)); folder == "" && strings.HasPrefix(p.File, dir+string(filepath.Separator)) {
			folder = dir
		}
	}
	hash := sha256.New()
	add := func(files fs.FS, name string) error {
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		fmt.Fprintf(hash, "%s %x\n", name, sum)
		return nil
	}
	var err error
	if folder == "" {
		err = add(os.DirFS(filepath.Dir(p.File)), filepath.Base(p.File))
	} else {
		files := os.DirFS(folder)
		err = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && (path.Base(name) == "node_modules" || path.Base(name) == ".git"):
				return fs.SkipDir
			case !entry.Type().IsRegular():
				return nil
			}
			return add(files, name)
		})
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", p.Kind(), p.Name, err)
	}
	digest := hex.EncodeToString(hash.Sum(nil))
	if p.Version != "" {
		return p.Version + " " + digest, nil
	}
	return digest, nil
}
