package main

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"arc/manifest"
	"arc/manifest/syntax"
)

// inspectFlag is --inspect, which names a function or means all of them.
type inspectFlag struct {
	on   bool
	name string // "" = all
}

func (f *inspectFlag) Set(value string) error {
	f.on = value != "false"
	if f.on && value != "true" {
		f.name = value
	}
	return nil
}

func (f *inspectFlag) String() string { return f.name }

// IsBoolFlag lets the flag stand without a value.
func (f *inspectFlag) IsBoolFlag() bool { return true }

// names are the words that people have for a function: "@http get /", "get /",
// "src/http/get-index", "get-index".
func inspectNames(label, dir string) []string {
	_, short, _ := strings.Cut(label, " ")
	return []string{label, short, dir, path.Base(dir)}
}

// chosen gives what tells the functions that a debugger may attach to, and at which
// port: in the order of the manifest, so that an editor may be set up for one; nil =
// none.
func (f *inspectFlag) chosen(p *project) (func(label, dir string) (port int, attach bool), error) {
	if !f.on {
		return nil, nil
	}
	var names []string
	ports, last := map[string]int{}, map[bool]int{}
	functions := slices.Clone(p.app.Functions())
	slices.SortStableFunc(functions, func(a, b *manifest.Function) int { return cmp.Compare(a.Pos.Line, b.Pos.Line) })
	for _, fn := range functions {
		if fn.Asset {
			continue
		}
		label, python := inspectLabel(fn), strings.HasPrefix(fn.Config.Runtime, "python")
		all := inspectNames(label, fn.Dir)
		names = append(names, all...)
		if f.name == "" || slices.Contains(all, f.name) {
			ports[label] = last[python]
			last[python]++
		}
	}
	if f.name == "" {
		return func(label, _ string) (int, bool) {
			if port, known := ports[label]; known {
				return port, true
			}
			return max(last[true], last[false]), true // of another stack, or new
		}, nil
	}
	if !slices.Contains(names, f.name) {
		err := fmt.Errorf("--inspect=%s: the app has no such function", f.name)
		if near := syntax.Near(f.name, names); near != "" {
			return nil, withHint(err, "did you mean --inspect=%q?", near)
		}
		return nil, withHint(err, "name one as the manifest does, like --inspect=%q, or by its folder", "get /")
	}
	return func(label, _ string) (int, bool) {
		port, attach := ports[label]
		return port, attach
	}, nil
}

func inspectLabel(fn *manifest.Function) string { return "@" + fn.Pragma + " " + fn.Name }
