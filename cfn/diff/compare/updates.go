package compare

import (
	"encoding/json"

	"arc/cfn"
	"arc/cfn/diff/values"
	"arc/cfn/registry"
)

// setUpdates says what each of a modified resource's differences does, and what
// the resource as a whole comes to.
func setUpdates(c *Change, old, new cfn.ResourceDef) {
	for i, p := range c.Properties {
		if p.Path != "(Stack)" {
			c.Properties[i].Update = registry.Between(c.Type, p.Path, old.Properties, new.Properties)
		}
	}
	c.RefusedBy, c.Refused = refusal(c, old.Properties, new.Properties)
	setOutcome(c, old, new)
}

// setOutcome draws from the properties what happens to the resource.
func setOutcome(c *Change, old, new cfn.ResourceDef) {
	for _, p := range c.Properties {
		c.Update = max(c.Update, p.Update)
	}
	if c.Update < registry.MayReplace {
		return
	}
	if c.Refused == "" && c.Update == registry.Replacement {
		c.RefusedBy, c.Refused = nameTaken(c, old, new)
		if registry.IsCustom(c.Type) {
			c.RefusedBy, c.Refused = "service-token-changed", "CloudFormation gives no custom resource another service token: give it another logical ID"
		}
	}
	moved := home(old) != home(new) // then it leaves one stack, and another makes its own
	kept := cfn.Keeps(old.UpdateReplacePolicy) && cfn.Keeps(new.UpdateReplacePolicy)
	if moved {
		kept = old.OutlivesRemoval()
	}
	if registry.Holds(c.Type, old.Properties) && !kept {
		c.Loss = "its data is deleted with the old one"
		if c.Update == registry.MayReplace {
			c.Loss = "if it is replaced, its data is deleted with the old one"
		}
	}
}

// lossOfRemoval says which data goes with a resource. A nested stack is only
// asked about when its template is not at hand: then nobody knows.
func lossOfRemoval(old cfn.ResourceDef) string {
	switch {
	case old.OutlivesRemoval():
		return ""
	case old.Type == registry.CloudFormationStack:
		return "whatever it holds is deleted with it, and its template is not at hand"
	case registry.Holds(old.Type, old.Properties):
		return "its data is deleted with it"
	}
	return ""
}

// nameTaken says why a replacement cannot be: the resource keeps its name.
func nameTaken(c *Change, old, new cfn.ResourceDef) (rule, text string) {
	property := registry.Of(c.Type).CustomName
	if property == "" || old.Properties[property] == nil || !values.Equal(old.Properties[property], new.Properties[property]) {
		return "", ""
	}
	// A name that is made of another resource's changes when that one is replaced.
	for _, p := range c.Properties {
		if p.Because != "" && values.Under(p.Path, property) {
			return "", ""
		}
	}
	return "name-taken", "CloudFormation cannot replace what has a fixed name: change " + property + " as well, or leave it out"
}

// sameNames finds what is removed under one logical ID and added under
// another with the same name: the new one is made first, and its name is taken.
func sameNames(changes []Change, before, after *cfn.Document) {
	removed := map[string]string{}
	key := func(r cfn.ResourceDef) string {
		name := r.Properties[registry.Of(r.Type).CustomName]
		if name == nil {
			return ""
		}
		raw, _ := json.Marshal(name) // read from JSON: cannot fail
		return r.Type + " " + string(raw)
	}
	for _, c := range changes {
		if r := before.Resources[c.LogicalID]; c.Action == Remove && key(r) != "" {
			removed[key(r)] = c.LogicalID
		}
	}
	if len(removed) == 0 {
		return
	}
	for i, c := range changes {
		if c.Action != Add {
			continue
		}
		if id := removed[key(after.Resources[c.LogicalID])]; id != "" {
			changes[i].RefusedBy, changes[i].Refused = "name-taken", "its name is still taken by "+id+", which CloudFormation removes only afterwards"
		}
	}
}
