package diff

import (
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/diff/compare"
	"arc/cfn/diff/model"
	"arc/cfn/diff/values"
	"arc/cfn/iam"
	"arc/cfn/registry"
)

// holders compares what resources other than functions may do that act as another
// role than before, by every property that names a role in the schema of their
// type.
func (r *reviewer) holders() []Item {
	var items []Item
	for _, id := range ids(r.changes) {
		c := r.changes[id]
		if c.Action != compare.Modify || c.Type == registry.LambdaFunction || c.Refused != "" {
			continue
		}
		before, after := r.before.Doc.Resources[id], r.after.Doc.Resources[id]
		it := Item{Action: compare.Modify, Subject: r.describe(id), Resources: []string{id}}
		for _, path := range registry.Roles(c.Type) {
			was, now := rolesAt(before.Properties, path), rolesAt(after.Properties, path)
			for _, key := range values.KeysOfBoth(nil, now) {
				r.actsAs(&it, was[key], now[key])
			}
		}
		if it.Text != "" {
			it.place(r, id)
			items = append(items, it)
		}
	}
	return items
}

// actsAs tells what a resource may do as one role that it could not as another.
func (r *reviewer) actsAs(it *Item, was, is any) {
	if is == nil || values.Equal(was, is) {
		return
	}
	from, to := roleIn(r.before, was), roleIn(r.after, is)
	if to == "" {
		it.Text = "acts as the role " + values.PlainText(is)
		if to = r.roleOfParameter(is); to == "" {
			it.Risks = append(it.Risks, Risk{RoleUnknown, Rights, it.Subject + " acts as a role from elsewhere, of which the rights are not known"})
		}
		return
	}
	if from == to {
		return // told with the role
	}
	rightsBefore, _ := r.before.RoleOf(from)
	rightsAfter, _ := r.after.RoleOf(to)
	if from == "" && r.added(to) {
		return // a role that comes is compared with all that there are
	}
	note := Item{Subject: it.Subject}
	r.word(&note, iam.Compare(rightsBefore, rightsAfter), rightsBefore, rightsAfter, false)
	it.Text = "acts as " + r.describe(to)
	if note.Text != "" {
		it.Text += ": " + note.Text
	}
	it.Details = append(it.Details, note.Details...)
	it.Risks = append(it.Risks, note.Risks...)
}

// roleOfParameter is the parameter that a role is given by: whoever deploys
// decides, before and after.
func (r *reviewer) roleOfParameter(v any) string {
	m, _ := v.(map[string]any)
	name, _ := m["Ref"].(string)
	_, before := r.before.Doc.Parameters[name]
	if _, after := r.after.Doc.Parameters[name]; before && after {
		return name
	}
	return ""
}

// roleIn is the logical ID of the role that a value names, by itself or by an
// instance profile.
func roleIn(m *model.App, v any) string {
	for _, id := range cfn.References(v) {
		switch def := m.Doc.Resources[id]; def.Type {
		case registry.IAMRole:
			return id
		case registry.IAMInstanceProfile:
			return roleIn(m, def.Properties["Roles"])
		}
	}
	return ""
}

// rolesAt lists what stands at a path, by the names of the elements on the way.
func rolesAt(properties map[string]any, path string) map[string]any {
	found := map[string]any{}
	var walk func(v any, path []string, key string)
	walk = func(v any, path []string, key string) {
		switch {
		case v == nil:
		case len(path) == 0:
			found[key] = v
		case path[0] == "*":
			for i, el := range values.List(v) {
				walk(el, path[1:], key+" "+elementName(el, i))
			}
		default:
			if m, _ := v.(map[string]any); !values.IsIntrinsic(m) {
				walk(m[path[0]], path[1:], key)
			}
		}
	}
	walk(any(properties), strings.Split(path, "."), "")
	return found
}

// aboutOf is the resource of the template that a policy which is a resource of its
// own is about: the one that its other properties refer to.
func (r *reviewer) aboutOf(m *model.App, id, policy string) string {
	properties := m.Doc.Resources[id].Properties
	top, _, _ := strings.Cut(policy, ".")
	for _, name := range values.KeysOfBoth(nil, properties) {
		if name == top {
			continue
		}
		for _, to := range cfn.References(properties[name]) {
			if _, ok := m.Doc.Resources[to]; ok {
				return to
			}
		}
	}
	return id
}

// isPolicy reports whether resources of a type are policies of something else.
func isPolicy(typ string) bool {
	return slices.ContainsFunc([]string{"Policy", "PolicyDocument"}, func(end string) bool { return strings.HasSuffix(typ, end) })
}
