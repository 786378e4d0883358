package model

import (
	"strings"

	"arc/cfn"
	"arc/cfn/diff/values"
	"arc/cfn/registry"
)

// Bucket is the bucket of the template that a value names, by its reference or by
// the name that it has; "" = none of the template.
func (m *App) Bucket(v any) string {
	name := m.Resolved(v)
	for _, id := range m.ByType[registry.S3Bucket] {
		own := m.Doc.Resources[id].Properties["BucketName"]
		if name == "${"+id+"}" || own != nil && name == m.Resolved(own) {
			return id
		}
	}
	return ""
}

// Named lists the resources of the template that a property names, which may be a
// list. A name that is made of a parameter names the resource that has it.
func (m *App) Named(v any) []string {
	var ids []string
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, el := range list {
		if id := m.Bucket(el); id != "" {
			ids = append(ids, id)
			continue
		}
		if text, _, made := asSub(el); made && strings.Contains(text, "${") && !strings.HasPrefix(text, "${") {
			continue // a reference inside of a name is another thing than the resource
		}
		for _, id := range cfn.References(el) {
			if _, ok := m.Doc.Resources[id]; ok {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// Resolved is a text with the defaults of parameters written in, where they have
// some and are no secret.
func (m *App) Resolved(v any) string {
	text := values.PlainText(v)
	for name, p := range m.Doc.Parameters {
		if value, ok := values.Spelled(p.Default); ok && value != "" && !p.NoEcho && !values.SecretKey(name) {
			text = strings.ReplaceAll(text, "${"+name+"}", value)
		}
	}
	return text
}
