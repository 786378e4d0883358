// Package compare compares two CloudFormation templates resource by resource:
// each property with what its update does, and each resource with what becomes
// of it, its data and what refers to it.
package compare

import (
	"arc/cfn"
	"arc/cfn/diff/values"
	"arc/cfn/registry"
)

// Action is what happens to a resource.
type Action string

// The actions.
const (
	Add    Action = "add"
	Modify Action = "modify"
	Remove Action = "remove"
)

// Change is one resource that differs.
type Change struct {
	Action    Action `json:"action"`
	LogicalID string `json:"logicalId"`
	Type      string `json:"type"`
	// Update is the worst that the properties' updates do; of Add and Remove
	// it says nothing.
	Update registry.Update `json:"update"`
	// Loss says which data the change deletes; "" = none.
	Loss string `json:"loss,omitempty"`
	// Refused says why CloudFormation will not carry out the change, so that
	// the whole deploy fails; "" = it will.
	Refused string `json:"refused,omitempty"`
	// RefusedBy names the rule that Refused follows from, as the review explains
	// it: "name-taken".
	RefusedBy string `json:"-"`
	// Holds tells that the resource, as it was, holds data: by its type, and by its
	// properties where these say that another one does.
	Holds      bool       `json:"-"`
	Properties []Property `json:"properties,omitempty"` // Modify: what differs, sorted by path
	// Plugin is what brought the resource, "plugin search"; "" = the manifest did, or
	// nobody knows. A comparison of templates leaves it to who knows.
	Plugin string `json:"plugin,omitempty"`
}

// Property is one difference inside a resource. Before or After is nil when
// the property is absent on that side. Literal values that may be secrets are
// replaced by Hidden.
type Property struct {
	Path   string          `json:"path"` // "Environment.Variables.ARC_ENV"
	Before any             `json:"before,omitempty"`
	After  any             `json:"after,omitempty"`
	Update registry.Update `json:"update"`
	// Because names the resource whose replacement changes this property,
	// whose text is the same on both sides; "" = the text differs.
	Because string `json:"because,omitempty"`
}

// Templates lists what turns before into after, sorted by logical ID. A nil
// before means that nothing is deployed.
func Templates(before, after *cfn.Document) []Change {
	if before == nil {
		before = &cfn.Document{}
	}
	if after == nil {
		after = &cfn.Document{}
	}
	changes := []Change{}
	for _, id := range values.KeysOfBoth(before.Resources, after.Resources) {
		old, had := before.Resources[id]
		new, has := after.Resources[id]
		switch {
		case !had:
			changes = append(changes, Change{Action: Add, LogicalID: id, Type: new.Type})
		case !has:
			changes = append(changes, Change{Action: Remove, LogicalID: id, Type: old.Type, Loss: lossOfRemoval(old)})
		default:
			if c, differs := compareResource(id, old, new); differs {
				changes = append(changes, c)
			}
		}
	}
	changes = followReplacements(changes, before, after)
	sameNames(changes, before, after)
	for i, c := range changes {
		changes[i].Holds = holds(before, c.LogicalID)
	}
	return changes
}

// Loses reports whether the change takes data out of the stack: it deletes it, or
// puts an empty resource in the place of one that holds some, even where the old one
// is kept outside.
func (c Change) Loses() bool {
	return c.Loss != "" || c.Holds && c.Action == Modify && c.Update >= registry.MayReplace
}

func holds(before *cfn.Document, id string) bool {
	old, had := before.Resources[id]
	return had && registry.Holds(old.Type, old.Properties)
}

func compareResource(id string, old, new cfn.ResourceDef) (Change, bool) {
	c := Change{Action: Modify, LogicalID: id, Type: new.Type}
	if Shorthand(old.Type) != Shorthand(new.Type) { // one side could not be expanded: which, and why, is told
		c.Properties = []Property{{Path: "(Expanded)", Before: old.Type, After: new.Type}}
		return c, true
	}
	if old.Type != new.Type {
		c.RefusedBy, c.Refused = "type-changed", "CloudFormation cannot change the type of a resource; give the new one another logical ID"
		c.Update = registry.Replacement
		c.Properties = []Property{{Path: "(Type)", Before: old.Type, After: new.Type, Update: registry.Replacement}}
		c.Loss = lossOfRemoval(old)
		return c, true
	}
	c.Properties = CompareValues("", old.Properties, new.Properties)
	if len(c.Properties) == 1 && c.Properties[0].Path == "" { // a macro makes them
		c.Properties[0].Path = "(Properties)"
	}
	if home(old) != home(new) { // another stack makes its own
		c.Properties = append(c.Properties, Property{Path: "(Stack)", Before: orNil(home(old)), After: orNil(home(new)), Update: registry.Replacement})
	}
	setUpdates(&c, old, new)
	c.Properties = append(withoutSecrets(new.Type, c.Properties), compareAttributes(old, new)...)
	return c, len(c.Properties) > 0
}

// compareAttributes compares what stands beside Properties and changes what
// CloudFormation does later.
func compareAttributes(old, new cfn.ResourceDef) []Property {
	var out []Property
	add := func(path, before, after string) {
		if before != after {
			out = append(out, Property{Path: path, Before: orNil(before), After: orNil(after)})
		}
	}
	add("(Condition)", old.Condition, new.Condition)
	add("(DeletionPolicy)", old.DeletionPolicy, new.DeletionPolicy)
	add("(UpdateReplacePolicy)", old.UpdateReplacePolicy, new.UpdateReplacePolicy)
	if b, a := old.Metadata[registry.CloudFormationInit], new.Metadata[registry.CloudFormationInit]; !values.Equal(b, a) {
		p := Property{Path: "(Metadata " + registry.CloudFormationInit + ")"} // what is in it may be secret
		if b != nil {
			p.Before = values.Hidden
		}
		if a != nil {
			p.After = values.Hidden + " (another)"
		}
		out = append(out, p)
	}
	return out
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
