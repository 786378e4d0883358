package plugin

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"arc/manifest/syntax"
)

// preferences are what files of preferences say, as Architect gives it to
// plugins: those of both files, one over the other, and those of each. Variables
// of the environment have their names only.
type preferences struct {
	all, local, global    any
	localFile, globalFile any // absolute paths
}

func (i *inventory) preferences() preferences {
	var p preferences
	var global, local ordered
	for _, file := range i.Result.Preferences {
		said := preferencesOf(file.Tree)
		told := append(slices.Clone(said), member{"_arc", arcModel(withoutEnv(file.Tree))}, member{"_raw", string(i.Result.Sources[file.Name])})
		if name, ok := strings.CutPrefix(file.Name, "~/"); ok {
			global, p.global, p.globalFile = said, told, filepath.Join(i.Home, name)
			continue
		}
		local, p.local, p.localFile = said, told, i.path(file.Name)
	}
	if i.Result.Dotenv {
		env := i.dotenv()
		local = local.with("env", env)
		told, ok := p.local.(ordered)
		if !ok {
			told, p.localFile = ordered{{"_arc", nil}, {"_raw", nil}}, false // as Architect has it
		}
		p.local = told.with("env", env)
	}
	if p.local != nil || p.global != nil {
		p.all = over(over(ordered{}, global), local)
	}
	return p
}

// over lays preferences over others: pragmas one by one, and their settings.
func over(under, upper ordered) ordered {
	for _, pragma := range upper {
		settings, ok := pragma.value.(ordered)
		if !ok {
			under = under.with(pragma.name, pragma.value)
			continue
		}
		before, _ := under.get(pragma.name).(ordered)
		merged := slices.Clone(before)
		for _, setting := range settings {
			merged = merged.with(setting.name, setting.value)
		}
		under = under.with(pragma.name, orEmpty(merged))
	}
	return under
}

func orEmpty(o ordered) ordered {
	if o == nil {
		return ordered{}
	}
	return o
}

// preferencesOf are the settings of a file: of each pragma a map, or what stands
// there alone.
func preferencesOf(file *syntax.File) ordered {
	all := ordered{}
	for _, p := range withoutEnv(file).Pragmas {
		var said any = ordered{}
		for _, it := range p.Items {
			settings, isMap := said.(ordered)
			switch it.Kind {
			case syntax.Scalar:
				said = word(it.Values[0])
			case syntax.Tuple:
				name, rest := it.Values[0].Text, wordList(it.Values[1:])
				switch {
				case !isMap:
				case len(rest) == 1:
					said = settings.with(name, rest[0])
				default:
					said = settings.with(name, rest)
				}
			default:
				for _, m := range itemModel(it).(ordered) {
					if isMap {
						said = settings.with(m.name, m.value)
					}
				}
			}
		}
		switch settings, isMap := said.(ordered); {
		case p.Name == "env" && isMap:
			for _, stage := range stages {
				if settings.get(stage) == nil {
					settings = settings.with(stage, nil)
				}
			}
			said = settings
		case p.Name == "sandbox-start" || p.Name == "sandbox-startup":
			said = commands(p)
		}
		all = all.with(p.Name, said)
	}
	return all
}

// stages are those that variables are set for, in Architect's order.
var stages = []string{"testing", "staging", "production"}

// commands are the lines of a pragma, their words joined.
func commands(p *syntax.Pragma) []any {
	list := []any{}
	for _, it := range p.Items {
		var texts []string
		for _, v := range it.Values {
			texts = append(texts, v.Text)
		}
		list = append(list, strings.Join(texts, " "))
	}
	return list
}

// withoutEnv is a file of preferences whose variables have no values.
func withoutEnv(file *syntax.File) *syntax.File {
	told := &syntax.File{}
	for _, p := range file.Pragmas {
		if p.Name == "env" {
			blank := *p
			blank.Items = nil
			for _, it := range p.Items {
				blank.Items = append(blank.Items, withoutValues(it))
			}
			p = &blank
		}
		told.Pragmas = append(told.Pragmas, p)
	}
	return told
}

// withoutValues keeps an item's name and the names below it.
func withoutValues(it *syntax.Item) *syntax.Item {
	blank := *it
	blank.Values, blank.List, blank.Entries = slices.Clone(it.Values), slices.Clone(it.List), slices.Clone(it.Entries)
	for i := range blank.Values {
		if i > 0 || it.Kind == syntax.Scalar {
			blank.Values[i] = syntax.Value{}
		}
	}
	for i := range blank.List {
		blank.List[i] = syntax.Value{}
	}
	for i := range blank.Entries {
		blank.Entries[i].Values = []syntax.Value{{}}
	}
	return &blank
}

// dotenv are the names that .env sets.
func (i *inventory) dotenv() ordered {
	names := map[string]bool{}
	for _, v := range i.app.Env["testing"] {
		if v.Pos.File == ".env" {
			names[v.Name] = true
		}
	}
	var testing any
	if len(names) > 0 {
		vars := ordered{}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			vars = append(vars, member{name, ""})
		}
		testing = vars
	}
	return ordered{{"testing", testing}, {"staging", nil}, {"production", nil}}
}
