// Package source knows a function's code on disk: which files belong to it,
// what it imports from the project's node_modules, and how to write all that
// as a zip whose bytes depend on nothing but the content. It never writes
// into the project.
package source

import (
	"io"
	"io/fs"
)

// Function says which code to bundle. Folders are slash paths relative to the
// project root.
type Function struct {
	Dir         string   // "src/http/get-index"
	HandlerFile string   // relative to Dir: "index.mjs"; "" when unknown
	Runtime     string   // "nodejs22.x", "python3.13", …
	Shared      string   // folder of shared code, "" = none
	Views       string   // folder of views, "" = none
	Ignore      []string // npm packages not to bundle
}

// Bundle is the list of files that make up a function's package.
type Bundle struct {
	Files []File // sorted by Path
}

// File is one entry of the zip.
type File struct {
	Path       string // slash path inside the zip: "node_modules/@architect/shared/x.js"
	Size       int64
	Executable bool
	Open       func() (io.ReadCloser, error)
}

// Collect finds the files of a function: its folder, shared code and views
// under node_modules/@architect (or vendor for other runtimes), and the npm
// packages that its imports reach when the folder has no node_modules of its own.
// project is the project root; symlinks that leave it are an error.
func Collect(project fs.FS, fn Function) (*Bundle, error) { return nil, nil } // filled in by the room's owner

// Key is the SHA-256 (hex) of the bundle's paths, modes and contents:
// independent of umask, mtime, readdir order, deflate version and machine.
func (b *Bundle) Key() (string, error) { return "", nil }

// WriteZip writes the bundle as a zip with sorted paths, fixed times and modes.
func (b *Bundle) WriteZip(w io.Writer) error { return nil }

// Asset is arc's own static asset function (Node, no dependencies).
func Asset() *Bundle { return nil }
