package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/invoke/clocktest"
	"arc/sandbox/journal"
	"arc/sandbox/lambda"
	"arc/sandbox/stack"
)

// patient is a clock on which every wait is over at once, and noted.
type patient struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

func (p *patient) Now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *patient) After(d time.Duration) <-chan time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
	p.waits = append(p.waits, d)
	c := make(chan time.Time, 1)
	c <- p.now
	return c
}

// handed is a message that came to a queue, topic or bus.
type handed struct {
	arn     string
	message invoke.Message
}

// The function fails as often as its event says, and counts in a file: a
// worker that fails may be another one the next time.
const fickle = `import fs from 'node:fs'
export const handler = async (event, context) => {
  const file = process.env.COUNT
  const n = fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) + 1 : 1
  fs.writeFileSync(file, String(n))
  if (n <= event.failures) throw new Error('try ' + n)
  return { n, id: context.awsRequestId }
}`

func TestAsynchronous(t *testing.T) {
	need(t, "node")
	const request = "8f0c1f0e-1111-4222-8333-444455556666"
	const queue, bus = "arn:aws:sqs:us-west-2:123456789012:dead", "arn:aws:events:us-west-2:123456789012:event-bus/default"
	for _, c := range []struct {
		name      string
		event     string
		config    map[string]any
		off       bool
		waits     []time.Duration
		condition string // of the record
		count     float64
		dead      bool
	}{
		{name: "success", event: `{"failures":0}`, condition: "Success", count: 1},
		{name: "retried", event: `{"failures":2}`, waits: []time.Duration{time.Minute, 2 * time.Minute}, condition: "Success", count: 3},
		{name: "given up", event: `{"failures":9}`, waits: []time.Duration{time.Minute, 2 * time.Minute}, condition: "RetriesExhausted", count: 3, dead: true},
		{name: "no retries", event: `{"failures":9}`, config: map[string]any{"MaximumRetryAttempts": json.Number("0")}, condition: "RetriesExhausted", count: 1, dead: true},
		{name: "too old", event: `{"failures":9}`, config: map[string]any{"MaximumEventAgeInSeconds": "100"}, waits: []time.Duration{time.Minute}, condition: "EventAgeExceeded", count: 2, dead: true},
		{name: "switched off", event: `{"failures":0}`, off: true, condition: "RetriesExhausted", count: 1, dead: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "index.mjs"), []byte(fickle), 0o600); err != nil {
				t.Fatal(err)
			}
			clock, messages := &patient{now: time.Now()}, make(chan handed, 4)
			s := newService(t, lambda.Options{Clock: clock, Send: func(_ context.Context, arn string, m invoke.Message) error {
				messages <- handed{arn, m}
				return nil
			}})
			fn := lambda.Function{
				Name: "fn", ARN: "arn:aws:lambda:us-west-2:123456789012:function:fn", Runtime: "nodejs22.x", Handler: "index.handler",
				Dir: dir, Timeout: 10, MemoryMB: 128, DeadLetter: queue, Env: map[string]string{"COUNT": filepath.Join(dir, "count")},
			}
			if c.off {
				fn.Reserved = new(0)
			}
			s.Put(fn)
			properties := map[string]any{"FunctionName": "fn", "Qualifier": "$LATEST", "DestinationConfig": map[string]any{
				"OnSuccess": map[string]any{"Destination": bus}, "OnFailure": map[string]any{"Destination": bus},
			}}
			for name, value := range c.config {
				properties[name] = value
			}
			provider := s.Registrations()["AWS::Lambda::EventInvokeConfig"].Provider
			if _, err := provider.Create(context.Background(), stack.Request{LogicalID: "Config", Properties: properties}); err != nil {
				t.Fatal(err)
			}
			if err := s.Deliver("fn", request, []byte(c.event)); err != nil {
				t.Fatal(err)
			}
			if c.dead {
				m := await(t, messages)
				if m.arn != queue || string(m.message.Body) != c.event || m.message.Attributes["RequestID"].Value != request || m.message.Attributes["ErrorMessage"].Value == "" {
					t.Errorf("dead letter: %+v", m)
				}
			}
			m := await(t, messages)
			var record struct {
				Version         string
				RequestContext  map[string]any
				RequestPayload  map[string]any
				ResponseContext map[string]any
				ResponsePayload map[string]any
			}
			if err := json.Unmarshal(m.message.Body, &record); err != nil || m.arn != bus {
				t.Fatalf("record: %v %+v %q", err, m, s.log())
			}
			if got := record.RequestContext; got["condition"] != c.condition || got["approximateInvokeCount"] != c.count || got["requestId"] != request || got["functionArn"] != fn.ARN+":$LATEST" {
				t.Errorf("record: %v", got)
			}
			if c.off != (record.ResponseContext == nil) {
				t.Errorf("response: %v", record.ResponseContext)
			}
			if c.condition == "Success" && record.ResponsePayload["id"] != request {
				t.Errorf("a retry has another request ID: %v", record.ResponsePayload)
			}
			if !slices.Equal(clock.waits, c.waits) {
				t.Errorf("waited %v, want %v", clock.waits, c.waits)
			}
		})
	}
}

func await(t *testing.T, messages chan handed) handed {
	t.Helper()
	select {
	case m := <-messages:
		return m
	case <-time.After(20 * time.Second):
		t.Fatal("no message came")
	}
	return handed{}
}

// An event that nobody keeps is said to be lost, and where it would go.
func TestLostEvent(t *testing.T) {
	told := make(chan activity.Event, 8)
	s := newService(t, lambda.Options{Tell: func(e activity.Event) { told <- e }})
	s.Put(lambda.Function{Name: "off", ARN: "arn:aws:lambda:us-west-2:123456789012:function:off", Runtime: "nodejs22.x", Handler: "index.handler", Reserved: new(0)})
	if err := s.Deliver("off", "", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if e := <-told; e.Kind != activity.Delivery || e.Function != "off" || !strings.Contains(e.Text, "no dead-letter queue") {
		t.Errorf("told %+v", e)
	}
	s.Close()
	if err := s.Deliver("off", "", []byte("{}")); err == nil {
		t.Error("took an event after it was closed")
	}
}

// A rule's event needs a permission for the rule; one of a schedule comes with a
// role.
func TestReceiveAsksForPermission(t *testing.T) {
	const arn, rule = "arn:aws:lambda:us-west-2:123456789012:function:off", "arn:aws:events:us-west-2:123456789012:rule/r"
	s := newService(t, lambda.Options{})
	s.Put(lambda.Function{Name: "off", ARN: arn, Runtime: "nodejs22.x", Handler: "index.handler", Reserved: new(0)})
	receive := func(principal, source string) error {
		return s.Receive(context.Background(), arn, invoke.Message{Body: []byte("{}"), Principal: principal, Source: source})
	}
	if err := receive("events.amazonaws.com", rule); !errors.Is(err, invoke.ErrForbidden) {
		t.Errorf("without a permission: %v", err)
	}
	if err := receive("scheduler.amazonaws.com", "arn:aws:scheduler:us-west-2:123456789012:schedule/default/s"); err != nil {
		t.Errorf("of a schedule: %v", err)
	}
	provider := s.Registrations()["AWS::Lambda::Permission"].Provider
	if _, err := provider.Create(context.Background(), stack.Request{LogicalID: "P", Properties: map[string]any{
		"Action": "lambda:InvokeFunction", "FunctionName": "off", "Principal": "events.amazonaws.com", "SourceArn": rule,
	}}); err != nil {
		t.Fatal(err)
	}
	if err := receive("events.amazonaws.com", rule); err != nil {
		t.Errorf("with a permission: %v", err)
	}
	if err := receive("events.amazonaws.com", rule+"2"); !errors.Is(err, invoke.ErrForbidden) {
		t.Errorf("of another rule: %v", err)
	}
}

// An event that waits for another try goes on in the next run, with its tries
// and the ID of its request, and is then forgotten; be the cloud ended or killed.
func TestAsynchronousGoesOn(t *testing.T) {
	need(t, "node")
	for _, killed := range []bool{false, true} {
		r := &eventRuns{T: t, dir: t.TempDir()}
		s := r.begin("ONE", clocktest.New(time.Now()))
		if err := s.Deliver("App-Fickle-ONE", goesOn, []byte(`{"failures":2}`)); err != nil {
			t.Fatal(err)
		}
		r.says("tried again in 1m0s")
		data, err := os.ReadFile(r.log())
		if err != nil {
			t.Fatal(err)
		}
		r.end(s)
		if killed { // nothing was written at the end
			if err := os.WriteFile(r.log(), data, 0o600); err != nil {
				t.Fatal(err)
			}
		} else {
			r.says("waits until the local cloud runs again")
		}
		clock := &patient{now: time.Now()}
		s = r.begin("TWO", clock)
		r.says("goes on where an earlier run of the local cloud ended")
		r.says("tried again in 2m0s") // it was the second try
		eventually(t, "the event is delivered and forgotten", func() bool {
			for range r.kept.All() {
				return false
			}
			return true
		})
		r.end(s)
		if count, err := os.ReadFile(filepath.Join(r.dir, "count")); string(count) != "3" {
			t.Errorf("tried %s times (%v)", count, err)
		}
	}
	// One whose function no run has had for six hours is given up, and said.
	r := &eventRuns{T: t, dir: t.TempDir()}
	s := r.begin("ONE", clocktest.New(time.Now()))
	if err := s.Deliver("App-Fickle-ONE", goesOn, []byte(`{"failures":2}`)); err != nil {
		t.Fatal(err)
	}
	r.end(s)
	r.end(r.begin("", clocktest.New(time.Now().Add(7*time.Hour))))
	r.says("given up and lost")
}

// goesOn is the ID of the request that goes on.
const goesOn = "8f0c1f0e-1111-4222-8333-444455556666"

// eventRuns are runs of a cloud with one function, whose names differ.
type eventRuns struct {
	*testing.T
	dir  string
	kept *journal.Log
	told chan activity.Event
}

func (r *eventRuns) log() string { return filepath.Join(r.dir, "lambda.log") }

func (r *eventRuns) begin(token string, clock invoke.Clock) *service {
	r.Helper()
	var err error
	if r.kept, err = journal.Open(r.log()); err != nil {
		r.Fatal(err)
	}
	r.told = make(chan activity.Event, 32)
	s := newService(r, lambda.Options{Clock: clock, Tell: func(e activity.Event) { r.told <- e }})
	if err := s.Restore(r.kept); err != nil {
		r.Fatal(err)
	}
	if token == "" {
		return s
	}
	code := strings.NewReplacer("import fs from 'node:fs'", "const fs = require('node:fs')", "export const handler", "exports.handler").Replace(fickle)
	_, err = s.Registrations()["AWS::Lambda::Function"].Provider.Create(r.Context(), stack.Request{
		Stack: stack.Ref{Name: "App", Region: "us-west-2", Account: "123456789012"}, LogicalID: "Fickle", Token: token,
		Properties: map[string]any{
			"Runtime": "nodejs22.x", "Handler": "index.handler", "Role": "arn:aws:iam::123456789012:role/x", "Timeout": json.Number("20"), "Code": map[string]any{"ZipFile": code},
			"Environment": map[string]any{"Variables": map[string]any{"COUNT": filepath.Join(r.dir, "count")}},
		},
	})
	if err != nil {
		r.Fatal(err)
	}
	return s
}

func (r *eventRuns) end(s *service) {
	s.Close()
	r.kept.Close()
}

func (r *eventRuns) says(text string) {
	r.Helper()
	for {
		select {
		case e := <-r.told:
			if strings.Contains(e.Text, text) {
				if e.RequestID != goesOn {
					r.Errorf("told %+v", e)
				}
				return
			}
		case <-time.After(30 * time.Second):
			r.Fatalf("was not told: %s", text)
		}
	}
}
