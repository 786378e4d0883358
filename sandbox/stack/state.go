package stack

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// state is a stack. The engine's lock guards all of it but ref.
type state struct {
	ref    Ref
	parent *state // of a nested stack
	status string
	reason string

	current  *template // nil while a new stack is only reviewed
	previous *template // what current replaced, to return to
	// resources by logical ID, those that exist now
	resources map[string]*resource
	leftovers []*resource // replaced by updates that failed and were not rolled back
	outputs   []Output
	imports   []string // names of exports that its resources use
	events    []*Event // oldest first
	forgotten int      // events that were before them
	changes   []*changeSet
	tokens    map[string]string // client request token → operation

	tags            []Tag
	capabilities    []string
	notifications   []string
	role            string
	caller          context.Context // of the call that began the last operation; nil = nobody called
	disableRollback bool
	onFailure       string // "ROLLBACK", "DELETE", "DO_NOTHING"
	timeout         int    // minutes; shown, not kept
	protected       bool
	policy          string

	executed         string // change set that made it as it is
	stuck            *stuck // an update rollback that failed
	created          time.Time
	updated, deleted *time.Time

	done     chan struct{} // closed when the operation under way ends; nil = never any
	listener func(Event)   // hears the events of the operation under way
	token    string        // client request token of the operation under way
}

// resource is a resource of a stack.
type resource struct {
	logicalID  string
	kind       string // its type
	physicalID string
	properties map[string]any // evaluated
	shown      map[string]any // the same with NoEcho values replaced
	attributes map[string]any
	noEcho     bool   // attributes are not shown
	object     string // of a custom resource: where its answer was
	deps       []string
	token      string    // what its name was made of
	replaces   *resource // the one that it replaces, until it is made
	inner      *template // of a nested stack: its template before the run under way

	status   string
	reason   string
	updated  time.Time
	metadata map[string]any
	// What becomes of it when it leaves the stack or is replaced.
	deletionPolicy, replacePolicy string
}

// mostEvents is how many events of a stack are kept when an operation begins; AWS
// keeps them for 90 days. A stack that is deployed with each save would never end
// to grow.
const mostEvents = 2000

// event appends to the stack's events. r nil means the stack itself.
func (e *Engine) event(st *state, r *resource, status, reason string) {
	e.telling.Lock()
	defer e.telling.Unlock()
	e.mu.Lock()
	for _, t := range []*template{st.current, st.previous} {
		if t != nil {
			reason = t.params.hide(reason)
		}
	}
	reason = st.hide(reason)
	at := now()
	// Strictly rising times keep the order for clients that sort by them.
	if n := len(st.events); n > 0 && !at.After(st.events[n-1].Timestamp) {
		at = st.events[n-1].Timestamp.Add(time.Millisecond)
	}
	ev := &Event{
		StackID: st.ref.ID, StackName: st.ref.Name, Timestamp: at,
		ResourceStatus: status, ResourceStatusReason: reason, ClientRequestToken: st.token,
	}
	if r == nil {
		st.status, st.reason = status, reason
		ev.LogicalResourceID, ev.PhysicalResourceID, ev.ResourceType = st.ref.Name, st.ref.ID, stackType
		ev.EventID = newUUID()
	} else {
		r.status, r.reason, r.updated = status, reason, at
		ev.LogicalResourceID, ev.PhysicalResourceID, ev.ResourceType = r.logicalID, r.physicalID, r.kind
		ev.EventID = r.logicalID + "-" + status + "-" + at.Format("2006-01-02T15:04:05.000Z")
		ev.ResourceProperties = asJSON(r.shown)
	}
	if r == nil && reason == userInitiated && len(st.events) > mostEvents {
		st.forgotten += len(st.events) - mostEvents
		st.events = slices.Clone(st.events[len(st.events)-mostEvents:])
	}
	st.events = append(st.events, ev)
	e.keep(st, r)
	listener := st.listener
	e.mu.Unlock()
	if listener != nil {
		listener(*ev)
	}
}

// hide takes what custom resources keep secret out of a text. The caller holds the
// lock.
func (st *state) hide(text string) string {
	for _, r := range st.resources {
		if !r.noEcho {
			continue
		}
		for _, value := range r.attributes {
			if s, ok := value.(string); ok && len(s) > 2 {
				text = strings.ReplaceAll(text, s, starred)
			}
		}
	}
	return text
}

// sorted lists the resources by logical ID.
func (st *state) sorted() []*resource {
	out := make([]*resource, 0, len(st.resources))
	for _, r := range st.resources {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *resource) int {
		if a.logicalID < b.logicalID {
			return -1
		}
		return 1
	})
	return out
}

// asJSON prints properties for an answer; "" when there are none.
func asJSON(properties map[string]any) string {
	if properties == nil {
		return ""
	}
	b, err := json.Marshal(properties)
	if err != nil {
		return ""
	}
	return string(b)
}

// root is the stack at the top of the nesting.
func (st *state) root() *state {
	for st.parent != nil {
		st = st.parent
	}
	return st
}
