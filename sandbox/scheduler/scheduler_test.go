package scheduler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/invoke/clocktest"
	"arc/sandbox/journal"
	"arc/sandbox/scheduler"
	"arc/sandbox/stack"
)

const (
	function = "arn:aws:lambda:us-west-2:123456789012:function:fn"
	queue    = "arn:aws:sqs:us-west-2:123456789012:dead"
	role     = "arn:aws:iam::123456789012:role/scheduler"
)

// handed is a message that came to a target.
type handed struct {
	arn     string
	message invoke.Message
}

// bench is a service on a clock that stands still.
type bench struct {
	*scheduler.Service
	t     *testing.T
	clock *clocktest.Clock
	came  chan handed
	told  chan activity.Event
	send  func(arn string) error // what targets say; nil = they take it
}

func newBench(t *testing.T, now time.Time, change func(*scheduler.Options)) *bench {
	b := &bench{t: t, clock: clocktest.New(now), came: make(chan handed, 64), told: make(chan activity.Event, 256)}
	options := scheduler.Options{
		Account: "123456789012", Region: "us-west-2", Clock: b.clock, Tell: func(e activity.Event) { b.told <- e },
		Send: func(_ context.Context, arn string, m invoke.Message) error {
			if b.send != nil {
				if err := b.send(arn); err != nil {
					return err
				}
			}
			b.came <- handed{arn, m}
			return nil
		},
	}
	if change != nil {
		change(&options)
	}
	b.Service = scheduler.New(options)
	t.Cleanup(func() { b.Close(context.Background()) })
	return b
}

// create makes a schedule as a stack does; more is JSON that is laid over it.
func (b *bench) create(expression, more string) (stack.Resource, error) {
	b.t.Helper()
	properties := map[string]any{
		"ScheduleExpression": expression, "FlexibleTimeWindow": map[string]any{"Mode": "OFF"},
		"Target": map[string]any{"Arn": function, "RoleArn": role},
	}
	if more != "" {
		d := json.NewDecoder(strings.NewReader(more))
		d.UseNumber()
		if err := d.Decode(&properties); err != nil {
			b.t.Fatal(err)
		}
	}
	request := stack.Request{Stack: stack.Ref{Name: "app"}, LogicalID: "Clean", Token: "TOKEN", Properties: properties}
	return b.Registrations()["AWS::Scheduler::Schedule"].Provider.Create(context.Background(), request)
}

func (b *bench) next() handed {
	b.t.Helper()
	select {
	case m := <-b.came:
		return m
	case <-time.After(10 * time.Second):
		b.t.Fatal("nothing came")
	}
	return handed{}
}

// hear waits for something to be told.
func (b *bench) hear(text string) {
	b.t.Helper()
	for {
		select {
		case e := <-b.told:
			if strings.Contains(e.String(), text) {
				return
			}
		case <-time.After(10 * time.Second):
			b.t.Fatalf("never told: %s", text)
		}
	}
}

var noon = time.Date(2026, 10, 24, 12, 0, 0, 0, time.UTC)

func TestFires(t *testing.T) {
	b := newBench(t, noon, nil)
	made, err := b.create("cron(0 6 * * ? *)", `{"ScheduleExpressionTimezone":"Europe/Berlin"}`)
	if err != nil {
		t.Fatal(err)
	}
	arn := "arn:aws:scheduler:us-west-2:123456789012:schedule/default/app-Clean-TOKEN"
	if made.PhysicalID != "app-Clean-TOKEN" || made.Attributes["Arn"] != arn || made.Note != "" {
		t.Errorf("made %+v", made)
	}
	// The clocks go back on the 25th: 6:00 is 5:00 in UTC.
	b.clock.Set(time.Date(2026, 10, 25, 4, 59, 59, 0, time.UTC))
	b.clock.Set(time.Date(2026, 10, 25, 5, 0, 0, 0, time.UTC))
	m := b.next()
	var event map[string]any
	if err := json.Unmarshal(m.message.Body, &event); err != nil {
		t.Fatal(err)
	}
	if m.arn != function || m.message.Principal != "scheduler.amazonaws.com" || m.message.Source != arn {
		t.Errorf("handed %+v", m)
	}
	id, _ := event["id"].(string)
	delete(event, "id")
	want := map[string]any{
		"version": "0", "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": "123456789012", "region": "us-west-2",
		"time": "2026-10-25T05:00:00Z", "resources": []any{arn}, "detail": "{}",
	}
	if len(id) != 36 || fmt.Sprint(event) != fmt.Sprint(want) {
		t.Errorf("event %v", event)
	}
	b.hear("fires (cron(0 6 * * ? *))")
	if err := b.Registrations()["AWS::Scheduler::Schedule"].Provider.Delete(context.Background(), stack.Request{PhysicalID: made.PhysicalID}); err != nil {
		t.Fatal(err)
	}
	// A second schedule's event shows that the first one's time has passed.
	if _, err := b.create("rate(1 day)", ""); err != nil {
		t.Fatal(err)
	}
	b.clock.Set(noon.Add(72 * time.Hour))
	if m := b.next(); !strings.Contains(string(m.message.Body), arn) {
		t.Errorf("came %s", m.message.Body)
	}
	if len(b.came) != 0 {
		t.Errorf("%d more events", len(b.came))
	}
}

func TestInput(t *testing.T) {
	b := newBench(t, noon, nil)
	if _, err := b.create("at(2026-10-24T13:00:00)", `{"Target":{"Arn":"`+function+`","RoleArn":"r","Input":"{\"at\":\"<aws.scheduler.scheduled-time>\",\"by\":\"<aws.scheduler.schedule-arn>\"}"}}`); err != nil {
		t.Fatal(err)
	}
	b.clock.Set(noon.Add(2 * time.Hour))
	if got, want := string(b.next().message.Body), `{"at":"2026-10-24T13:00:00Z","by":"arn:aws:scheduler:us-west-2:123456789012:schedule/default/app-Clean-TOKEN"}`; got != want {
		t.Errorf("event %s", got)
	}
}

// Throttles are tried again as the policy says, then go to the dead-letter queue.
func TestRetries(t *testing.T) {
	for _, c := range []struct {
		name, policy string
		err          error
		tries        int
		condition    string
		code         string
	}{
		{"often", `{"MaximumRetryAttempts":3}`, invoke.ErrThrottled, 4, "MaximumRetryAttempts", "THROTTLED"},
		{"old", `{"MaximumEventAgeInSeconds":60}`, invoke.ErrThrottled, 6, "MaximumEventAgeInSeconds", "THROTTLED"},
		{"gone", `{}`, fmt.Errorf("function fn: %w", invoke.ErrNotFound), 1, "", "NO_RESOURCE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, noon, nil)
			tries := make(chan struct{}, 64)
			b.send = func(arn string) error {
				if arn == queue {
					return nil
				}
				tries <- struct{}{}
				return c.err
			}
			if _, err := b.create("rate(1 hour)", `{"Target":{"Arn":"`+function+`","RoleArn":"r","RetryPolicy":`+c.policy+`,"DeadLetterConfig":{"Arn":"`+queue+`"}}}`); err != nil {
				t.Fatal(err)
			}
			b.clock.Set(noon.Add(time.Hour))
			now := noon.Add(time.Hour)
			for i := range c.tries {
				<-tries
				if i < c.tries-1 {
					b.hear("tried again in")
					now = now.Add(time.Second << i)
					b.clock.Set(now)
				}
			}
			m := b.next()
			got := m.message.Attributes
			if m.arn != queue || got["ERROR_CODE"].Value != c.code || got["EXHAUSTED_RETRY_CONDITION"].Value != c.condition || got["TARGET_ARN"].Value != function || got["RETRY_ATTEMPTS"].Value != fmt.Sprint(c.tries-1) {
				t.Errorf("dead letter %+v", m)
			}
			b.hear("kept in " + queue)
		})
	}
}

// What nobody keeps is told to be lost.
func TestLost(t *testing.T) {
	b := newBench(t, noon, nil)
	b.send = func(string) error { return errors.New("the local cloud does not run sqs yet") }
	if _, err := b.create("rate(1 minute)", ""); err != nil {
		t.Fatal(err)
	}
	b.clock.Set(noon.Add(time.Minute))
	b.hear("lost: the schedule has no dead-letter queue")
}

func TestSilent(t *testing.T) {
	silent := newBench(t, noon, func(o *scheduler.Options) { o.Silent = true })
	disabled := newBench(t, noon, nil)
	if _, err := silent.create("rate(1 minute)", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := disabled.create("rate(1 minute)", `{"State":"DISABLED"}`); err != nil {
		t.Fatal(err)
	}
	for _, b := range []*bench{silent, disabled} {
		b.clock.Set(noon.Add(time.Hour))
		b.Close(context.Background())
		if len(b.came) != 0 {
			t.Error("fired")
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct{ expression, more, said string }{
		{"rate(1 week)", "", "ScheduleExpression"},
		{"rate(1 day)", `{"ScheduleExpressionTimezone":"Europe/Nowhere"}`, "no time zone"},
		{"rate(1 day)", `{"FlexibleTimeWindow":{"Mode":"ON"}}`, "must be OFF or FLEXIBLE"},
		{"rate(1 day)", `{"StartDate":"tomorrow"}`, "StartDate"},
		{"rate(1 day)", `{"GroupName":"none"}`, "does not exist"},
		{"rate(1 day)", `{"Target":{"Arn":"fn","RoleArn":"r"}}`, "is not an ARN"},
		{"rate(1 day)", `{"Target":{"Arn":"` + function + `","RoleArn":"r","Input":"hello"}}`, "is not JSON"},
		{"rate(1 day)", `{"Target":{"Arn":"` + function + `","RoleArn":"r","RetryPolicy":{"MaximumRetryAttempts":186}}}`, "0 to 185"},
		{"rate(1 day)", `{"Target":{"Arn":"` + function + `","RoleArn":"r","DeadLetterConfig":{"Arn":"` + queue + `.fifo"}}}`, "standard queue"},
		{"rate(1 day)", `{"Target":{"Arn":"arn:aws:events:us-west-2:123456789012:event-bus/default","RoleArn":"r"}}`, "needs DetailType"},
		{"rate(1 day)", `{"Zone":"UTC"}`, "Zone"},
	} {
		if _, err := newBench(t, noon, nil).create(c.expression, c.more); err == nil || !strings.Contains(err.Error(), c.said) {
			t.Errorf("%s %s: %v, want %q", c.expression, c.more, err, c.said)
		}
	}
}

// What does nothing here is said.
func TestNotes(t *testing.T) {
	b := newBench(t, noon, nil)
	made, err := b.create("rate(1 day)", `{"FlexibleTimeWindow":{"Mode":"FLEXIBLE","MaximumWindowInMinutes":15}}`)
	if err != nil || !strings.Contains(made.Note, "flexible window of 15 minutes is left out") {
		t.Errorf("made %+v, %v", made, err)
	}
	b.hear("flexible window")
	made, err = newBench(t, noon, nil).create("rate(1 day)", `{"Target":{"Arn":"arn:aws:scheduler:::aws-sdk:s3:deleteBucket","RoleArn":"r"}}`)
	if err != nil || !strings.HasPrefix(made.Note, "recorded only: ") {
		t.Errorf("made %+v, %v", made, err)
	}
}

// call sends a request as clients do.
func (b *bench) call(method, path, body string) (int, map[string]any) {
	b.t.Helper()
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequest(method, path, bytes.NewBufferString(body)))
	out := map[string]any{}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		b.t.Fatal(err)
	}
	return w.Code, out
}

// A schedule that a client made outlives the process, and goes when it is done
// if that was wished for.
func TestClientsSchedules(t *testing.T) {
	file := filepath.Join(t.TempDir(), "scheduler")
	open := func(now time.Time) (*bench, *journal.Log) {
		log, err := journal.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		b := newBench(t, now, nil)
		if err := b.Restore(log); err != nil {
			t.Fatal(err)
		}
		return b, log
	}
	b, log := open(noon)
	body := `{"ScheduleExpression":"at(2026-10-24T14:00:00)","FlexibleTimeWindow":{"Mode":"OFF"},"ActionAfterCompletion":"DELETE","Target":{"Arn":"` + function + `","RoleArn":"r","Input":"{}"}}`
	if status, out := b.call("POST", "/schedules/once", body); status != 200 || out["ScheduleArn"] == nil {
		t.Fatalf("created: %d %v", status, out)
	}
	if status, out := b.call("POST", "/schedules/once", body); status != 409 || out["__type"] != "ConflictException" {
		t.Errorf("created again: %d %v", status, out)
	}
	if status, out := b.call("PUT", "/schedules/other", body); status != 404 {
		t.Errorf("updated what is not there: %d %v", status, out)
	}
	if status, out := b.call("POST", "/schedules/bad", strings.Replace(body, "at(", "in(", 1)); status != 400 || out["__type"] != "ValidationException" {
		t.Errorf("created what is wrong: %d %v", status, out)
	}
	b.Close(context.Background())
	log.Close()

	b, log = open(noon.Add(time.Hour))
	defer log.Close()
	if status, out := b.call("GET", "/schedules/once", ""); status != http.StatusOK || out["ScheduleExpression"] != "at(2026-10-24T14:00:00)" || out["State"] != "ENABLED" {
		t.Errorf("read: %d %v", status, out)
	}
	b.clock.Set(noon.Add(2 * time.Hour))
	b.next()
	b.hear("fires")
	b.Close(context.Background()) // waits for what is under way
	if status, out := b.call("GET", "/schedules", ""); status != 200 || len(out["Schedules"].([]any)) != 0 {
		t.Errorf("left over: %d %v", status, out)
	}
}
