package model

import (
	"strings"

	"arc/cfn/diff/values"
	"arc/cfn/registry"
)

// Schedule is one time table of a template.
type Schedule struct {
	ID, Name             string
	Function             string // logical ID; "" = something else is started
	Expression, Timezone string
	Off                  bool
}

// ReadSchedules reads EventBridge Scheduler's schedules and the scheduled rules
// that came before them.
func (m *App) ReadSchedules() []Schedule {
	var out []Schedule
	for _, id := range m.ByType[registry.SchedulerSchedule] {
		p := m.Doc.Resources[id].Properties
		target, _ := p["Target"].(map[string]any)
		out = append(out, Schedule{
			ID: id, Function: m.FunctionOf(target["Arn"]), Off: p["State"] == "DISABLED",
			Expression: values.PlainText(p["ScheduleExpression"]), Timezone: values.PlainText(p["ScheduleExpressionTimezone"]),
		})
	}
	for _, id := range m.ByType[registry.EventsRule] {
		p := m.Doc.Resources[id].Properties
		if p["ScheduleExpression"] == nil {
			continue
		}
		s := Schedule{ID: id, Expression: values.PlainText(p["ScheduleExpression"]), Off: p["State"] == "DISABLED"}
		for _, t := range values.List(p["Targets"]) {
			target, _ := t.(map[string]any)
			if fn := m.FunctionOf(target["Arn"]); fn != "" {
				s.Function = fn
			}
		}
		out = append(out, s)
	}
	for i, s := range out {
		name := Bare(s.ID)
		for _, ending := range []string{"ScheduleEvent", "ScheduledEvent", "ScheduledLambdaSchedule", "Event", "Schedule"} {
			if short, ok := strings.CutSuffix(name, ending); ok && short != "" {
				name = short
				break
			}
		}
		out[i].Name = name
	}
	return out
}

// ByKey finds each schedule by the function it starts, so that one that was a
// rule before is recognised.
func ByKey(list []Schedule) map[string]Schedule {
	out := map[string]Schedule{}
	for _, s := range list {
		key := s.Function
		if _, taken := out[key]; taken || key == "" {
			key = s.ID
		}
		out[key] = s
	}
	return out
}

// Text is when a schedule runs, in words.
func (s Schedule) Text() string {
	out := s.Expression
	if s.Timezone != "" && s.Timezone != "UTC" {
		out += " " + s.Timezone
	}
	if s.Off {
		out += " (off)"
	}
	return out
}
