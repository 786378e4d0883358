package diff

import (
	"fmt"
	"strings"

	"arc/cfn/diff/compare"
	"arc/cfn/diff/values"
	"arc/cfn/registry"
)

// tables tells of tables, their keys and indexes.
func (r *reviewer) tables() []Item {
	var items []Item
	for _, id := range r.changed(registry.DynamoDBTable, registry.DynamoDBGlobalTable) {
		c := r.changes[id]
		before, after := r.before.Doc.Resources[id].Properties, r.after.Doc.Resources[id].Properties
		it := r.item(c.Action, r.describe(id), "", id)
		switch c.Action {
		case compare.Add:
			it.Text = "key " + key(after, after["KeySchema"])
			for _, name := range indexNames(after) {
				it.Details = append(it.Details, "+ index "+name+": "+indexText(after, name))
			}
		case compare.Modify:
			it.Details = tableEdits(*c, before, after)
		case compare.Remove:
			if c.Loss == "" {
				it.Text = "leaves the stack; the table itself is kept"
			}
		}
		items = append(items, it)
	}
	return sortItems(items)
}

// tableEdits words the differences of a table.
func tableEdits(c compare.Change, before, after map[string]any) []string {
	var out []string
	if b, a := key(before, before["KeySchema"]), key(after, after["KeySchema"]); b != a {
		out = append(out, "key "+b+" → "+a)
	}
	b, _ := values.ByName(values.List(before["GlobalSecondaryIndexes"]), "IndexName")
	a, _ := values.ByName(values.List(after["GlobalSecondaryIndexes"]), "IndexName")
	for _, name := range values.KeysOfBoth(b, a) {
		switch {
		case b[name] == nil:
			out = append(out, "+ index "+name+": "+indexText(after, name))
		case a[name] == nil:
			out = append(out, "- index "+name)
		case indexText(before, name) != indexText(after, name):
			out = append(out, "~ index "+name+": "+indexText(before, name)+" → "+indexText(after, name))
		}
	}
	said := map[string]bool{"KeySchema": true, "AttributeDefinitions": true, "GlobalSecondaryIndexes": true}
	for _, p := range c.Properties {
		top, _, _ := strings.Cut(p.Path, ".")
		switch {
		case p.Because != "" || said[top]:
			continue
		case top == "TimeToLiveSpecification":
			said[top] = true
			out = append(out, "TTL "+ttl(before)+" → "+ttl(after))
		case top == "StreamSpecification":
			said[top] = true
			out = append(out, "stream "+onOff(before[top])+" → "+onOff(after[top]))
		default:
			out = append(out, strings.Trim(p.Path, "()")+": "+compare.Arrow(p))
		}
	}
	return out
}

func onOff(v any) string {
	if v == nil {
		return "off"
	}
	return "on"
}

func ttl(table map[string]any) string {
	spec, _ := table["TimeToLiveSpecification"].(map[string]any)
	if !values.On(spec["Enabled"]) {
		return "off"
	}
	return values.PlainText(spec["AttributeName"])
}

// key words a key schema: "accountID (S), noteID (S)".
func key(table map[string]any, schema any) string {
	var parts []string
	for _, k := range values.List(schema) {
		m, _ := k.(map[string]any)
		name := values.PlainText(m["AttributeName"])
		if typ := compare.AttributeType(table, name); typ != nil {
			name += fmt.Sprintf(" (%s)", values.PlainText(typ))
		}
		parts = append(parts, name)
	}
	return strings.Join(parts, ", ")
}

func indexNames(table map[string]any) []string {
	named, _ := values.ByName(values.List(table["GlobalSecondaryIndexes"]), "IndexName")
	return values.KeysOfBoth(nil, named)
}

func indexText(table map[string]any, name string) string {
	named, _ := values.ByName(values.List(table["GlobalSecondaryIndexes"]), "IndexName")
	ix, _ := named[name].(map[string]any)
	text := key(table, ix["KeySchema"])
	projection, _ := ix["Projection"].(map[string]any)
	if kind := values.PlainText(projection["ProjectionType"]); kind != "" && kind != "ALL" {
		text += ", " + strings.ToLower(kind)
		for _, attribute := range values.List(projection["NonKeyAttributes"]) {
			text += " " + values.PlainText(attribute)
		}
	}
	return text
}
