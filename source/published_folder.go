package source

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
)

// PublishedFolder is a static folder whose files have fingerprinted names as well as
// their own. list is the file that has static.json's text, now and when it changes. It
// is not itself in the folder: the asset function would send browsers to the names that
// it read there a while ago, and what was just saved has another.
func PublishedFolder(folder fs.FS, list string) fs.FS { return publishedFolder{folder, list} }

type publishedFolder struct {
	fs.FS
	list string
}

// Open opens a file by its own or its fingerprinted name.
func (f publishedFolder) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	if own := f.own(name, err); own != "" {
		return f.FS.Open(own)
	}
	return file, err
}

// Stat describes a file by its own or its fingerprinted name.
func (f publishedFolder) Stat(name string) (fs.FileInfo, error) {
	info, err := fs.Stat(f.FS, name)
	if own := f.own(name, err); own != "" {
		return fs.Stat(f.FS, own)
	}
	return info, err
}

// own is the name in the folder of what was published under another; "" when it is none.
func (f publishedFolder) own(published string, err error) string {
	if err == nil || !missing(err) {
		return ""
	}
	text, err := os.ReadFile(f.list)
	var names map[string]string
	if err != nil || json.Unmarshal(text, &names) != nil {
		return ""
	}
	for own, name := range names {
		if name == path.Clean(published) {
			return own
		}
	}
	return ""
}
