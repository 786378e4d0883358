package sam

import (
	"fmt"
	"slices"
	"strings"

	"arc/cfn/registry"
)

// Expand makes the plain CloudFormation of a SAM template (a tree as
// cfn.Document.Written has it) that the translator would make, with two
// differences. Logical IDs that end in a hash of an API's body (deployments) have
// another hash, since the translator's depends on the order of keys; who refers
// to them is told the new one. And code in a local folder, which the translator
// refuses, stays a path, as it stands in what "aws cloudformation package" reads.
//
// A resource that could not be expanded stays as it was, with Transform, and each
// reason is a problem. A template without Transform is given back as it is.
func Expand(template map[string]any) (map[string]any, []Problem) {
	x := &expander{
		template:   cloneObject(template),
		references: map[string]map[string]string{},
		renamed:    map[string]string{},
		recordSets: map[string]object{},
	}
	if !x.asked() {
		return x.template, nil
	}
	x.prepare()
	x.macros()
	x.finish()
	return x.template, sortProblems(x.problems)
}

// IsSAM reports whether a template asks for SAM's transform.
func IsSAM(template map[string]any) bool {
	return (&expander{template: template}).asked()
}

// expander holds one expansion.
type expander struct {
	template   object
	resources  object // Resources of the template; what is made goes here as well
	values     object // what parameters are known to be
	references map[string]map[string]string
	renamed    map[string]string // logical IDs that SAM changes
	recordSets map[string]object // Route 53 record sets, by logical ID
	types      map[string]string // as they are written, by logical ID
	problems   []Problem

	id      string    // the SAM resource in hand
	at      string    // its path in the template
	made    object    // what came of it so far
	tagged  []object  // buckets that notify it, which take the tags that it hands on
	gradual []gradual // functions that are deployed step by step
	deployments
}

func (x *expander) fail(path, hint, message string, args ...any) {
	x.problems = append(x.problems, Problem{Path: path, Message: fmt.Sprintf(message, args...), Hint: hint})
}

// property names a path below the Properties of the resource in hand.
func (x *expander) property(path string) string { return x.at + ".Properties." + path }

func (x *expander) asked() bool {
	switch t := x.template["Transform"].(type) {
	case string:
		return t == Transform
	case []any:
		return slices.Contains(t, any(Transform))
	}
	return false
}

func (x *expander) prepare() {
	x.resources = asObject(x.template["Resources"])
	if x.resources == nil {
		x.resources = object{}
		x.template["Resources"] = x.resources
	}
	x.values = object{"AWS::Region": "us-east-1", "AWS::Partition": partition}
	for name, p := range asObject(x.template["Parameters"]) {
		if def, ok := asObject(p)["Default"]; ok {
			x.values[name] = def
		}
	}
	for _, id := range sorted(x.resources) {
		if r := asObject(x.resources[id]); r != nil && isSAM(r) && r["Properties"] == nil {
			r["Properties"] = object{}
		}
	}
	x.globals()
	x.policyTemplates()
	x.definitionBodies()
	x.implicitAPIs()
	x.openAPIVersions()
	x.embeddedConnectors()
}

// partition is the one in which ARNs are made that the translator makes for the
// region that it runs in.
const partition = "aws"

// order is how SAM expands types: functions change APIs, connectors look at what
// the others made.
var order = map[string]int{
	registry.ServerlessFunction:     0,
	registry.ServerlessStateMachine: 1,
	registry.ServerlessApi:          2,
	registry.ServerlessConnector:    4,
}

func rank(typ string) int {
	if n, ok := order[typ]; ok {
		return n
	}
	return 3
}

// macros expands every SAM resource.
func (x *expander) macros() {
	var ids []string
	x.types = map[string]string{}
	for _, id := range sorted(x.resources) {
		x.types[id] = asText(asObject(x.resources[id])["Type"])
		if isSAM(x.resources[id]) {
			ids = append(ids, id)
		}
	}
	typeOf := func(id string) string { return asText(asObject(x.resources[id])["Type"]) }
	slices.SortStableFunc(ids, func(a, b string) int { return rank(typeOf(a)) - rank(typeOf(b)) })
	for _, id := range ids {
		r := asObject(x.resources[id])
		x.id, x.at, x.made, x.tagged = id, "Resources."+id, object{}, nil
		before := len(x.problems)
		if x.checkProperties(r) {
			x.macro(r)
		}
		if len(x.problems) > before {
			continue // it stays as it is
		}
		delete(x.resources, id)
		for made, resource := range x.made {
			if _, written := x.types[made]; written && made != id {
				x.fail(x.at, "give one of them another logical ID", "SAM makes a resource %s of it, and the template has another of that logical ID", made)
			}
			x.resources[made] = resource
		}
	}
}

func (x *expander) macro(r object) {
	switch typ := asText(r["Type"]); typ {
	case registry.ServerlessFunction:
		x.function(r)
	case registry.ServerlessHttpApi:
		x.httpAPI(r)
	case registry.ServerlessSimpleTable:
		x.simpleTable(r)
	case registry.ServerlessLayerVersion:
		x.layerVersion(r)
	case registry.ServerlessApi:
		x.restAPI(r)
	case registry.ServerlessStateMachine:
		x.stateMachine(r)
	case registry.ServerlessConnector:
		x.connector(r)
	case registry.ServerlessApplication:
		x.application(r)
	default:
		x.fail(x.at, "write the plain resources that you want of it", "%s is not expanded here", typ)
	}
}

// finish takes the Transform away if everything is plain, and has references to
// what SAM made name it.
func (x *expander) finish() {
	x.codeDeploy()
	delete(x.template, "Globals")
	plain := true
	for _, r := range x.resources {
		plain = plain && !isSAM(r)
	}
	if plain {
		switch t := x.template["Transform"].(type) {
		case []any:
			rest := slices.DeleteFunc(slices.Clone(t), func(v any) bool { return v == any(Transform) })
			x.template["Transform"] = rest
			if len(rest) == 0 {
				delete(x.template, "Transform")
			}
		default:
			delete(x.template, "Transform")
		}
	}
	x.template = asObject(x.resolveReferences(x.template))
	for _, r := range asObject(x.template["Resources"]) {
		m := asObject(r)
		switch on := m["DependsOn"].(type) {
		case string:
			if to, ok := x.renamed[on]; ok {
				m["DependsOn"] = to
			}
		case []any:
			for i, id := range on {
				if to, ok := x.renamed[asText(id)]; ok {
					on[i] = to
				}
			}
		}
	}
	if c := asObject(x.template["Conditions"]); c != nil && len(c) == 0 {
		delete(x.template, "Conditions")
	}
}

// emit adds a resource that is made of the one in hand.
func (x *expander) emit(id, typ string, properties, attributes object) object {
	r := object{"Type": typ, "Properties": properties}
	for key, v := range attributes {
		r[key] = v
	}
	x.made[id] = r
	return r
}

// ownAttributes are those that go to the resource that a SAM resource becomes.
func ownAttributes(r object) object {
	attributes := object{}
	pass(attributes, r, "DeletionPolicy", "UpdatePolicy", "Condition", "UpdateReplacePolicy", "Metadata")
	if given(r["DependsOn"]) {
		attributes["DependsOn"] = r["DependsOn"]
	}
	return attributes
}

// passedAttributes are those that go to everything made of a SAM resource.
func passedAttributes(r object) object {
	attributes := object{}
	pass(attributes, r, "Condition", "DeletionPolicy", "UpdateReplacePolicy")
	return attributes
}

// addCondition puts a condition into the template.
func (x *expander) addCondition(name string, v any) {
	conditions := asObject(x.template["Conditions"])
	if conditions == nil {
		conditions = object{}
		x.template["Conditions"] = conditions
	}
	conditions[name] = v
}

// refersAs has Ref, GetAtt and Sub of id.property name a resource that was made.
func (x *expander) refersAs(id, property, made string) {
	if x.references[id] == nil {
		x.references[id] = map[string]string{}
	}
	x.references[id][property] = made
}

// tagList writes SAM's map of tags as a list, sorted by key.
func tagList(tags object) []any {
	list := []any{}
	for _, key := range sorted(tags) {
		v := tags[key]
		if v == nil {
			v = ""
		}
		list = append(list, object{"Key": key, "Value": v})
	}
	return list
}

// createdBySAM is the tag that SAM gives to functions and roles, and the user's.
func (x *expander) createdBySAM(tags any) []any {
	m := asObject(tags)
	for _, key := range sorted(m) {
		switch key {
		case "lambda:createdBy", "serverlessrepo:applicationId", "serverlessrepo:semanticVersion":
			x.fail(x.property("Tags."+key), "give the tag another name", "SAM keeps this tag for itself")
		}
	}
	return append([]any{object{"Key": "lambda:createdBy", "Value": "SAM"}}, tagList(m)...)
}

// lowerPrefix compares the start of two texts without regard to case.
func lowerPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
