package diff

import (
	"strings"
	"time"
)

// schedule is one time table of a template.
type schedule struct {
	id, name             string
	function             string // logical ID; "" = something else is started
	expression, timezone string
	off                  bool
}

// readSchedules reads EventBridge Scheduler's schedules and the scheduled rules
// that came before them.
func (m *model) readSchedules() []schedule {
	var out []schedule
	for _, id := range m.byType["AWS::Scheduler::Schedule"] {
		p := m.doc.Resources[id].Properties
		target, _ := p["Target"].(map[string]any)
		out = append(out, schedule{
			id: id, function: m.functionOf(target["Arn"]), off: p["State"] == "DISABLED",
			expression: plainText(p["ScheduleExpression"]), timezone: plainText(p["ScheduleExpressionTimezone"]),
		})
	}
	for _, id := range m.byType["AWS::Events::Rule"] {
		p := m.doc.Resources[id].Properties
		if p["ScheduleExpression"] == nil {
			continue
		}
		s := schedule{id: id, expression: plainText(p["ScheduleExpression"]), off: p["State"] == "DISABLED"}
		for _, t := range list(p["Targets"]) {
			target, _ := t.(map[string]any)
			if fn := m.functionOf(target["Arn"]); fn != "" {
				s.function = fn
			}
		}
		out = append(out, s)
	}
	for i, s := range out {
		name := bare(s.id)
		for _, ending := range []string{"ScheduleEvent", "ScheduledEvent", "ScheduledLambdaSchedule", "Event", "Schedule"} {
			if short, ok := strings.CutSuffix(name, ending); ok && short != "" {
				name = short
				break
			}
		}
		out[i].name = name
	}
	return out
}

// byKey finds each schedule by the function it starts, so that one that was a
// rule before is recognised.
func byKey(list []schedule) map[string]schedule {
	out := map[string]schedule{}
	for _, s := range list {
		key := s.function
		if _, taken := out[key]; taken || key == "" {
			key = s.id
		}
		out[key] = s
	}
	return out
}

// schedules tells of schedules, with the next firings before and after.
func (r *reviewer) schedules() []Item {
	before, after := byKey(r.before.readSchedules()), byKey(r.after.readSchedules())
	var items []Item
	for _, k := range keysOfBoth(before, after) {
		b, had := before[k]
		a, has := after[k]
		var it Item
		switch {
		case !had:
			it = r.item(Add, r.scheduleName(a), a.text(), a.id)
			it.Details = r.firings("next", a)
		case !has:
			it = r.item(Remove, r.scheduleName(b), b.text(), b.id)
			it.Risks = append(it.Risks, Risk{Removal, r.scheduleName(b) + " fires no more"})
		case b.text() != a.text():
			it = r.item(Modify, r.scheduleName(a), b.text()+" → "+a.text(), a.id)
			if b.id != a.id {
				it.add(r, b.id)
			}
			it.Details = append(r.firings("before", b), r.firings("after", a)...)
			if a.off && !b.off {
				it.Risks = append(it.Risks, Risk{Removal, r.scheduleName(a) + " fires no more"})
			}
		default:
			if c := r.changes[a.id]; c == nil {
				continue
			}
			it = r.item(Modify, r.scheduleName(a), "", a.id)
			if b.id != a.id {
				it.add(r, b.id)
				it.Text = "is kept by EventBridge Scheduler, no longer by a rule"
			}
			if c := r.changes[a.id]; c.Action == Modify {
				it.Details = r.settingsOf(*c)
			}
		}
		items = append(items, it)
	}
	return sortItems(items)
}

// scheduleName is what the manifest calls a schedule, where it is known.
func (r *reviewer) scheduleName(s schedule) string {
	if r.opts.Name != nil {
		if name, ok := strings.CutPrefix(r.opts.Name(s.function), "@scheduled "); ok {
			return "schedule " + name
		}
	}
	return "schedule " + s.name
}

func (s schedule) text() string {
	out := s.expression
	if s.timezone != "" && s.timezone != "UTC" {
		out += " " + s.timezone
	}
	if s.off {
		out += " (off)"
	}
	return out
}

// firings words the next three times a schedule fires.
func (r *reviewer) firings(word string, s schedule) []string {
	if r.opts.Now.IsZero() {
		return nil
	}
	if s.off {
		return []string{word + ": never"}
	}
	load := r.opts.Zone
	if load == nil {
		load = time.LoadLocation
	}
	zone, err := load(s.timezone)
	if err != nil {
		return []string{word + ": the time zone " + s.timezone + " is not known here"}
	}
	times, ok := NextFirings(s.expression, r.opts.Now.In(zone), 3)
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
	if strings.HasPrefix(s.expression, "rate(") {
		prefix = word + ", counted from the deploy: "
	}
	return []string{prefix + strings.Join(texts, ", ")}
}
