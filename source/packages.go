package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
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
	if builtins()[spec] || spec == "" || strings.ContainsAny(spec, ":\\\x00") {
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

// inRuntime reports whether one of Lambda's Node runtimes brings the package
// along: version 3 of the SDK, before Node 18 version 2.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html#nodejs-sdk-included
func inRuntime(runtime, name string) bool {
	if major := nodeMajor(runtime); major != 0 && major < 18 {
		return name == "aws-sdk"
	}
	return strings.HasPrefix(name, "@aws-sdk/")
}

// nodeMajor is the version of Node in a runtime's name; 0 when it names none.
func nodeMajor(runtime string) int {
	text, _, _ := strings.Cut(strings.TrimPrefix(runtime, "nodejs"), ".")
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

// ours reports whether a name means the shared code that is added to the zip.
func ours(name string) bool { return name == "@architect/shared" || name == "@architect/views" }

var builtins = sync.OnceValue(func() map[string]bool {
	return setOf(`_http_agent _http_client _http_common _http_incoming _http_outgoing _http_server _stream_duplex
	_stream_passthrough _stream_readable _stream_transform _stream_wrap _stream_writable _tls_common _tls_wrap assert assert/strict
	async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns dns/promises domain events fs
	fs/promises http http2 https inspector inspector/promises module net os path path/posix path/win32 perf_hooks process punycode
	querystring readline readline/promises repl stream stream/consumers stream/promises stream/web string_decoder sys timers
	timers/promises tls trace_events tty url util util/types v8 vm wasi worker_threads zlib`)
})

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// packageJSON is what of a package.json decides where its modules are and which
// packages go along.
type packageJSON struct {
	Name                 string            `json:"name"`
	Version              string            `json:"version"`
	Type                 string            `json:"type"`
	Main                 string            `json:"main"`
	Exports              choice            `json:"exports"`
	Imports              choice            `json:"imports"`
	Dependencies         map[string]string `json:"dependencies"`
	OptionalDependencies map[string]string `json:"optionalDependencies"`
	PeerDependencies     map[string]string `json:"peerDependencies"`
	PeerDependenciesMeta map[string]any    `json:"peerDependenciesMeta"` // of those that may be missing
	BundleDependencies   json.RawMessage   `json:"bundleDependencies"`   // a list, or true
	BundledDependencies  json.RawMessage   `json:"bundledDependencies"`
	Workspaces           json.RawMessage   `json:"workspaces"`

	exists bool
}

// readPackage reads the package.json of a folder; a folder without one needs nothing.
func (c *collector) readPackage(dir string) (packageJSON, error) {
	return c.manifests.get(dir, func() (p packageJSON, err error) {
		name := path.Join(dir, "package.json")
		body, err := fs.ReadFile(c.files, name)
		if missing(err) {
			return p, nil
		}
		if err != nil {
			return p, c.unreadable(name, err)
		}
		if p, err = parsePackage(body); err != nil {
			return p, fmt.Errorf("%s: is not a valid package.json: %w", c.show(name), err)
		}
		return p, nil
	})
}

// parsePackage reads a package.json as leniently as Node: a field of another
// kind than it should be says nothing.
func parsePackage(body []byte) (packageJSON, error) {
	p := packageJSON{exists: true}
	err := json.Unmarshal(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), &p)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		err = nil
	}
	return p, err
}

// declares reports whether the package names another one as what it needs.
func (p packageJSON) declares(name string) bool {
	_, perhaps := p.PeerDependenciesMeta[name]
	return perhaps || slices.Contains(p.needs(), name)
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
	if !fs.ValidPath(name) || packageName(name) != name && !builtins()[name] {
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

// missing reports whether an error says that there is no such file.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
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
			real, kind, err := c.locate(path.Join(modules, name))
			if err != nil || kind == 'd' {
				return real, err
			}
			return "", nil
		}
		dir, _, err := c.locate(modules)
		return path.Join(dir, name), err
	})
}

// names lists the packages in a node_modules folder and whether each is a
// symbolic link; none when there is no such folder. One listing answers every
// question about the folder.
func (c *collector) names(modules string) (map[string]bool, error) {
	return c.listings.get(modules, func() (map[string]bool, error) {
		entries, err := fs.ReadDir(c.files, modules)
		if missing(err) || errors.Is(err, fs.ErrPermission) && !c.inTop(modules) {
			return nil, nil
		}
		if err != nil {
			return nil, c.unreadable(modules, err)
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
			scoped, err := fs.ReadDir(c.files, scope)
			if err != nil {
				return nil, c.unreadable(scope, err)
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
