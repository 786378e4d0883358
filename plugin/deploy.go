package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"arc/cfn/registry"
)

// Deployment is what hooks of a deploy are told of it.
type Deployment struct {
	StackName string
	Stage     string // "staging" or "production"
	DryRun    bool   // nothing is deployed: a template is only looked at
	// Sandbox is for an app that runs from its source, where Architect asks no
	// deploy.start: what a hook fails for, such as a variable that only deploys have,
	// must not keep the app from running. The template goes on without its changes.
	Sandbox bool
}

// Edited is a template that plugins have changed.
type Edited struct {
	Template []byte
	// By names the last plugin that touched a resource or another member of a
	// section, by its path: "Resources.Uploads", "Outputs.Uploads".
	By map[string]*Plugin
	// Brought names the plugin that first put in what was not there, by the same
	// paths.
	Brought map[string]*Plugin
	// Failed are the hooks that changed nothing because they failed (Sandbox).
	Failed []*Error
	// Steps is the template as each hook left it, in the order of calls.
	Steps []Step
}

// Step is the template as one hook left it.
type Step struct {
	Plugin   *Plugin
	Hook     string
	Template []byte
}

// For is the project as hooks of a deployment see it.
func (p Project) For(d Deployment) Project {
	p.Stage = d.Stage
	return p
}

// Same reports whether two templates hold the same.
func Same(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// ChangesTemplates reports whether any plugin has a say in the template.
func (h *Host) ChangesTemplates() bool {
	return len(h.With("deploy.start")) > 0 || len(h.With("deploy.services")) > 0
}

// Edit hands a SAM template to every deploy.start and deploy.services hook, one
// after another. Errors are *Error.
func (h *Host) Edit(ctx context.Context, p Project, d Deployment, template []byte) (Edited, error) {
	edited := Edited{Template: template, By: map[string]*Plugin{}, Brought: map[string]*Plugin{}}
	args, err := p.args()
	if err != nil {
		return edited, err
	}
	args.StackName, args.Stage, args.DryRun = d.StackName, d.Stage, &d.DryRun
	for _, hook := range []string{"deploy.start", "deploy.services"} {
		for _, plugin := range h.With(hook) {
			args.CloudFormation = edited.Template
			raw, err := h.Call(ctx, plugin, hook, args)
			if failed, ok := errors.AsType[*Error](err); ok && d.Sandbox && ctx.Err() == nil {
				edited.Failed = append(edited.Failed, failed)
				continue
			}
			if err != nil {
				return edited, err
			}
			after := []byte(raw)
			if hook == "deploy.services" {
				after, err = services(plugin, edited.Template, raw)
			} else if bytes.Equal(raw, []byte("null")) {
				after = edited.Template // it left it as it was
			}
			if err == nil && !object(after) {
				err = errors.New("what it gave is no template")
			}
			if err != nil {
				return edited, &Error{Plugin: plugin.Ref, Hook: hook, Code: "plugin-answer", Text: err.Error(), Hint: "return cloudformation, or nothing"}
			}
			edited.touched(after, plugin)
			edited.Template = after
			edited.Steps = append(edited.Steps, Step{plugin, hook, after})
		}
	}
	return edited, nil
}

// After runs deploy.target or deploy.end.
func (h *Host) After(ctx context.Context, p Project, d Deployment, hook string, template []byte) error {
	args, err := p.args()
	if err != nil {
		return err
	}
	args.StackName, args.Stage, args.DryRun, args.CloudFormation = d.StackName, d.Stage, &d.DryRun, template
	for _, plugin := range h.With(hook) {
		if _, err := h.Call(ctx, plugin, hook, args); err != nil {
			return err
		}
	}
	return nil
}

// services puts what a deploy.services hook gave into the template, as
// parameters that functions find by /STACK/PLUGIN/KEY.
func services(p *Plugin, template []byte, raw json.RawMessage) ([]byte, error) {
	var gave struct {
		Services       map[string]json.RawMessage
		CloudFormation json.RawMessage
	}
	if err := json.Unmarshal(raw, &gave); err != nil {
		return nil, fmt.Errorf("what it gave is no object: %w", err)
	}
	if object(gave.CloudFormation) {
		template = gave.CloudFormation
	}
	if len(gave.Services) == 0 {
		return template, nil
	}
	var tree map[string]json.RawMessage
	resources := map[string]json.RawMessage{}
	if err := json.Unmarshal(template, &tree); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(tree["Resources"], &resources); err != nil {
		return nil, err
	}
	folder := serviceFolder(p.Name)
	for _, key := range slices.Sorted(maps.Keys(gave.Services)) {
		parameter, err := json.Marshal(ordered{
			{"Type", registry.SSMParameter},
			{"Properties", ordered{
				{"Type", "String"},
				{"Name", map[string]any{"Fn::Sub": []any{"/${AWS::StackName}/${pluginName}/${key}", ordered{{"pluginName", folder}, {"key", key}}}}},
				{"Value", gave.Services[key]},
			}},
		})
		if err != nil {
			return nil, err
		}
		resources[pascal(folder)+pascal(key)+"Param"] = parameter
	}
	var err error
	if tree["Resources"], err = json.Marshal(resources); err != nil {
		return nil, err
	}
	return json.Marshal(tree)
}

// serviceFolder is a plugin's name as functions find what it serves: with the
// letters that Architect's names of folders have.
func serviceFolder(name string) string {
	return strings.NewReplacer("-", "_", ".", "_", "/", "-").Replace(name)
}

// pascal is a name as part of a logical ID (Architect's toLogicalID).
func pascal(name string) string {
	var b strings.Builder
	upper := true
	for i, r := range name {
		switch {
		case !('a' <= r|0x20 && r|0x20 <= 'z') && !('0' <= r && r <= '9'):
			upper = true
			continue
		case 'A' <= r && r <= 'Z':
			b.WriteRune(r) // a capital begins a word
		case upper || i == 0:
			b.WriteString(strings.ToUpper(string(r)))
		default:
			b.WriteRune(r)
		}
		upper = false
	}
	return b.String()
}

// touched notes which members of the template's sections a plugin has changed
// that leaves it as after, and which it has brought.
func (e Edited) touched(after []byte, p *Plugin) {
	was, is := members(e.Template), members(after)
	for path, text := range is {
		before, there := was[path]
		if before != text {
			e.By[path] = p
		}
		if !there {
			e.Brought[path] = p
		}
	}
	for path := range was {
		if _, left := is[path]; !left {
			e.By[path] = p
			delete(e.Brought, path)
		}
	}
}

// members is every member of a template's sections, as compact text.
func members(template []byte) map[string]string {
	all := map[string]string{}
	var sections map[string]json.RawMessage
	if json.Unmarshal(template, &sections) != nil {
		return all
	}
	for section, raw := range sections {
		var own map[string]any
		if json.Unmarshal(raw, &own) != nil {
			all[section] = string(raw)
			continue
		}
		for name, value := range own {
			text, err := json.Marshal(value) // keys sorted
			if err == nil {
				all[section+"."+name] = string(text)
			}
		}
	}
	return all
}

// Whose finds who touched what stands at a path of the template: the plugin of
// the resource that the path is in, or of one that it is made of; nil = nobody.
func (e Edited) Whose(path string) *Plugin { return whose(e.By, path) }

// Bringer finds who brought the resource that is at a path of the template now,
// or what it is made of; where nobody is known to, who changed what it is made
// of; nil = one of several, or nobody.
func (e Edited) Bringer(path string) *Plugin {
	if p := whose(e.Brought, path); p != nil {
		return p
	}
	if p := e.Whose(path); p != nil {
		return p
	}
	var only *Plugin
	for _, p := range e.By {
		if only != nil && p != only {
			return nil
		}
		only = p
	}
	return only
}

func whose(by map[string]*Plugin, path string) *Plugin {
	parts := strings.SplitN(path, ".", 3)
	if len(parts) < 2 {
		return by[path]
	}
	name := parts[1]
	if i := strings.IndexAny(name, " ("); i > 0 {
		name = name[:i]
	}
	if p := by[parts[0]+"."+name]; p != nil {
		return p
	}
	var best *Plugin
	longest := 0
	for _, own := range slices.Sorted(maps.Keys(by)) {
		if prefix, ok := strings.CutPrefix(own, "Resources."); ok && strings.HasPrefix(name, prefix) && len(prefix) > longest {
			best, longest = by[own], len(prefix)
		}
	}
	return best
}
