// Package diff compares two CloudFormation templates and says what changes and
// how dangerous that is. Its faces (text, JSON) print the same Change values.
package diff

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"arc/cfn"
)

// Action is what happens to a resource.
type Action string

// The actions, as CloudFormation names them.
const (
	Add    Action = "Add"
	Modify Action = "Modify"
	Remove Action = "Remove"
)

// Change is one resource that differs.
type Change struct {
	Action      Action
	LogicalID   string
	Type        string
	Replacement Replacement
	// DataLoss says that the resource holds data and that this change deletes
	// it: it is replaced or removed, and no policy retains it.
	DataLoss   bool
	Properties []Property `json:",omitempty"` // Modify: what differs, sorted by path
}

// Property is one difference inside a resource. Before or After is nil when
// the property is absent on that side.
type Property struct {
	Path   string // "Environment.Variables.ARC_ENV"
	Before any
	After  any
}

// Replacement is whether a change makes a new physical resource.
type Replacement string

// The answers, as CloudFormation's change sets give them.
const (
	Never       Replacement = "False"
	Always      Replacement = "True"
	Conditional Replacement = "Conditional"
)

// Compare lists what turns before into after, sorted by logical ID. A nil
// before means that nothing is deployed.
func Compare(before, after *cfn.Document) []Change {
	if before == nil {
		before = &cfn.Document{}
	}
	ids := slices.Collect(maps.Keys(before.Resources))
	for id := range after.Resources {
		if _, both := before.Resources[id]; !both {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	var changes []Change
	for _, id := range ids {
		old, had := before.Resources[id]
		new, has := after.Resources[id]
		switch {
		case !had:
			changes = append(changes, Change{Action: Add, LogicalID: id, Type: new.Type, Replacement: Never})
		case !has:
			changes = append(changes, Change{Action: Remove, LogicalID: id, Type: old.Type, Replacement: Never,
				DataLoss: cfn.HoldsData(old.Type) && !keeps(old.DeletionPolicy)})
		default:
			if c, differs := compareResource(id, old, new); differs {
				changes = append(changes, c)
			}
		}
	}
	return changes
}

// keeps reports whether a policy leaves the data in the world.
func keeps(policy string) bool {
	return policy == "Retain" || policy == "RetainExceptOnCreate" || policy == "Snapshot"
}

func compareResource(id string, old, new cfn.ResourceDef) (Change, bool) {
	c := Change{Action: Modify, LogicalID: id, Type: new.Type, Replacement: Never}
	if old.Type != new.Type {
		c.Replacement = Always
		c.Properties = []Property{{Path: "Type", Before: old.Type, After: new.Type}}
	} else {
		c.Properties = withoutSecrets(compareValues("", old.Properties, new.Properties))
		c.Replacement = replacement(new.Type, c.Properties)
	}
	c.Properties = append(c.Properties, compareAttributes(old, new)...)
	if len(c.Properties) == 0 {
		return c, false
	}
	c.DataLoss = c.Replacement != Never && cfn.HoldsData(old.Type) && !keeps(new.UpdateReplacePolicy)
	return c, true
}

// Hidden stands for a literal value of an environment variable. Templates of
// other tools hold the user's secrets there in plain text.
const Hidden = "(hidden)"

// withoutSecrets hides literal values of environment variables; references
// say nothing secret and stay.
func withoutSecrets(props []Property) []Property {
	for i, p := range props {
		if strings.HasPrefix(p.Path+".", "Environment.") {
			props[i].Before, props[i].After = hide(p.Before), hide(p.After)
		}
	}
	return props
}

func hide(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case map[string]any:
		if isIntrinsic(v) && len(cfn.References(v)) > 0 {
			return v
		}
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = hide(x)
		}
		return out
	}
	return Hidden
}

// compareAttributes compares what stands beside Properties and changes what
// CloudFormation does later.
func compareAttributes(old, new cfn.ResourceDef) []Property {
	var out []Property
	add := func(path, before, after string) {
		if before != after {
			out = append(out, Property{Path: path, Before: text(before), After: text(after)})
		}
	}
	add("(DeletionPolicy)", old.DeletionPolicy, new.DeletionPolicy)
	add("(UpdateReplacePolicy)", old.UpdateReplacePolicy, new.UpdateReplacePolicy)
	add("(Condition)", old.Condition, new.Condition)
	return out
}

func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// replacement asks the create-only table about the top-level properties that differ.
func replacement(typ string, props []Property) Replacement {
	answer := Never
	for _, p := range props {
		if cfn.CreateOnly(typ, p.Path) {
			return Always
		}
	}
	return answer
}

// compareValues walks two values side by side. Objects are compared key by
// key and lists of equal length element by element; anything else is one
// difference, intrinsics included, since half an intrinsic means nothing.
func compareValues(path string, before, after any) []Property {
	if equal(before, after) {
		return nil
	}
	b, okB := before.(map[string]any)
	a, okA := after.(map[string]any)
	if okB && okA && !isIntrinsic(b) && !isIntrinsic(a) {
		keys := slices.Collect(maps.Keys(b))
		for k := range a {
			if _, both := b[k]; !both {
				keys = append(keys, k)
			}
		}
		slices.Sort(keys)
		var out []Property
		for _, k := range keys {
			out = append(out, compareValues(dot(path, k), b[k], a[k])...)
		}
		return out
	}
	bl, okB := before.([]any)
	al, okA := after.([]any)
	if okB && okA && len(bl) == len(al) {
		var out []Property
		for i := range bl {
			out = append(out, compareValues(dot(path, strconv.Itoa(i)), bl[i], al[i])...)
		}
		return out
	}
	return []Property{{Path: path, Before: before, After: after}}
}

func dot(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func isIntrinsic(m map[string]any) bool {
	if len(m) != 1 {
		return false
	}
	for k := range m {
		return k == "Ref" || len(k) > 4 && k[:4] == "Fn::"
	}
	return false
}

// equal compares two JSON values; 1 and "1" are the same to CloudFormation,
// and so are true and "true".
func equal(a, b any) bool {
	if reflect.DeepEqual(a, b) {
		return true
	}
	x, okA := spelled(a)
	y, okB := spelled(b)
	return okA && okB && x == y
}

func spelled(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}
