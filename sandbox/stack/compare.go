package stack

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/registry"
)

// notYet stands in a change set for a value that only the execution will tell.
const notYet = "{{changeSet:KNOWN_AFTER_APPLY}}"

// comparison finds what bringing a stack to a template would change. It walks
// the resources in dependency order, because what happens to one decides what
// those that refer to it can know.
type comparison struct {
	e       *Engine
	st      *state
	t       *template
	old     map[string]*resource
	current *template
	changes map[string]*ResourceChange
	// inside compares a nested stack that would get these properties, and gives
	// the ID of the change set that it made; "" when nothing would change. It is
	// nil when nested stacks are not to be looked into.
	inside func(res *resource, properties map[string]any) (id string, err error)
}

// compare lists the changes in the order of their logical IDs.
func (e *Engine) compare(st *state, t *template) ([]ResourceChange, error) {
	return e.compareWith(st, t, nil)
}

func (e *Engine) compareWith(st *state, t *template, inside func(*resource, map[string]any) (string, error)) ([]ResourceChange, error) {
	e.mu.Lock()
	c := &comparison{e: e, st: st, t: t, inside: inside, current: st.current, old: map[string]*resource{}, changes: map[string]*ResourceChange{}}
	for id, r := range st.resources {
		copied := *r
		c.old[id] = &copied
	}
	e.mu.Unlock()
	for _, id := range order(t.deps) {
		if err := c.resource(id); err != nil {
			return nil, err
		}
	}
	for id, r := range c.old {
		if _, stays := t.deps[id]; !stays {
			c.changes[id] = &ResourceChange{
				Action: "Remove", LogicalResourceID: id, PhysicalResourceID: r.physicalID, ResourceType: r.kind,
				PolicyAction: policyAction(r.deletionPolicy, ""), before: r.shown,
			}
		}
	}
	out := []ResourceChange{}
	for _, id := range slices.Sorted(maps.Keys(c.changes)) {
		out = append(out, *c.changes[id])
	}
	return out, nil
}

// order lists the nodes of an acyclic graph, each after what it depends on.
func order(deps map[string][]string) []string {
	var out []string
	seen := map[string]bool{}
	var visit func(id string)
	visit = func(id string) {
		if seen[id] {
			return
		}
		seen[id] = true
		for _, on := range deps[id] {
			visit(on)
		}
		out = append(out, id)
	}
	for _, id := range slices.Sorted(maps.Keys(deps)) {
		visit(id)
	}
	return out
}

func (c *comparison) resource(id string) error {
	def := c.t.doc.Resources[id]
	change := &ResourceChange{LogicalResourceID: id, ResourceType: def.Type}
	after, reads, err := c.evaluate(id, c.t.masked())
	if err != nil {
		return err
	}
	change.after, _ = c.t.params.hideIn(after).(map[string]any)
	before := c.old[id]
	if before == nil || before.physicalID == "" {
		change.Action = "Add"
		c.changes[id] = change
		return nil
	}
	if before.kind != def.Type {
		return invalid("Update of resource type is not permitted. The new template modifies resource type of the following resources: [%s]", id)
	}
	change.Action, change.PhysicalResourceID, change.before = "Modify", before.physicalID, before.shown
	real, _, err := c.evaluate(id, c.t)
	if err != nil {
		return err
	}
	c.details(change, before, real, reads)
	if def.Type == stackType && c.inside != nil {
		if change.ChangeSetID, err = c.inside(before, real); err != nil {
			return err
		}
	}
	if def.Type == stackType && len(change.Details) == 0 && (c.inside == nil || change.ChangeSetID != "") {
		change.Scope = []string{"Properties"}
		change.Details = []ChangeDetail{{Target: ChangeTarget{Attribute: "Properties", RequiresRecreation: "Never"}, Evaluation: "Dynamic", ChangeSource: "Automatic"}}
	}
	if !sameJSON(before.metadata, def.Metadata) {
		change.Scope = append(change.Scope, "Metadata")
		change.Details = append(change.Details, ChangeDetail{Target: ChangeTarget{Attribute: "Metadata", RequiresRecreation: "Never"}, Evaluation: "Static", ChangeSource: "DirectModification"})
	}
	if len(change.Details) > 0 {
		change.conclude(def.UpdateReplacePolicy)
		c.changes[id] = change
	}
	return nil
}

// reading is one use of another resource by a property whose outcome is not
// certain before the execution.
type reading struct {
	entity  string // "Queue" or "Queue.Arn"
	source  string // "ResourceReference" or "ResourceAttribute"
	unknown bool   // the value cannot be told at all now
}

// evaluate gives the properties as far as they can be told now, and by
// property what cannot.
func (c *comparison) evaluate(id string, t *template) (map[string]any, map[string][]reading, error) {
	reads := map[string][]reading{}
	values := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(t.doc.Resources[id].Properties)) {
		v, seen, err := c.property(id, name, t)
		if err != nil && t.discreet {
			// A function such as Fn::Select may not work on the stars that stand for a secret.
			v = secret
			_, _, err = c.property(id, name, c.t)
		}
		if err != nil {
			return nil, nil, invalid("Template error: resource %s, property %s: %s", id, name, c.t.params.hide(err.Error()))
		}
		if v != nil {
			values[name] = v
		}
		reads[name] = seen
	}
	return values, reads, nil
}

// property gives a property of a resource as evaluate does.
func (c *comparison) property(id, name string, t *template) (v any, seen []reading, err error) {
	scope := t.scope(c.st.ref, nil, func(export string) (any, error) { return c.e.export(c.st, export) })
	plain := scope.Ref
	scope.Ref = func(target string) (any, error) {
		if _, isResource := t.deps[target]; !isResource {
			return plain(target)
		}
		return c.reference(target, &seen), nil
	}
	scope.GetAtt = func(target, attribute string) (any, error) {
		return c.attribute(target, attribute, t.discreet, &seen)
	}
	v, err = cfn.Eval(t.doc.Resources[id].Properties[name], scope)
	if err != nil && slices.ContainsFunc(seen, func(r reading) bool { return r.unknown }) {
		return notYet, seen, nil // a function such as Fn::Select over a value that is not there yet
	}
	return v, seen, err
}

func (c *comparison) reference(target string, seen *[]reading) any {
	change, before := c.changes[target], c.old[target]
	switch {
	case before == nil || change != nil && (change.Action == "Add" || change.Replacement == "True"):
		*seen = append(*seen, reading{target, "ResourceReference", true})
		return notYet
	case change != nil && change.Replacement == "Conditional":
		*seen = append(*seen, reading{target, "ResourceReference", false})
	}
	return before.physicalID
}

func (c *comparison) attribute(target, attribute string, discreet bool, seen *[]reading) (any, error) {
	change, before := c.changes[target], c.old[target]
	entity := target + "." + attribute
	if before == nil || change != nil && (change.Action == "Add" || change.Replacement == "True") {
		*seen = append(*seen, reading{entity, "ResourceAttribute", true})
		return notYet, nil
	}
	v, err := before.shownAttribute(attribute, discreet)
	if change != nil && (len(change.Scope) != 1 || change.Scope[0] != "Metadata") {
		*seen = append(*seen, reading{entity, "ResourceAttribute", err != nil})
		if err != nil {
			return notYet, nil // an output that the nested stack is about to get
		}
	}
	return v, err
}

// details fills in what changes about one resource, property by property.
func (c *comparison) details(change *ResourceChange, before *resource, real map[string]any, reads map[string][]reading) {
	names := slices.Sorted(maps.Keys(real))
	for name := range before.properties {
		if _, there := real[name]; !there {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		target := ChangeTarget{Attribute: "Properties", Name: name, Path: "/Properties/" + name}
		target.RequiresRecreation = c.recreation(change.ResourceType, name, before.properties, real)
		if name == "Tags" {
			target.Attribute, target.Name = "Tags", ""
		}
		var details []ChangeDetail
		unknown := slices.ContainsFunc(reads[name], func(r reading) bool { return r.unknown })
		if !unknown && !sameValue(before.properties[name], real[name]) || unknown && c.rewritten(change.LogicalResourceID, name) {
			details = append(details, c.direct(change, target)...)
		}
		for _, r := range reads[name] {
			details = append(details, ChangeDetail{Target: target, Evaluation: "Dynamic", ChangeSource: r.source, CausingEntity: r.entity})
		}
		if len(details) > 0 && !slices.Contains(change.Scope, target.Attribute) {
			change.Scope = append(change.Scope, target.Attribute)
		}
		change.Details = append(change.Details, details...)
	}
}

// recreation says whether a change of a property needs a new resource.
func (c *comparison) recreation(kind, name string, before, after map[string]any) string {
	update := registry.NoInterruption
	switch {
	case strings.HasPrefix(kind, "AWS::"), registry.IsCustom(kind):
		update = registry.Announced(kind, name, before, after)
	case slices.Contains(c.e.registration(kind).CreateOnly, name):
		update = registry.Replacement
	}
	switch update {
	case registry.Replacement:
		return "Always"
	case registry.MayReplace:
		return "Conditionally"
	}
	return "Never"
}

// rewritten reports whether the template spells a property differently now.
func (c *comparison) rewritten(id, name string) bool {
	return c.current == nil || !sameJSON(c.current.doc.Resources[id].Properties[name], c.t.doc.Resources[id].Properties[name])
}

// direct describes a change of value: by the template, or by a parameter.
func (c *comparison) direct(change *ResourceChange, target ChangeTarget) []ChangeDetail {
	target.BeforeValue, target.AfterValue = asText(change.before[target.property()]), asText(change.after[target.property()])
	target.AttributeChangeType = "Modify"
	if _, there := change.before[target.property()]; !there {
		target.AttributeChangeType = "Add"
	} else if _, there := change.after[target.property()]; !there {
		target.AttributeChangeType = "Remove"
	}
	id := change.LogicalResourceID
	if !c.rewritten(id, target.property()) {
		var details []ChangeDetail
		for _, name := range cfn.References(c.t.doc.Resources[id].Properties[target.property()]) {
			given, isParameter := c.t.params.given[name]
			if isParameter && given != c.current.params.given[name] {
				details = append(details, ChangeDetail{Target: target, Evaluation: "Static", ChangeSource: "ParameterReference", CausingEntity: name})
			}
		}
		if len(details) > 0 {
			return details
		}
	}
	return []ChangeDetail{{Target: target, Evaluation: "Static", ChangeSource: "DirectModification"}}
}

// asText is a property's value as a change set shows it.
func asText(v any) string {
	if s, ok := text(v); ok || v == nil {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// conclude decides from the details whether the resource is replaced.
func (c *ResourceChange) conclude(replacePolicy string) {
	c.Replacement = "False"
	for _, d := range c.Details {
		if d.Target.RequiresRecreation == "Never" {
			continue
		}
		if d.Evaluation == "Static" && d.Target.RequiresRecreation == "Always" {
			c.Replacement = "True"
			c.PolicyAction = policyAction(replacePolicy, "ReplaceAnd")
			return
		}
		c.Replacement = "Conditional"
	}
}

func policyAction(policy, prefix string) string {
	switch policy {
	case "", "Delete":
		return prefix + "Delete"
	case policyRetainExceptFirst:
		return prefix + policyRetain
	}
	return fmt.Sprint(prefix, policy)
}
