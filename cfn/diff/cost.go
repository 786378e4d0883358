package diff

import (
	"strings"

	"arc/cfn/cost"
	"arc/cfn/diff/model"
	"arc/cfn/diff/values"
	"arc/cfn/registry"
)

// cost estimates both sides, and tells what differs.
func (r *reviewer) cost(region string) *cost.Delta {
	before := cost.Of(cost.App{Doc: r.before.Doc, Calls: r.calls(r.before)}, region)
	after := cost.Of(cost.App{Doc: r.after.Doc, Calls: r.calls(r.after)}, region)
	return cost.Compare(before, after, r.costName)
}

// costName names a resource; an alias or a version by its function, to which
// what it costs belongs.
func (r *reviewer) costName(id string) string {
	for _, m := range []*model.App{r.after, r.before} {
		if fn := m.Via[id]; fn != "" {
			return r.function(fn)
		}
	}
	return r.describe(id)
}

// calls lists what can happen in an app, under the names that its people use.
func (r *reviewer) calls(m *model.App) []cost.Call {
	l := callList{names: map[string]bool{}}
	for _, name := range values.KeysOfBoth(m.Routes, nil) {
		by := cost.HTTP
		if m.Doc.Resources[m.Routes[name].API].Type == registry.ApiGatewayRestApi {
			by = cost.REST
		}
		l.add("@http "+shownRoute(name), by, m.Routes[name].Function)
	}
	for _, name := range values.KeysOfBoth(m.Actions, nil) {
		by := cost.Message
		if name == "$connect" || name == "$disconnect" {
			by = cost.Session
		}
		l.add("@ws "+strings.TrimPrefix(name, "$"), by, m.Actions[name].Function)
	}
	for _, id := range m.ByType[registry.SNSSubscription] {
		p := m.Doc.Resources[id].Properties
		if fn := m.FunctionOf(p["Endpoint"]); fn != "" {
			l.add("@events "+m.NameOfTarget(p["TopicArn"]), cost.Topic, fn)
		}
	}
	for _, id := range m.ByType[registry.LambdaEventSourceMapping] {
		p := m.Doc.Resources[id].Properties
		name := m.NameOfTarget(p["EventSourceArn"])
		switch source := m.SourceOf(p["EventSourceArn"]); {
		case source.Type == registry.DynamoDBTable:
			l.add("@tables-streams "+name, cost.Stream, m.FunctionOf(p["FunctionName"]))
		case source.Type == registry.SQSQueue && values.On(source.Properties["FifoQueue"]):
			l.add("@queues "+name, cost.FIFOQueue, m.FunctionOf(p["FunctionName"]))
		case source.Type == registry.SQSQueue:
			l.add("@queues "+name, cost.Queue, m.FunctionOf(p["FunctionName"]))
		}
	}
	for _, s := range m.ReadSchedules() {
		by := cost.Schedule
		if m.Doc.Resources[s.ID].Type == registry.EventsRule {
			by = cost.Rule
		}
		c := l.add(r.scheduleName(s), by, s.Function)
		if c.Invocations = model.InvocationsPerMonth(s.Expression); s.Off {
			c.Invocations = 0
		}
	}
	for _, id := range m.ByType[registry.LambdaFunction] {
		if len(m.Triggers[id]) == 0 {
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
		name += " (" + model.Bare(function) + ")"
	}
	l.names[name] = true
	l.calls = append(l.calls, cost.Call{Name: name, By: by, Function: function})
	return &l.calls[len(l.calls)-1]
}
