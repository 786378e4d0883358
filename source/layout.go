package source

import (
	"fmt"
	"path"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Where packages lie in a zip.

// placed is one package in the zip.
type placed struct {
	at  string // folder in the zip: "node_modules/a/node_modules/b"
	dir string // its real folder in the project
}

// need is a package that code asks for.
type need struct {
	name string
	dir  string // its real folder
	from string // folder of the file that asks, relative to what it is a part of
}

// layout decides where packages lie in a zip.
type layout struct {
	c      *collector
	skip   func(name string) bool
	at     map[string]string // folder in the zip → real folder of the package there
	asked  map[string][]need // real folder of a package → packages that its code asks for
	askers map[string]string // folder in the zip → the package that asks for what is there
	queue  []placed          // packages whose own needs are still to be placed
	all    []placed          // packages to add to the zip
}

func (c *collector) newLayout(fn Function) *layout {
	ignored := setOf(strings.Join(fn.Ignore, " "))
	return &layout{c: c, at: map[string]string{}, askers: map[string]string{}, asked: map[string][]need{}, skip: func(name string) bool {
		return inRuntime(fn.Runtime, name) || ignored[name] || ours(name)
	}}
}

// addTo places what the packages need themselves, and adds the files of all.
func (l *layout) addTo(b *Bundle) error {
	if err := l.follow(); err != nil {
		return err
	}
	files, err := l.files()
	b.Files = append(b.Files, files...)
	return err
}

// visible is what a file in a folder of the zip gets for a package's name.
func (l *layout) visible(from, name string) string {
	for dir := from; ; dir = path.Dir(dir) {
		if dir == "." {
			dir = ""
		}
		if path.Base(dir) != "node_modules" {
			if found, ok := l.at[under(dir, "node_modules/"+name)]; ok {
				return found
			}
		}
		if dir == "" {
			return ""
		}
	}
}

// place makes sure that a folder of the zip sees the package of that name
// which lies in dir.
func (l *layout) place(from, name, dir string) error {
	seen := l.visible(from, name)
	if seen == dir {
		return nil
	}
	at := "node_modules/" + name
	if seen != "" {
		at = under(from, at)
	}
	if strings.Count(at, "node_modules/") > maxNesting {
		return fmt.Errorf("%s: packages need each other in too many versions to be laid out in a zip: npm dedupe", l.c.show(dir))
	}
	if l.at[at] != "" {
		return nil // the first of two versions that one folder asks for, which Node would not tell apart either
	}
	l.at[at] = dir
	p := placed{at, dir}
	l.queue, l.all = append(l.queue, p), append(l.all, p)
	return nil
}

// follow places what the packages placed so far need, and so on. The order is
// breadth first: everything that a package asks for is in its own node_modules
// before anything inside looks for what it sees.
func (l *layout) follow() error {
	for len(l.queue) > 0 {
		p := l.queue[0]
		l.queue = l.queue[1:]
		manifest, err := l.c.readPackage(p.dir)
		if err != nil {
			return err
		}
		for _, n := range l.asked[p.dir] {
			if err := l.place(under(p.at, n.from), n.name, n.dir); err != nil {
				return err
			}
		}
		for _, name := range manifest.needs() {
			if l.skip(name) {
				continue
			}
			dir, err := l.c.find(p.dir, name)
			if err != nil {
				return err
			}
			// Optional and peer packages may rightly be absent, and a missing
			// other one is npm's to complain about.
			if dir == "" || dir == p.dir {
				continue
			}
			before := len(l.all)
			if err := l.place(p.at, name, dir); err != nil {
				return err
			}
			if len(l.all) > before {
				l.askers[l.all[before].at] = strings.TrimPrefix(p.at, "node_modules/")
			}
		}
	}
	return nil
}

// files lists the files of everything placed, in no particular order.
func (l *layout) files() ([]File, error) {
	lists := make([][]File, len(l.all))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, p := range l.all {
		g.Go(func() (err error) {
			lists[i], err = l.c.packageFiles(p.dir)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var files []File
	for i, p := range l.all {
		files = append(files, moved(lists[i], p.at)...)
	}
	return files, nil
}

// moved gives the same files below another folder of the zip.
func moved(files []File, to string) []File {
	out := make([]File, len(files))
	for i, f := range files {
		f.Path = under(to, f.Path)
		out[i] = f
	}
	return out
}
