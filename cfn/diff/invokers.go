package diff

import (
	"slices"
	"strings"

	"arc/cfn/diff/compare"
	"arc/cfn/diff/model"
	"arc/cfn/diff/values"
	"arc/cfn/iam"
	"arc/cfn/registry"
)

// invokers tells of functions that others may invoke than before: another
// account, or a service for more than one source. That a service invokes a
// function for one source is what a trigger is, and told as such.
func (r *reviewer) invokers() []Item {
	var ids []string // of functions that stay
	for _, id := range r.changed(registry.LambdaPermission) {
		for _, m := range []*model.App{r.before, r.after} {
			if fn := m.FunctionOf(m.Doc.Resources[id].Properties["FunctionName"]); fn != "" && r.before.Doc.Resources[fn].Type == model.FunctionType {
				ids = append(ids, fn)
			}
		}
	}
	slices.Sort(ids)
	var items []Item
	for _, id := range slices.Compact(ids) {
		result := iam.Compare(r.before.InvokersOf(id), r.after.InvokersOf(id).Except(r.comes))
		added := slices.DeleteFunc(result.Added, isTrigger)
		if len(added) == 0 {
			continue
		}
		it := Item{Action: compare.Modify, Subject: "who may invoke " + r.function(id), Text: "rights widened", Resources: []string{id}}
		it.place(r, id)
		r.grants(&it, "+", added)
		it.Risks = []Risk{{InvokerAdded, Rights, it.Subject + ": now also " + r.grantee(added[0])}}
		items = append(items, it)
	}
	return items
}

// isTrigger: a service, for one source or what hangs on one of the template's.
func isTrigger(g iam.Grant) bool {
	if !strings.HasPrefix(g.Principal, "Service:") {
		return false
	}
	for _, condition := range g.Conditions {
		source, ok := strings.CutPrefix(condition, "ArnLike aws:sourcearn ")
		if ok && (!strings.Contains(source, "*") || strings.Contains(strings.ReplaceAll(source, "${AWS::", ""), "${")) {
			return true
		}
	}
	return len(g.Conditions) == 0 // told as an exposure
}

// authorizers tells of those that stay and decide otherwise.
func (r *reviewer) authorizers() []Item {
	before, after := r.before.ReadAuthorizers(), r.after.ReadAuthorizers()
	var items []Item
	for _, name := range values.KeysOfBoth(before, after) {
		b, a := before[name], after[name]
		if b == nil || a == nil || values.Equal(b, a) {
			continue
		}
		id, _, _ := strings.Cut(name, " ")
		it := Item{Action: compare.Modify, Subject: "authorizer " + model.Bare(name), Resources: []string{id}}
		it.place(r, id)
		for _, p := range compare.CompareValues("", b, a) {
			it.Details = append(it.Details, p.Path+": "+compare.Arrow(p))
		}
		it.Risks = []Risk{{AuthorizerChanged, Rights, it.Subject + " decides otherwise who may call"}}
		r.told[id] = r.told[id] || slices.Contains(model.AuthorizerTypes, r.after.Doc.Resources[id].Type)
		items = append(items, it)
	}
	return items
}
