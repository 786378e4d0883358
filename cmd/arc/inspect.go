package main

import (
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

// chosen gives what tells the functions that a debugger may attach to; nil = none.
func (f *inspectFlag) chosen(p *project) (func(label, dir string) bool, error) {
	switch {
	case !f.on:
		return nil, nil
	case f.name == "":
		return func(string, string) bool { return true }, nil
	}
	var names []string
	labels := map[string]bool{}
	for _, fn := range p.app.Functions() {
		if !fn.Asset {
			label := inspectLabel(fn)
			all := inspectNames(label, fn.Dir)
			names = append(names, all...)
			labels[label] = slices.Contains(all, f.name)
		}
	}
	if !slices.Contains(names, f.name) {
		err := fmt.Errorf("--inspect=%s: the app has no such function", f.name)
		if near := syntax.Near(f.name, names); near != "" {
			return nil, withHint(err, "did you mean --inspect=%q?", near)
		}
		return nil, withHint(err, "name one as the manifest does, like --inspect=%q, or by its folder", "get /")
	}
	return func(label, _ string) bool { return labels[label] }, nil
}

func inspectLabel(fn *manifest.Function) string { return "@" + fn.Pragma + " " + fn.Name }
