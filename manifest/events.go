package manifest

import "arc/manifest/syntax"

// Event is one topic of @events and its subscriber.
type Event struct {
	Name     string
	Function *Function
	Pos      syntax.Pos
}

// messageNames is the rule for names of @events and @queues.
var messageNames = nameRule{min: 1, max: 246, dots: true}

// readEvents reads @events.
func (l *loader) readEvents() {
	p := l.pragma("events")
	if p == nil {
		return
	}
	for _, n := range l.namedItems(p, messageNames) {
		l.app.Events = append(l.app.Events, Event{Name: n.name, Function: n.function, Pos: n.pos})
	}
}
