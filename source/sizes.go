package source

import (
	"cmp"
	"slices"
	"strings"
)

// Package is a part of a bundle: a package in a node_modules of the zip.
type Package struct {
	Path string // in the zip: node_modules/a/node_modules/b
	Size int64  // bytes unpacked, without the packages inside it
	By   string // who asks for it: a file and line of the project, or a package; "" = it lay in the function's folder
}

// Packages lists the packages of the bundle, the largest first, and how many
// bytes the rest of it takes.
func (b *Bundle) Packages() (list []Package, rest int64) {
	sizes := map[string]int64{}
	for _, f := range b.Files {
		if at := packageAt(f.Path); at != "" {
			sizes[at] += f.Size
		} else {
			rest += f.Size
		}
	}
	for at, size := range sizes {
		list = append(list, Package{at, size, b.askers[at]})
	}
	slices.SortFunc(list, func(a, b Package) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), strings.Compare(a.Path, b.Path))
	})
	return list, rest
}

// packageAt is the folder of the package that a file of a zip belongs to; "" for
// a function's own code and the code that it shares.
func packageAt(name string) string {
	const mark = "node_modules/"
	at := strings.LastIndex(name, mark)
	if at < 0 {
		return ""
	}
	words := strings.SplitN(name[at+len(mark):], "/", 3)
	n := 1
	if strings.HasPrefix(words[0], "@") {
		n = 2
	}
	if len(words) <= n || n == 2 && ours(words[0]+"/"+words[1]) {
		return ""
	}
	return name[:at+len(mark)] + strings.Join(words[:n], "/")
}
