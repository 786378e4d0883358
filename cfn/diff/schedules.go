package diff

import (
	"strings"
	"time"

	"arc/cfn/diff/compare"
	"arc/cfn/diff/model"
	"arc/cfn/diff/values"
)

// schedules tells of schedules, with the next firings before and after.
func (r *reviewer) schedules() []Item {
	before, after := model.ByKey(r.before.ReadSchedules()), model.ByKey(r.after.ReadSchedules())
	var items []Item
	for _, k := range values.KeysOfBoth(before, after) {
		b, had := before[k]
		a, has := after[k]
		var it Item
		switch {
		case !had:
			it = r.item(compare.Add, r.scheduleName(a), a.Text(), a.ID)
			it.Details = r.invocations("next", a)
		case !has:
			it = r.item(compare.Remove, r.scheduleName(b), b.Text(), b.ID)
			it.Risks = append(it.Risks, Risk{ScheduleGone, Removal, r.scheduleName(b) + " fires no more"})
		case b.Text() != a.Text():
			it = r.item(compare.Modify, r.scheduleName(a), b.Text()+" → "+a.Text(), a.ID)
			if b.ID != a.ID {
				it.add(r, b.ID)
			}
			it.Details = append(r.invocations("before", b), r.invocations("after", a)...)
			if a.Off && !b.Off {
				it.Risks = append(it.Risks, Risk{ScheduleGone, Removal, r.scheduleName(a) + " fires no more"})
			}
		default:
			if c := r.changes[a.ID]; c == nil {
				continue
			}
			it = r.item(compare.Modify, r.scheduleName(a), "", a.ID)
			if b.ID != a.ID {
				it.add(r, b.ID)
				it.Text = "is kept by EventBridge Scheduler, no longer by a rule"
			}
			if c := r.changes[a.ID]; c.Action == compare.Modify {
				it.Details = r.settingsOf(*c)
			}
		}
		items = append(items, it)
	}
	return sortItems(items)
}

// scheduleName is what the manifest calls a schedule, where it is known.
func (r *reviewer) scheduleName(s model.Schedule) string {
	if r.opts.Name != nil {
		if name, ok := strings.CutPrefix(r.opts.Name(s.Function), "@scheduled "); ok {
			return "schedule " + name
		}
	}
	return "schedule " + s.Name
}

// invocations words the next three times a schedule fires.
func (r *reviewer) invocations(word string, s model.Schedule) []string {
	if r.opts.Now.IsZero() {
		return nil
	}
	if s.Off {
		return []string{word + ": never"}
	}
	load := r.opts.Zone
	if load == nil {
		load = time.LoadLocation
	}
	zone, err := load(s.Timezone)
	if err != nil {
		return []string{word + ": the time zone " + s.Timezone + " is not known here"}
	}
	times, ok := model.NextInvocations(s.Expression, r.opts.Now.In(zone), 3)
	if !ok {
		return nil
	}
	if len(times) == 0 {
		return []string{word + ": never"}
	}
	var texts []string
	for _, t := range times {
		texts = append(texts, t.Format("Mon 2006-01-02 15:04 MST"))
	}
	prefix := word + ": "
	if strings.HasPrefix(s.Expression, "rate(") {
		prefix = word + ", counted from the deploy: "
	}
	return []string{prefix + strings.Join(texts, ", ")}
}
