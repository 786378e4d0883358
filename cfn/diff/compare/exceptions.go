package compare

import (
	"fmt"
	"strings"

	"arc/cfn/diff/values"
	"arc/cfn/registry"
)

// refusal says what a service does not do to a resource that is there, although
// the schema allows it; "" = it does.
func refusal(c *Change, old, new map[string]any) (rule, text string) {
	for _, p := range c.Properties {
		for _, name := range registry.Of(c.Type).Settled {
			if values.Under(p.Path, name) {
				service := strings.Split(c.Type, "::")[1]
				return "property-settled", service + " does not change " + name + " of one that is there: make another beside it"
			}
		}
	}
	if c.Type == registry.CognitoUserPool {
		return poolRefusal(old, new)
	}
	if isTable(c.Type) {
		return tableRefusal(c, old, new)
	}
	return "", ""
}

// poolRefusal: attributes of a user pool may be added; those that are there stay,
// and as required as they are.
// https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html
func poolRefusal(old, new map[string]any) (rule, text string) {
	before, okBefore := values.ByName(values.List(old["Schema"]), "Name")
	after, okAfter := values.ByName(values.List(new["Schema"]), "Name")
	if !okBefore || !okAfter {
		return "", ""
	}
	required := func(v any) bool {
		m, _ := v.(map[string]any)
		return values.On(m["Required"])
	}
	for _, name := range values.KeysOfBoth(before, after) {
		_, had := before[name]
		_, has := after[name]
		switch {
		case required(before[name]) != required(after[name]):
			return "attribute-settled", "Cognito does not change whether users must have the attribute " + name + ", once the pool is there: make another pool beside it"
		case had && !has:
			return "attribute-settled", "Cognito does not take the attribute " + name + " out of a pool that is there: leave it"
		}
	}
	return "", ""
}

func isTable(typ string) bool {
	return typ == registry.DynamoDBTable || typ == registry.DynamoDBGlobalTable
}

// tableRefusal: of global indexes, one may be made or deleted at a time, and
// none changed.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
func tableRefusal(c *Change, old, new map[string]any) (rule, text string) {
	if replaces(c) {
		return "", "" // a new table is made with whatever indexes
	}
	before, okBefore := values.ByName(values.List(old["GlobalSecondaryIndexes"]), "IndexName")
	after, okAfter := values.ByName(values.List(new["GlobalSecondaryIndexes"]), "IndexName")
	if !okBefore || !okAfter {
		return "", ""
	}
	moves, edited := 0, ""
	for _, name := range values.KeysOfBoth(before, after) {
		b, a := before[name], after[name]
		if b == nil || a == nil {
			moves++
		} else if indexEdited(b.(map[string]any), a.(map[string]any), old, new) {
			edited = name
		}
	}
	switch {
	case edited != "":
		return "index-changed", fmt.Sprintf("DynamoDB cannot change the keys or the projection of the index %s: add one of another name, and remove this one in a later deploy", edited)
	case moves > 1:
		return "indexes-at-once", fmt.Sprintf("DynamoDB makes or deletes one index per update of a table, and these are %d: spread them over as many deploys", moves)
	case changedTTL(old, new):
		return "ttl-moved", "DynamoDB cannot move TTL to another attribute in one update: turn it off first, and on again in a later deploy"
	}
	return "", ""
}

// indexEdited reports whether the keys, their types or the projection of a
// global index differ. Its throughput may change at any time.
func indexEdited(before, after, oldTable, newTable map[string]any) bool {
	if !values.Equal(before["KeySchema"], after["KeySchema"]) || !values.Equal(before["Projection"], after["Projection"]) {
		return true
	}
	for _, k := range values.List(before["KeySchema"]) {
		m, _ := k.(map[string]any)
		if name, _ := m["AttributeName"].(string); AttributeType(oldTable, name) != AttributeType(newTable, name) {
			return true
		}
	}
	return false
}

// AttributeType is the type that a table's properties give an attribute: "S";
// nil = it is not defined.
func AttributeType(table map[string]any, name string) any {
	for _, d := range values.List(table["AttributeDefinitions"]) {
		if m, _ := d.(map[string]any); m["AttributeName"] == name {
			return m["AttributeType"]
		}
	}
	return nil
}

func changedTTL(old, new map[string]any) bool {
	b, _ := old["TimeToLiveSpecification"].(map[string]any)
	a, _ := new["TimeToLiveSpecification"].(map[string]any)
	return values.On(b["Enabled"]) && values.On(a["Enabled"]) && !values.Equal(b["AttributeName"], a["AttributeName"])
}

func replaces(c *Change) bool {
	for _, p := range c.Properties {
		if p.Update == registry.Replacement {
			return true
		}
	}
	return false
}
