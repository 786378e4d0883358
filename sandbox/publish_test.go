package sandbox

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"arc/sandbox/activity"
	"arc/sandbox/sns"
	"arc/sandbox/sqs"
	"arc/sandbox/ssm"
)

// What the library posts goes to the queue of the one stack that has it, with
// the group and the delay that were asked for; everything else is refused with
// the reason.
func TestPublished(t *testing.T) {
	c := &Cloud{tell: activity.Tell(nil).Or(), parameters: ssm.New(Account, "us-west-2"), queues: sqs.New(sqs.Options{Account: Account, Region: "us-west-2"})}
	topics := sns.New(sns.Options{Account: Account, Region: "us-west-2", Send: c.send})
	c.all = []Service{c.queues, topics}
	t.Cleanup(func() {
		topics.Close(context.Background())
		c.queues.Close(context.Background())
	})
	for _, queue := range []string{`{"QueueName":"jobs"}`, `{"QueueName":"orders.fifo","Attributes":{"FifoQueue":"true","ContentBasedDeduplication":"true"}}`} {
		if _, err := c.queues.Handle(t.Context(), "CreateQueue", []byte(queue)); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range map[string]string{
		"/AStaging/queues/jobs": "http://localhost:2222/000000000000/jobs", "/AStaging/queues/orders": "http://localhost:2222/000000000000/orders.fifo",
		"/AStaging/queues/both": "x", "/AProduction/queues/both": "y", "/AStaging/events/gone": "arn:aws:sns:us-west-2:000000000000:gone",
		"/AStaging/deeper/queues/jobs": "z",
	} {
		if _, err := c.parameters.Put(ssm.Parameter{Name: name, Type: "String", Value: value}, false); err != nil {
			t.Fatal(err)
		}
	}
	for _, call := range []struct {
		method, kind, body string
		status             int
		want               string
	}{
		{"POST", "queues", `{"name":"jobs","payload":{"n":1}}`, 200, "ok"},
		{"POST", "queues", `{"name":"orders","payload":{"n":2}}`, 200, "ok"},
		{"POST", "queues", `{"name":"orders","payload":{"n":3},"groupID":"mine"}`, 200, "ok"},
		{"POST", "queues", `{"name":"orders","payload":{"n":4},"delaySeconds":9}`, 400, "DelaySeconds is invalid"},
		{"POST", "queues", `{"name":"none","payload":{}}`, 404, "none queue not found"},
		{"POST", "events", `{"name":"jobs","payload":{}}`, 404, "jobs event not found"},
		{"POST", "events", `{"name":"gone","payload":{}}`, 400, "does not exist"},
		{"POST", "queues", `{"name":"both","payload":{}}`, 400, "AProduction, AStaging all have both under @queues, and what is posted here does not say which: start arc sandbox"},
		{"POST", "queues", `{`, 400, "must be JSON"},
		{"GET", "queues", ``, 405, "by POST"},
	} {
		w := httptest.NewRecorder()
		c.published(call.kind).ServeHTTP(w, httptest.NewRequest(call.method, "/"+call.kind, strings.NewReader(call.body)))
		if w.Code != call.status || !strings.Contains(w.Body.String(), call.want) {
			t.Errorf("%s %s: %d %s, want %d %s", call.kind, call.body, w.Code, w.Body, call.status, call.want)
		}
	}
	// That of the app that arc sandbox runs is meant where there is one.
	c.live.set(App{StackName: "AProduction"})
	if found, err := c.discover("queues", "both"); err != nil || found != "y" {
		t.Errorf("beside the live app's: %q %v", found, err)
	}
	for queue, want := range map[string]string{"jobs": `{"n":1} `, "orders.fifo": `{"n":2} orders,{"n":3} mine`} {
		got, err := c.queues.Take(t.Context(), queueARN+queue, 10, 0)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, m := range got {
			all = append(all, m.Body+" "+m.System["MessageGroupId"])
		}
		if strings.Join(all, ",") != want {
			t.Errorf("%s: %s, want %s", queue, strings.Join(all, ","), want)
		}
	}
}
