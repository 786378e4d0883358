package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"arc/manifest/syntax"
)

// Set is what one set hook of a plugin gave. The manifest's own lines come
// before it, unless it says required: then the two contradict each other.
type Set struct {
	Plugin string          // its name in @plugins
	Hook   string          // "http", "tables-indexes", "env", …
	Value  json.RawMessage // as Architect's plugins give it; paths are relative to the project
}

// Custom is a function without a trigger of ours: a plugin set it, and gives it
// one.
type Custom struct {
	Name     string
	Function *Function
	Pos      syntax.Pos
}

// setFunction is a function, and whatever triggers it, that a plugin sets.
type setFunction struct {
	Name, Method, Path, Src, Table string
	Rate, Cron, Timezone           string
	Fifo                           *bool
	BatchSize, BatchWindow         *int
	Required                       bool
	Config                         map[string]json.RawMessage
}

// setTable is a table or an index that a plugin sets.
type setTable struct {
	Name                           string
	PartitionKey, PartitionKeyType string
	SortKey, SortKeyType           string
	Stream, Encrypt, Pitr          json.RawMessage
	PointInTimeRecovery            json.RawMessage
	TTL                            string
	IndexName, ProjectionType      string
	ProjectionAttributes           []string
}

// taking turns what one hook gave into lines of the manifest, which stand where
// the manifest names the plugin: everything that is checked of lines is then
// checked of them.
type taking struct {
	*loader
	set    Set
	where  syntax.Value // the plugin's name
	values []json.RawMessage
}

// takeSets adds what plugins set to the manifest's own.
func (l *loader) takeSets() {
	l.tree = l.file
	if len(l.opts.Set) == 0 {
		return
	}
	file := *l.file
	file.Pragmas = make([]*syntax.Pragma, len(l.file.Pragmas))
	for i, p := range l.file.Pragmas {
		own := *p
		own.Items = slices.Clone(p.Items)
		file.Pragmas[i] = &own
	}
	l.file = &file
	for _, set := range l.opts.Set {
		t := taking{loader: l, set: set, where: syntax.Value{Text: set.Plugin}}
		for _, p := range l.app.Plugins {
			if p.Name == set.Plugin {
				t.where.Pos = p.Pos
				t.where.End = p.Pos
				t.where.End.Col += len(p.Name)
			}
		}
		t.take()
	}
	for pragma, items := range l.taken {
		p := l.pragma(pragma)
		p.Items = append(items, p.Items...)
	}
}

func (t *taking) wrong(hint, format string, args ...any) {
	t.errorf(at(t.where), "plugin-set", hint, "plugin "+t.set.Plugin+", set."+t.set.Hook+": "+format, args...)
}

// take reads the value by its hook.
func (t *taking) take() {
	if json.Unmarshal(t.set.Value, &t.values) != nil {
		t.values = []json.RawMessage{t.set.Value}
	}
	for _, raw := range t.values {
		var is map[string]json.RawMessage
		if json.Unmarshal(raw, &is) != nil || is == nil {
			t.wrong("give an object, or a list of objects", "what it gave is neither an object nor a list of them")
			return
		}
	}
	for _, raw := range t.values {
		switch t.set.Hook {
		case "tables", "tables-indexes":
			t.table(raw)
		case "static", "proxy":
			t.settings(raw)
		case "shared", "views":
			t.folder(raw)
		case "env":
			t.variables(raw)
		case "runtimes":
			t.runtime(raw)
		default:
			t.function(raw)
		}
	}
}

// section is the pragma of that name; without one in the manifest, it begins at
// the plugin.
func (t *taking) section(name string) *syntax.Pragma {
	p := t.pragma(name)
	if p == nil {
		p = &syntax.Pragma{Name: name, Pos: t.where.Pos}
		t.file.Pragmas = append(t.file.Pragmas, p)
	}
	return p
}

// add puts an item before the manifest's own.
func (t *taking) add(pragma string, it *syntax.Item) {
	if t.taken == nil {
		t.taken = map[string][]*syntax.Item{}
	}
	t.section(pragma)
	t.taken[pragma] = append(t.taken[pragma], it)
}

func (t *taking) text(s string) syntax.Value {
	v := t.where
	v.Kind, v.Text = syntax.String, s
	return v
}

// value is a JSON value as a word of the manifest.
func (t *taking) value(raw json.RawMessage) syntax.Value {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return t.text(s)
	}
	v := t.text(strings.TrimSpace(string(raw)))
	if json.Unmarshal(raw, &v.Bool) == nil {
		v.Kind = syntax.Bool
	} else if json.Unmarshal(raw, &v.Num) == nil {
		v.Kind = syntax.Number
	}
	return v
}

// words are a JSON value, or each of a list.
func (t *taking) words(raw json.RawMessage) []syntax.Value {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return []syntax.Value{t.value(raw)}
	}
	words := make([]syntax.Value, len(list))
	for i, one := range list {
		words[i] = t.value(one)
	}
	return words
}

// item is a map of the manifest.
func (t *taking) item(name string, entries ...syntax.Entry) *syntax.Item {
	return &syntax.Item{Pos: t.where.Pos, Kind: syntax.Map, Values: []syntax.Value{t.text(name)}, Entries: entries}
}

func (t *taking) entry(key string, words ...syntax.Value) syntax.Entry {
	return syntax.Entry{Key: t.text(key), Values: words}
}

// isSet reports whether a JSON value says something.
func isSet(raw json.RawMessage) bool { return len(raw) > 0 && !bytes.Equal(raw, []byte("null")) }

func (t *taking) function(raw json.RawMessage) {
	var f setFunction
	if err := json.Unmarshal(raw, &f); err != nil {
		t.wrong("docs/plugins.md has what it gives", "%s", otherType(err))
		return
	}
	name := f.Name
	if t.set.Hook == "http" {
		f.Method = strings.ToLower(f.Method)
		name = f.Method + " " + f.Path
	}
	switch {
	case t.set.Hook == "http" && (f.Method == "" || f.Path == ""):
		t.wrong("give method, path and src", "a route has no method or no path")
		return
	case name == "" || f.Src == "":
		t.wrong("give name and src", "a function has no name or no src")
		return
	case t.set.Hook == "tables-streams" && f.Table == "":
		t.wrong("give name, table and src", "%s has no table", name)
		return
	case t.set.Hook == "scheduled" && f.Rate == "" && f.Cron == "":
		t.wrong("give name, src, and rate or cron", "%s has neither rate nor cron", name)
		return
	case t.inManifest(name):
		if f.Required {
			t.wrong("remove it from the manifest, or remove the plugin", "it requires @%s %s, which the manifest has as well", t.set.Hook, name)
		}
		return
	}
	if t.setConfig == nil {
		t.setConfig = map[string][]line{}
	}
	config := []line{}
	for _, key := range slices.Sorted(maps.Keys(f.Config)) {
		if isSet(f.Config[key]) && string(f.Config[key]) != "[]" {
			config = append(config, line{key: t.text(key), values: t.words(f.Config[key])})
		}
	}
	t.setConfig[t.set.Hook+" "+name] = config
	if t.set.Hook == "customLambdas" {
		t.custom(name, f.Src)
		return
	}
	it := t.item(name, t.entry("src", t.text(f.Src)))
	add := func(key string, words ...syntax.Value) { it.Entries = append(it.Entries, t.entry(key, words...)) }
	switch t.set.Hook {
	case "http":
		it.Values[0] = t.text(f.Path)
		add("method", t.text(f.Method))
	case "tables-streams":
		add("table", t.text(f.Table))
	case "queues":
		if f.Fifo != nil {
			add("fifo", t.value(json.RawMessage(strconv.FormatBool(*f.Fifo))))
		}
		if f.BatchSize != nil {
			add("batchSize", t.value(json.RawMessage(strconv.Itoa(*f.BatchSize))))
		}
		if f.BatchWindow != nil {
			add("batchWindow", t.value(json.RawMessage(strconv.Itoa(*f.BatchWindow))))
		}
	case "scheduled":
		for key, text := range map[string]string{"rate": f.Rate, "cron": f.Cron, "timezone": f.Timezone} {
			if text != "" {
				var words []syntax.Value
				for word := range strings.FieldsSeq(text) {
					words = append(words, t.text(word))
				}
				add(key, words...)
			}
		}
		slices.SortFunc(it.Entries, func(a, b syntax.Entry) int { return strings.Compare(a.Key.Text, b.Key.Text) })
	}
	t.add(t.set.Hook, it)
}

// otherType says in plain words which value is of another type than it should be.
func otherType(err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Sprintf("%s is a %s, and should be a %s", wrong.Field, wrong.Value, wrong.Type)
	}
	return err.Error()
}

// inManifest reports whether the manifest itself has the function.
func (t *taking) inManifest(name string) bool {
	p := t.pragma(t.set.Hook)
	if p == nil {
		return false
	}
	for _, it := range p.Items {
		written := it.Name().Text
		switch {
		case t.set.Hook != "http":
		case it.Kind == syntax.Tuple && len(it.Values) == 2:
			written = strings.ToLower(it.Values[0].Text) + " " + it.Values[1].Text
		default:
			for _, e := range it.Entries {
				if e.Key.Text == "method" && len(e.Values) == 1 {
					written = strings.ToLower(e.Values[0].Text) + " " + it.Name().Text
				}
			}
		}
		if written == name {
			return true
		}
	}
	return false
}

func (t *taking) custom(name, src string) {
	dir, ok := t.sourceDir(t.text(src), "")
	if !ok || !t.checkName("customLambdas", name, t.text(name), nameRule{min: 1, max: 255}) {
		return
	}
	for _, other := range t.app.Custom {
		if other.Name == name {
			t.wrong("rename one of them", "%s is set already", name)
			return
		}
	}
	fn := &Function{Pragma: "customLambdas", Name: name, Dir: dir, Pos: t.where.Pos}
	t.written[fn] = written{at(t.where), true}
	t.app.Custom = append(t.app.Custom, Custom{Name: name, Function: fn, Pos: t.where.Pos})
}

func (t *taking) table(raw json.RawMessage) {
	var s setTable
	if err := json.Unmarshal(raw, &s); err != nil {
		t.wrong("docs/plugins.md has what it gives", "%s", otherType(err))
		return
	}
	if s.Name == "" || s.PartitionKey == "" {
		t.wrong("give name and partitionKey", "a table or an index has no name or no partitionKey")
		return
	}
	it := t.item(s.Name, t.entry(s.PartitionKey, t.text("*"+s.PartitionKeyType)))
	add := func(key string, words ...syntax.Value) { it.Entries = append(it.Entries, t.entry(key, words...)) }
	if s.SortKey != "" {
		add(s.SortKey, t.text("**"+s.SortKeyType))
	}
	if t.set.Hook == "tables-indexes" {
		if s.IndexName != "" {
			add("name", t.text(s.IndexName))
		}
		switch s.ProjectionType {
		case "KEYS_ONLY":
			add("projection", t.text("keys"))
		case "INCLUDE":
			words := make([]syntax.Value, len(s.ProjectionAttributes))
			for i, attribute := range s.ProjectionAttributes {
				words[i] = t.text(attribute)
			}
			add("projection", words...)
		}
		t.add("tables-indexes", it)
		return
	}
	if t.inManifest(s.Name) {
		return
	}
	if s.TTL != "" {
		add(s.TTL, t.text("TTL"))
	}
	for key, raw := range map[string]json.RawMessage{"stream": s.Stream, "encrypt": s.Encrypt, "PITR": s.Pitr} {
		if key == "PITR" && !isSet(raw) {
			raw = s.PointInTimeRecovery
		}
		if isSet(raw) {
			add(key, t.value(raw))
		}
	}
	slices.SortFunc(it.Entries[1:], func(a, b syntax.Entry) int { return strings.Compare(a.Key.Text, b.Key.Text) })
	t.add("tables", it)
}

// settings reads what @static and @proxy say by lines of key and value. What the
// manifest says counts; what is to be ignored is told by both.
func (t *taking) settings(raw json.RawMessage) {
	var all map[string]json.RawMessage
	_ = json.Unmarshal(raw, &all) // take has looked
	own := map[string]*syntax.Item{}
	p := t.section(t.set.Hook)
	for i, it := range p.Items {
		if i == 0 && it.Kind == syntax.Scalar && slices.Contains(off, it.Name().Text) {
			return
		}
		own[it.Name().Text] = it
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !isSet(all[key]) || findPragma(pragmas, t.set.Hook).setting(key) == nil {
			continue
		}
		words := t.words(all[key])
		it := own[key]
		switch {
		case it == nil:
			p.Items = append(p.Items, &syntax.Item{Pos: t.where.Pos, Kind: syntax.Tuple, Values: append([]syntax.Value{t.text(key)}, words...)})
		case key == "ignore":
			both := *it
			if both.Kind == syntax.Vector {
				both.List = append(slices.Clone(both.List), words...)
			} else {
				both.Values = append(slices.Clone(both.Values), words...)
			}
			p.Items[slices.Index(p.Items, it)] = &both
		}
	}
}

// folder reads where shared code is, unless the manifest says it. A folder that
// is not there is left out, unless it is required.
func (t *taking) folder(raw json.RawMessage) {
	var s struct {
		Src      string
		Required bool
	}
	if err := json.Unmarshal(raw, &s); err != nil || s.Src == "" {
		t.wrong("give {src: 'folder'}", "it gave no src")
		return
	}
	p := t.section(t.set.Hook)
	for _, it := range p.Items {
		if it.Kind == syntax.Tuple && it.Name().Text == "src" {
			if s.Required {
				t.wrong("remove src from @"+t.set.Hook, "it requires %s, and the manifest names another folder", s.Src)
			}
			return
		}
	}
	if dir, ok := projectPath(s.Src); ok && !s.Required && !t.folders.hasFolder(dir) {
		if len(p.Items) == 0 {
			t.file.Pragmas = slices.DeleteFunc(t.file.Pragmas, func(other *syntax.Pragma) bool { return other == p })
		}
		return
	}
	p.Items = append(p.Items, &syntax.Item{Pos: t.where.Pos, Kind: syntax.Tuple, Values: []syntax.Value{t.text("src"), t.text(s.Src)}})
}

// variables reads environment variables: by stage, or the same in all.
func (t *taking) variables(raw json.RawMessage) {
	var all map[string]json.RawMessage
	_ = json.Unmarshal(raw, &all) // take has looked
	byStage := false
	for _, stage := range stages {
		byStage = byStage || isSet(all[stage])
	}
	if t.app.Set == nil {
		t.app.Set = map[string][]EnvVar{}
	}
	for _, stage := range stages {
		vars := all
		if byStage {
			vars = nil
			if isSet(all[stage]) && json.Unmarshal(all[stage], &vars) != nil {
				t.wrong("give {"+stage+": {NAME: 'value'}}", "what it gave for %s is no object", stage)
				return
			}
		}
		for _, name := range slices.Sorted(maps.Keys(vars)) {
			switch {
			case slices.ContainsFunc(t.app.Set[stage], func(v EnvVar) bool { return v.Name == name }):
				t.wrong("let one plugin set it", "another plugin sets the variable %s", name)
				return
			case !t.checkEnvName(name, at(t.where)):
				return
			}
			t.app.Set[stage] = append(t.app.Set[stage], EnvVar{Name: name, Value: envText(vars[name]), Pos: t.where.Pos})
		}
	}
}

// envText is a value as a variable holds it.
func envText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var compact bytes.Buffer
	if json.Compact(&compact, raw) == nil {
		return compact.String()
	}
	return string(raw)
}

// settleVariables puts the variables that plugins set beside the local ones. One
// that both set would have two values.
func (l *loader) settleVariables() {
	for _, stage := range stages {
		for _, v := range l.app.Set[stage] {
			if l.app.Env == nil {
				l.app.Env = map[string][]EnvVar{}
			}
			if i := slices.IndexFunc(l.app.Env[stage], func(own EnvVar) bool { return own.Name == v.Name }); i >= 0 {
				l.errorf(atName(v.Pos, v.Name), "env-conflict", "remove it from one of the two", "a plugin sets the variable %s, and so does %s", v.Name, l.app.Env[stage][i].Pos)
				continue
			}
			l.app.Env[stage] = append(l.app.Env[stage], v)
		}
	}
}
