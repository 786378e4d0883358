package main

import (
	"bytes"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"arc/manifest"
)

// Editors and generators empty a file before they write it. Whoever reads it
// in between must not take that for its text.
const (
	lately     = 2 * time.Second        // how fresh an empty file is that somebody may be writing
	unwritten  = 400 * time.Millisecond // how long it is waited for
	betweenTry = 10 * time.Millisecond
)

// awaiting is the project's folder, in which a manifest, or another file that is
// read as one, that was emptied a moment ago is read when it has been written. One
// that stays empty is empty, after unwritten; no other file is waited for.
type awaiting struct{ fs.FS }

// ReadFile reads a file once it has text, and is the same text twice.
func (a awaiting) ReadFile(name string) ([]byte, error) {
	text, err := fs.ReadFile(a.FS, name)
	if err != nil || !blank(text) || !readAsManifest(name) || !a.fresh(name) {
		return text, err
	}
	for end := time.Now().Add(unwritten); time.Now().Before(end); {
		time.Sleep(betweenTry)
		before := text
		if text, err = fs.ReadFile(a.FS, name); err != nil || !blank(text) && bytes.Equal(before, text) {
			break
		}
	}
	return text, err
}

func blank(text []byte) bool { return len(bytes.TrimSpace(text)) == 0 }

func (a awaiting) fresh(name string) bool {
	info, err := fs.Stat(a.FS, name)
	return err == nil && time.Since(info.ModTime()) < lately
}

// readAsManifest reports whether a file is a manifest, or config, preferences or a
// package.json, which are read like one. An empty .env is nothing unusual.
func readAsManifest(name string) bool {
	switch base := path.Base(name); base {
	case "package.json", "config.yaml", "config.yml", ".arc-config":
		return true
	default:
		return strings.HasSuffix(base, ".arc") || strings.HasPrefix(base, "arc.") || strings.HasPrefix(base, "arc-config.") || slices.Contains(manifest.ManifestFiles, base)
	}
}

func (a awaiting) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(a.FS, name) }
func (a awaiting) Stat(name string) (fs.FileInfo, error)      { return fs.Stat(a.FS, name) }
func (a awaiting) Lstat(name string) (fs.FileInfo, error)     { return fs.Lstat(a.FS, name) }
func (a awaiting) ReadLink(name string) (string, error)       { return fs.ReadLink(a.FS, name) }
