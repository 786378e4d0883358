package diff

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"arc/cfn/diff/compare"
	"arc/cfn/diff/model"
	"arc/cfn/diff/values"
	"arc/cfn/iam"
	"arc/cfn/registry"
)

// permissions tells of what roles may do and who may use a resource, by
// meaning. Rights over what is added with the same change come with it and
// endanger nothing that is there.
func (r *reviewer) permissions() []Item {
	return sortItems(slices.Concat(r.roles(), r.loosePolicies(), r.resourcePolicies(), r.invokers(), r.authorizers(), r.holders()))
}

// transition is a pair of roles: what something has before and after.
type transition struct{ before, after string }

// roles compares what functions may do, by pairs of their roles before and
// after, and then the roles that no function has.
func (r *reviewer) roles() []Item {
	functions := map[transition][]string{}
	for _, id := range r.after.ByType[model.FunctionType] {
		functions[transition{r.before.RoleOfFunction(id), r.after.RoleOfFunction(id)}] = append(
			functions[transition{r.before.RoleOfFunction(id), r.after.RoleOfFunction(id)}], id)
	}
	for _, typ := range model.Principals() {
		for _, id := range r.after.ByType[typ] {
			used := false // compared with a function's
			for t := range functions {
				used = used || t.after == id && t.before != ""
			}
			_, had := r.before.Doc.Resources[id]
			switch _, new := functions[transition{"", id}]; {
			case had && !used:
				functions[transition{id, id}] = nil
			case !had && !used && !new:
				functions[transition{"", id}] = nil
			}
		}
	}
	order := slices.SortedFunc(maps.Keys(functions), func(a, b transition) int {
		return strings.Compare(a.after+" "+a.before, b.after+" "+b.before)
	})
	var items []Item
	for _, t := range order {
		if t.after == "" {
			items = append(items, r.foreignRoles(functions[t])...)
			continue
		}
		if it, ok := r.role(t, functions[t]); ok {
			items = append(items, it)
		}
	}
	for _, id := range r.changed(slices.Concat(model.Principals(), model.PolicyTypes())...) {
		gone := r.changes[id].Action == compare.Remove && registry.Of(r.changes[id].Type).Rights == registry.HasRights
		r.told[id] = r.told[id] || !gone && len(r.risksOf(*r.changes[id], "")) == 0
	}
	return items
}

// foreignRoles tells of functions that get a role from outside the template.
func (r *reviewer) foreignRoles(functions []string) []Item {
	var items []Item
	for _, id := range functions {
		old, had := r.before.Doc.Resources[id]
		before, after := old.Properties["Role"], r.after.Doc.Resources[id].Properties["Role"]
		if !had || old.Type != model.FunctionType || values.Equal(before, after) {
			continue
		}
		it := Item{Action: compare.Modify, Subject: r.function(id), Text: "gets the role " + values.PlainText(after), Resources: []string{id}}
		it.place(r, id)
		it.Risks = []Risk{{RoleUnknown, Rights, it.Subject + " gets a role from elsewhere, of which the rights are not known"}}
		items = append(items, it)
	}
	return items
}

// role compares the rights of one transition. What has no role before gets
// one that is compared with all that functions could do before: within that it
// is nothing new.
func (r *reviewer) role(t transition, functions []string) (Item, bool) {
	if t.before == t.after && r.changes[t.after] == nil && !r.policiesChanged() {
		return Item{}, false
	}
	before, trustBefore := r.before.RoleOf(t.before)
	after, trustAfter := r.after.RoleOf(t.after)
	isNew := t.before == ""
	if isNew {
		if _, had := r.before.Doc.Resources[t.after]; had {
			return Item{}, false // a new function with a role that is there
		}
		for _, id := range r.before.ByType[r.after.Doc.Resources[t.after].Type] {
			rights, trust := r.before.RoleOf(id)
			before, trustBefore = before.And(rights.Readable()), trustBefore.And(trust.Readable())
		}
	}
	it := Item{Action: compare.Modify, Subject: r.describe(t.after), Resources: []string{t.after}}
	if len(functions) > 0 && (t.before != t.after || len(functions) <= 3) {
		it.Subject = strings.TrimPrefix(r.inFunctions(functions, 0), "in ")
	} else if len(functions) > 0 {
		it.Subject += fmt.Sprintf(" of %d functions", len(functions))
	}
	if isNew {
		it.Action = compare.Add
	}
	it.functions = functions
	it.place(r, t.after)
	result := iam.Compare(before, after)
	r.word(&it, result, before, after, isNew)
	if it.Text == newRole && r.after.Doc.Resources[t.after].Type != registry.IAMRole {
		it.Text = "new, with rights that none had before"
	}
	trust := iam.Compare(trustBefore, trustAfter)
	if isNew { // services come with what they do; others are let in
		trust.Added = slices.DeleteFunc(trust.Added, func(g iam.Grant) bool { return strings.HasPrefix(g.Principal, "Service:") })
	}
	if trust.Verdict != iam.Equal && (!isNew || len(trust.Added) > 0) {
		it.Details = append(it.Details, "who may take the role: "+strings.TrimPrefix(verdictText(trust.Verdict), "rights "))
		r.grants(&it, "+", trust.Added)
		if trust.Widens() && !r.first {
			it.Risks = append(it.Risks, Risk{RoleTrustWidened, Rights, it.Subject + ": the role may be taken by others: " + r.grantee(trust.Added[0])})
		}
	}
	r.boundary(&it, t)
	return it, it.Text != "" || len(it.Details) > 0
}

// boundary tells of a permissions boundary: it grants nothing, and what goes
// with it lets everything through that the role's policies say.
func (r *reviewer) boundary(it *Item, t transition) {
	before := r.before.Doc.Resources[t.before].Properties["PermissionsBoundary"]
	after := r.after.Doc.Resources[t.after].Properties["PermissionsBoundary"]
	switch {
	case t.before == "" || values.Equal(before, after):
	case before == nil:
		it.Details = append(it.Details, "gets a permissions boundary: "+values.PlainText(after))
	case after == nil:
		it.Details = append(it.Details, "loses its permissions boundary: "+values.PlainText(before))
		it.Risks = append(it.Risks, Risk{BoundaryRemoved, Rights, it.Subject + ": no permissions boundary limits its rights any more"})
	default:
		it.Details = append(it.Details, "another permissions boundary: "+values.PlainText(after)+" instead of "+values.PlainText(before))
		it.Risks = append(it.Risks, Risk{BoundaryChanged, Rights, it.Subject + ": another permissions boundary, which may let more through"})
	}
}

func (r *reviewer) policiesChanged() bool {
	return len(r.changed(append([]string{registry.IAMGroup, registry.IAMUserToGroupAddition}, model.PolicyTypes()...)...)) > 0
}

const newRole = "a new role with rights that no function had"

// word puts a comparison of rights into an item.
func (r *reviewer) word(it *Item, result iam.Result, before, after iam.Policy, isNew bool) {
	if result.Verdict == iam.Equal || isNew && result.Verdict == iam.Narrowed {
		return
	}
	danger := result
	if result.Widens() {
		danger = iam.Compare(before, after.Except(r.comes).WithoutRecording())
	}
	switch {
	case result.Verdict == iam.Narrowed:
		it.Text = "rights narrowed"
	case !danger.Widens() && len(r.before.Doc.Resources) > 0:
		it.Text = "rights grow with what is added"
		if !iam.Compare(before, after.WithoutRecording()).Widens() {
			it.Text = "rights to log, to trace or to stand in a VPC"
		}
	case !danger.Sure:
		it.Text = "rights may be widened"
	case r.first:
		it.Text = "rights"
	case isNew:
		it.Text = newRole
	default:
		it.Text = verdictText(result.Verdict)
	}
	if !isNew {
		for _, d := range iam.Lifted(before, after) {
			it.Details = append(it.Details, r.deniedText(d))
		}
	}
	r.grants(it, "+", result.Added)
	if !isNew {
		r.grants(it, "-", result.Removed)
	}
	if danger.Widens() && !r.first {
		it.Risks = append(it.Risks, Risk{RightsWidened, Rights, fmt.Sprintf("%s: now also %s", it.Subject, r.gravest(danger.Added))})
	}
}

// added reports whether a resource comes with this change.
func (r *reviewer) added(id string) bool {
	c := r.changes[id]
	return c != nil && c.Action == compare.Add
}

// comes reports whether what a right is pinned to comes with this change: the
// resource; the stream or the indexes that a table had none of; or the stack's
// own parameters or logs, of which it had none.
func (r *reviewer) comes(reference, pattern string) bool {
	id, attribute, _ := strings.Cut(reference, ".")
	if r.added(id) {
		return true
	}
	_, rest, _ := strings.Cut(pattern, "${"+reference+"}")
	switch {
	case reference == "AWS::StackName" && strings.Contains(pattern, ":parameter/${"):
		return len(r.before.ByType[registry.SSMParameter]) == 0
	case reference == "AWS::StackName" && strings.Contains(pattern, ":log-group:/arc/${"):
		return len(r.before.ByType[registry.LogsLogGroup]) == 0
	}
	before, had := r.before.Doc.Resources[id]
	if !had || before.Type != registry.DynamoDBTable {
		return false
	}
	if attribute == "StreamArn" || strings.HasPrefix(rest, "/stream/") {
		return before.Properties["StreamSpecification"] == nil
	}
	return strings.HasPrefix(rest, "/index/") && len(values.List(before.Properties["GlobalSecondaryIndexes"])) == 0
}

// maxGrants is how many examples an item shows.
const maxGrants = 8

func (r *reviewer) grants(it *Item, sign string, grants []iam.Grant) {
	type where struct{ resource, principal, conditions string }
	actions := map[where][]string{}
	var order []where
	for _, g := range grants {
		w := where{r.resourceText(g.Resource), g.Principal, strings.ReplaceAll(strings.Join(g.Conditions, " and "), "${AWS::", "${")}
		if actions[w] == nil {
			order = append(order, w)
		}
		actions[w] = append(actions[w], actionText(g))
	}
	for i, w := range order {
		if i == maxGrants {
			it.Details = append(it.Details, fmt.Sprintf("%s and %d more", sign, len(order)-maxGrants))
			break
		}
		list := slices.Compact(slices.Sorted(slices.Values(actions[w])))
		if len(list) > 6 {
			list = append(list[:6], fmt.Sprintf("and %d more", len(list)-6))
		}
		text := strings.Join(list, ", ") + onResource(list[0], w.resource)
		if w.principal != "" {
			text += " for " + r.principalText(w.principal)
		}
		if w.conditions != "" {
			text += " if " + w.conditions
		}
		it.Details = append(it.Details, sign+" "+text)
	}
}

// onResource says what a right is about; a managed policy, known by its name
// only, says so itself.
func onResource(action, resource string) string {
	switch {
	case strings.HasPrefix(action, allThat):
		return ""
	case strings.HasPrefix(action, nearly) && resource == "everything":
		return ""
	case action == unread || action == wasUnread:
		return ": " + resource
	}
	return " on " + resource
}

const (
	allThat   = "all that "
	nearly    = "nearly everything: "
	allBut    = "all but "
	unread    = "what cannot be read"
	wasUnread = "what was not readable"
)

func actionText(g iam.Grant) string {
	if name, ok := strings.CutPrefix(g.Action, "all of "); ok {
		name, only, _ := strings.Cut(name, " if ")
		if only != "" {
			only = " if " + strings.ReplaceAll(only, " if ", " and ")
		}
		if name == "AdministratorAccess" {
			return allThat + name + " allows: everything in the account" + only
		}
		return allThat + name + " allows" + only
	}
	switch {
	case strings.HasPrefix(g.Within, allBut):
		return nearly + g.Within + ", such as " + g.Action
	case strings.HasPrefix(g.Action, allBut):
		return nearly + g.Action
	}
	if g.Within != "" {
		return g.Action + " (" + g.Within + ")"
	}
	return g.Action
}

func (r *reviewer) grantText(g iam.Grant) string {
	text := actionText(g) + onResource(actionText(g), r.resourceText(g.Resource))
	if g.Principal != "" {
		text += " for " + r.principalText(g.Principal)
	}
	for _, c := range g.Conditions {
		if strings.HasPrefix(c, "the condition ") { // of the template: it may hold in no stack
			text += " if " + c
		}
	}
	return text
}

// verdictText says how rights became others.
func verdictText(v iam.Verdict) string {
	if v == iam.Both {
		return "rights widened here, narrowed there"
	}
	return "rights " + string(v)
}

// manyGrants is how many examples a comparison has when there may be more.
const manyGrants = 100

// gravest names the gravest of several rights, and says how many more there are.
func (r *reviewer) gravest(grants []iam.Grant) string {
	worst := 0
	for i, g := range grants {
		if gravity(g) > gravity(grants[worst]) {
			worst = i
		}
	}
	text := r.grantText(grants[worst])
	switch more := len(grants) - 1; {
	case more == 0:
		return text
	case more == 1:
		return text + ", and 1 right more"
	case more >= manyGrants-1:
		return text + ", and many rights more"
	default:
		return fmt.Sprintf("%s, and %d rights more", text, more)
	}
}

// reads are how the names of actions begin that only read.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_understand-policy-summary-access-level-summaries.html
var reads = [...]string{"get", "list", "describe", "batchget", "query", "scan", "search", "select", "view", "lookup", "check", "head", "read", "filter", "poll", "receive"}

// gravity orders rights: everything, then those by which more can be taken, whole
// services, writing, reading.
func gravity(g iam.Grant) int {
	name := strings.ToLower(g.Action)
	service, action, _ := strings.Cut(name, ":")
	reading := slices.ContainsFunc(reads[:], func(front string) bool { return strings.HasPrefix(action, front) })
	switch {
	case strings.HasPrefix(g.Within, allBut), strings.HasPrefix(name, allBut), g.Within == "*", name == "*", strings.HasPrefix(name, "all of administratoraccess"):
		return 6
	case (service == "iam" || service == "sts" || service == "organizations") && !reading:
		return 5
	case strings.HasPrefix(name, unread) || strings.HasPrefix(name, "all of "):
		return 3
	case strings.HasSuffix(g.Within, ":*"):
		return 4
	case reading:
		return 1
	}
	return 2
}

func (r *reviewer) grantee(g iam.Grant) string {
	if g.Principal == "" {
		return r.grantText(g)
	}
	return r.principalText(g.Principal)
}

// principalText names who is let in. What a resource of the template or a parameter
// gives is no account's number.
func (r *reviewer) principalText(p string) string {
	if p == "*" {
		return "everyone"
	}
	kind, name, ok := strings.Cut(p, ":")
	if inner, is := strings.CutPrefix(name, "${"); is && ok && name != "${AWS::AccountId}" {
		id, _, _ := strings.Cut(strings.TrimSuffix(inner, "}"), ".")
		for _, m := range []*model.App{r.after, r.before} {
			if _, known := m.Doc.Resources[id]; known {
				return r.describe(id)
			}
		}
	}
	if ok && kind == "AWS" && !strings.HasPrefix(name, "arn:") {
		return "the account " + name
	}
	return strings.TrimPrefix(p, kind+":")
}
