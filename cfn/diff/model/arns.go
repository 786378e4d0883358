package model

import (
	"strings"

	"arc/cfn/diff/values"
	"arc/cfn/iam"
	"arc/cfn/registry"
)

// ResourceOf finds the resource that an ARN starts with.
func (m *App) ResourceOf(arn string) (id, rest string, ok bool) {
	arn = strings.Replace(arn, "arn:aws:", "arn:${AWS::Partition}:", 1)
	for at := arn; ; {
		_, after, found := strings.Cut(at, "${")
		name, tail, closed := strings.Cut(after, "}")
		if !found || !closed {
			return "", "", false
		}
		id, attribute, _ := strings.Cut(name, ".")
		def, known := m.Doc.Resources[id]
		front := arn[:len(arn)-len(tail)]
		if known && (front == "${"+name+"}" && (attribute == "" || strings.HasSuffix(attribute, "Arn")) || front == arnForm(def.Type, id)) {
			return id, tail, true
		}
		at = tail
	}
}

// arnForm is the ARN of a resource by its Ref, for types whose ARN is made of
// it; "" for others.
func arnForm(typ, id string) string {
	if form := registry.Of(typ).ARN; form != "" {
		return "arn:${AWS::Partition}:" + form + "${" + id + "}"
	}
	return ""
}

// Policy reads a policy document. ARNs that it has from resources and ARNs
// that it makes of their names read alike.
func (m *App) Policy(document any) iam.Policy { return iam.Parse(m.writeARNs(Document(document))) }

func (m *App) writeARNs(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if values.IsIntrinsic(v) {
			text, exact := values.ExactText(v)
			if exact {
				return map[string]any{"Fn::Sub": m.expandARNs(text)}
			}
			return v
		}
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = m.writeARNs(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = m.writeARNs(x)
		}
		return out
	}
	return v
}

// expandARNs writes ${X.Arn} out, where that can be done.
func (m *App) expandARNs(text string) string {
	var b strings.Builder
	for {
		plain, rest, found := strings.Cut(text, "${")
		name, tail, closed := strings.Cut(rest, "}")
		if !found || !closed {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(plain)
		id, ok := strings.CutSuffix(name, ".Arn")
		if form := arnForm(m.Doc.Resources[id].Type, id); ok && form != "" {
			b.WriteString(form)
		} else {
			b.WriteString("${" + name + "}")
		}
		text = tail
	}
}
