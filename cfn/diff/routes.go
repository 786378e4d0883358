package diff

import (
	"sort"
	"strings"

	"arc/cfn/diff/compare"
	"arc/cfn/diff/model"
	"arc/cfn/diff/values"
	"arc/cfn/registry"
)

func (r *reviewer) routes() []Item {
	items := r.compareRoutes(r.before.Routes, r.after.Routes, shownRoute)
	return append(items, r.apis()...)
}

// shownRoute is a route in words.
func shownRoute(name string) string {
	if strings.HasSuffix(name, "$default") {
		return "every other request"
	}
	return name
}

func (r *reviewer) actions() []Item {
	return r.compareRoutes(r.before.Actions, r.after.Actions, func(name string) string { return strings.TrimPrefix(name, "$") })
}

func (r *reviewer) compareRoutes(before, after map[string]model.Route, show func(string) string) []Item {
	var items []Item
	for _, name := range values.KeysOfBoth(before, after) {
		b, had := before[name]
		a, has := after[name]
		switch {
		case !had:
			it := r.item(compare.Add, show(name), "", a.Parts...)
			it.place(r, a.Function)
			it.place(r, a.Resource)
			if text := r.leadsTo(a); !strings.HasSuffix(text, " "+show(name)) { // its own function
				it.Text = text
			}
			items = append(items, it)
		case !has:
			it := r.item(compare.Remove, show(name), "", b.Parts...)
			it.Risks = append(it.Risks, Risk{RouteGone, Removal, show(name) + " is answered no more"})
			items = append(items, it)
		case b.Function != a.Function || b.Function == "" && b.Target != a.Target:
			it := r.item(compare.Modify, show(name), "", a.Parts...)
			it.place(r, a.Function)
			it.place(r, a.Resource)
			it.Text = "leads " + r.leadsTo(a) + " instead of " + strings.TrimPrefix(r.leadsTo(b), "to ")
			it.guards(show(name), b, a)
			items = append(items, it)
		case b.Guard != a.Guard && a.Guard != "":
			it := r.item(compare.Modify, show(name), "", a.Parts...)
			it.place(r, a.Function)
			it.place(r, a.Resource)
			it.guards(show(name), b, a)
			items = append(items, it)
		}
	}
	return sortItems(items)
}

// guards tells that others may call a route. What asks nobody any more is told
// as an exposure.
func (it *Item) guards(name string, before, after model.Route) {
	switch {
	case before.Guard == after.Guard || after.Guard == "":
	case before.Guard == "":
		it.Details = append(it.Details, "asks who calls from now on")
	default:
		it.Details = append(it.Details, "asks otherwise who calls")
		it.Risks = append(it.Risks, Risk{RouteGuardChanged, Rights, name + ": others may call it than before"})
	}
}

// place takes the position of a resource without standing for it.
func (it *Item) place(r *reviewer, id string) {
	if it.Position == nil && id != "" && r.opts.Origin != nil {
		if p, ok := r.opts.Origin(id); ok {
			it.Position = &p
		}
	}
}

func (r *reviewer) leadsTo(to model.Route) string {
	switch {
	case to.Function != "" && r.opts.Name != nil && r.opts.Name(to.Function) != "":
		return "to " + r.opts.Name(to.Function)
	case to.Function != "":
		return "to the function " + model.Bare(to.Function)
	case to.Target != "":
		return "to " + to.Target
	}
	return ""
}

// apis tells of APIs that come, go or become others.
func (r *reviewer) apis() []Item {
	var items []Item
	var ids []string
	for id, c := range r.changes {
		if c.Type == registry.ApiGatewayV2Api || c.Type == registry.ApiGatewayRestApi {
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	for _, id := range ids {
		c := r.changes[id]
		var it Item
		switch {
		case c.Action != compare.Modify:
			it = r.item(c.Action, r.describe(id), "", id)
		case c.Update >= registry.MayReplace:
			it = r.item(compare.Modify, r.describe(id), "gets another URL", id)
		default:
			it = r.item(compare.Modify, r.describe(id), "", id)
			it.Details = r.settingsOf(*c, "Body")
			if len(it.Details) == 0 && len(it.Risks) == 0 {
				continue
			}
		}
		it.place(r, id)
		items = append(items, it)
	}
	return items
}

// settingsOf lists a resource's differences but those below some properties.
func (r *reviewer) settingsOf(c compare.Change, but ...string) []string {
	var out []string
	for _, p := range c.Properties {
		skip := p.Because != ""
		for _, b := range but {
			skip = skip || values.Under(p.Path, b)
		}
		if !skip {
			out = append(out, strings.Trim(p.Path, "()")+": "+compare.Arrow(p))
		}
	}
	return out
}
