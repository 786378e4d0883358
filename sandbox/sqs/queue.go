package sqs

import (
	"container/heap"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// dedupWindow is how long a FIFO queue knows what it has taken.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
const dedupWindow = 5 * time.Minute

// queue is a queue with its messages. The service's lock guards it.
type queue struct {
	service    *Service
	region     string // of its ARN
	name       string
	fifo       bool
	attributes map[string]string // as they were set
	settings   settings
	policies   map[string]string // by the resource that made it; "" is the attribute
	tags       map[string]string
	created    time.Time
	modified   time.Time
	purged     time.Time

	all    map[string]*message // by ID
	ready  list                // visible, of a standard queue
	hidden waiting             // delayed or in flight
	groups map[string]*group   // of a FIFO queue
	order  []string            // groups that have messages, least recently received first
	recent map[string]taken    // deduplication IDs of the last five minutes
	takenQ []string            // their keys, oldest first
	next   uint64              // sequence number
	// changed is closed when a message has become visible.
	changed chan struct{}
	told    map[string]bool // what was said once
}

// group is a FIFO queue's message group: its messages in order, of which those
// in flight block the rest.
type group struct {
	messages []*message
	blocked  int // in flight
}

// taken is a message that a FIFO queue has taken lately.
type taken struct {
	id       string
	sequence uint64
	at       time.Time
	md5      string
}

// settings are the attributes that make a difference, read.
type settings struct {
	delay, retention, visibility, wait time.Duration
	maxSize                            int
	contentDedup                       bool
	groupDedup                         bool // deduplication is by message group
	deadLetters                        string
	maxReceives                        int
}

// list is messages in order, with cheap removal from the front.
type list struct{ items []*message }

func (l *list) push(m *message) { l.items = append(l.items, m) }

func (l *list) pop() *message {
	for len(l.items) > 0 {
		m := l.items[0]
		l.items[0] = nil
		l.items = l.items[1:]
		if !m.gone {
			return m
		}
	}
	return nil
}

// waiting is a heap of messages by when they become visible.
type waiting []*message

func (w waiting) Len() int           { return len(w) }
func (w waiting) Less(i, j int) bool { return w[i].Visible.Before(w[j].Visible) }
func (w waiting) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }

// Push adds a message.
func (w *waiting) Push(m any) { *w = append(*w, m.(*message)) }

// Pop takes the last one.
func (w *waiting) Pop() any {
	old := *w
	m := old[len(old)-1]
	old[len(old)-1] = nil
	*w = old[:len(old)-1]
	return m
}

func (s *Service) newQueue(region, name string, fifo bool) *queue {
	now := s.clock.Now()
	return &queue{
		service: s, region: region, name: name, fifo: fifo, attributes: map[string]string{}, policies: map[string]string{}, tags: map[string]string{},
		created: now, modified: now, all: map[string]*message{}, groups: map[string]*group{}, recent: map[string]taken{},
		changed: make(chan struct{}), told: map[string]bool{},
	}
}

func (q *queue) arn() string {
	return stack.ARN(q.region, "sqs", q.region, q.service.options.Account, q.name)
}

// wake tells those who wait that there is something to receive.
func (q *queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// sending is a message on its way into a queue.
type sending struct {
	body       string
	attributes map[string]Attribute
	trace      string
	delay      *int // seconds; nil = the queue's
	group      string
	dedup      string
	sender     string
}

// send takes a message in. The answer of a repeated one is that of the first.
func (q *queue) send(in sending) (taken, error) {
	if err := checkBody(in.body); err != nil {
		return taken{}, err
	}
	if err := checkAttributes(in.attributes); err != nil {
		return taken{}, err
	}
	if n := size(in.body, in.attributes); n > q.settings.maxSize {
		return taken{}, value("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.settings.maxSize)
	}
	delay := q.settings.delay
	if in.delay != nil {
		if *in.delay < 0 || *in.delay > 900 {
			return taken{}, value("Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.", *in.delay)
		}
		if q.fifo && *in.delay > 0 {
			return taken{}, value("Value %d for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.", *in.delay)
		}
		if !q.fifo {
			delay = time.Duration(*in.delay) * time.Second
		}
	}
	now := q.service.clock.Now()
	if err := q.checkFifo(&in); err != nil {
		return taken{}, err
	}
	if q.fifo {
		if before, repeated := q.repeated(in, now); repeated {
			q.service.tell(q, activity.Event{Text: "dropped: its deduplication ID came within the last five minutes; the first one is kept", Messages: []string{before.id}})
			return before, nil
		}
	}
	q.next++
	m := &message{
		ID: wire.NewRequestID(), Body: in.body, Attributes: in.attributes, Trace: in.trace, Sender: in.sender,
		Sent: now, Kept: now, Visible: now.Add(delay), Group: in.group, Dedup: in.dedup, Sequence: q.next,
	}
	if err := q.keep(m); err != nil {
		return taken{}, err
	}
	q.add(m, now)
	t := taken{id: m.ID, sequence: m.Sequence, at: now, md5: md5Of(m.Body)}
	if q.fifo {
		q.remember(in, t)
	}
	return t, nil
}

// checkFifo fills in what a FIFO queue needs, and refuses what the kind of the
// queue does not take.
func (q *queue) checkFifo(in *sending) error {
	if in.group != "" && !tokenText().MatchString(in.group) {
		return value("Value %s for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.", in.group)
	}
	if in.dedup != "" && !tokenText().MatchString(in.dedup) {
		return value("Value %s for parameter MessageDeduplicationId is invalid. Reason: MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to 128 in length.", in.dedup)
	}
	if !q.fifo {
		// A group ID on a standard queue asks for fair turns among tenants.
		if in.dedup != "" {
			return value("Value %s for parameter MessageDeduplicationId is invalid. Reason: The request include parameter that is not valid for this queue type.", in.dedup)
		}
		return nil
	}
	if in.group == "" {
		return &stack.Error{Code: "MissingParameter", Message: "The request must contain the parameter MessageGroupId."}
	}
	if in.dedup == "" {
		if !q.settings.contentDedup {
			return value("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
		}
		in.dedup = sha256Of(in.body)
	}
	return nil
}

func (q *queue) dedupKey(in sending) string {
	if q.settings.groupDedup {
		return in.group + "\x00" + in.dedup
	}
	return in.dedup
}

func (q *queue) repeated(in sending, now time.Time) (taken, bool) {
	for len(q.takenQ) > 0 {
		key := q.takenQ[0]
		if t, ok := q.recent[key]; ok && now.Sub(t.at) < dedupWindow {
			break
		}
		delete(q.recent, key)
		q.takenQ = q.takenQ[1:]
		q.forgetKey(key)
	}
	t, ok := q.recent[q.dedupKey(in)]
	return t, ok
}

func (q *queue) remember(in sending, t taken) {
	key := q.dedupKey(in)
	q.recent[key] = t
	q.takenQ = append(q.takenQ, key)
	q.keepKey(key, t)
}

// add puts a message where it belongs by the time.
func (q *queue) add(m *message, now time.Time) {
	q.all[m.ID] = m
	if m.Sequence > q.next {
		q.next = m.Sequence
	}
	hidden := m.Visible.After(now)
	if hidden {
		heap.Push(&q.hidden, m)
	}
	if q.fifo {
		g := q.groups[m.Group]
		if g == nil {
			g = &group{}
			q.groups[m.Group] = g
			q.order = append(q.order, m.Group)
		}
		g.messages = append(g.messages, m)
	} else if !hidden {
		q.ready.push(m)
	}
	q.wake()
}

// advance makes visible what has waited long enough, and drops what is too old.
func (q *queue) advance(now time.Time) {
	woke := false
	for len(q.hidden) > 0 && !q.hidden[0].Visible.After(now) {
		m := heap.Pop(&q.hidden).(*message)
		if m.gone {
			continue
		}
		if q.fifo && m.taken {
			q.groups[m.Group].blocked--
		}
		m.taken, m.handle = false, ""
		woke = true
		if q.dead(m) && q.bury(m, now) {
			continue
		}
		if !q.fifo {
			q.ready.push(m)
		}
	}
	if woke {
		q.wake()
	}
}

// expired reports whether a message has been kept long enough; SQS drops it then.
func (q *queue) expired(m *message, now time.Time) bool {
	return now.Sub(m.Kept) >= q.settings.retention
}

// drop forgets a message that nobody received in time.
func (q *queue) drop(m *message) {
	q.service.tell(q, activity.Event{Text: fmt.Sprintf("dropped: it was kept for %s, the queue's MessageRetentionPeriod", q.settings.retention), Messages: []string{m.ID}})
	q.remove(m)
}

// dead reports whether a message has been received as often as its queue allows.
func (q *queue) dead(m *message) bool {
	return q.settings.deadLetters != "" && m.Receives >= q.settings.maxReceives
}

// bury moves a message to the dead-letter queue. It stays when there is none.
func (q *queue) bury(m *message, now time.Time) bool {
	target := q.service.byARN(q.settings.deadLetters)
	if target == nil || target == q {
		q.once("the dead-letter queue "+q.settings.deadLetters+" does not exist: messages that fail stay", m.ID)
		return false
	}
	if target.fifo != q.fifo {
		q.once("the dead-letter queue "+target.name+" is not of the same kind (FIFO or standard): messages that fail stay", m.ID)
		return false
	}
	if why := target.refusesRedriveOf(q.arn()); why != "" {
		q.once(why, m.ID)
		return false
	}
	moved := *m
	moved.DeadFrom, moved.Visible, moved.handle, moved.taken = q.arn(), now, "", false
	moved.Receives, moved.First = 0, time.Time{}
	target.next++
	moved.Sequence = target.next
	// A standard queue goes on counting; a FIFO queue begins anew.
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
	if target.fifo {
		moved.Kept = now
	}
	if target.keep(&moved) != nil {
		return false
	}
	q.remove(m)
	target.add(&moved, now)
	q.service.tell(q, activity.Event{
		Text: fmt.Sprintf("received %d times and not deleted: moved to the dead-letter queue %s", m.Receives, target.name), Messages: []string{m.ID},
	})
	return true
}

// once tells something of the queue the first time only.
func (q *queue) once(text, id string) {
	if !q.told[text] {
		q.told[text] = true
		q.service.tell(q, activity.Event{Text: text, Messages: []string{id}})
	}
}

// refusesRedriveOf says why a queue may not be the dead-letter queue of another;
// "" = it may.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
func (q *queue) refusesRedriveOf(source string) string {
	var p struct {
		RedrivePermission string   `json:"redrivePermission"`
		SourceQueueARNs   []string `json:"sourceQueueArns"`
	}
	if json.Unmarshal([]byte(q.attributes["RedriveAllowPolicy"]), &p) != nil {
		return ""
	}
	if p.RedrivePermission == "denyAll" || p.RedrivePermission == "byQueue" && !slices.Contains(p.SourceQueueARNs, source) {
		return "the RedriveAllowPolicy of the dead-letter queue " + q.name + " does not allow this queue: messages that fail stay"
	}
	return ""
}

// remove forgets a message wherever it is.
func (q *queue) remove(m *message) {
	if m.gone {
		return
	}
	m.gone = true
	delete(q.all, m.ID)
	q.forget(m)
	if !q.fifo {
		return
	}
	g := q.groups[m.Group]
	if g == nil {
		return
	}
	if i := slices.Index(g.messages, m); i >= 0 {
		g.messages = slices.Delete(g.messages, i, i+1)
	}
	if m.taken {
		g.blocked--
	}
	if i := slices.Index(q.hidden, m); i >= 0 {
		heap.Remove(&q.hidden, i)
	}
	if len(g.messages) == 0 {
		delete(q.groups, m.Group)
		if i := slices.Index(q.order, m.Group); i >= 0 {
			q.order = slices.Delete(q.order, i, i+1)
		}
	}
	q.wake()
}

// receive takes up to most messages that are visible, and hides them.
func (q *queue) receive(most int, visibility time.Duration, now time.Time) []*message {
	q.advance(now)
	var got []*message
	if q.fifo {
		got = q.receiveOrdered(most, now)
	} else {
		for len(got) < most {
			m := q.ready.pop()
			if m == nil {
				break
			}
			if q.expired(m, now) {
				q.drop(m)
				continue
			}
			got = append(got, m)
		}
	}
	for _, m := range got {
		m.Receives++
		if m.First.IsZero() {
			m.First = now
		}
		m.handle, m.taken, m.Visible = wire.NewRequestID(), true, now.Add(visibility)
		if q.fifo {
			q.groups[m.Group].blocked++
		}
		heap.Push(&q.hidden, m)
		q.keep(m) // a receive that is not written down counts for this run
	}
	if visibility <= 0 {
		q.advance(now)
	}
	return got
}

// receiveOrdered takes from groups none of whose messages is in flight, as many
// as possible of the same group.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
func (q *queue) receiveOrdered(most int, now time.Time) []*message {
	var got []*message
	var served []string
	for _, name := range slices.Clone(q.order) {
		g := q.groups[name]
		if g == nil || g.blocked > 0 {
			continue
		}
		for len(g.messages) > 0 && q.expired(g.messages[0], now) {
			q.drop(g.messages[0])
		}
		n := 0 // those in front that are visible
		for n < min(most-len(got), len(g.messages)) && !g.messages[n].Visible.After(now) {
			n++
		}
		if n == 0 {
			continue
		}
		got = append(got, g.messages[:n]...)
		served = append(served, name)
		if len(got) == most {
			break
		}
	}
	for _, name := range served { // their turn is over
		if i := slices.Index(q.order, name); i >= 0 {
			q.order = append(slices.Delete(q.order, i, i+1), name)
		}
	}
	return got
}

// soonest is when the next hidden message becomes visible; false = there is none.
func (q *queue) soonest() (time.Time, bool) {
	for len(q.hidden) > 0 && q.hidden[0].gone {
		heap.Pop(&q.hidden)
	}
	if len(q.hidden) == 0 {
		return time.Time{}, false
	}
	return q.hidden[0].Visible, true
}

// hide sets how long a message in flight stays hidden from now on.
func (q *queue) hide(m *message, d time.Duration, now time.Time) {
	i := slices.Index(q.hidden, m)
	if i < 0 {
		return
	}
	m.Visible = now.Add(d)
	heap.Fix(&q.hidden, i)
	q.keep(m)
	q.advance(now)
	q.wake() // whoever sleeps until the next message may have to wake sooner
}

// counts are the approximate numbers that SQS tells.
func (q *queue) counts(now time.Time) (visible, inFlight, delayed int) {
	q.advance(now)
	for _, m := range q.all {
		switch {
		case m.taken:
			inFlight++
		case m.Visible.After(now):
			delayed++
		default:
			visible++
		}
	}
	return visible, inFlight, delayed
}

// handleOf spells a receipt handle, from which a message is found again.
func handleOf(m *message) string { return m.ID + "/" + m.handle }

// sequence spells a sequence number in SQS's twenty digits.
func sequence(n uint64) string { return "1" + fmt.Sprintf("%019d", n) }

func milliseconds(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
