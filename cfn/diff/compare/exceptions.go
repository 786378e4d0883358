package compare

import (
	"fmt"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/diff/values"
)

// exceptions are the types for which the schema does not tell all.
var exceptions = map[string]func(c *Change, old, new map[string]any){
	"AWS::DynamoDB::Table":       tableUpdates,
	"AWS::DynamoDB::GlobalTable": tableUpdates,
	"AWS::CloudFormation::Stack": nestedUpdates,
	"AWS::Cognito::UserPool":     userPoolUpdates,
	"AWS::Lambda::Function":      functionUpdates,
}

// isCustom: the service token is the only property that replaces such a one.
func isCustom(typ string) bool {
	return typ == "AWS::CloudFormation::CustomResource" || strings.HasPrefix(typ, "Custom::")
}

func exceptionOf(typ string) func(c *Change, old, new map[string]any) {
	if isCustom(typ) {
		return customUpdates
	}
	return exceptions[typ]
}

// tableUpdates knows what DynamoDB can do to a table that is there. The types
// of attributes matter only where a key uses them; of global indexes, one may
// be made or deleted at a time, and none changed.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
func tableUpdates(c *Change, old, new map[string]any) {
	retyped := cfn.Retyped(old, new)
	for i, p := range c.Properties {
		if values.Under(p.Path, "AttributeDefinitions") {
			c.Properties[i].Update = cfn.NoInterruption
			if slices.ContainsFunc(retyped, func(name string) bool { return values.Under(p.Path, "AttributeDefinitions."+name) }) {
				c.Properties[i].Update = cfn.Replacement
			}
		}
	}
	if replaces(c) {
		return // a new table is made with whatever indexes
	}
	before, okBefore := values.ByName(values.List(old["GlobalSecondaryIndexes"]), "IndexName")
	after, okAfter := values.ByName(values.List(new["GlobalSecondaryIndexes"]), "IndexName")
	if !okBefore || !okAfter {
		return
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
		c.Refused = fmt.Sprintf("DynamoDB cannot change the keys or the projection of the index %s: add one of another name, and remove this one in a later deploy", edited)
	case moves > 1:
		c.Refused = fmt.Sprintf("DynamoDB makes or deletes one index per update of a table, and these are %d: spread them over as many deploys", moves)
	case changedTTL(old, new):
		c.Refused = "DynamoDB cannot move TTL to another attribute in one update: turn it off first, and on again in a later deploy"
	}
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
		if p.Update == cfn.Replacement {
			return true
		}
	}
	return false
}

// nestedUpdates: a nested stack is updated in place, whatever its template does;
// what happens inside is told when it is read through.
func nestedUpdates(c *Change, _, _ map[string]any) {
	for i := range c.Properties {
		c.Properties[i].Update = cfn.NoInterruption
	}
}

// functionUpdates: code of a function that changes between zip and image needs
// another package type, even where the template leaves the type out.
func functionUpdates(c *Change, old, new map[string]any) {
	if isImage(old) == isImage(new) {
		return
	}
	for i, p := range c.Properties {
		if values.Under(p.Path, "Code") {
			c.Properties[i].Update = cfn.Replacement
		}
	}
}

func isImage(function map[string]any) bool {
	code, _ := function["Code"].(map[string]any)
	return function["PackageType"] == "Image" || code["ImageUri"] != nil
}

// userPoolUpdates: how users of a pool sign in is settled when it is made.
// https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-updating.html
func userPoolUpdates(c *Change, _, _ map[string]any) {
	for _, p := range c.Properties {
		for _, name := range []string{"UsernameAttributes", "AliasAttributes", "UsernameConfiguration"} {
			if values.Under(p.Path, name) {
				c.Refused = "Cognito does not change " + name + " of a user pool that is there: make another pool beside it"
			}
		}
	}
}

// customUpdates: the function behind a custom resource decides whether it is
// another one afterwards.
func customUpdates(c *Change, _, _ map[string]any) {
	for i, p := range c.Properties {
		c.Properties[i].Update = cfn.MayReplace
		if p.Path == "ServiceToken" {
			c.Properties[i].Update = cfn.Replacement
		}
	}
}
