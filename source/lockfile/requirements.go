package lockfile

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// Requirement is one package to install, at one version.
type Requirement struct {
	Name    string   // normalized: "python-dateutil"
	Version string   // "2.9.0"
	Hashes  []string // "sha256:…", sorted; nil = the lock has none
	URL     string   // where it comes from, when that is no index
}

// String is the requirement as pip reads it.
func (r Requirement) String() string {
	if r.URL != "" {
		return r.Name + " @ " + r.URL
	}
	text := r.Name + "==" + r.Version
	for _, h := range r.Hashes {
		text += " \\\n    --hash=" + h
	}
	return text
}

// Requirements lists, sorted by name, what a lock file of Python says must be
// installed in an environment for the project to run: nothing that is for its
// development only. name is Pipfile.lock, uv.lock or poetry.lock; project is
// the text of pyproject.toml beside it, which poetry.lock needs. A package that is
// a folder on the developer's machine is an error.
func Requirements(name string, lock, project []byte, env Environment) ([]Requirement, error) {
	var list []Requirement
	var err error
	switch path.Base(name) {
	case "Pipfile.lock":
		list, err = pipenvRequirements(lock, env)
	case "uv.lock":
		list, err = uvRequirements(lock, env)
	case "poetry.lock":
		list, err = poetryRequirements(lock, project, env)
	default:
		err = fmt.Errorf("no lock file of Python has that name")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	slices.SortFunc(list, func(a, b Requirement) int { return strings.Compare(a.Name+"=="+a.Version, b.Name+"=="+b.Version) })
	return list, nil
}

// pipenvRequirements reads Pipfile.lock, whose "default" has all that is needed:
// https://pipenv.pypa.io/en/latest/pipfile.html.
func pipenvRequirements(data []byte, env Environment) ([]Requirement, error) {
	var lock struct {
		Default map[string]struct {
			Version, Markers, Git, Ref, File, Path string
			Hashes                                 []string
		}
	}
	if err := json.Unmarshal(data, &lock); err != nil {
		return nil, fmt.Errorf("is not valid: %w", err)
	}
	var list []Requirement
	for name, p := range lock.Default {
		holds, err := env.Holds(p.Markers)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if !holds {
			continue
		}
		if p.Path != "" {
			return nil, ownFolder(name, p.Path)
		}
		r := Requirement{Name: PythonName(name), Version: strings.TrimLeft(p.Version, "="), Hashes: slices.Sorted(slices.Values(p.Hashes))}
		switch {
		case p.Git != "":
			r.URL = gitURL(p.Git, p.Ref)
		case p.File != "":
			r.URL = p.File
		}
		list = append(list, r)
	}
	return list, nil
}

func gitURL(repository, ref string) string {
	if ref == "" {
		return "git+" + repository
	}
	return "git+" + repository + "@" + ref
}

// need is an edge between locked packages.
type need struct {
	Name, Version, Marker string
	Extra                 []string
}

// uvPackage is a [[package]] of uv.lock.
type uvPackage struct {
	Name, Version string
	Markers       []string `toml:"resolution-markers"`
	Source        struct{ Registry, Git, URL, Path, Directory, Editable, Virtual string }
	Dependencies  []need
	Optional      map[string][]need `toml:"optional-dependencies"`
	Sdist         struct{ Hash string }
	Wheels        []struct{ Hash string }
}

// local reports whether the package is a folder of the project's own.
func (p *uvPackage) local() bool {
	return p.Source.Virtual != "" || p.Source.Editable != "" || p.Source.Directory != "" || p.Source.Path != ""
}

// uvRequirements follows uv.lock from the project's own package:
// https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile.
func uvRequirements(data []byte, env Environment) ([]Requirement, error) {
	var lock struct{ Package []*uvPackage }
	if err := toml.Unmarshal(data, &lock); err != nil {
		return nil, fmt.Errorf("is not valid: %w", err)
	}
	byName := map[string][]*uvPackage{}
	var queue []need
	for _, p := range lock.Package {
		byName[p.Name] = append(byName[p.Name], p)
		if p.Source.Virtual == "." || p.Source.Editable == "." {
			queue = append(queue, need{Name: p.Name})
		}
	}
	if len(queue) == 0 {
		return nil, fmt.Errorf("has no package of the project's own: run uv lock again")
	}
	reached := map[*uvPackage]bool{}
	seen := map[string]bool{}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		key := n.Name + " " + n.Version + " " + strings.Join(n.Extra, ",")
		holds, err := env.Holds(n.Marker)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name, err)
		}
		if !holds || seen[key] {
			continue
		}
		seen[key] = true
		for _, p := range byName[n.Name] {
			if n.Version != "" && p.Version != n.Version {
				continue
			}
			if fits, err := anyHolds(env, p.Markers); err != nil {
				return nil, fmt.Errorf("%s: %w", n.Name, err)
			} else if !fits {
				continue
			}
			reached[p] = true
			queue = append(queue, p.Dependencies...)
			for _, extra := range n.Extra {
				queue = append(queue, p.Optional[extra]...)
			}
		}
	}
	var list []Requirement
	for p := range reached {
		if p.Source.Virtual == "." || p.Source.Editable == "." {
			continue // the project itself
		}
		if p.local() {
			return nil, ownFolder(p.Name, cmp.Or(p.Source.Virtual, p.Source.Editable, p.Source.Directory, p.Source.Path))
		}
		r := Requirement{Name: PythonName(p.Name), Version: p.Version}
		hashes := map[string]bool{p.Sdist.Hash: true}
		for _, w := range p.Wheels {
			hashes[w.Hash] = true
		}
		delete(hashes, "")
		r.Hashes = slices.Sorted(maps.Keys(hashes))
		switch {
		case p.Source.Git != "":
			repository, ref, _ := strings.Cut(p.Source.Git, "#")
			repository, _, _ = strings.Cut(repository, "?")
			r.URL, r.Hashes = gitURL(repository, ref), nil
		case p.Source.URL != "":
			r.URL = p.Source.URL
		}
		list = append(list, r)
	}
	return list, nil
}

func anyHolds(env Environment, markers []string) (bool, error) {
	if len(markers) == 0 {
		return true, nil
	}
	for _, m := range markers {
		if holds, err := env.Holds(m); err != nil || holds {
			return holds, err
		}
	}
	return false, nil
}

// poetryPackage is a [[package]] of poetry.lock.
type poetryPackage struct {
	Name, Version string
	Optional      bool
	Groups        []string // from Poetry 2 on
	Markers       any      // text, or text by group; from Poetry 2 on
	Files         []struct{ Hash string }
	Dependencies  map[string]any
	Extras        map[string][]string
	Source        struct {
		Type, URL         string
		ResolvedReference string `toml:"resolved_reference"`
	}
}

// poetryRequirements follows poetry.lock from what pyproject.toml asks for:
// https://python-poetry.org/docs/basic-usage/#installing-with-poetrylock.
func poetryRequirements(data, project []byte, env Environment) ([]Requirement, error) {
	var lock struct{ Package []*poetryPackage }
	if err := toml.Unmarshal(data, &lock); err != nil {
		return nil, fmt.Errorf("is not valid: %w", err)
	}
	asked, err := poetryAsks(project)
	if err != nil {
		return nil, err
	}
	byName := map[string][]*poetryPackage{}
	for _, p := range lock.Package {
		byName[PythonName(p.Name)] = append(byName[PythonName(p.Name)], p)
	}
	reached := map[*poetryPackage]bool{}
	seen := map[string]bool{}
	for len(asked) > 0 {
		n := asked[0]
		asked = asked[1:]
		holds, err := env.Holds(n.Marker)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name, err)
		}
		key := n.Name + " " + strings.Join(n.Extra, ",")
		if !holds || seen[key] {
			continue
		}
		seen[key] = true
		for _, p := range byName[n.Name] {
			marker, _ := p.Markers.(string)
			if by, ok := p.Markers.(map[string]any); ok {
				marker, _ = by["main"].(string)
			}
			if holds, err := env.Holds(marker); err != nil {
				return nil, fmt.Errorf("%s: %w", n.Name, err)
			} else if !holds || len(p.Groups) > 0 && !slices.Contains(p.Groups, "main") {
				continue
			}
			reached[p] = true
			optional := map[string]bool{}
			for extra, names := range p.Extras {
				for _, spec := range names {
					name := PythonName(leadingName(spec))
					optional[name] = optional[name] || !slices.Contains(n.Extra, extra)
				}
			}
			for name, spec := range p.Dependencies {
				for _, d := range poetryDependency(name, spec) {
					if d.optional && optional[d.Name] {
						continue
					}
					holds := false
					for _, extra := range append([]string{""}, n.Extra...) {
						with, err := env.holds(d.Marker, extra)
						if err != nil {
							return nil, fmt.Errorf("%s: %w", name, err)
						}
						holds = holds || with
					}
					if holds {
						d.Marker = ""
						asked = append(asked, d.need)
					}
				}
			}
		}
	}
	var list []Requirement
	for p := range reached {
		r := Requirement{Name: PythonName(p.Name), Version: p.Version}
		for _, f := range p.Files {
			r.Hashes = append(r.Hashes, f.Hash)
		}
		slices.Sort(r.Hashes)
		switch p.Source.Type {
		case "git":
			r.URL, r.Hashes = gitURL(p.Source.URL, p.Source.ResolvedReference), nil
		case "url":
			r.URL = p.Source.URL
		case "directory", "file":
			return nil, ownFolder(p.Name, p.Source.URL)
		}
		list = append(list, r)
	}
	return list, nil
}

func ownFolder(name, folder string) error {
	return fmt.Errorf("%s is a folder of your own (%s), which nothing can be installed from for another machine: build a wheel of it, or move its code to src/shared", name, folder)
}

// poetryAsks reads what a project needs to run from its pyproject.toml, in
// Poetry's own section or in the standard one.
func poetryAsks(data []byte) ([]need, error) {
	var project struct {
		Project struct{ Dependencies []string }
		Tool    struct {
			Poetry struct{ Dependencies map[string]any }
		}
	}
	if err := toml.Unmarshal(data, &project); err != nil {
		return nil, fmt.Errorf("pyproject.toml beside it is not valid: %w", err)
	}
	var list []need
	for _, spec := range project.Project.Dependencies {
		list = append(list, readSpec(spec))
	}
	for name, spec := range project.Tool.Poetry.Dependencies {
		if name == "python" {
			continue
		}
		for _, d := range poetryDependency(name, spec) {
			if !d.optional {
				list = append(list, d.need)
			}
		}
	}
	return list, nil
}

type poetryNeed struct {
	need
	optional bool
}

// poetryDependency reads one dependency: a version, a table, or a list of tables.
func poetryDependency(name string, spec any) []poetryNeed {
	d := poetryNeed{need: need{Name: PythonName(name)}}
	switch spec := spec.(type) {
	case map[string]any:
		d.Marker, _ = spec["markers"].(string)
		d.optional, _ = spec["optional"].(bool)
		if extras, ok := spec["extras"].([]any); ok {
			for _, e := range extras {
				if text, ok := e.(string); ok {
					d.Extra = append(d.Extra, text)
				}
			}
		}
	case []any:
		var list []poetryNeed
		for _, one := range spec {
			list = append(list, poetryDependency(name, one)...)
		}
		return list
	case []map[string]any:
		var list []poetryNeed
		for _, one := range spec {
			list = append(list, poetryDependency(name, one)...)
		}
		return list
	}
	return []poetryNeed{d}
}

// leadingName is the name that a specifier begins with: "requests" of requests[socks]>=2.
func leadingName(spec string) string {
	end := strings.IndexFunc(spec, func(r rune) bool {
		return !('a' <= r|0x20 && r|0x20 <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune("-_.", r))
	})
	if end < 0 {
		return spec
	}
	return spec[:end]
}

// readSpec reads name[extra] >=1 ; marker.
func readSpec(spec string) need {
	spec, marker, _ := strings.Cut(spec, ";")
	spec = strings.TrimSpace(spec)
	n := need{Name: PythonName(leadingName(spec)), Marker: strings.TrimSpace(marker)}
	if rest, ok := strings.CutPrefix(strings.TrimSpace(spec[len(leadingName(spec)):]), "["); ok {
		inside, _, _ := strings.Cut(rest, "]")
		for e := range strings.SplitSeq(inside, ",") {
			n.Extra = append(n.Extra, strings.TrimSpace(e))
		}
	}
	return n
}
