package registry

import (
	"fmt"
	"slices"
	"strings"
)

// Retyped lists the attributes of a DynamoDB table's key, or of the keys of its
// local indexes, that have another type afterwards: a table cannot change
// these, so it is replaced. Other attributes may come, go and change. Before
// and after are the table's properties.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
func Retyped(before, after map[string]any) []string {
	then := attributeTypes(after)
	var names []string
	for name, was := range attributeTypes(before) {
		if now, stays := then[name]; stays && now != was && isKeyOf(before, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func attributeTypes(table map[string]any) map[string]any {
	types := map[string]any{}
	definitions, _ := table["AttributeDefinitions"].([]any)
	for _, v := range definitions {
		def, _ := v.(map[string]any)
		if name, ok := def["AttributeName"].(string); ok {
			types[name] = fmt.Sprint(def["AttributeType"])
		}
	}
	return types
}

func isKeyOf(table map[string]any, attribute string) bool {
	schemas := []any{table["KeySchema"]}
	indexes, _ := table["LocalSecondaryIndexes"].([]any)
	for _, v := range indexes {
		index, _ := v.(map[string]any)
		schemas = append(schemas, index["KeySchema"])
	}
	for _, schema := range schemas {
		keys, _ := schema.([]any)
		for _, v := range keys {
			if key, _ := v.(map[string]any); key["AttributeName"] == attribute {
				return true
			}
		}
	}
	return false
}

// retypes says what a change of a table's attribute definitions does. The types
// of attributes matter only where a key uses them. rest is the path below the
// property: the name of one attribute, an index, or "" for all.
func retypes(rest string, before, after map[string]any) Update {
	changed, _, _ := strings.Cut(rest, ".")
	_, named := attributeTypes(before)[changed]
	for _, name := range Retyped(before, after) {
		if !named || name == changed {
			return Replacement
		}
	}
	return NoInterruption
}
