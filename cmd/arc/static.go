package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"arc/deploy"
	"arc/manifest/syntax"
	"arc/source"
)

// assets are the files of the static folder that are published.
type assets struct {
	folder fs.FS // the static folder
	files  []asset
	// manifest maps paths to fingerprinted names: the text of static.json, nil
	// unless @static fingerprint is true.
	manifest []byte
}

// asset is one file: where it lies in the static folder, and what it is called
// in the bucket.
type asset struct{ file, name string }

// staticAssets lists what @static publishes; nil when there is no folder. Its
// error names every file that cannot be published.
func staticAssets(p *project) (*assets, error) {
	a, refused, err := listStatic(p)
	if err == nil && len(refused) > 0 {
		for _, why := range refused {
			err = errors.Join(err, why)
		}
		err = withHint(fmt.Errorf("static folder: %w", err), "%s", staticRemedy)
	}
	if err != nil || a == nil {
		return nil, err
	}
	if p.app.Static.Fingerprint == "true" {
		if err := a.fingerprint(); err != nil {
			return nil, fmt.Errorf("static folder: %w", err)
		}
	}
	return a, nil
}

// staticManifest is the text of static.json; nil unless @static fingerprint is true.
// What cannot be published is not in it.
func (p *project) staticManifest() ([]byte, error) {
	if p.app.Static == nil || p.app.Static.Fingerprint != "true" {
		return nil, nil
	}
	a, _, err := listStatic(p)
	if err != nil || a == nil {
		return nil, err
	}
	if err := a.fingerprint(); err != nil {
		return nil, fmt.Errorf("static folder: %w", err)
	}
	return a.manifest, nil
}

// liveManifest writes static.json for functions that run from where they are written,
// and gives its place and its text; "" and nil where there is none. The file is replaced
// as a whole.
func (p *project) liveManifest(scratch string) (file string, text []byte, err error) {
	if text, err = p.staticManifest(); err != nil || text == nil {
		return "", nil, err
	}
	file = filepath.Join(scratch, "static.json")
	if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, text) {
		return file, text, nil
	}
	half := file + ".half"
	if err = os.WriteFile(half, text, 0o600); err == nil {
		err = os.Rename(half, file)
	}
	if err != nil {
		return "", nil, fmt.Errorf("static.json for the sandbox: %w", err)
	}
	return file, text, nil
}

// staticMistakes are the files of the static folder that no deploy would publish.
func staticMistakes(p *project) (ds syntax.Diagnostics, err error) {
	_, refused, err := listStatic(p)
	for _, why := range refused {
		ds = append(ds, syntax.Diagnostic{Code: "static-file", Message: why.Error(), Hint: staticRemedy})
	}
	return ds, err
}

const staticRemedy = "put the file itself there, or name it below @static ignore"

// listStatic finds the files of the static folder, and why some of them cannot
// be published.
func listStatic(p *project) (a *assets, refused []error, err error) {
	st := p.app.Static
	if st == nil {
		return nil, nil, nil
	}
	folder, err := source.StaticFolder(p.files(), st.Folder)
	if err != nil {
		return nil, nil, err
	}
	a = &assets{folder: folder}
	err = fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() || ignored(name, st.Ignore) {
			return nil
		}
		if why := publishable(folder, st.Folder, name); why != nil {
			refused = append(refused, why)
			return nil
		}
		a.files = append(a.files, asset{file: name, name: name})
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("static folder: %w", err)
	}
	return a, refused, nil
}

// publishable refuses what only looks like a file of the folder, before
// anything of a deploy is done.
func publishable(folder fs.FS, where, name string) error {
	info, err := fs.Stat(folder, name)
	why := ""
	switch {
	case !utf8.ValidString(name):
		why = "its name is not UTF-8, which S3 asks for"
	case errors.Is(err, source.ErrLeadsOut):
		why = "is " + source.ErrLeadsOut.Error() + ", and is not followed"
	case err != nil:
		why = "cannot be read: " + reason(err)
	case info.IsDir():
		why = "is a link to a folder, and links to folders are not followed"
	case !info.Mode().IsRegular():
		why = "is no file"
	default:
		return nil
	}
	return fmt.Errorf("%q: %s", path.Join(where, name), why)
}

// reason is what the system says, without what was asked of it.
func reason(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}

// ignored files are never published: names that nobody means to, a static.json
// of an earlier tool, and the user's own substrings (manifest reference,
// @static ignore).
func ignored(name string, user []string) bool {
	for _, part := range append([]string{".DS_Store", "node_modules", "readme.md", "static.json"}, user...) {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// fingerprint puts ten digits of each file's SHA-1 into its name, as existing
// apps have it (cloud reference, 4.5), so that browsers may keep it for ever.
// What lies below .well-known/ keeps its name: others look for it there
// (https://www.rfc-editor.org/rfc/rfc8615).
func (a *assets) fingerprint() error {
	names := map[string]string{}
	for i, f := range a.files {
		if wellKnown(f.name) {
			continue
		}
		sum, err := sha1Of(a.folder, f.file)
		if err != nil {
			return err
		}
		ext := path.Ext(f.name)
		a.files[i].name = strings.TrimSuffix(f.name, ext) + "-" + sum[:10] + ext
		names[f.name] = a.files[i].name
	}
	var err error
	a.manifest, err = json.Marshal(names)
	return err
}

func wellKnown(name string) bool { return strings.HasPrefix(name, ".well-known/") }

func sha1Of(files fs.FS, name string) (string, error) {
	f, err := files.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha1.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// publication is what a deploy to the stage publishes; nil when there is nothing.
// prune adds to what the manifest says.
func (p *project) publication(a *assets, stage string, prune bool) *deploy.Static {
	if a == nil {
		return nil
	}
	st := p.app.Static
	static := &deploy.Static{Prefix: st.Prefix, Prune: st.Prune || prune, Ignore: st.Ignore}
	switch stage { // a preview has a bucket of its own
	case "staging":
		static.Bucket = st.Staging
	case "production":
		static.Bucket = st.Production
	}
	for _, f := range a.files {
		static.Files = append(static.Files, deploy.StaticFile{
			Path:          f.name,
			Fingerprinted: st.Fingerprint != "" && !wellKnown(f.name),
			Open: func() (io.ReadSeekCloser, error) {
				opened, err := a.folder.Open(f.file)
				if err != nil {
					return nil, err
				}
				return opened.(io.ReadSeekCloser), nil // an *os.File: the project is a folder
			},
		})
	}
	if a.manifest != nil {
		static.Files = append(static.Files, deploy.StaticFile{
			Path: "static.json",
			Open: func() (io.ReadSeekCloser, error) { return inMemory{bytes.NewReader(a.manifest)}, nil },
		})
	}
	return static
}

// inMemory is a file that is none.
type inMemory struct{ *bytes.Reader }

// Close does nothing.
func (inMemory) Close() error { return nil }
