package model

import (
	"slices"

	"arc/cfn"
	"arc/cfn/diff/values"
	"arc/cfn/iam"
	"arc/cfn/registry"
)

// PolicyTypes are the types that give rights to roles, users and groups.
func PolicyTypes() []string {
	return registry.All(func(t registry.Type) bool { return t.Rights == registry.GivesRights })
}

// Belongs reports whether a policy is one of a role, user or group of the
// template.
func (m *App) Belongs(id string) bool {
	for _, to := range m.attached(id) {
		if slices.Contains(Principals(), m.Doc.Resources[to].Type) {
			return true
		}
	}
	for _, typ := range Principals() {
		for _, to := range m.ByType[typ] {
			if slices.Contains(cfn.References(m.Doc.Resources[to].Properties["ManagedPolicyArns"]), id) {
				return true
			}
		}
	}
	return false
}

// Principals are the types that have rights.
func Principals() []string {
	return registry.All(func(t registry.Type) bool { return t.Rights == registry.HasRights })
}

// attached lists what a policy says to be attached to.
func (m *App) attached(policy string) []string {
	p := m.Doc.Resources[policy].Properties
	var to []string
	for _, property := range []string{"Roles", "RoleName", "Users", "UserName", "Groups", "GroupName"} {
		to = append(to, cfn.References(p[property])...)
	}
	return to
}

// RoleOf is what a role, a user or a group may do, from every place a template
// says so.
func (m *App) RoleOf(id string) (rights, trust iam.Policy) {
	role, ok := m.Doc.Resources[id]
	if !ok {
		return
	}
	p := role.Properties
	rights = each(p["Policies"], func(v any) iam.Policy {
		inline, _ := v.(map[string]any)
		if inline["PolicyDocument"] == nil || values.IsIntrinsic(inline) {
			return iam.Parse(v)
		}
		return m.Policy(inline["PolicyDocument"])
	}).And(each(p["ManagedPolicyArns"], func(arn any) iam.Policy {
		if own := m.managedPolicy(arn); own != nil {
			return m.Policy(own)
		}
		return iam.Named(arn)
	}))
	for _, typ := range PolicyTypes() {
		for _, policy := range m.ByType[typ] {
			if slices.Contains(m.attached(policy), id) {
				rights = rights.And(m.Policy(m.Doc.Resources[policy].Properties["PolicyDocument"]))
			}
		}
	}
	groups := cfn.References(p["Groups"])
	for _, addition := range m.ByType[registry.IAMUserToGroupAddition] {
		q := m.Doc.Resources[addition].Properties
		if slices.Contains(cfn.References(q["Users"]), id) {
			groups = append(groups, cfn.References(q["GroupName"])...)
		}
	}
	for _, group := range groups {
		inherited, _ := m.RoleOf(group) // a group is in no group
		rights = rights.And(inherited)
	}
	return rights, iam.Parse(Document(p["AssumeRolePolicyDocument"]))
}

// each reads the elements of a list of policies, of which Fn::If may give some or all,
// under its condition, and Fn::Split those of a text. A list of which only AWS knows
// the elements is read as one.
func each(v any, read func(el any) iam.Policy) (all iam.Policy) {
	m, _ := v.(map[string]any)
	switch arg := values.List(m["Fn::If"]); {
	case v == nil || m["Ref"] == "AWS::NoValue":
		return all
	case len(arg) == 3:
		if name, ok := arg[0].(string); ok {
			return each(arg[1], read).When(name, true).And(each(arg[2], read).When(name, false))
		}
	case m["Fn::Split"] != nil:
		if list, err := cfn.Eval(v, cfn.Scope{}); err == nil {
			return each(list, read)
		}
	}
	if list, ok := v.([]any); ok {
		for _, el := range list {
			all = all.And(each(el, read))
		}
		return all
	}
	return read(v)
}

// managedPolicy is the document of a managed policy of the template itself.
func (m *App) managedPolicy(arn any) any {
	for _, id := range cfn.References(arn) {
		if m.Doc.Resources[id].Type == registry.IAMManagedPolicy {
			return m.Doc.Resources[id].Properties["PolicyDocument"]
		}
	}
	return nil
}

// RoleOfFunction is the logical ID of a function's role.
func (m *App) RoleOfFunction(id string) string {
	for _, role := range cfn.References(m.Doc.Resources[id].Properties["Role"]) {
		if m.Doc.Resources[role].Type == registry.IAMRole {
			return role
		}
	}
	return ""
}
