package states

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/stack"
	"arc/sandbox/states/asl"
	"arc/sandbox/wire"
)

// Limits of AWS's.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const (
	maxPayload = 256 << 10
	maxEvents  = 25000
	maxExpress = 300 // seconds that an execution of an EXPRESS machine lasts at most
)

// Limits of ours: what of executions that have ended is kept.
const (
	maxEnded      = 1000
	maxEndedBytes = 64 << 20
)

// Statuses of executions.
const (
	running   = "RUNNING"
	succeeded = "SUCCEEDED"
	failed    = "FAILED"
	timedOut  = "TIMED_OUT"
	aborted   = "ABORTED"
)

// execution is one run of a machine.
type execution struct {
	summary
	s    *Service
	done chan struct{}           // closed when it has ended
	end  context.CancelCauseFunc // nil before it runs

	mu        sync.Mutex
	events    []json.RawMessage
	size      int64 // of the events, in bytes
	positions map[string]*position
	trial     *trial // of TestState; nil = it is none
}

// summary is what is kept of an execution as a whole.
type summary struct {
	ARN, Name, Input      string
	Machine               machine
	Version, Alias        string // ARNs by which it was started; "" = its machine's own
	MapRun, Label         string // of an item of a distributed map: the run's ARN and label
	Started, Ended        time.Time
	Status                string
	Output, Error, Cause  string
	HasOutput, HasFailure bool
	Redrives              int       `json:",omitempty"`
	Redriven              time.Time // the last time
	RedriveToken          string    `json:",omitempty"`
}

// start begins an execution. A name that was taken by one with the same input, which
// still runs, is that one.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
func (s *Service) start(arn, name string, input []byte) (*execution, error) {
	m, err := s.target(arn)
	if err != nil {
		return nil, err
	}
	if name == "" {
		name = wire.NewRequestID()
	}
	if !nameForm().MatchString(name) {
		return nil, &stack.Error{Code: "InvalidName", Message: fmt.Sprintf("Invalid Name: '%s'", name)}
	}
	if len(input) == 0 {
		input = []byte("{}")
	}
	if _, err := inputOf(input); err != nil {
		return nil, err
	}
	x := &execution{s: s, done: make(chan struct{}), positions: map[string]*position{}}
	x.summary = summary{Name: name, Input: string(input), Machine: *m.machine, Version: m.version, Alias: m.alias, Started: s.options.Clock.Now(), Status: running}
	region := strings.Split(arn, ":")[3]
	x.ARN = s.arn(region, "execution:"+m.Name+":"+name)
	if m.Express {
		x.ARN = s.arn(region, "express:"+m.Name+":"+name+":"+wire.NewRequestID())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, &stack.Error{Code: "ServiceUnavailable", Message: errClosing.Error(), Status: 503}
	}
	if old := s.executions[x.ARN]; old != nil {
		if status := old.now().Status; status == running && old.Input == x.Input {
			return old, nil
		}
		return nil, &stack.Error{Code: "ExecutionAlreadyExists", Message: fmt.Sprintf("Execution Already Exists: '%s'", x.ARN)}
	}
	if err := x.keep(); err != nil {
		return nil, err
	}
	s.executions[x.ARN] = x
	s.order = append(s.order, x)
	x.add(0, "ExecutionStarted", "executionStarted", map[string]any{"input": x.Input, "inputDetails": whole(), "roleArn": m.Role})
	x.say("starts")
	x.run()
	return x, nil
}

// inputOf reads what an execution is started with, or a state is tried with.
func inputOf(text []byte) (any, error) {
	if len(text) > maxPayload {
		return nil, &stack.Error{Code: "ValidationException", Message: fmt.Sprintf("1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length less than or equal to %d", maxPayload)}
	}
	v, err := asl.Decode(text)
	if err != nil {
		return nil, &stack.Error{Code: "InvalidExecutionInput", Message: fmt.Sprintf("Invalid State Machine Execution Input: '%v'", err)}
	}
	return v, nil
}

// whole says of a text that it is not cut.
func whole() map[string]any { return map[string]any{"truncated": false} }

// say tells what becomes of the execution.
func (x *execution) say(format string, args ...any) {
	if x.trial != nil {
		return // whoever tries a state is told
	}
	x.s.options.Tell(activity.Event{Kind: activity.Delivery, Resource: x.Machine.called(), RequestID: x.Name, Text: fmt.Sprintf("execution %s %s", x.Name, fmt.Sprintf(format, args...))})
}

// run goes on with an execution in the background, from where its positions are.
func (x *execution) run() {
	ctx, end := context.WithCancelCause(x.s.ctx)
	x.mu.Lock()
	x.end = end
	began := x.Started
	if x.Redrives > 0 {
		began = x.Redriven
	}
	x.mu.Unlock()
	x.s.running.Go(func() {
		defer end(nil)
		limit := x.Machine.parsed.TimeoutSeconds
		if x.Machine.Express && (limit == 0 || limit > maxExpress) {
			limit = maxExpress
		}
		if limit > 0 {
			left := began.Add(time.Duration(limit) * time.Second).Sub(x.s.options.Clock.Now())
			ended := make(chan struct{})
			defer close(ended)
			clock := x.s.options.Clock.After(max(left, 0))
			go func() {
				select {
				case <-clock:
					end(errTimedOut)
				case <-ended:
				}
			}()
		}
		input, _ := asl.Decode([]byte(x.Input)) // it was looked at
		top := &frame{x: x, machine: x.Machine.parsed}
		output, failure := top.run(ctx, input)
		if context.Cause(ctx) == errClosing {
			if x.kept() {
				x.say("goes on when the local cloud runs again")
			} else {
				x.say("is given up: the local cloud is stopping")
			}
			return
		}
		x.finish(context.Cause(ctx), top.prev, output, failure)
	})
}

// stop ends an execution.
func (x *execution) stop(why error) {
	x.mu.Lock()
	end := x.end
	x.mu.Unlock()
	if end != nil {
		end(why)
	}
}

// finish writes down how an execution has ended.
func (x *execution) finish(cause error, prev int64, output any, f *asl.Failure) {
	x.mu.Lock()
	stopped := summary{Error: x.Error, Cause: x.Cause, HasFailure: x.HasFailure}
	x.mu.Unlock()
	end := summary{Ended: x.s.options.Clock.Now()}
	details := map[string]any{}
	switch {
	case cause == errStopped:
		end.Status, end.Error, end.Cause, end.HasFailure = aborted, stopped.Error, stopped.Cause, stopped.HasFailure
		x.addFailure(0, "ExecutionAborted", "executionAborted", details, stopped.Error, stopped.Cause)
		x.say("is stopped")
	case cause == errTimedOut:
		end.Status, end.Error, end.HasFailure = timedOut, asl.ErrTimeout, true
		x.addFailure(prev, "ExecutionTimedOut", "executionTimedOut", details, asl.ErrTimeout, "")
		x.say("has timed out")
	case cause == errFull:
		f = &asl.Failure{Name: asl.ErrRuntime, Cause: fmt.Sprintf("The execution reached the maximum number of history events (%d).", maxEvents)}
		fallthrough
	case f != nil:
		end.Status, end.Error, end.Cause, end.HasFailure = failed, f.Name, f.Cause, true
		x.addFailure(prev, "ExecutionFailed", "executionFailed", details, f.Name, f.Cause)
		x.say("has failed: %s", f.Error())
	default:
		end.Status, end.Output, end.HasOutput = succeeded, asl.Encode(output), true
		x.add(prev, "ExecutionSucceeded", "executionSucceeded", map[string]any{"output": end.Output, "outputDetails": whole()})
		x.say("has succeeded")
	}
	x.mu.Lock()
	x.Ended, x.Status, x.Output, x.Error, x.Cause, x.HasOutput, x.HasFailure = end.Ended, end.Status, end.Output, end.Error, end.Cause, end.HasOutput, end.HasFailure
	x.mu.Unlock()
	if err := x.keep(); err != nil {
		x.say("%v", err)
	}
	if end.Status == succeeded || x.Machine.Express {
		x.dropPositions("") // others may be redriven
	}
	close(x.over())
	x.s.bound(x)
}

// now is how the execution stands.
func (x *execution) now() summary {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.summary
}

// errFull is what the limit of a history gives.
var errFull = errors.New("the history is full")

// add writes an event into the history and gives its number. The details are named
// as the API names them, without EventDetails at the end; "" = there are none.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
func (x *execution) add(prev int64, kind, name string, details map[string]any) int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	id := int64(len(x.events)) + 1
	if id >= maxEvents && !strings.HasPrefix(kind, "Execution") { // its end is the last one
		x.end(errFull)
		return prev
	}
	event := map[string]any{"id": id, "previousEventId": prev, "timestamp": seconds(x.s.options.Clock.Now()), "type": kind}
	if name != "" {
		event[name+"EventDetails"] = details
	}
	text, _ := json.Marshal(event) // texts and numbers: cannot fail
	x.events = append(x.events, text)
	x.size += int64(len(text))
	if x.kept() {
		if err := x.s.log.Put(fmt.Sprintf("%se/%06d", x.key(), id), json.RawMessage(text)); err != nil {
			x.s.options.Tell.Notice("%s: %v", x.Machine.called(), err)
		}
	}
	return id
}

// addFailure is add of how something fails; what is empty is left out.
func (x *execution) addFailure(prev int64, kind, name string, details map[string]any, err, cause string) int64 {
	if err != "" {
		details["error"] = err
	}
	if cause != "" {
		details["cause"] = cause
	}
	return x.add(prev, kind, name, details)
}

// UUID is a new one.
func (x *execution) UUID() string {
	id := []byte(wire.NewRequestID())
	id[14], id[19] = '4', '8' // of version 4
	return string(id)
}

// Random is a number from least on and below most.
func (x *execution) Random(least, most int64) int64 {
	n, err := rand.Int(rand.Reader, big.NewInt(most-least))
	if err != nil {
		return least
	}
	return least + n.Int64()
}
