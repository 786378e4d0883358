package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"arc/manifest"
)

// Handler is a file that a create.handlers hook writes for a function.
type Handler struct {
	Name string // slash path below the function's folder
	Body string
}

// Handlers asks for the first files of a function: the plugin that brings its
// runtime, or that has registered for it. ok is false when no plugin does.
func (h *Host) Handlers(ctx context.Context, p Project, fn *manifest.Function) (files []Handler, ok bool, err error) {
	plugin := h.creator(fn)
	if plugin == nil {
		return nil, false, nil
	}
	args, err := p.args()
	if err != nil {
		return nil, true, err
	}
	i := &inventory{Project: p, app: p.Result.App}
	if args.Lambda, err = json.Marshal(i.lambda(fn)); err != nil {
		return nil, true, fmt.Errorf("function for plugins: %w", err)
	}
	raw, err := h.Call(ctx, plugin, "create.handlers", args)
	if err != nil || string(raw) == "null" {
		return nil, true, err
	}
	items, err := lists(raw)
	if err != nil {
		return nil, true, &Error{Plugin: plugin.Ref, Hook: "create.handlers", Code: "plugin-answer", Text: err.Error(), Hint: "return { filename, body }, or a list of them"}
	}
	for _, item := range items {
		var f struct{ Filename, Body string }
		if err := json.Unmarshal(item, &f); err != nil || f.Filename == "" || f.Body == "" {
			return nil, true, &Error{Plugin: plugin.Ref, Hook: "create.handlers", Code: "plugin-answer", Text: "a file has no filename or no body", Hint: "return { filename, body }, or a list of them"}
		}
		name := path.Clean(strings.ReplaceAll(f.Filename, `\`, "/"))
		if path.IsAbs(name) || name == ".." || strings.HasPrefix(name, "../") {
			return nil, true, &Error{Plugin: plugin.Ref, Hook: "create.handlers", Code: "plugin-answer", Text: f.Filename + " is outside the function's folder", Hint: "give a name below it"}
		}
		files = append(files, Handler{Name: name, Body: f.Body})
	}
	return files, true, nil
}

// creator is the plugin that writes first handlers of a function's runtime.
func (h *Host) creator(fn *manifest.Function) *Plugin {
	for _, p := range h.With("create.handlers") {
		if custom := fn.Config.Custom; custom != nil && custom.Plugin == p.Name {
			return p
		}
		if fn.Config.Custom != nil {
			continue
		}
		if slices.ContainsFunc(p.Register, func(name string) bool { return registered(name, &fn.Config) }) {
			return p
		}
	}
	return nil
}

// registered reports whether a plugin's word for a runtime means a function's.
func registered(name string, c *manifest.Config) bool {
	exact, _, ok := manifest.ResolveRuntime(name)
	return name == c.Runtime || name == c.RuntimeAlias || ok && exact == c.Runtime
}
