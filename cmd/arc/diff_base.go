package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/source"
)

// baseSide compiles the project as a git revision has it.
func (s *session) baseSide(ctx context.Context, p *project, opts cfn.Options, ref string) (side, error) {
	tree, err := openRevision(ctx, p.dir, ref, p.files())
	if err != nil {
		return side{}, err
	}
	defer tree.close()
	// Its mistakes are of another time: they are told only when they stop the
	// comparison.
	var said bytes.Buffer
	quiet := *s
	quiet.stderr = &said
	base := &project{dir: p.dir, root: p.root, tree: tree}
	before, err := quiet.compileBase(base, p, opts, ref)
	var code exitCode
	if errors.As(err, &code) {
		return before, withHint(fmt.Errorf("the project at %s cannot be compared with:\n%s", ref, indent(said.String())), "name a revision that arc check has no mistakes in")
	}
	if err != nil {
		return before, fmt.Errorf("--base %s: %w", ref, err)
	}
	if before.build == nil {
		s.note("%s has no manifest: everything would be added", ref)
		return before, nil
	}
	// What a bundle holds is asked for later, when the revision is closed.
	before.build.contents = map[string]diff.Code{}
	for key, bundle := range before.build.bundles {
		if before.build.contents[key], err = contents(bundle); err != nil {
			return before, fmt.Errorf("--base %s: %w", ref, err)
		}
	}
	before.packages = lockedPackages(tree)
	return before, nil
}

func (s *session) compileBase(base, now *project, opts cfn.Options, ref string) (side, error) {
	if err := s.read(base); err != nil {
		return side{}, err
	}
	if base.app.File == "" && now.app.File != "" {
		return side{label: ref}, nil // the project begins after it
	}
	b, err := s.compile(base, opts)
	if err != nil {
		return side{}, err
	}
	return s.builtSide(ref, base, b)
}

// packagesBeside gives the working tree's packages where the other side's are
// known.
func (a side) packagesBeside(before side) map[string]string {
	if before.packages == nil {
		return nil
	}
	return lockedPackages(a.project.files())
}

// lockedPackages reads the versions of npm packages from the lock file.
func lockedPackages(files fs.FS) map[string]string {
	versions := map[string]string{}
	data, err := fs.ReadFile(files, "package-lock.json")
	if err != nil {
		return versions
	}
	var lock struct {
		Packages map[string]struct{ Version string }
	}
	if json.Unmarshal(data, &lock) != nil {
		return versions
	}
	for name, p := range lock.Packages {
		if short, ok := strings.CutPrefix(name, "node_modules/"); ok && p.Version != "" {
			versions[short] = p.Version
		}
	}
	return versions
}

// codeIn looks into the bundles of both sides.
func codeIn(builds ...*build) func(key string) (diff.Code, bool) {
	known := map[string]diff.Code{}
	return func(key string) (diff.Code, bool) {
		if code, ok := known[key]; ok {
			return code, true
		}
		for _, b := range builds {
			if b == nil {
				continue
			}
			if code, ok := b.contents[key]; ok {
				return code, true
			}
			if bundle := b.bundles[key]; bundle != nil {
				code, err := contents(bundle)
				if err != nil {
					return diff.Code{}, false // changed while it was read: the key tells that it differs
				}
				known[key] = code
				return code, true
			}
		}
		return diff.Code{}, false
	}
}

// contents lists the files of a bundle, and the packages in it.
func contents(bundle *source.Bundle) (diff.Code, error) {
	code := diff.Code{Size: bundle.Size(), Files: map[string]string{}, Packages: map[string]string{}}
	for _, f := range bundle.Files {
		data, err := readFile(f)
		if err != nil {
			return code, fmt.Errorf("%s: %w", f.Path, err)
		}
		sum := sha256.Sum256(data)
		code.Files[f.Path] = hex.EncodeToString(sum[:8])
		dir, file := path.Split(f.Path)
		if file != "package.json" || !strings.HasPrefix(dir, "node_modules/") {
			continue
		}
		name := strings.TrimSuffix(strings.TrimPrefix(dir, "node_modules/"), "/")
		if strings.Count(name, "/") > 1 || strings.Contains(name, "/") && !strings.HasPrefix(name, "@") {
			continue
		}
		var pkg struct{ Version string }
		if json.Unmarshal(data, &pkg) == nil && pkg.Version != "" {
			code.Packages[name] = pkg.Version
		}
	}
	return code, nil
}

func readFile(f source.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// origins finds the manifest line of a resource.
func origins(stack *cfn.Stack) func(string) (diff.Position, bool) {
	return func(id string) (diff.Position, bool) {
		pos, ok := stack.Origins[path.Base(id)]
		return diff.Position{File: pos.File, Line: pos.Line, Column: pos.Col}, ok && pos.Line > 0
	}
}

// functionNames tells what the manifest calls the function of a logical ID.
func functionNames(stack *cfn.Stack) func(string) string {
	names := map[string]string{}
	for _, fn := range stack.Functions {
		names[fn.LogicalID] = "@" + fn.Pragma + " " + fn.Name
	}
	return func(id string) string { return names[path.Base(id)] }
}
