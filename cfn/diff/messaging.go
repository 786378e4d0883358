package diff

import (
	"strings"

	"arc/cfn/diff/compare"
	"arc/cfn/registry"
)

// queues tells of queues and of how functions read them.
func (r *reviewer) queues() []Item {
	return r.simple(registry.SQSQueue, registry.LambdaEventSourceMapping)
}

// topics tells of topics and of who is subscribed.
func (r *reviewer) topics() []Item {
	return r.simple(registry.SNSTopic, registry.SNSSubscription)
}

// simple tells of resources of a type, and with them of what hangs on them.
func (r *reviewer) simple(typ, hanging string) []Item {
	var items []Item
	at := map[string]int{}
	for _, id := range r.changed(typ) {
		c := r.changes[id]
		it := r.item(c.Action, r.describe(id), "", id)
		if c.Action == compare.Modify {
			for _, p := range c.Properties {
				if p.Because == "" {
					it.Details = append(it.Details, setting(p))
				}
			}
		}
		at[id] = len(items)
		items = append(items, it)
	}
	for _, id := range r.changed(hanging) {
		c := r.changes[id]
		m := r.after
		if c.Action == compare.Remove {
			m = r.before
		}
		p := m.Doc.Resources[id].Properties
		source := m.First(typ, p["EventSourceArn"], p["TopicArn"])
		if source == "" {
			continue
		}
		i, known := at[source]
		if !known {
			i = len(items)
			at[source] = i
			items = append(items, Item{Action: compare.Modify, Subject: r.describe(source)})
		}
		items[i].hang(r, id, *c, m.FunctionOf(anyOf(p["FunctionName"], p["Endpoint"])))
	}
	return sortItems(items)
}

// hang tells of what reads a queue or listens to a topic.
func (it *Item) hang(r *reviewer, id string, c compare.Change, function string) {
	whole := it.Action == c.Action && c.Action != compare.Modify // the queue and its reader come or go together
	it.add(r, id)
	switch {
	case whole:
	case c.Action == compare.Add:
		it.Details = append(it.Details, "+ invokes "+r.function(function))
	case c.Action == compare.Remove:
		it.Details = append(it.Details, "- no longer invokes "+r.function(function))
	default:
		for _, p := range c.Properties {
			if p.Because == "" {
				it.Details = append(it.Details, setting(p))
			} else if strings.HasSuffix(p.Path, "Arn") {
				it.Details = append(it.Details, r.function(function)+" reads the new one")
			}
		}
	}
}

func anyOf(values ...any) any {
	for _, v := range values {
		if v != nil {
			return v
		}
	}
	return nil
}
