package diff

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"arc/cfn"
	"arc/cfn/diff/compare"
	"arc/cfn/diff/model"
	"arc/cfn/diff/values"
)

// Code is what a function's bundle holds.
type Code struct {
	Size     int64             // bytes, unpacked
	Files    map[string]string // path → something that differs when the content does
	Packages map[string]string // npm packages inside: name → version
}

// functions tells of functions that come and go, of their code and settings.
// Functions with the same changes are one item.
func (r *reviewer) functions() []Item {
	var items []Item
	alike := map[string]int{} // what changes → index in items
	for _, id := range r.changed(model.FunctionType) {
		c := r.changes[id]
		var it Item
		switch c.Action {
		case compare.Add:
			it = r.item(compare.Add, r.function(id), "", id)
			it.Details = r.newFunction(id)
		case compare.Remove:
			it = r.item(compare.Remove, r.function(id), "", id)
		default:
			it = r.item(compare.Modify, r.function(id), "", id)
			it.Details = append(r.code(id), r.functionSettings(*c)...)
			if len(it.Details) == 0 && len(it.Risks) == 0 {
				continue // only its environment or its role
			}
		}
		for _, group := range []string{id + "LogGroup"} {
			if c.Action != compare.Modify && r.changes[group] != nil && r.changes[group].Action == c.Action {
				it.add(r, group)
			}
		}
		it.functions = []string{id}
		key := string(it.Action) + "\x00" + strings.Join(it.Details, "\x00")
		if at, ok := alike[key]; ok && c.Action == compare.Modify && len(it.Risks) == 0 && len(items[at].Risks) == 0 {
			items[at].Resources = append(items[at].Resources, id)
			items[at].Text += "\x00" + it.Subject
			items[at].functions = append(items[at].functions, id)
			continue
		}
		alike[key] = len(items)
		items = append(items, it)
	}
	for i := range items {
		if n := len(items[i].Resources); items[i].Action == compare.Modify && n > 1 {
			items[i].Text = few(strings.Split(items[i].Subject+items[i].Text, "\x00"))
			items[i].Subject = fmt.Sprintf("%d functions", n)
		}
	}
	return sortItems(items)
}

// few lists names, the first six of them.
func few(names []string) string {
	if len(names) > 7 {
		names = append(names[:6:6], fmt.Sprintf("and %d more", len(names)-6))
	}
	return strings.Join(names, ", ")
}

// changed lists the changed resources of a type, sorted.
func (r *reviewer) changed(types ...string) []string {
	var ids []string
	for id, c := range r.changes {
		if slices.Contains(types, c.Type) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// newFunction says what a new function runs on.
func (r *reviewer) newFunction(id string) []string {
	p := r.after.Doc.Resources[id].Properties
	var parts []string
	for _, s := range []struct{ property, format string }{{"Runtime", "%s"}, {"MemorySize", "%s MB"}, {"Timeout", "%s s"}} {
		if v := values.PlainText(p[s.property]); v != "" {
			parts = append(parts, fmt.Sprintf(s.format, v))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{strings.Join(parts, ", ")}
}

// code says how a function's code changes.
func (r *reviewer) code(id string) []string {
	before := CodeKey(r.before.Doc.Resources[id])
	after := CodeKey(r.after.Doc.Resources[id])
	if before == after {
		return nil
	}
	if SameCode(before, after) {
		return []string{"the same code, moved to " + path.Dir(after) + "/ in the bucket"}
	}
	if r.opts.Code != nil {
		b, okB := r.opts.Code(before)
		a, okA := r.opts.Code(after)
		if okA && okB {
			return compareCode(b, a)
		}
		if okA {
			return []string{fmt.Sprintf("code changes (now %s unpacked)", size(a.Size))}
		}
	}
	return []string{"code changes"}
}

// SameCode reports whether two keys name the same code in two places: the name
// of a zip is a hash of what is in it, and only the folder that it lies in
// differs.
func SameCode(before, after string) bool {
	return path.Base(before) == path.Base(after) && zipName().MatchString(path.Base(after))
}

var zipName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{64}\.zip$`) })

// CodeKey is what tells the code of a function from another: the key of its
// zip, where it has one. Options.Code is asked for it.
func CodeKey(fn cfn.ResourceDef) string {
	code, _ := fn.Properties["Code"].(map[string]any)
	if key := values.PlainText(code["S3Key"]); key != "" && len(code) == 2 {
		return key
	}
	return values.PlainText(fn.Properties["Code"])
}

// maxFiles is how many files of a change are named.
const maxFiles = 10

// compareCode names the files and packages that differ. What lies in
// node_modules is told by package.
func compareCode(before, after Code) []string {
	out := []string{"code changes, " + sizes(before.Size, after.Size)}
	var files []string
	for _, path := range values.KeysOfBoth(before.Files, after.Files) {
		b, had := before.Files[path]
		a, has := after.Files[path]
		if b == a || strings.Contains("/"+path, "/node_modules/") && packaged(path, before, after) {
			continue
		}
		files = append(files, sign(had, has)+" "+path)
	}
	if more := len(files) - maxFiles; more > 0 {
		files = append(files[:maxFiles], fmt.Sprintf("and %d files more", more))
	}
	out = append(out, files...)
	for _, name := range values.KeysOfBoth(before.Packages, after.Packages) {
		b, a := before.Packages[name], after.Packages[name]
		switch {
		case b == a:
		case b == "":
			out = append(out, "+ package "+name+" "+a)
		case a == "":
			out = append(out, "- package "+name+" "+b)
		default:
			out = append(out, "~ package "+name+" "+b+" → "+a)
		}
	}
	return out
}

// packages tells of npm packages whose version in the lock file changes.
func (r *reviewer) packages() []Item {
	var items []Item
	for _, name := range values.KeysOfBoth(r.opts.PackagesBefore, r.opts.PackagesAfter) {
		b, a := r.opts.PackagesBefore[name], r.opts.PackagesAfter[name]
		switch {
		case b == a:
		case b == "":
			items = append(items, Item{Action: compare.Add, Subject: name, Text: a})
		case a == "":
			items = append(items, Item{Action: compare.Remove, Subject: name, Text: b})
		default:
			items = append(items, Item{Action: compare.Modify, Subject: name, Text: b + " → " + a})
		}
	}
	return sortItems(items)
}

// packaged reports whether a file belongs to a package whose version tells
// of the change.
func packaged(path string, before, after Code) bool {
	at := strings.LastIndex("/"+path, "/node_modules/")
	rest := path[at+len("node_modules/"):]
	parts := strings.SplitN(rest, "/", 3)
	name := parts[0]
	if strings.HasPrefix(name, "@") && len(parts) > 1 {
		name += "/" + parts[1]
	}
	return before.Packages[name] != after.Packages[name]
}

func sign(had, has bool) string {
	switch {
	case !had:
		return "+"
	case !has:
		return "-"
	}
	return "~"
}

// sizes are two sizes of unpacked code.
func sizes(before, after int64) string {
	b, a := size(before), size(after)
	switch {
	case before == after:
		return a + " unpacked, as before"
	case a == b:
		return fmt.Sprintf("%s unpacked (%+d bytes)", a, after-before)
	}
	return b + " → " + a + " unpacked"
}

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d bytes", n)
}

// settingWords are what people call the properties of functions and queues,
// with their units.
var settingWords = map[string]struct{ name, unit string }{
	"Architectures":                  {"architecture", ""},
	"EphemeralStorage.Size":          {"storage", " MB"},
	"Handler":                        {"handler", ""},
	"MemorySize":                     {"memory", " MB"},
	"ReservedConcurrentExecutions":   {"concurrency", ""},
	"Runtime":                        {"runtime", ""},
	"Timeout":                        {"timeout", " s"},
	"Layers":                         {"layers", ""},
	"VisibilityTimeout":              {"visibility timeout", " s"},
	"MessageRetentionPeriod":         {"retention", " s"},
	"RetentionInDays":                {"retention", " days"},
	"BatchSize":                      {"batch size", ""},
	"MaximumBatchingWindowInSeconds": {"batch window", " s"},
}

// functionSettings lists what else of a function changes. Code, environment
// and role are told elsewhere.
func (r *reviewer) functionSettings(c compare.Change) []string {
	var out []string
	for _, p := range c.Properties {
		if p.Because != "" || values.Under(p.Path, "Code") || values.Under(p.Path, "Environment") || values.Under(p.Path, "Role") {
			continue
		}
		out = append(out, setting(p))
	}
	return out
}

// setting is one difference in people's words.
func setting(p compare.Property) string {
	path := p.Path
	if base, index, ok := strings.Cut(path, "."); ok && strings.Trim(index, "0123456789") == "" {
		path = base
	}
	w, ok := settingWords[path]
	if !ok {
		return strings.Trim(p.Path, "()") + ": " + compare.Arrow(p)
	}
	say := func(v any) string {
		if v == nil {
			return "default"
		}
		if l, ok := v.([]any); ok {
			var parts []string
			for _, el := range l {
				parts = append(parts, values.PlainText(el))
			}
			return strings.Join(parts, ", ")
		}
		return values.PlainText(v) + w.unit
	}
	return w.name + " " + say(p.Before) + " → " + say(p.After)
}

// environment tells which variables functions get and lose: names, never
// values.
func (r *reviewer) environment() []Item {
	type edit struct {
		action compare.Action
		name   string
	}
	functions := map[edit][]string{}
	had := 0 // functions that stay
	for _, id := range r.after.ByType[model.FunctionType] {
		old, ok := r.before.Doc.Resources[id]
		if !ok || old.Type != model.FunctionType {
			continue
		}
		had++
		b, a := variables(old.Properties), variables(r.after.Doc.Resources[id].Properties)
		for _, name := range values.KeysOfBoth(b, a) {
			if name == "ARC_ROLE" {
				continue // told with the rights
			}
			vb, inB := b[name]
			va, inA := a[name]
			switch {
			case !inB:
				functions[edit{compare.Add, name}] = append(functions[edit{compare.Add, name}], id)
			case !inA:
				functions[edit{compare.Remove, name}] = append(functions[edit{compare.Remove, name}], id)
			case !values.Equal(vb, va):
				functions[edit{compare.Modify, name}] = append(functions[edit{compare.Modify, name}], id)
			}
		}
	}
	items := r.values()
	for e, ids := range functions {
		it := Item{Action: e.action, Subject: e.name, Resources: ids, Text: r.inFunctions(ids, had)}
		it.place(r, ids[0])
		if e.action == compare.Modify {
			it.Text = "another value " + it.Text
		}
		items = append(items, it)
	}
	for _, id := range ids(r.changes) { // a change of the environment alone is told here
		if c := r.changes[id]; c.Type == model.FunctionType && len(r.risksOf(*c, "")) == 0 {
			r.told[id] = true
		}
	}
	return sortItems(items)
}

// values tells that variables get other values, which templates do not show.
func (r *reviewer) values() []Item {
	switch len(r.opts.Values) {
	case 0:
		return nil
	case 1:
		return []Item{{Action: compare.Modify, Subject: r.opts.Values[0], Text: "may have another value than the one deployed last"}}
	}
	return []Item{{Action: compare.Modify, Subject: "values", Text: "one or more may differ from those deployed last: " + few(r.opts.Values)}}
}

func ids(changes map[string]*compare.Change) []string { return values.KeysOfBoth(nil, changes) }

func variables(properties map[string]any) map[string]any {
	env, _ := properties["Environment"].(map[string]any)
	vars, _ := env["Variables"].(map[string]any)
	return vars
}

// inFunctions says where: in all, or in which ones.
func (r *reviewer) inFunctions(ids []string, all int) string {
	if len(ids) == all && all > 1 {
		return fmt.Sprintf("in all %d functions", all)
	}
	var names []string
	for _, id := range ids {
		names = append(names, r.function(id))
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(a, b) })
	if len(names) > 3 {
		return fmt.Sprintf("in %s and %d more", strings.Join(names[:3], ", "), len(names)-3)
	}
	return "in " + strings.Join(names, ", ")
}
