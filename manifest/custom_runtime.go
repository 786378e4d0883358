package manifest

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
)

// CustomRuntime is a runtime that a plugin brings: its functions run on one of
// Lambda's, what the plugin has built or added.
type CustomRuntime struct {
	Plugin       string `json:"-"`
	Name         string `json:"name"`
	Type         string `json:"type"` // "transpiled", "compiled" or "interpreted"
	BaseRuntime  string `json:"baseRuntime"`
	HandlerFile  string `json:"handlerFile"`
	BuildSubpath string `json:"buildSubpath"`
	Build        string `json:"-"` // folder that its plugin builds into; "" = it builds nothing
}

// Built says that the functions' code is what the plugin has built.
func (r *CustomRuntime) Built() bool { return r != nil && r.Type != "interpreted" }

// runtime reads a runtime that a plugin brings.
func (t *taking) runtime(raw json.RawMessage) {
	r := CustomRuntime{Plugin: t.set.Plugin}
	var build struct{ Build any }
	if err := json.Unmarshal(raw, &r); err != nil {
		t.wrong("give name, type and baseRuntime", "%s", otherType(err))
		return
	}
	_ = json.Unmarshal(raw, &build) // the same bytes
	_, _, known := resolveRuntime(r.Name)
	_, _, based := resolveRuntime(r.BaseRuntime)
	switch {
	case r.Name == "" || !onlyWordsAnd(r.Name, "-._"):
		t.wrong("give a name of letters, digits and - . _", "a runtime has no name")
		return
	case !slices.Contains([]string{"transpiled", "compiled", "interpreted"}, r.Type):
		t.wrong("give type transpiled, compiled or interpreted", "the runtime %s has no type", r.Name)
		return
	case known && !isTypeScript(r.Name):
		t.wrong("give it another name", "there is a runtime %s already", r.Name)
		return
	case t.runtimes[r.Name] != nil:
		t.wrong("remove one of the two plugins", "the plugin %s brings the runtime %s, too", t.runtimes[r.Name].Plugin, r.Name)
		return
	case r.BaseRuntime == "" && r.Type == "compiled":
		r.BaseRuntime = "provided.al2"
	case r.BaseRuntime == "" && r.Type == "interpreted":
		r.BaseRuntime = "provided.al2023"
	case !based:
		t.wrong("give baseRuntime, such as "+DefaultRuntime, "the runtime %s runs on none of Lambda's", r.Name)
		return
	}
	if r.Built() {
		r.Build = "build"
		if dir, is := build.Build.(string); is {
			r.Build = dir
		}
		clean, ok := projectPath(r.Build)
		if !ok {
			t.wrong("build into a folder of the project", "%s is outside the project", r.Build)
			return
		}
		r.Build = clean
	}
	if t.runtimes == nil {
		t.runtimes = map[string]*CustomRuntime{}
	}
	t.runtimes[r.Name] = &r
	t.app.Runtimes = append(t.app.Runtimes, r)
}

// customRuntime is the runtime of that name that a plugin brings, with Lambda's
// name of what it runs on; nil = none does.
func (l *loader) customRuntime(name string) (*CustomRuntime, string) {
	r := l.runtimes[name]
	if r == nil {
		return nil, ""
	}
	base, _, _ := resolveRuntime(r.BaseRuntime)
	return r, base
}

// resolveBuilt settles where the code of a function is that a plugin builds,
// and which file of it runs.
func (l *loader) resolveBuilt(fn *Function, c *Config) {
	r := c.Custom
	c.HandlerExists = len(l.folders.entries(fn.Dir)) > 0
	if !r.Built() {
		c.HandlerFile = r.HandlerFile
		if c.HandlerFile == "" {
			c.HandlerFile = "index"
		}
		c.Handler = strings.TrimSuffix(c.HandlerFile, path.Ext(c.HandlerFile)) + ".handler"
		return
	}
	dir := fn.Dir
	if !l.written[fn].src {
		dir = strings.TrimPrefix(dir, "src/")
	}
	fn.Build = path.Join(r.Build, dir)
	c.Shared, c.Views = false, false
	c.HandlerFile = r.HandlerFile
	if r.Type == "compiled" {
		fn.Build = path.Join(fn.Build, r.BuildSubpath)
		if c.HandlerFile == "" {
			c.HandlerFile = "bootstrap"
		}
	} else if c.HandlerFile == "" {
		c.HandlerFile = "index.js"
	}
	c.Handler = strings.TrimSuffix(c.HandlerFile, path.Ext(c.HandlerFile)) + ".handler"
}
