package invoke

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"arc/sandbox/activity"
)

// Clock is the time that deliveries go by.
type Clock interface {
	Now() time.Time
	// After gives a channel that takes one value when d has passed.
	After(d time.Duration) <-chan time.Time
}

// SystemClock is the machine's own clock.
type SystemClock struct{}

// Now is the time.
func (SystemClock) Now() time.Time { return time.Now() }

// After waits for d.
func (SystemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Policy is what becomes of an asynchronous invocation that fails.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html
type Policy struct {
	Off        bool          // the function's reserved concurrency is 0: no try is made
	Retries    int           // after a function's error: 0 to 2
	MaxAge     time.Duration // how long an event waits for a function that cannot take it
	DeadLetter string        // ARN of a queue or topic that takes the event; "" = none
	OnSuccess  string        // ARN that takes a record of each success; "" = none
	OnFailure  string        // ARN that takes a record of each failure; "" = none
}

// DefaultPolicy is Lambda's own: two retries within six hours.
var DefaultPolicy = Policy{Retries: 2, MaxAge: 6 * time.Hour}

// AsyncOptions are what deliveries need from their surroundings.
type AsyncOptions struct {
	Invoker Invoker
	Policy  func(function string) Policy // nil = DefaultPolicy for all
	ARN     func(function string) string // of a function, for records; nil = its name
	Called  func(function string) string // how people call it; nil = its name
	Role    func(function string) string // in whose name it hands on: an ARN; nil = none
	Send    Send                         // to dead letters and destinations; nil = there are none
	Tell    activity.Tell                // of retries and of events that are given up; nil = nobody
	Clock   Clock                        // nil = SystemClock
	Keeper  Keeper                       // nil = what is under way ends with the process
}

// Pending is an event on its way to a function.
type Pending struct {
	Key      string // of this delivery alone
	Function string
	ID       string // of the request
	Event    []byte
	Tries    int // that reached the function, and failed
	Began    time.Time
}

// Keeper keeps events from one run of the local cloud to the next.
type Keeper interface {
	// Keep takes an event, or what has come of it: when it returns without an
	// error, the event outlives the process. kept is false where nothing does.
	Keep(Pending) (kept bool, err error)
	// Done forgets an event that was delivered or given up.
	Done(key string)
}

// Async delivers events to functions in the background.
type Async struct {
	options AsyncOptions
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	closed bool
}

// NewAsync gives deliveries, none of them under way. Close it to end them.
func NewAsync(options AsyncOptions) *Async {
	if options.Policy == nil {
		options.Policy = func(string) Policy { return DefaultPolicy }
	}
	name := func(function string) string { return function }
	if options.ARN == nil {
		options.ARN = name
	}
	if options.Role == nil {
		options.Role = func(string) string { return "" }
	}
	if options.Called == nil {
		options.Called = name
	}
	if options.Clock == nil {
		options.Clock = SystemClock{}
	}
	options.Tell = options.Tell.Or()
	a := &Async{options: options}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a
}

// Deliver takes an event for a function and returns at once. id is the
// request's, which a record of the invocation names.
//
// A function's error is tried again after one minute and after two more;
// one that cannot take the event at all, after 1 second, 2, 4 … up to five
// minutes, until the event is too old. An event that is given up goes to the
// function's dead letters and a record of it to its destination.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
func (a *Async) Deliver(function, id string, event []byte) error {
	return a.take(&delivery{Pending: Pending{Key: rand.Text(), Function: function, ID: id, Event: event, Began: a.options.Clock.Now()}})
}

// Try is what came of one try to deliver an event.
type Try struct {
	Failed string        // why it failed; "" = the function is done with it
	Again  time.Duration // until the next try; 0 = there is none
}

// DeliverHeard is Deliver for one who waits for what comes of the event: heard is
// told of each try, one after another. Such an event ends with the process, as he
// does who waits.
func (a *Async) DeliverHeard(function, id string, event []byte, heard func(Try)) error {
	return a.take(&delivery{heard: heard, Pending: Pending{Key: rand.Text(), Function: function, ID: id, Event: event, Began: a.options.Clock.Now()}})
}

func (a *Async) take(d *delivery) error {
	function := d.Function
	closed := fmt.Errorf("function %s: %w", function, ErrClosed)
	if a.ctx.Err() != nil {
		return closed
	}
	if err := a.keep(d); err != nil {
		return fmt.Errorf("function %s: %w", function, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		a.forget(d)
		return closed
	}
	a.running.Go(func() { a.deliver(d) })
	return nil
}

// Resume goes on with an event that an earlier run has kept. The first try waits
// a little: what the function needs may not be there yet.
func (a *Async) Resume(p Pending) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return // it is kept still
	}
	d := &delivery{Pending: p, kept: true}
	a.say(d, "goes on where an earlier run of the local cloud ended")
	a.running.Go(func() {
		if a.wait(firstBackoff) {
			a.deliver(d)
		}
	})
}

func (a *Async) keep(d *delivery) (err error) {
	if a.options.Keeper != nil && d.heard == nil {
		d.kept, err = a.options.Keeper.Keep(d.Pending)
	}
	return err
}

// wait lets time pass; false = deliveries end.
func (a *Async) wait(d time.Duration) bool {
	select {
	case <-a.ctx.Done():
		return false
	case <-a.options.Clock.After(d):
		return true
	}
}

// End takes no more events and ends deliveries, without waiting for those whose
// function is at work. What is under way goes on in the next run where it is
// kept, and else is lost, and said.
func (a *Async) End() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.cancel()
}

// Close is End, and waits.
func (a *Async) Close() {
	a.End()
	a.running.Wait()
}

// What Lambda waits between tries.
const (
	firstRetry   = time.Minute     // after a function's first error
	secondRetry  = 2 * time.Minute // after its second
	firstBackoff = time.Second     // after an event that the function could not take
	maxBackoff   = 5 * time.Minute
)

// delivery is one event on its way.
type delivery struct {
	Pending
	kept  bool      // it goes on in the next run
	heard func(Try) // is told of each try; nil = nobody is
}

func (d *delivery) tell(failed string, again time.Duration) {
	if d.heard != nil {
		d.heard(Try{failed, again})
	}
}

func (a *Async) deliver(d *delivery) {
	if a.attempt(d) {
		a.forget(d)
	}
}

func (a *Async) forget(d *delivery) {
	if d.kept {
		a.options.Keeper.Done(d.Key)
	}
}

// attempt tries until the event is delivered or given up; false = deliveries end
// before that.
func (a *Async) attempt(d *delivery) (settled bool) {
	backoff := firstBackoff
	for {
		result, err := a.options.Invoker.Invoke(WithRequestID(a.ctx, d.ID), d.Function, d.Event)
		policy := a.options.Policy(d.Function)
		var wait time.Duration
		switch {
		case (a.ctx.Err() != nil || errors.Is(err, ErrClosed)) && (err != nil || result.Failed != ""):
			a.interrupted(d)
			return false
		case errors.Is(err, ErrNotFound), errors.Is(err, ErrTooLarge):
			a.say(d, "given up: "+err.Error())
			d.tell(err.Error(), 0)
			return true
		case errors.Is(err, ErrThrottled) && policy.Off:
			a.fail(d, policy, Result{}, "RetriesExhausted", err.Error())
			d.tell(err.Error(), 0)
			return true
		case err != nil:
			wait, backoff = backoff, min(2*backoff, maxBackoff)
		case result.Failed == "":
			d.Tries++
			a.succeed(d, policy, result)
			d.tell("", 0)
			return true
		default:
			d.Tries++
			if d.Tries > policy.Retries {
				a.fail(d, policy, result, "RetriesExhausted", reason(result))
				d.tell(reason(result), 0)
				return true
			}
			wait = firstRetry
			if d.Tries > 1 {
				wait = secondRetry
			}
			err = errors.New(reason(result))
		}
		if a.options.Clock.Now().Add(wait).Sub(d.Began) > policy.MaxAge {
			a.fail(d, policy, result, "EventAgeExceeded", err.Error())
			d.tell(err.Error(), 0)
			return true
		}
		a.say(d, fmt.Sprintf("failed (%s); tried again in %s, as on AWS", err, wait))
		d.tell(err.Error(), wait)
		if err := a.keep(d); err != nil {
			a.say(d, fmt.Sprintf("is tried as often again when the local cloud is killed now: %v", err))
		}
		if !a.wait(wait) {
			a.interrupted(d)
			return false
		}
	}
}

// interrupted says what becomes of an event that is under way as deliveries end.
func (a *Async) interrupted(d *delivery) {
	if d.kept {
		a.say(d, "waits until the local cloud runs again")
		return
	}
	a.say(d, "given up: the local cloud is stopping")
}

// reason is the message of a function's error object.
func reason(result Result) string {
	var object struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal(result.Payload, &object) != nil || object.Message == "" {
		return result.Failed
	}
	return object.Message
}

func (a *Async) say(d *delivery, text string) {
	a.options.Tell(activity.Event{Kind: activity.Delivery, Function: a.options.Called(d.Function), RequestID: d.ID, Text: "asynchronous event " + text})
}

func (a *Async) succeed(d *delivery, policy Policy, result Result) {
	if policy.OnSuccess != "" {
		a.send(d, policy.OnSuccess, a.record(d, result, "Success"), nil)
	}
}

// fail gives an event up: dead letters take the event itself, the destination a
// record of what happened.
func (a *Async) fail(d *delivery, policy Policy, result Result, condition, why string) {
	kept := "lost: the function has no dead-letter queue and no destination for failures"
	if policy.DeadLetter != "" || policy.OnFailure != "" {
		kept = "handed on"
	}
	a.say(d, fmt.Sprintf("given up after %d tries (%s) and %s", max(d.Tries, 1), why, kept))
	if policy.DeadLetter != "" {
		a.send(d, policy.DeadLetter, d.Event, map[string]Attribute{
			"RequestID":    {"String", d.ID},
			"ErrorCode":    {"Number", strconv.Itoa(statusOf(result))},
			"ErrorMessage": {"String", why[:min(len(why), 1024)]},
		})
	}
	if policy.OnFailure != "" {
		a.send(d, policy.OnFailure, a.record(d, result, condition), nil)
	}
}

func (a *Async) send(d *delivery, arn string, body []byte, attributes map[string]Attribute) {
	err := errors.New("the local cloud cannot hand on to it")
	if a.options.Send != nil {
		err = a.options.Send(context.WithoutCancel(a.ctx), arn, Message{
			Body: body, Attributes: attributes, Principal: "lambda.amazonaws.com", Source: a.options.ARN(d.Function),
			Role: a.options.Role(d.Function), Session: d.Function,
		})
	}
	if err != nil {
		a.say(d, fmt.Sprintf("is not in %s: %v", arn, err))
	}
}

// statusOf is the status that Lambda tells of a try: 200 for one that reached
// the function, whatever came of it, and 429 for one that did not.
func statusOf(result Result) int {
	if result.RequestID == "" && result.Payload == nil {
		return 429
	}
	return 200
}

// qualifierOf is the version or alias that a function was called by: $LATEST where
// it was called by its name alone.
func qualifierOf(called string) string {
	name := called
	if _, end, ok := strings.Cut(called, ":function:"); ok {
		name = end
	}
	_, qualifier, _ := strings.Cut(name, ":")
	return cmp.Or(qualifier, "$LATEST")
}

// record tells a destination of an invocation.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
func (a *Async) record(d *delivery, result Result, condition string) []byte {
	type requestContext struct {
		RequestID   string `json:"requestId"`
		FunctionARN string `json:"functionArn"`
		Condition   string `json:"condition"`
		Count       int    `json:"approximateInvokeCount"`
	}
	type responseContext struct {
		StatusCode      int    `json:"statusCode"`
		ExecutedVersion string `json:"executedVersion"`
		FunctionError   string `json:"functionError,omitempty"`
	}
	out := struct {
		Version   string          `json:"version"`
		Timestamp string          `json:"timestamp"`
		Request   requestContext  `json:"requestContext"`
		Payload   json.RawMessage `json:"requestPayload"`
		// What the function answered, where it was reached at all.
		Response *responseContext `json:"responseContext,omitempty"`
		Answer   json.RawMessage  `json:"responsePayload,omitempty"`
	}{
		Version: "1.0", Timestamp: a.options.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		Request: requestContext{d.ID, a.options.ARN(d.Function) + ":" + qualifierOf(d.Function), condition, max(d.Tries, 1)},
		Payload: d.Event,
	}
	if d.Tries > 0 {
		out.Response = &responseContext{200, cmp.Or(result.Version, "$LATEST"), result.Failed}
		out.Answer = result.Payload
	}
	data, err := json.Marshal(out)
	if err != nil { // the payload of a runtime that answers no JSON
		out.Answer, _ = json.Marshal(string(result.Payload))
		data, _ = json.Marshal(out)
	}
	return data
}
