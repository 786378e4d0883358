package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"arc/manifest"
)

// Refs are the plugins that an app names.
func Refs(app *manifest.App) []Ref {
	refs := make([]Ref, len(app.Plugins))
	for i, p := range app.Plugins {
		refs[i] = Ref{Pragma: p.Pragma, Name: p.Name, Src: p.Src, Program: p.Program, Pos: p.Pos}
	}
	return refs
}

// Settings asks every set hook what it sets. Errors are *Error, all of them.
func (h *Host) Settings(ctx context.Context, p Project) ([]manifest.Set, error) {
	if !h.Sets() {
		return nil, nil
	}
	args, err := p.args()
	if err != nil {
		return nil, err
	}
	var sets []manifest.Set
	var wrong []error
	for _, hook := range Hooks {
		name, ok := strings.CutPrefix(hook, "set.")
		if !ok {
			continue
		}
		for _, plugin := range h.With(hook) {
			raw, err := h.Call(ctx, plugin, hook, args)
			if err == nil {
				raw, err = h.inside(plugin, hook, raw)
			}
			if err != nil {
				wrong = append(wrong, err)
				continue
			}
			sets = append(sets, manifest.Set{Plugin: plugin.Name, Hook: name, Value: raw})
		}
	}
	return sets, errors.Join(wrong...)
}

// Sets reports whether any plugin has a set hook.
func (h *Host) Sets() bool {
	for _, hook := range Hooks {
		if strings.HasPrefix(hook, "set.") && len(h.With(hook)) > 0 {
			return true
		}
	}
	return false
}

// args are what every hook gets.
func (p Project) args() (Args, error) {
	inventory, err := p.Inventory()
	if err != nil {
		return Args{}, err
	}
	arc, err := json.Marshal(arcModel(p.Result.Tree))
	if err != nil {
		return Args{}, fmt.Errorf("manifest for plugins: %w", err)
	}
	return Args{Arc: arc, Inventory: inventory}, nil
}

// inside makes paths that a plugin gives relative to the project: plugins find
// them from where they themselves are.
func (h *Host) inside(p *Plugin, hook string, raw json.RawMessage) (json.RawMessage, error) {
	fail := func(hint, format string, args ...any) error {
		return &Error{Plugin: p.Ref, Hook: hook, Code: "plugin-answer", Text: fmt.Sprintf(format, args...), Hint: hint}
	}
	items, err := lists(raw)
	if err != nil {
		return nil, fail("return an object, or a list of objects", "%v", err)
	}
	for i, item := range items {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(item, &fields); err != nil {
			return nil, fail("return an object, or a list of objects", "%v", err)
		}
		for _, name := range []string{"src", "build", "folder"} {
			var text string
			if json.Unmarshal(fields[name], &text) != nil || !filepath.IsAbs(text) {
				continue
			}
			rel, err := filepath.Rel(h.options.Dir, text)
			if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
				return nil, fail("install its package in the project's own node_modules", "%s %s is outside the project, and no deploy would take what is there", name, text)
			}
			if fields[name], err = json.Marshal(filepath.ToSlash(rel)); err != nil {
				return nil, fail("", "%v", err)
			}
		}
		if items[i], err = json.Marshal(fields); err != nil {
			return nil, fail("", "%v", err)
		}
	}
	return json.Marshal(items)
}
