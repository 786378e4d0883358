package diff

import (
	"fmt"
	"strings"

	"arc/cfn"
	"arc/cfn/cost"
)

// cost estimates both sides, and tells what differs.
func (r *reviewer) cost(region string) *cost.Delta {
	before := cost.Of(cost.App{Doc: r.before.doc, Calls: r.calls(r.before)}, region)
	after := cost.Of(cost.App{Doc: r.after.doc, Calls: r.calls(r.after)}, region)
	return cost.Compare(before, after, r.costName)
}

// costName names a resource; an alias or a version by its function, to which
// what it costs belongs.
func (r *reviewer) costName(id string) string {
	for _, m := range []*model{r.after, r.before} {
		if fn := m.via[id]; fn != "" {
			return r.function(fn)
		}
	}
	return r.describe(id)
}

// calls lists what can happen in an app, under the names that its people use.
func (r *reviewer) calls(m *model) []cost.Call {
	l := callList{names: map[string]bool{}}
	for _, name := range keysOfBoth(m.routes, nil) {
		by := cost.HTTP
		if m.doc.Resources[m.routes[name].api].Type == "AWS::ApiGateway::RestApi" {
			by = cost.REST
		}
		l.add("@http "+shownRoute(name), by, m.routes[name].function)
	}
	for _, name := range keysOfBoth(m.actions, nil) {
		by := cost.Message
		if name == "$connect" || name == "$disconnect" {
			by = cost.Session
		}
		l.add("@ws "+strings.TrimPrefix(name, "$"), by, m.actions[name].function)
	}
	for _, id := range m.byType["AWS::SNS::Subscription"] {
		p := m.doc.Resources[id].Properties
		if fn := m.functionOf(p["Endpoint"]); fn != "" {
			l.add("@events "+m.nameOfTarget(p["TopicArn"]), cost.Topic, fn)
		}
	}
	for _, id := range m.byType["AWS::Lambda::EventSourceMapping"] {
		p := m.doc.Resources[id].Properties
		name := m.nameOfTarget(p["EventSourceArn"])
		switch source := m.sourceOf(p["EventSourceArn"]); {
		case source.Type == "AWS::DynamoDB::Table":
			l.add("@tables-streams "+name, cost.Stream, m.functionOf(p["FunctionName"]))
		case source.Type == "AWS::SQS::Queue" && on(source.Properties["FifoQueue"]):
			l.add("@queues "+name, cost.FIFOQueue, m.functionOf(p["FunctionName"]))
		case source.Type == "AWS::SQS::Queue":
			l.add("@queues "+name, cost.Queue, m.functionOf(p["FunctionName"]))
		}
	}
	for _, s := range m.readSchedules() {
		by := cost.Schedule
		if m.doc.Resources[s.id].Type == "AWS::Events::Rule" {
			by = cost.Rule
		}
		c := l.add(r.scheduleName(s), by, s.function)
		if c.Firings = firingsAMonth(s.expression); s.off {
			c.Firings = 0
		}
	}
	for _, id := range m.byType["AWS::Lambda::Function"] {
		if len(m.triggers[id]) == 0 {
			l.add(r.function(id), cost.Direct, id)
		}
	}
	return l.calls
}

// callList gives calls of the same name different ones.
type callList struct {
	calls []cost.Call
	names map[string]bool
}

func (l *callList) add(name string, by cost.By, function string) *cost.Call {
	if l.names[name] {
		name += " (" + bare(function) + ")"
	}
	l.names[name] = true
	l.calls = append(l.calls, cost.Call{Name: name, By: by, Function: function})
	return &l.calls[len(l.calls)-1]
}

// sourceOf is the resource that feeds an event source mapping.
func (m *model) sourceOf(arn any) cfn.ResourceDef {
	for _, id := range cfn.References(arn) {
		if def, ok := m.doc.Resources[id]; ok {
			return def
		}
	}
	return cfn.ResourceDef{}
}

// costLine is a line of the estimate for people: a change, or with no Action
// something about the estimate as a whole.
type costLine struct {
	Action                Action
	Subject, Text, Detail string
}

// costTitle heads the estimate.
func costTitle(d *cost.Delta) string {
	title := "Cost, estimated for " + d.Region
	switch {
	case d.From == "":
	case d.From == d.To:
		title += " at prices of " + d.From
	default:
		title += " at prices of " + d.From + " to " + d.To
	}
	return title
}

// costSummary is the estimate in a few words.
func costSummary(d *cost.Delta) string {
	return "Cost (estimate): " + cost.Signed(d.After-d.Before) + " a month"
}

// costLines writes the estimate. Changes that are alike share a line, so that
// another memory size for a hundred routes is one.
func costLines(d *cost.Delta) []costLine {
	var out []costLine
	changes := len(d.Monthly)+len(d.Million) > 0
	if !changes {
		out = append(out, costLine{Text: "nothing that is estimated changes"})
	}
	if len(d.Monthly) > 0 {
		total := cost.USD(d.Before) + " → " + cost.USD(d.After) + " (" + cost.Signed(d.After-d.Before) + ")"
		out = append(out, costLine{Text: "a month, used or not: " + total})
		out = append(out, foldCosts(d.Monthly)...)
	}
	if len(d.Million) > 0 {
		out = append(out, costLine{Text: "a million calls:"})
		out = append(out, foldCosts(d.Million)...)
	}
	for _, u := range d.NotEstimated {
		text := u.Subject
		if u.Type != "" {
			text += " (" + u.Type + ")"
		}
		out = append(out, costLine{Text: "not estimated: " + text + ": " + u.Why})
	}
	if len(d.Borrowed) > 0 && changes {
		out = append(out, costLine{Text: "priced as in us-east-1: " + strings.ReplaceAll(strings.Join(d.Borrowed, ", "), "-", " ")})
	}
	return append(out,
		costLine{Text: "assumed: " + strings.Join(d.Assumptions, "; ")},
		costLine{Text: "not in it: " + strings.Join(d.LeftOut, ", ")})
}

// shownSubjects is how many names a folded line gives.
const shownSubjects = 3

// foldCosts writes changes, those that are alike on one line.
func foldCosts(changes []cost.Change) []costLine {
	type alike struct {
		action, how   string
		before, after float64
	}
	var order []alike
	subjects := map[alike][]string{}
	for _, c := range changes {
		if Action(c.Action) == Modify && cost.USD(c.Before) == cost.USD(c.After) {
			continue // less than is written
		}
		key := alike{c.Action, c.How, c.Before, c.After}
		if subjects[key] == nil {
			order = append(order, key)
		}
		subjects[key] = append(subjects[key], c.Subject)
	}
	var out []costLine
	for _, key := range order {
		names := subjects[key]
		line := costLine{Action: Action(key.action), Subject: strings.Join(names, ", "), Detail: key.how}
		if more := len(names) - shownSubjects; more > 0 {
			line.Subject = fmt.Sprintf("%s and %d more", strings.Join(names[:shownSubjects], ", "), more)
		}
		switch {
		case line.Action == Add:
			line.Text = cost.USD(key.after)
		case line.Action == Remove && key.after == 0:
			line.Text = "was " + cost.USD(key.before)
		default:
			line.Text = cost.USD(key.before) + " → " + cost.USD(key.after)
		}
		if len(names) > 1 {
			line.Text += " each"
		}
		out = append(out, line)
	}
	return out
}
