package lockfile

import (
	"encoding/json"
	"regexp"
	"strings"
	"sync"
)

// readNPM reads all versions of the format: the second and third list folders
// ("packages"), the first a tree of names ("dependencies").
// https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json
func readNPM(data []byte, found pins) {
	type tree struct {
		Version      string
		Dependencies map[string]json.RawMessage
	}
	var lock struct {
		Packages map[string]struct {
			Version string
			Link    bool
		}
		tree
	}
	if json.Unmarshal(data, &lock) != nil {
		return
	}
	const modules = "node_modules/"
	for folder, p := range lock.Packages {
		if at := strings.LastIndex(folder, modules); at >= 0 && !p.Link {
			found.add(folder[at+len(modules):], p.Version)
		}
	}
	if lock.Packages != nil {
		return
	}
	var walk func(t tree, depth int)
	walk = func(t tree, depth int) {
		for name, raw := range t.Dependencies {
			var inner tree
			if json.Unmarshal(raw, &inner) != nil {
				continue
			}
			found.add(name, inner.Version)
			if depth < maxDepth {
				walk(inner, depth+1)
			}
		}
	}
	walk(lock.tree, 0)
}

// maxDepth bounds packages within packages: each level is parsed once more.
const maxDepth = 30

// readYarn reads the classic format and that of Yarn 2 and later, which looks
// much the same: who asks for a package, and below that its version.
func readYarn(data []byte, found pins) {
	name := ""
	for line := range lines(data) {
		switch {
		case line == "" || line[0] == '#':
		case line[0] != ' ':
			// "lodash@^4.0.0", "lodash@^4.17.0": or "lodash@npm:^4.0.0":
			name = strings.TrimLeft(line, `"`)
			if at := strings.Index(name[min(1, len(name)):], "@"); at >= 0 {
				name = name[:at+1]
			} else {
				name = ""
			}
		case name != "" && strings.HasPrefix(line, "  version"):
			version := strings.Trim(line[len("  version"):], `: "`)
			if version != "0.0.0-use.local" { // a package of the workspace
				found.add(name, version)
			}
			name = ""
		}
	}
}

// pnpmKey is a key below "packages": "/a/1.0.0" and "/@s/a/1.0.0_peer@2.0.0",
// later "/a@1.0.0(peer@2.0.0)", now the same without the first slash.
var pnpmKey = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^/?(@[^/@]+/[^/@]+|[^/@]+)[/@](\d[^_(/@]*)`) })

func readPNPM(data []byte, found pins) {
	inside := false
	for line := range lines(data) {
		if line != "" && line[0] != ' ' {
			inside = line == "packages:"
			continue
		}
		key, isKey := strings.CutPrefix(line, "  ")
		if !inside || !isKey || key == "" || key[0] == ' ' {
			continue
		}
		key, _, _ = strings.Cut(key, ":")
		if m := pnpmKey().FindStringSubmatch(strings.Trim(key, `'"`)); m != nil {
			found.add(m[1], m[2])
		}
	}
}

// pinned is "name@version", with what the version is combined with behind "_".
var pinned = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(@[^/@]+/[^/@]+|[^/@]+)@(\d[^_(/@]*)`) })

// inURL is a version in the address of a module: https://deno.land/std@0.224.0/….
var inURL = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(https?://[^@?#]+)@(v?\d[^/]*)`) })

// readDeno reads all versions of the format: packages of npm and JSR have moved
// from "packages" to the top, and addresses to "remote".
func readDeno(data []byte, found pins) {
	type section map[string]json.RawMessage
	var lock struct {
		NPM, JSR section
		Packages struct{ NPM, JSR section }
		Remote   section
	}
	if json.Unmarshal(data, &lock) != nil {
		return
	}
	var second struct{ Packages section }
	if raw, ok := lock.NPM["packages"]; ok && json.Unmarshal([]byte(`{"packages":`+string(raw)+`}`), &second) != nil {
		second.Packages = nil
	}
	for _, s := range []section{lock.NPM, lock.JSR, lock.Packages.NPM, lock.Packages.JSR, second.Packages} {
		for key := range s {
			if m := pinned().FindStringSubmatch(key); m != nil {
				found.add(m[1], m[2])
			}
		}
	}
	for address := range lock.Remote {
		if m := inURL().FindStringSubmatch(address); m != nil {
			found.add(m[1], m[2])
		}
	}
}
