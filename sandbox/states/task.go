package states

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"time"

	"arc/sandbox/states/asl"
)

// newToken makes a task's token.
func newToken() string { return rand.Text() + rand.Text() + rand.Text() }

// task runs a task once, and writes what comes of it into the history.
// https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html
func (f *frame) task(ctx context.Context, s *asl.State, input, given any) (any, *asl.Failure) {
	limit, failure := f.limit(s, "TimeoutSeconds", s.TimeoutSeconds, s.TimeoutSecondsPath, input)
	if failure != nil {
		return nil, failure
	}
	beat, failure := f.limit(s, "HeartbeatSeconds", s.HeartbeatSeconds, s.HeartbeatSecondsPath, input)
	if failure != nil {
		return nil, failure
	}
	role, failure := f.credentials(s, input)
	if failure != nil {
		return nil, failure
	}
	r := resourceOf(s.Resource)
	t := &attempt{frame: f, resource: r, state: s, given: given, role: role, limit: limit, beat: beat}
	var queue *activityQueue
	if r.activity {
		var err error
		if queue, err = f.x.s.activity(s.Resource); err != nil {
			return nil, f.placed(s, &asl.Failure{Name: asl.ErrRuntime, Cause: fmt.Sprintf("The activity %s does not exist.", s.Resource)})
		}
	}
	t.scheduled()
	run := t.run
	if r.activity {
		run = func(ctx context.Context) (any, *asl.Failure) { return t.work(ctx, queue) }
	}
	result, failure := run(ctx)
	if ctx.Err() != nil {
		return nil, cut
	}
	if failure == nil {
		text := asl.Encode(result)
		if len(text) > maxPayload {
			called := r.service
			if r.function != "" || r.activity {
				called = s.Resource
			}
			failure = &asl.Failure{Name: asl.ErrTooLarge, Cause: fmt.Sprintf("The state/task '%s' returned a result with a size exceeding the maximum number of bytes service limit.", called)}
		} else {
			t.say("Succeeded", map[string]any{"output": text, "outputDetails": whole()})
			return result, nil
		}
	}
	details := map[string]any{"error": failure.Name}
	if failure.Cause != "" {
		details["cause"] = failure.Cause
	}
	if failure.Name == asl.ErrTimeout || failure.Name == asl.ErrHeartbeatTimeout {
		t.say("TimedOut", details)
	} else {
		t.say("Failed", details)
	}
	return nil, failure
}

// attempt is one try of a task.
type attempt struct {
	*frame
	resource    resource
	state       *asl.State
	given       any
	role        string // of Credentials; "" = the machine's
	limit, beat int    // in seconds; 0 = none
}

// say writes an event of the task.
func (t *attempt) say(kind string, details map[string]any) {
	if t.resource.function != "" {
		name := "lambdaFunction" + kind
		if details == nil {
			name = ""
		}
		t.add("LambdaFunction"+kind, name, details)
		return
	}
	if t.resource.activity {
		t.add("Activity"+kind, "activity"+kind, details)
		return
	}
	all := map[string]any{"resource": t.resource.shown(), "resourceType": t.resource.kind()}
	maps.Copy(all, details)
	t.add("Task"+kind, "task"+kind, all)
}

func (t *attempt) scheduled() {
	if t.at.Sent {
		return // by an earlier run
	}
	text := asl.Encode(t.given)
	details := map[string]any{}
	if t.resource.function != "" || t.resource.activity {
		details = map[string]any{"resource": t.resource.arn, "input": text, "inputDetails": whole()}
	} else {
		details["parameters"], details["region"] = text, t.region()
	}
	if t.role != "" {
		details["taskCredentials"] = map[string]any{"roleArn": t.role}
	}
	if t.limit > 0 {
		details["timeoutInSeconds"] = t.limit
	}
	if t.beat > 0 && t.resource.function == "" {
		details["heartbeatInSeconds"] = t.beat
	}
	t.say("Scheduled", details)
	if !t.resource.activity { // which a worker starts
		t.say("Started", nil)
	}
}

// region is that of the machine.
func (t *attempt) region() string { return regionOf(t.x.Machine.ARN) }

// run calls, and waits for what is to be waited for, as long as the task may take.
func (t *attempt) run(ctx context.Context) (any, *asl.Failure) {
	inner, end := context.WithCancel(ctx)
	defer end()
	clock := t.x.s.options.Clock
	var timeout <-chan time.Time
	if t.limit > 0 {
		timeout = clock.After(time.Duration(t.limit) * time.Second)
	}
	var token *waiting
	if t.at.Token != "" {
		token = t.await(t.at.Token)
		defer t.x.s.unawait(t.at.Token, token)
	}
	called := make(chan struct{})
	var result any
	var failure *asl.Failure
	if t.at.Sent {
		close(called)
	} else {
		go func() {
			defer close(called)
			result, failure = t.call(inner)
		}()
	}
	waiting := called
	var answered chan struct{}
	var beat <-chan time.Time
	var beats chan struct{}
	if token != nil {
		answered, beats = token.answered, token.beat
		if t.beat > 0 {
			beat = clock.After(time.Duration(t.beat) * time.Second)
		}
	}
	for {
		select {
		case <-ctx.Done():
			t.stopChild(context.Cause(ctx))
			return nil, cut
		case <-timeout:
			t.stopChild(errTimedOut)
			return nil, &asl.Failure{Name: asl.ErrTimeout}
		case <-beat:
			return nil, &asl.Failure{Name: asl.ErrTimeout} // as AWS tells of missing heartbeats
		case <-beats:
			if t.beat > 0 {
				beat = clock.After(time.Duration(t.beat) * time.Second)
			}
		case <-waiting:
			waiting = nil
			if failure != nil || token == nil && t.resource.pattern == "" {
				return result, failure
			}
			if !t.at.Sent {
				t.say("Submitted", map[string]any{"output": asl.Encode(result), "outputDetails": whole()})
				t.at.Sent, t.at.Prev = true, t.prev
				t.save()
			}
			if token == nil {
				child, failure := t.child(result)
				if failure != nil {
					return nil, failure
				}
				answered = child
			}
		case <-answered:
			if waiting != nil {
				select { // it came before the request was answered, which is told first
				case <-called:
				case <-ctx.Done():
					return nil, cut
				}
				continue
			}
			if token == nil {
				return t.childResult()
			}
			return t.answered()
		}
	}
}

// answered is what came with the token.
func (t *attempt) answered() (any, *asl.Failure) {
	p, _ := t.x.position(t.path)
	if p.Answer.Failure != nil {
		return nil, p.Answer.Failure
	}
	v, _ := asl.Decode([]byte(p.Answer.Output)) // it was looked at
	return v, nil
}
