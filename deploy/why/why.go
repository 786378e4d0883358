// Package why finds out of a stack's events what made its last operation fail:
// the first cause, not what came of it, in plain words, with what to do.
package why

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"arc/cfn/registry"
)

// Event is one event of a stack, as CloudFormation tells it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html
type Event struct {
	EventID    string    `json:"EventId"`
	StackID    string    `json:"StackId"`
	StackName  string    `json:"StackName"`
	LogicalID  string    `json:"LogicalResourceId"`
	PhysicalID string    `json:"PhysicalResourceId"`
	Type       string    `json:"ResourceType"`
	Status     string    `json:"ResourceStatus"`
	Reason     string    `json:"ResourceStatusReason"`
	Timestamp  time.Time `json:"Timestamp"`
	HookType   string    `json:"HookType"`
	HookStatus string    `json:"HookStatus"`
	HookReason string    `json:"HookStatusReason"`
}

// stackType is the type of the events about a stack itself, and of a nested one.
const stackType = registry.CloudFormationStack

// own tells the events about the stack itself.
func (e Event) own() bool {
	return e.Type == stackType && (e.PhysicalID == e.StackID || e.PhysicalID == "" && e.LogicalID == e.StackName)
}

// Cause is what made an operation fail.
type Cause struct {
	// Code names the kind of it: "bucket-not-empty"; "" = it is none that is known.
	Code string `json:"code"`
	// Path is the logical ID, behind those of the nested stacks that it is in:
	// "Part1/GetIndexHTTPLambda"; "" = the stack itself.
	Path   string `json:"path"`
	Type   string `json:"type"`
	Status string `json:"status"`
	// Says is what happened, in plain words.
	Says   string `json:"says"`
	Remedy string `json:"remedy"`
	// Page is where AWS's documentation says more: Page(Code).
	Page string `json:"page,omitempty"`
	// Reason is what CloudFormation says, without its wrapping.
	Reason string `json:"reason"`
	// Ended is the stack's status by its last event.
	Ended string `json:"ended"`
	// Blocked is what kept CloudFormation from taking the change back; nil when it could.
	Blocked *Cause `json:"blocked,omitempty"`
}

// LogicalID is the resource's own.
func (c Cause) LogicalID() string { return c.Path[strings.LastIndexByte(c.Path, '/')+1:] }

// First finds the first cause of the last operation's failure. The events are
// those of one stack, and of the stacks nested in it as far as they are at hand,
// in any order. It gives nil when the operation did not fail, and failed = true
// when it did but no event says why.
func First(events []Event) (cause *Cause, failed bool) {
	s := newStacks(events)
	if s.root == "" {
		return nil, false
	}
	last := s.operation(s.root, time.Time{})
	ended := ""
	for _, e := range last {
		if e.own() {
			ended = e.Status
		}
	}
	found := s.first(last, "")
	if found == nil {
		found = refused(last)
	}
	if found == nil {
		return nil, strings.Contains(ended, "ROLLBACK") || strings.HasSuffix(ended, "_FAILED")
	}
	cause = found.cause()
	cause.Ended = ended
	if ended == "UPDATE_ROLLBACK_FAILED" || ended == "ROLLBACK_FAILED" {
		if blocked := s.blocked(last); blocked != nil && blocked.event.EventID != found.event.EventID {
			cause.Blocked = blocked.cause()
		}
	}
	return cause, true
}

// stacks are the events by stack, oldest first.
type stacks struct {
	root   string
	events map[string][]Event
}

func newStacks(events []Event) *stacks {
	s := &stacks{events: map[string][]Event{}}
	events = slices.Clone(events)
	// CloudFormation gives the newest first; two of the same moment keep their order.
	if len(events) > 1 && events[0].Timestamp.After(events[len(events)-1].Timestamp) {
		slices.Reverse(events)
	}
	slices.SortStableFunc(events, func(a, b Event) int { return a.Timestamp.Compare(b.Timestamp) })
	nested := map[string]bool{}
	for _, e := range events {
		s.events[e.StackID] = append(s.events[e.StackID], e)
		if e.Type == stackType && !e.own() && e.PhysicalID != "" {
			nested[e.PhysicalID] = true
		}
	}
	for _, e := range events {
		if !nested[e.StackID] {
			s.root = e.StackID
			break
		}
	}
	return s
}

// operation gives the events of a stack's last operation, or of the first one that
// began at since or later.
func (s *stacks) operation(id string, since time.Time) []Event {
	events := s.events[id]
	from := 0
	for i, e := range events {
		if !e.own() || !slices.Contains([]string{"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"}, e.Status) {
			continue
		}
		from = i
		// What a nested stack does on the way back is of the same operation.
		if !since.IsZero() && !e.Timestamp.Before(since) {
			break
		}
	}
	return events[from:]
}

// failure is an event that tells of a failure, and where.
type failure struct {
	event Event
	path  string
	stack bool // it is the stack's own
}

// first finds the first failure that is not what came of another.
func (s *stacks) first(events []Event, within string) *failure {
	for _, e := range events {
		if e.own() || !e.failed() || e.cascades() {
			continue
		}
		path := within + e.LogicalID
		if e.Type == stackType && len(s.events[e.PhysicalID]) > 0 {
			began := beginning(events, e)
			if inner := s.first(s.operation(e.PhysicalID, began), path+"/"); inner != nil {
				return inner
			}
		}
		return &failure{event: e, path: path}
	}
	// No resource failed: the stack itself says why it turned back.
	for _, e := range events {
		turned := strings.Contains(e.Status, "ROLLBACK_IN_PROGRESS") || strings.HasSuffix(e.Status, "_FAILED") || e.HookStatus == "HOOK_COMPLETE_FAILED" || e.HookStatus == "HOOK_FAILED"
		if e.own() && turned && e.said() != "" && !e.cascades() {
			return &failure{event: e, path: strings.TrimSuffix(within, "/"), stack: true}
		}
	}
	return nil
}

// refused finds why a deletion ended before it began: the stack is then what it
// was before, and says why.
func refused(events []Event) *failure {
	end := events[len(events)-1]
	if events[0].own() && events[0].Status == "DELETE_IN_PROGRESS" && end.own() && strings.HasSuffix(end.Status, "_COMPLETE") && end.Status != "DELETE_COMPLETE" && end.Reason != "" {
		return &failure{event: end, stack: true}
	}
	return nil
}

// beginning is when the step on a resource began that ended in an event.
func beginning(events []Event, end Event) time.Time {
	began := end.Timestamp
	for _, e := range events {
		if e.LogicalID == end.LogicalID && strings.HasSuffix(e.Status, "_IN_PROGRESS") && !e.Timestamp.After(end.Timestamp) {
			began = e.Timestamp
			break
		}
	}
	return began
}

// blocked finds what failed on the way back.
func (s *stacks) blocked(events []Event) *failure {
	at := slices.IndexFunc(events, func(e Event) bool { return e.own() && strings.Contains(e.Status, "ROLLBACK_IN_PROGRESS") })
	if at < 0 {
		return nil
	}
	back := slices.DeleteFunc(slices.Clone(events[at+1:]), Event.own)
	return s.first(back, "")
}

// failed tells an event that says that something failed.
func (e Event) failed() bool {
	return strings.HasSuffix(e.Status, "_FAILED") || e.HookStatus == "HOOK_COMPLETE_FAILED" || e.HookStatus == "HOOK_FAILED"
}

// said is what the event says of why.
func (e Event) said() string { return cmp.Or(e.HookReason, e.Reason) }

// cascades tells an event that says only that something else failed.
func (e Event) cascades() bool {
	reason := e.said()
	for _, start := range []string{
		"Resource creation cancelled", "Resource update cancelled", "Resource deletion cancelled", "Resource creation Initiated",
		"The following resource(s) failed to",
	} {
		if strings.HasPrefix(reason, start) {
			return true
		}
	}
	return false
}

// Clean takes the wrapping off what CloudFormation says: who answered, and by
// which number somebody could look that up.
func Clean(reason string) string {
	w := wrapping()
	for {
		before := reason
		if m := w.handler.FindStringSubmatch(reason); m != nil {
			reason = m[1]
		}
		reason = w.request.ReplaceAllString(reason, "")
		reason = w.token.ReplaceAllString(reason, "")
		reason = strings.TrimSpace(strings.TrimPrefix(reason, "Invalid request provided: "))
		if reason == before {
			return strings.TrimRight(reason, " .")
		}
	}
}

var wrapping = sync.OnceValue(func() (w struct{ handler, request, token *regexp.Regexp }) {
	w.handler = regexp.MustCompile(`(?s)^Resource handler returned message: ["“'](.*)["”'](?: \(RequestToken: [^)]*\))?\.?$`)
	w.request = regexp.MustCompile(`\s*\((?:Service: [^()]*(?:\([^)]*\))?[^()]*(?:Request ID|Status Code)[^()]*|SDK Attempt Count: \d+|Request ID: [^)]*)\)`)
	w.token = regexp.MustCompile(`\s*\(RequestToken: [^)]*\)`)
	return w
})

// cause says in plain words what failed.
func (f *failure) cause() *Cause {
	e := f.event
	c := &Cause{Path: f.path, Type: e.Type, Status: cmp.Or(e.Status, e.HookStatus), Reason: Clean(e.said())}
	c.Code, c.Says, c.Remedy = Recognise(e.Type, c.Status, e.said())
	c.Page = Page(c.Code)
	if c.Code == "" {
		c.Says, c.Remedy = c.Reason, "arc does not know this reason yet: look its words up, and at what else the stack's events say"
	}
	return c
}
