package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// Copied is a file or a folder that hydrate.copy puts into every function.
type Copied struct {
	Source string // slash path relative to the project
	Target string // below the function's packages
}

// Copies asks every hydrate.copy hook what it copies. Errors are *Error.
func (h *Host) Copies(ctx context.Context, p Project) ([]Copied, error) {
	args, err := p.args()
	if err != nil {
		return nil, err
	}
	var all []Copied
	for _, plugin := range h.With("hydrate.copy") {
		raw, err := h.Call(ctx, plugin, "hydrate.copy", args)
		if err != nil {
			return nil, err
		}
		var list []struct{ Source, Target string }
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, &Error{Plugin: plugin.Ref, Hook: "hydrate.copy", Code: "plugin-answer", Text: "what it copies is no list of {source, target}: " + err.Error(), Hint: "copy({ source: 'file', target: 'name' })"}
		}
		for _, one := range list {
			c, err := copied(h.options.Dir, one.Source, one.Target)
			if err != nil {
				return nil, &Error{Plugin: plugin.Ref, Hook: "hydrate.copy", Code: "plugin-answer", Text: err.Error(), Hint: "source is a file or a folder of the project, target a name below node_modules"}
			}
			all = append(all, c)
		}
	}
	return all, nil
}

func copied(dir, source, target string) (Copied, error) {
	if source == "" {
		return Copied{}, fmt.Errorf("it copies something without a source")
	}
	if filepath.IsAbs(target) {
		return Copied{}, fmt.Errorf("the target %s is absolute", target)
	}
	rel := filepath.FromSlash(source)
	if filepath.IsAbs(rel) {
		var err error
		if rel, err = filepath.Rel(dir, rel); err != nil {
			return Copied{}, err
		}
	}
	c := Copied{Source: path.Clean(filepath.ToSlash(rel)), Target: path.Clean(filepath.ToSlash(target))}
	if target == "" {
		c.Target = path.Base(c.Source)
	}
	for _, p := range []string{c.Source, c.Target} {
		if p == ".." || strings.HasPrefix(p, "../") {
			return Copied{}, fmt.Errorf("%s is outside", p)
		}
	}
	return c, nil
}
