package registry

import (
	_ "embed"
	"strings"
)

// holds is the table that schemas/make.py writes beside updates.
//
//go:embed schemas/holds.txt
var holds string

// held lists the properties of a type that stand in holds with a mark.
func held(typ, mark string) []string {
	name, ours := strings.CutPrefix(typ, "AWS::")
	if !ours {
		return nil
	}
	at := strings.Index(holds, "\n"+name+" ")
	if at < 0 {
		return nil
	}
	line, _, _ := strings.Cut(holds[at+1:], "\n")
	var paths []string
	for _, word := range strings.Fields(line)[1:] {
		if path, ok := strings.CutPrefix(word, mark); ok {
			paths = append(paths, path)
		}
	}
	return paths
}

// Policies lists where the resource policies of a type stand: where its
// description says, or else by its schema. Types that give rights to roles have
// none.
func Policies(typ string) []Policy {
	d := Of(typ)
	switch {
	case d.Rights != 0:
		return nil
	case d.Policy.Property != "":
		return []Policy{d.Policy}
	}
	var all []Policy
	for _, path := range held(typ, "p=") {
		if !strings.Contains(path, "*") {
			all = append(all, Policy{path, ""})
		}
	}
	return all
}

// Roles lists the properties with which resources of a type name the roles that
// they act as.
func Roles(typ string) []string { return held(typ, "r=") }

// KeptNames lists the properties of a type that identify a resource and that it
// keeps for life, by the schemas.
func KeptNames(typ string) []string { return held(typ, "n=") }

// Holds reports whether a resource holds data: one of a type that does, unless it
// says which other one holds it.
func Holds(typ string, properties map[string]any) bool {
	d := Of(typ)
	return d.HoldsData && (d.HeldBy == "" || mayBeAbsent(properties[d.HeldBy]))
}

// mayBeAbsent reports whether a property is not there, or is not if a condition has
// it so.
func mayBeAbsent(v any) bool {
	m, ok := v.(map[string]any)
	if !ok {
		return v == nil
	}
	branches, _ := m["Fn::If"].([]any)
	return m["Ref"] == "AWS::NoValue" || len(branches) == 3 && (mayBeAbsent(branches[1]) || mayBeAbsent(branches[2]))
}
