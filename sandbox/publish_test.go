package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"arc/sandbox/activity"
	"arc/sandbox/lambda"
	"arc/sandbox/sns"
	"arc/sandbox/sqs"
	"arc/sandbox/ssm"
	"arc/sandbox/stack"
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
		c.published(call.kind, "").ServeHTTP(w, httptest.NewRequest(call.method, "/"+call.kind, strings.NewReader(call.body)))
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

// A function's letterbox knows who asks, although nobody signs there, and asks for
// the right that AWS asks for.
func TestLetterbox(t *testing.T) {
	c, err := Start(Options{Project: t.TempDir(), Registry: Registry{Dir: filepath.Join(t.TempDir(), "arc", "local")}, Region: "us-west-2", Path: os.Getenv("PATH"), Tell: activity.Tell(nil).Or()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for name, value := range map[string]string{"/App/queues/jobs": "http://localhost:2222/000000000000/jobs", "/App/events/news": "arn:aws:sns:us-west-2:000000000000:news"} {
		if _, err := c.parameters.Put(ssm.Parameter{Name: name, Type: "String", Value: value}, false); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.queues.Handle(t.Context(), "CreateQueue", []byte(`{"QueueName":"jobs"}`)); err != nil {
		t.Fatal(err)
	}
	function := func(name string, actions ...any) lambda.Function {
		made, err := c.roles.Registrations()["AWS::IAM::Role"].Provider.Create(t.Context(), stack.Request{
			Stack: stack.Ref{Name: "App", Region: "us-west-2", Account: Account}, LogicalID: name, Token: "ABC",
			Properties: map[string]any{
				"AssumeRolePolicyDocument": map[string]any{"Statement": map[string]any{"Effect": "Allow", "Principal": map[string]any{"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}},
				"Policies":                 []any{map[string]any{"PolicyName": "p", "PolicyDocument": map[string]any{"Version": "2012-10-17", "Statement": map[string]any{"Effect": "Allow", "Action": actions, "Resource": "*"}}}},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		return lambda.Function{Name: name, Label: "@http get /" + name, ARN: "arn:aws:lambda:us-west-2:000000000000:function:" + name, Role: made.Attributes["Arn"].(string)}
	}
	may, mayNot := function("may", "sqs:SendMessage"), function("mayNot", "logs:*")
	for _, call := range []struct {
		fn     lambda.Function
		path   string
		body   string
		status int
		want   string
	}{
		{may, "/queues", `{"name":"jobs","payload":{"n":1}}`, 200, "ok"},
		{mayNot, "/queues", `{"name":"jobs","payload":{"n":1}}`, 403, "User: arn:aws:sts::000000000000:assumed-role/App-mayNot-ABC/mayNot is not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:us-west-2:000000000000:jobs because no identity-based policy allows the sqs:SendMessage action"},
		{may, "/events", `{"name":"news","payload":{}}`, 403, "sns:Publish on resource: arn:aws:sns:us-west-2:000000000000:news"},
		{may, "/queues", `{"name":"none","payload":{}}`, 404, "not found"},
		{may, "/other", `{}`, 404, ""},
	} {
		resp, err := http.Post(fmt.Sprintf("http://localhost:%d%s", c.letterbox(call.fn), call.path), "application/json", strings.NewReader(call.body))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != call.status || !strings.Contains(string(text), call.want) {
			t.Errorf("%s %s: %d %s, want %d %s", call.fn.Name, call.path, resp.StatusCode, text, call.status, call.want)
		}
	}
	if c.letterbox(may) == c.letterbox(mayNot) || c.letterbox(may) != c.letterbox(may) {
		t.Error("letterboxes are not one a function")
	}
	var ports struct{ Ports map[string]int }
	if err := json.Unmarshal([]byte(c.environment(may)["ARC_SANDBOX"]), &ports); err != nil || ports.Ports["queues"] != c.letterbox(may) || ports.Ports["tables"] == c.letterbox(may) {
		t.Errorf("the function is told %v, %v", ports, err)
	}
	if box := c.letterbox(lambda.Function{Name: "x", ARN: "x"}); box != 0 {
		t.Errorf("a function without a role has the letterbox %d", box)
	}
}
