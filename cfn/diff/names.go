package diff

import (
	"slices"
	"strings"

	"arc/cfn/diff/model"
	"arc/cfn/registry"
)

// describe names a resource in a sentence: "table notes". Where several stacks
// have one of the name, the stack is said: "table notes (in Shop)".
func (r *reviewer) describe(id string) string {
	if at := strings.LastIndexByte(id, '/'); at >= 0 {
		return r.describeAlone(id) + " (in " + id[:at] + ")"
	}
	return r.describeAlone(id)
}

func (r *reviewer) describeAlone(id string) string {
	m := r.after
	def, ok := m.Doc.Resources[id]
	if !ok {
		m = r.before
		def = m.Doc.Resources[id]
	}
	if def.Type == registry.LambdaFunction {
		return r.function(id)
	}
	if strings.HasPrefix(def.Type, "AWS::Logs::") {
		if group := r.logsOf(m, id); group != "" {
			return "the log of " + group
		}
	}
	if kind := registry.Of(def.Type).Word; kind != "" && strings.EqualFold(kind, m.NameOf(id)) {
		return "the " + kind
	} else if strings.HasPrefix(m.NameOf(id), "of ") {
		return "the " + kind + " " + m.NameOf(id)
	} else if kind != "" {
		return kind + " " + m.NameOf(id)
	}
	return model.Bare(id)
}

// logsOf names the function that writes to a log group.
func (r *reviewer) logsOf(m *model.App, group string) string {
	if fn, ok := strings.CutSuffix(group, "LogGroup"); ok && m.Doc.Resources[fn].Type == registry.LambdaFunction {
		return r.function(fn)
	}
	return ""
}

// function names a function by what invokes it: "@http get /notes".
func (r *reviewer) function(id string) string {
	if r.opts.Name != nil {
		if name := r.opts.Name(id); name != "" {
			return name
		}
	}
	for _, m := range []*model.App{r.after, r.before} {
		if triggers := m.Triggers[id]; len(triggers) > 0 {
			if len(triggers) > 2 {
				triggers = append(slices.Clone(triggers[:2]), "…")
			}
			return strings.Join(triggers, ", ")
		}
	}
	return model.Bare(id)
}
