package registry

import (
	_ "embed"
	"reflect"
	"strconv"
	"strings"
)

// Update is what an update of a property does to the resource. They are in
// the order of their weight.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
type Update int

// What updates do.
const (
	NoInterruption Update = iota
	SomeInterruption
	MayReplace // depends on the values, or on the service
	Replacement
)

// String is the update in CloudFormation's words.
func (u Update) String() string {
	return [...]string{"no interruption", "some interruption", "may replace", "replacement"}[u]
}

// MarshalText writes the update as String does.
func (u Update) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// updates is the table that schemas/make.py writes. It is text to be searched,
// so that a program that never asks does not pay for it.
//
//go:embed schemas/updates.txt
var updates string

// UpdateOf says what an update of a property does to resources of a type, by
// the type's public schema. The property is a path: "Environment.Variables.A".
// A path above what the schema names counts as a change of that. Types that
// have no public schema, such as custom resources, may replace with any change.
func UpdateOf(typ, property string) Update {
	marked, known := updateLine(typ)
	if !known {
		return MayReplace
	}
	worst := NoInterruption
	for _, word := range strings.Fields(marked) {
		update := Replacement
		switch word[0] {
		case '?':
			update, word = MayReplace, word[1:]
		case '~':
			update, word = SomeInterruption, word[1:]
		}
		if touches(property, word) {
			worst = max(worst, update)
		}
	}
	return worst
}

// Known reports whether AWS has a public schema of a type.
func Known(typ string) bool {
	_, known := updateLine(typ)
	return known
}

// updateLine finds a type's properties in the table.
func updateLine(typ string) (properties string, known bool) {
	name, ours := strings.CutPrefix(typ, "AWS::")
	if !ours {
		return "", false
	}
	for _, end := range []string{" ", "\n"} {
		if at := strings.Index(updates, "\n"+name+end); at >= 0 {
			line, _, _ := strings.Cut(updates[at+1:], "\n")
			return strings.TrimPrefix(line, name), true
		}
	}
	return "", false
}

// touches reports whether one path is the other or above it. * is any index.
func touches(a, b string) bool {
	for {
		nameA, restA, moreA := strings.Cut(a, ".")
		nameB, restB, moreB := strings.Cut(b, ".")
		if nameA != nameB && nameB != "*" {
			return false
		}
		if !moreA || !moreB {
			return true
		}
		a, b = restA, restB
	}
}

// Between says what a change of a property does to a resource that has the
// properties before and after: what UpdateOf says, unless their values decide
// it.
func Between(typ, path string, before, after map[string]any) Update {
	top, rest, _ := strings.Cut(path, ".")
	switch {
	case IsCustom(typ): // the function behind it decides whether it is another one afterwards
		if path == "ServiceToken" {
			return Replacement
		}
		return MayReplace
	case Of(typ).InPlace:
		return NoInterruption
	case (typ == DynamoDBTable || typ == DynamoDBGlobalTable) && top == "AttributeDefinitions":
		return retypes(rest, before, after)
	case typ == LambdaFunction && top == "Code" && isImage(before) != isImage(after):
		return Replacement // another package type, even where the template leaves the type out
	}
	return UpdateOf(typ, path)
}

func isImage(function map[string]any) bool {
	code, _ := function["Code"].(map[string]any)
	return function["PackageType"] == "Image" || code["ImageUri"] != nil
}

// Effect is the gravest of what turning before into after does to a resource.
// The values are plain JSON.
func Effect(typ string, before, after map[string]any) Update {
	worst := NoInterruption
	for _, path := range differing("", before, after) {
		worst = max(worst, Between(typ, path, before, after))
	}
	return worst
}

// Announced is what a change set says of a change of one top-level property of
// a resource: where the values decide, it says "conditionally" even of those that
// replace nothing.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceTargetDefinition.html
func Announced(typ, property string, before, after map[string]any) Update {
	paths := differing(property, before[property], after[property])
	if len(paths) == 0 { // its value is not known yet
		paths = []string{property}
	}
	worst := NoInterruption
	for _, path := range paths {
		worst = max(worst, UpdateOf(typ, path), Between(typ, path, before, after))
	}
	return worst
}

// differing lists the paths at which two values differ.
func differing(path string, before, after any) []string {
	if reflect.DeepEqual(before, after) {
		return nil
	}
	below := func(key string) string { return strings.TrimPrefix(path+"."+key, ".") }
	var paths []string
	switch b := before.(type) {
	case map[string]any:
		if a, ok := after.(map[string]any); ok {
			for key, v := range b {
				paths = append(paths, differing(below(key), v, a[key])...)
			}
			for key, v := range a {
				if _, had := b[key]; !had {
					paths = append(paths, differing(below(key), nil, v)...)
				}
			}
			return paths
		}
	case []any:
		if a, ok := after.([]any); ok && len(a) == len(b) {
			for i, v := range b {
				paths = append(paths, differing(below(strconv.Itoa(i)), v, a[i])...)
			}
			return paths
		}
	}
	return []string{path}
}
