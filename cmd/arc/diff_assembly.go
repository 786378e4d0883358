package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/cfn/registry"
)

// assemblyStack is one stack of a cloud assembly, the folder that cdk synth
// writes (cdk.out).
type assemblyStack struct {
	name string // of the stack
	file string // its template
	is   diff.Identity
}

// assemblyManifest is the part of manifest.json that says which stacks there are.
// https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.cloud_assembly_schema.AssemblyManifest.html
type assemblyManifest struct {
	Artifacts map[string]struct {
		Type        string `json:"type"`
		Environment string `json:"environment"` // aws://ACCOUNT/REGION
		Properties  struct {
			TemplateFile  string `json:"templateFile"`
			StackName     string `json:"stackName"`
			DirectoryName string `json:"directoryName"`
		} `json:"properties"`
	} `json:"artifacts"`
}

// openAssembly reads which stacks a folder has. One alone is the template;
// several are compared by name.
func (g *given) openAssembly() error {
	if err := g.readAssembly(g.file, 0); err != nil {
		return err
	}
	if len(g.stacks) == 0 {
		return withHint(fmt.Errorf("%s: there is no stack in it", g.word), "%s", givenForms)
	}
	slices.SortFunc(g.stacks, func(a, b assemblyStack) int { return strings.Compare(a.name, b.name) })
	return nil
}

// maxAssemblies bounds the stages within stages.
const maxAssemblies = 10

func (g *given) readAssembly(dir string, depth int) error {
	data, err := fs.ReadFile(g.files, path.Join(dir, "manifest.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return withHint(fmt.Errorf("%s: a folder without manifest.json, so none that cdk synth wrote", g.word), "name the template in it: %s", path.Join(g.word, "template.yaml"))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", g.word, plainly(err))
	}
	var manifest assemblyManifest
	if err := json.Unmarshal(data, &manifest); err != nil {
		return fmt.Errorf("%s: manifest.json: %w", g.word, err)
	}
	for _, id := range slices.Sorted(maps.Keys(manifest.Artifacts)) {
		a := manifest.Artifacts[id]
		switch {
		case a.Type == "aws:cloudformation:stack" && a.Properties.TemplateFile != "":
			stack := assemblyStack{name: cmp.Or(a.Properties.StackName, id), file: path.Join(dir, a.Properties.TemplateFile)}
			stack.is.Stack = stack.name
			_, place, _ := strings.Cut(a.Environment, "://")
			if _, region, ok := strings.Cut(place, "/"); ok && region != "unknown-region" {
				stack.is.Region = region
			}
			g.stacks = append(g.stacks, stack)
		case a.Type == "cdk:cloud-assembly" && a.Properties.DirectoryName != "" && depth < maxAssemblies:
			if err := g.readAssembly(path.Join(dir, a.Properties.DirectoryName), depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// pairStacks makes of each side one template: of its only stack, or of all of
// them as if they were nested in one. A stack that OLD alone has is left out,
// for no deploy of NEW deletes it; alone lists those.
func pairStacks(before, after *given) (alone []string, err error) {
	one := len(before.stacks) <= 1 && len(after.stacks) <= 1
	for _, g := range []*given{before, after} {
		switch {
		case len(g.stacks) == 0 && !one && g.root != nil:
			return nil, withHint(fmt.Errorf("%s is one template, and the other side has several stacks", g.word), "name the stack's own template: %s", path.Join("cdk.out", "STACK.template.json"))
		case len(g.stacks) == 1 && one:
			if err := g.only(g.stacks[0]); err != nil {
				return nil, err
			}
		}
	}
	if one {
		return nil, nil
	}
	has := func(g *given, name string) bool {
		return slices.ContainsFunc(g.stacks, func(s assemblyStack) bool { return s.name == name })
	}
	before.stacks = slices.DeleteFunc(before.stacks, func(s assemblyStack) bool {
		if has(after, s.name) {
			return false
		}
		alone = append(alone, s.name)
		return true
	})
	for _, g := range []*given{before, after} {
		if len(g.stacks) == 0 {
			continue
		}
		g.root = &cfn.Document{Resources: map[string]cfn.ResourceDef{}}
		for _, s := range g.stacks {
			g.root.Resources[s.name] = cfn.ResourceDef{Type: registry.CloudFormationStack}
		}
		g.is.Region = commonRegion(g.stacks)
	}
	return alone, nil
}

// only makes the one stack of a folder the template.
func (g *given) only(stack assemblyStack) error {
	data, err := fs.ReadFile(g.files, stack.file)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", g.word, stack.file, plainly(err))
	}
	g.file = stack.file
	if err := g.parse(data); err != nil {
		return err
	}
	g.is, g.name, g.stacks = stack.is, stack.name, nil
	return nil
}

// asset is the file that a TemplateURL of cdk synth stands for: a file beside the
// template, STACK.assets.json, says from what it uploads which object.
func (g *given) asset(template string, url any) string {
	list, ok := strings.CutSuffix(template, ".template.json")
	if !ok || url == nil {
		return ""
	}
	data, err := fs.ReadFile(g.files, list+".assets.json")
	if err != nil {
		// A nested stack's own assets are in the list of the stack that it is in.
		return ""
	}
	var assets struct {
		Files map[string]struct {
			Source struct {
				Path string `json:"path"`
			} `json:"source"`
			Destinations map[string]struct {
				ObjectKey string `json:"objectKey"`
			} `json:"destinations"`
		} `json:"files"`
	}
	text, err := json.Marshal(url)
	if err != nil || json.Unmarshal(data, &assets) != nil {
		return ""
	}
	for _, key := range slices.Sorted(maps.Keys(assets.Files)) {
		for _, to := range assets.Files[key].Destinations {
			if to.ObjectKey != "" && strings.Contains(string(text), to.ObjectKey) {
				return assets.Files[key].Source.Path
			}
		}
	}
	return ""
}

// stackOf is the stack of a folder that a path names.
func (g *given) stackOf(at string) *assemblyStack {
	for i := range g.stacks {
		if g.stacks[i].name == at {
			return &g.stacks[i]
		}
	}
	return nil
}

// commonRegion is where all stacks are; "" when they are in several, or one is
// in a region that is not known.
func commonRegion(stacks []assemblyStack) string {
	for _, s := range stacks {
		if s.is.Region != stacks[0].is.Region {
			return ""
		}
	}
	return stacks[0].is.Region
}
