package events_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/events"
	"arc/sandbox/invoke"
	"arc/sandbox/invoke/clocktest"
	"arc/sandbox/journal"
	"arc/sandbox/stack"
)

const (
	function = "arn:aws:lambda:us-west-2:123456789012:function:fn"
	queue    = "arn:aws:sqs:us-west-2:123456789012:dead"
)

type handed struct {
	arn     string
	message invoke.Message
}

// bench is a service on a clock that stands still.
type bench struct {
	*events.Service
	t     *testing.T
	clock *clocktest.Clock
	came  chan handed
	told  chan activity.Event
	send  func(arn string) error
}

var noon = time.Date(2026, 10, 24, 12, 0, 0, 0, time.UTC)

func newBench(t *testing.T) *bench {
	b := &bench{t: t, clock: clocktest.New(noon), came: make(chan handed, 64), told: make(chan activity.Event, 256)}
	b.Service = events.New(events.Options{
		Account: "123456789012", Region: "us-west-2", Clock: b.clock, Tell: func(e activity.Event) { b.told <- e },
		Send: func(ctx context.Context, arn string, m invoke.Message) error {
			if b.send != nil {
				if err := b.send(arn); err != nil {
					return err
				}
			}
			if strings.Contains(arn, ":event-bus/") {
				return b.Receive(ctx, arn, m)
			}
			b.came <- handed{arn, m}
			return nil
		},
	})
	t.Cleanup(func() { b.Close(context.Background()) })
	return b
}

// make makes a resource as a stack does.
func (b *bench) make(kind, id, properties string) (stack.Resource, error) {
	b.t.Helper()
	d := json.NewDecoder(strings.NewReader(properties))
	d.UseNumber()
	request := stack.Request{Stack: stack.Ref{Name: "app"}, LogicalID: id, Token: "TOKEN", Type: kind}
	if err := d.Decode(&request.Properties); err != nil {
		b.t.Fatal(err)
	}
	return b.Registrations()[kind].Provider.Create(context.Background(), request)
}

func (b *bench) rule(id, properties string) stack.Resource {
	b.t.Helper()
	made, err := b.make("AWS::Events::Rule", id, properties)
	if err != nil {
		b.t.Fatal(err)
	}
	return made
}

// call is an operation of a client.
func (b *bench) call(operation, body string) map[string]any {
	b.t.Helper()
	answer, err := b.Handle(context.Background(), operation, []byte(body))
	if err != nil {
		b.t.Fatal(err)
	}
	data, err := json.Marshal(answer)
	if err != nil {
		b.t.Fatal(err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(data, &out); err != nil {
		b.t.Fatal(err)
	}
	return out
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

// What was put is with its targets when that is answered, or in a dead-letter
// queue; a throttled target and a bus that sends it back hold nobody up.
func TestPutEventsIsAnsweredLate(t *testing.T) {
	b := newBench(t)
	b.call("CreateEventBus", `{"Name":"loop"}`)
	b.call("PutRule", `{"Name":"all","EventPattern":"{\"source\":[\"shop\"]}"}`)
	const loop = "arn:aws:events:us-west-2:123456789012:event-bus/loop"
	b.call("PutTargets", `{"Rule":"all","Targets":[{"Id":"1","Arn":"`+function+`"},{"Id":"2","Arn":"`+queue+`2","DeadLetterConfig":{"Arn":"`+queue+`"}},{"Id":"3","Arn":"`+queue+`3"},{"Id":"4","Arn":"`+loop+`"}]}`)
	b.call("PutRule", `{"Name":"back","EventBusName":"loop","EventPattern":"{\"source\":[\"shop\"]}"}`)
	b.call("PutTargets", `{"Rule":"back","EventBusName":"loop","Targets":[{"Id":"1","Arn":"arn:aws:events:us-west-2:123456789012:event-bus/other"}]}`)
	b.send = func(arn string) error {
		time.Sleep(20 * time.Millisecond) // as if it were much to write
		switch arn {
		case queue + "2":
			return invoke.ErrForbidden
		case queue + "3":
			return invoke.ErrThrottled
		}
		return nil
	}
	b.call("PutEvents", `{"Entries":[{"Source":"shop","DetailType":"t","Detail":"{}"}]}`)
	got := map[string]bool{}
	for range len(b.came) {
		got[(<-b.came).arn] = true
	}
	if !got[function] || !got[queue] {
		t.Errorf("answered when only %v had it", got)
	}
}

func TestPutEvents(t *testing.T) {
	b := newBench(t)
	if _, err := b.make("AWS::Events::EventBus", "Orders", `{"Name":"orders"}`); err != nil {
		t.Fatal(err)
	}
	made := b.rule("Paid", `{"EventBusName":"orders","EventPattern":{"detail-type":["paid"],"detail":{"sum":[{"numeric":[">",10]}]}},"Targets":[{"Id":"1","Arn":"`+function+`"}]}`)
	if made.PhysicalID != "orders|app-Paid-TOKEN" || made.Attributes["Arn"] != "arn:aws:events:us-west-2:123456789012:rule/orders/app-Paid-TOKEN" {
		t.Errorf("made %+v", made)
	}
	out := b.call("PutEvents", `{"Entries":[
		{"EventBusName":"orders","Source":"shop","DetailType":"paid","Detail":"{\"sum\":11}","Resources":["r"],"Time":1761300000},
		{"EventBusName":"arn:aws:events:us-west-2:123456789012:event-bus/orders","Source":"shop","DetailType":"paid","Detail":"{\"sum\":1}"},
		{"Source":"shop","DetailType":"paid","Detail":"{\"sum\":12}"},
		{"Source":"shop","DetailType":"paid","Detail":"oops"},
		{"Source":"aws.s3","DetailType":"paid","Detail":"{}"},
		{"Source":"shop","Detail":"{}"},
		{"EventBusName":"none","Source":"shop","DetailType":"paid","Detail":"{}"}]}`)
	var codes []string
	for _, e := range out["Entries"].([]any) {
		codes = append(codes, fmt.Sprint(e.(map[string]any)["ErrorCode"]))
	}
	if want := []string{"<nil>", "<nil>", "<nil>", "MalformedDetail", "NotAuthorizedForSourceException", "InvalidArgument", "ResourceNotFoundException"}; !slices.Equal(codes, want) || out["FailedEntryCount"] != 4.0 {
		t.Errorf("answer %v", out)
	}
	m := b.next()
	id := out["Entries"].([]any)[0].(map[string]any)["EventId"].(string)
	want := `{"version":"0","id":"` + id + `","detail-type":"paid","source":"shop","account":"123456789012","time":"2025-10-24T10:00:00Z","region":"us-west-2","resources":["r"],"detail":{"sum":11}}`
	if m.arn != function || string(m.message.Body) != want || m.message.Principal != "events.amazonaws.com" || m.message.Source != made.Attributes["Arn"] {
		t.Errorf("came %s\n%s\nwant %s", m.arn, m.message.Body, want)
	}
	b.hear("event bus default event \"paid\" of \"shop\" matches no rule")
	if len(b.came) != 0 {
		t.Errorf("%d more came", len(b.came))
	}
}

// A rule's schedule runs in UTC, whatever the machine's zone.
func TestSchedule(t *testing.T) {
	b := newBench(t)
	b.rule("Daily", `{"ScheduleExpression":"cron(30 12 * * ? *)","Targets":[{"Id":"1","Arn":"`+queue+`"}]}`)
	b.clock.Set(noon.Add(30 * time.Minute))
	var event events.Event
	m := b.next()
	if err := json.Unmarshal(m.message.Body, &event); err != nil {
		t.Fatal(err)
	}
	if event.Source != "aws.events" || event.DetailType != "Scheduled Event" || string(event.Detail) != "{}" ||
		!event.Time.Equal(noon.Add(30*time.Minute)) || !slices.Equal(event.Resources, []string{"arn:aws:events:us-west-2:123456789012:rule/app-Daily-TOKEN"}) {
		t.Errorf("event %+v", event)
	}
	b.call("DisableRule", `{"Name":"app-Daily-TOKEN"}`)
	b.rule("Other", `{"ScheduleExpression":"rate(1 day)","Targets":[{"Id":"1","Arn":"`+function+`"}]}`)
	b.clock.Set(noon.Add(48 * time.Hour))
	if m := b.next(); m.arn != function {
		t.Errorf("a rule that is off fired: %+v", m)
	}
}

func TestInputs(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct{ target, want string }{
		{`"Input":"{\"a\":1}"`, `{"a":1}`},
		{`"InputPath":"$.detail.lines[1].sku"`, `"b"`},
		{`"InputPath":"$.detail.none"`, `null`},
		{`"InputTransformer":{"InputPathsMap":{"who":"$.detail.who","lines":"$.detail.lines","n":"$.detail.n"},"InputTemplate":"\"<who> has <lines> and <n>\""}`,
			`"a \"b\" has [{\"sku\":\"a\"},{\"sku\":\"b\"}] and 1.50"`},
		{`"InputTransformer":{"InputPathsMap":{"who":"$.detail.who","n":"$.detail.n"},"InputTemplate":"{\"who\":<who>,\"n\":<n>,\"rule\":<aws.events.rule-name>,\"x\":\"<other>\"}"}`,
			`{"who":"a \"b\"","n":1.50,"rule":"app-R-TOKEN","x":"<other>"}`},
	} {
		b.rule("R", `{"EventPattern":{"source":["shop"]},"Targets":[{"Id":"1","Arn":"`+function+`",`+c.target+`}]}`)
		b.call("PutEvents", `{"Entries":[{"Source":"shop","DetailType":"t","Detail":"{\"who\":\"a \\\"b\\\"\",\"n\":1.50,\"lines\":[{\"sku\":\"a\"},{\"sku\":\"b\"}]}"}]}`)
		if got := string(b.next().message.Body); got != c.want {
			t.Errorf("%s: %s, want %s", c.target, got, c.want)
		}
		if err := b.Registrations()["AWS::Events::Rule"].Provider.Delete(context.Background(), stack.Request{PhysicalID: "app-R-TOKEN"}); err != nil {
			t.Fatal(err)
		}
	}
}

// Rules pass events from bus to bus; Lambda's destinations and schedules make
// events of their own.
func TestBusAsTarget(t *testing.T) {
	b := newBench(t)
	if _, err := b.make("AWS::Events::EventBus", "Orders", `{"Name":"orders"}`); err != nil {
		t.Fatal(err)
	}
	const orders = "arn:aws:events:us-west-2:123456789012:event-bus/orders"
	b.rule("Pass", `{"EventPattern":{"source":["shop"]},"Targets":[{"Id":"1","Arn":"`+orders+`"}]}`)
	b.rule("All", `{"EventBusName":"`+orders+`","EventPattern":{"account":["123456789012"]},"Targets":[{"Id":"1","Arn":"`+function+`"}]}`)
	b.call("PutEvents", `{"Entries":[{"Source":"shop","DetailType":"t","Detail":"{}"}]}`)
	if m := b.next(); !strings.Contains(string(m.message.Body), `"source":"shop"`) {
		t.Errorf("came %s", m.message.Body)
	}
	for _, c := range []struct {
		message invoke.Message
		want    string
	}{
		{invoke.Message{Principal: "lambda.amazonaws.com", Body: []byte(`{"requestContext":{"condition":"RetriesExhausted","functionArn":"` + function + `:$LATEST"}}`)}, `"detail-type":"Lambda Function Invocation Result - Failure","source":"lambda"`},
		{invoke.Message{Principal: "lambda.amazonaws.com", Body: []byte(`{"requestContext":{"condition":"Success"}}`)}, `"detail-type":"Lambda Function Invocation Result - Success","source":"lambda"`},
		{invoke.Message{Principal: "scheduler.amazonaws.com", Body: []byte(`{"x":1}`), Attributes: map[string]invoke.Attribute{"Source": {Value: "mine"}, "DetailType": {Value: "tick"}}}, `"detail-type":"tick","source":"mine"`},
	} {
		if err := b.Receive(context.Background(), orders, c.message); err != nil {
			t.Fatal(err)
		}
		if m := b.next(); !strings.Contains(string(m.message.Body), c.want) || !strings.Contains(string(m.message.Body), `"detail":`+string(c.message.Body)) {
			t.Errorf("came %s, want %s", m.message.Body, c.want)
		}
	}
}

func TestDeadLetters(t *testing.T) {
	b := newBench(t)
	b.send = func(arn string) error {
		if arn == function {
			return fmt.Errorf("function fn: %w", invoke.ErrForbidden)
		}
		return nil
	}
	b.rule("Kept", `{"EventPattern":{"source":["kept"]},"Targets":[{"Id":"1","Arn":"`+function+`","DeadLetterConfig":{"Arn":"`+queue+`"}}]}`)
	b.rule("Lost", `{"EventPattern":{"source":["lost"]},"Targets":[{"Id":"1","Arn":"`+function+`"}]}`)
	b.call("PutEvents", `{"Entries":[{"Source":"kept","DetailType":"t","Detail":"{}"}]}`)
	if m := b.next(); m.arn != queue || m.message.Attributes["ERROR_CODE"].Value != "NO_PERMISSIONS" || m.message.Attributes["TARGET_ARN"].Value != function {
		t.Errorf("came %+v", m)
	}
	b.hear("which is kept in " + queue)
	b.call("PutEvents", `{"Entries":[{"Source":"lost","DetailType":"t","Detail":"{}"}]}`)
	b.hear("which is lost: the target has no dead-letter queue")
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct{ properties, said string }{
		{`{}`, "needs EventPattern or ScheduleExpression"},
		{`{"EventPattern":{"source":"shop"}}`, "must be an object or a list"},
		{`{"ScheduleExpression":"rate(1 minutes)"}`, "after 1"},
		{`{"ScheduleExpression":"rate(5 minute)"}`, "after 1"},
		{`{"ScheduleExpression":"at(2026-10-24T14:00:00)"}`, "no at(…)"},
		{`{"ScheduleExpression":"rate(1 day)","EventBusName":"orders"}`, "only rules of the default event bus"},
		{`{"EventPattern":{"source":["x"]},"EventBusName":"none"}`, "does not exist"},
		{`{"EventPattern":{"source":["x"]},"State":"ON"}`, "State"},
		{`{"EventPattern":{"source":["x"]},"Targets":[{"Id":"1","Arn":"fn"}]}`, "is not an ARN"},
		{`{"EventPattern":{"source":["x"]},"Targets":[{"Id":"1","Arn":"` + function + `"},{"Id":"1","Arn":"` + queue + `"}]}`, "another target's"},
		{`{"EventPattern":{"source":["x"]},"Targets":[{"Id":"1","Arn":"` + function + `","Input":"{}","InputPath":"$"}]}`, "only one of"},
		{`{"EventPattern":{"source":["x"]},"Targets":[{"Id":"1","Arn":"` + function + `","Retry":{}}]}`, "not known"},
	} {
		if _, err := newBench(t).make("AWS::Events::Rule", "R", c.properties); err == nil || !strings.Contains(err.Error(), c.said) {
			t.Errorf("%s: %v, want %q", c.properties, err, c.said)
		}
	}
	made, err := newBench(t).make("AWS::Events::Rule", "R", `{"EventPattern":{"source":["x"]},"Targets":[{"Id":"1","Arn":"arn:aws:ecs:us-west-2:123456789012:cluster/c","EcsParameters":{}}]}`)
	if err != nil || !strings.HasPrefix(made.Note, "recorded only: ") {
		t.Errorf("made %+v, %v", made, err)
	}
}

// What clients make outlives the process; a bus with rules is not deleted.
func TestClientsRules(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events")
	open := func() (*bench, *journal.Log) {
		log, err := journal.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		b := newBench(t)
		if err := b.Restore(log); err != nil {
			t.Fatal(err)
		}
		return b, log
	}
	b, log := open()
	b.call("CreateEventBus", `{"Name":"orders"}`)
	b.call("PutRule", `{"Name":"paid","EventBusName":"orders","EventPattern":"{\"source\":[\"shop\"]}"}`)
	b.call("PutTargets", `{"Rule":"paid","EventBusName":"orders","Targets":[{"Id":"1","Arn":"`+queue+`"},{"Id":"2","Arn":"`+function+`"}]}`)
	b.call("RemoveTargets", `{"Rule":"paid","EventBusName":"orders","Ids":["1"]}`)
	b.Close(context.Background())
	log.Close()

	b, log = open()
	defer log.Close()
	if out := b.call("DescribeRule", `{"Name":"paid","EventBusName":"orders"}`); out["EventPattern"] != `{"source":["shop"]}` {
		t.Errorf("rule %v", out)
	}
	b.call("PutEvents", `{"Entries":[{"EventBusName":"orders","Source":"shop","DetailType":"t","Detail":"{}"}]}`)
	if m := b.next(); m.arn != function {
		t.Errorf("came %+v", m)
	}
	_, err := b.Handle(context.Background(), "DeleteEventBus", []byte(`{"Name":"orders"}`))
	if api := (*stack.Error)(nil); !errors.As(err, &api) || api.Code != "ValidationException" {
		t.Errorf("deleted with its rules: %v", err)
	}
	b.call("RemoveTargets", `{"Rule":"paid","EventBusName":"orders","Ids":["2"]}`)
	b.call("DeleteRule", `{"Name":"paid","EventBusName":"orders"}`)
	b.call("DeleteEventBus", `{"Name":"orders"}`)
	if out := b.call("ListEventBuses", `{}`); len(out["EventBuses"].([]any)) != 1 {
		t.Errorf("buses %v", out)
	}
}
