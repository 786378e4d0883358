package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// How npm packages get from the project's node_modules into a function's zip.
// What a package needs is taken from its package.json and looked up where Node
// would look. Inside the zip packages are laid out afresh: at the top level when
// the name is free, else in the node_modules of who asked for them. So it does not
// matter whether npm hoisted them, pnpm linked them, or a workspace owns them.

// maxNesting bounds how deep packages lie in one another in a zip. Only two
// packages that need each other in ever other versions could reach it.
const maxNesting = 32

// packageName is the package that a module specifier names; "" when it names
// none: a relative or absolute path, a URL, a Node builtin, an #import.
func packageName(spec string) string {
	if builtins[spec] || spec == "" || strings.ContainsAny(spec, ":\\\x00") {
		return ""
	}
	name, rest, _ := strings.Cut(spec, "/")
	if strings.HasPrefix(name, "@") {
		sub, _, _ := strings.Cut(rest, "/")
		if len(name) == 1 || sub == "" || strings.HasPrefix(sub, ".") {
			return ""
		}
		return name + "/" + sub
	}
	if name == "" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "#") {
		return ""
	}
	return name
}

// inRuntime reports whether Lambda's Node runtimes bring the package along.
func inRuntime(name string) bool { return strings.HasPrefix(name, "@aws-sdk/") }

// ours reports whether a name means the shared code that is added to the zip.
func ours(name string) bool { return name == "@architect/shared" || name == "@architect/views" }

var builtins = setOf(`_http_agent _http_client _http_common _http_incoming _http_outgoing _http_server _stream_duplex
	_stream_passthrough _stream_readable _stream_transform _stream_wrap _stream_writable _tls_common _tls_wrap assert assert/strict
	async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns dns/promises domain events fs
	fs/promises http http2 https inspector inspector/promises module net os path path/posix path/win32 perf_hooks process punycode
	querystring readline readline/promises repl stream stream/consumers stream/promises stream/web string_decoder sys timers
	timers/promises tls trace_events tty url util util/types v8 vm wasi worker_threads zlib`)

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// packageJSON is what of a package.json decides which packages go along.
type packageJSON struct {
	Dependencies         map[string]string `json:"dependencies"`
	OptionalDependencies map[string]string `json:"optionalDependencies"`
	PeerDependencies     map[string]string `json:"peerDependencies"`
	BundleDependencies   json.RawMessage   `json:"bundleDependencies"` // a list, or true
	BundledDependencies  json.RawMessage   `json:"bundledDependencies"`
	Workspaces           json.RawMessage   `json:"workspaces"`
}

// readPackage reads the package.json of a folder; a folder without one needs nothing.
func (c *collector) readPackage(dir string) (packageJSON, error) {
	return c.manifests.get(dir, func() (p packageJSON, err error) {
		name := path.Join(dir, "package.json")
		body, err := fs.ReadFile(c.project, name)
		if errors.Is(err, fs.ErrNotExist) {
			return p, nil
		}
		if err != nil {
			return p, unreadable(name, err)
		}
		if err := json.Unmarshal(body, &p); err != nil {
			return p, fmt.Errorf("%s: is not a valid package.json: %w", name, err)
		}
		return p, nil
	})
}

// needs lists, sorted, the names of packages that a package declares.
func (p packageJSON) needs() []string {
	names := map[string]bool{}
	for _, m := range []map[string]string{p.Dependencies, p.OptionalDependencies, p.PeerDependencies} {
		for name := range m {
			names[name] = true
		}
	}
	for _, raw := range []json.RawMessage{p.BundleDependencies, p.BundledDependencies} {
		var list []string
		if json.Unmarshal(raw, &list) == nil {
			for _, name := range list {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// find looks a package up from a folder upwards, as Node does, and gives the
// real path of its folder; "" when it is not installed.
func (c *collector) find(from, name string) (string, error) {
	if !fs.ValidPath(name) || packageName(name) != name && !builtins[name] {
		return "", nil
	}
	for dir := from; ; dir = path.Dir(dir) {
		if path.Base(dir) != "node_modules" {
			found, err := c.installed(path.Join(dir, "node_modules"), name)
			if found != "" || err != nil {
				return found, err
			}
		}
		if dir == "." {
			return "", nil
		}
	}
}

// installed gives the real path of a package in one node_modules folder.
func (c *collector) installed(modules, name string) (string, error) {
	return c.packages.get(path.Join(modules, name), func() (string, error) {
		names, err := c.names(modules)
		if err != nil {
			return "", err
		}
		link, ok := names[name]
		if !ok {
			return "", nil
		}
		if link {
			return c.real(path.Join(modules, name))
		}
		dir, err := c.real(modules)
		return path.Join(dir, name), err
	})
}

// names lists the packages in a node_modules folder and whether each is a
// symbolic link; none when there is no such folder. One listing answers every
// question about the folder.
func (c *collector) names(modules string) (map[string]bool, error) {
	return c.listings.get(modules, func() (map[string]bool, error) {
		entries, err := fs.ReadDir(c.project, modules)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, unreadable(modules, err)
		}
		names := map[string]bool{}
		for _, d := range entries {
			link := d.Type()&fs.ModeSymlink != 0
			if strings.HasPrefix(d.Name(), ".") || !d.IsDir() && !link {
				continue
			}
			if !strings.HasPrefix(d.Name(), "@") {
				names[d.Name()] = link
				continue
			}
			scope := path.Join(modules, d.Name())
			scoped, err := fs.ReadDir(c.project, scope)
			if err != nil {
				return nil, unreadable(scope, err)
			}
			for _, s := range scoped {
				if linked := s.Type()&fs.ModeSymlink != 0; s.IsDir() || linked {
					names[d.Name()+"/"+s.Name()] = link || linked
				}
			}
		}
		return names, nil
	})
}

// packageFiles lists the files of an installed package, without the packages
// inside it: those are placed one by one.
func (c *collector) packageFiles(dir string) ([]File, error) {
	return c.folders.get(dir, func() ([]File, error) {
		return c.walk(dir, func(rel string, _ fs.DirEntry) bool { return rel == "node_modules" })
	})
}

// placed is one package in the zip.
type placed struct {
	at  string // folder in the zip: "node_modules/a/node_modules/b"
	dir string // its real folder in the project
}

// layout decides where packages lie in a zip.
type layout struct {
	c      *collector
	ignore map[string]bool
	at     map[string]string // folder in the zip → real folder of the package there
	queue  []placed          // packages whose own needs are still to be placed
	all    []placed          // packages to add to the zip
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
		return fmt.Errorf("%s: packages need each other in too many versions to be laid out in a zip: npm dedupe", dir)
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
		for _, name := range manifest.needs() {
			if inRuntime(name) || l.ignore[name] {
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
			if err := l.place(p.at, name, dir); err != nil {
				return err
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
