package states_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"arc/sandbox/invoke"
	"arc/sandbox/stack"
	"arc/sandbox/states"
)

const functions = "arn:aws:lambda:us-west-2:123456789012:function:"

// sent is a task that waits for its token, which it hands to a queue.
const sent = `{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{"QueueUrl":"q","MessageBody":{"token.$":"$$.Task.Token"}}%s,"End":true}`

// one is a machine of one state, named T.
func one(state string) string { return `{"StartAt":"T","States":{"T":` + state + `}}` }

// token is what an execution has handed out.
func (b *bench) token(x string) string {
	b.t.Helper()
	b.waits(x, "TaskSubmitted")
	_, rest, ok := strings.Cut(b.history(x), `"token\\\":\\\"`)
	token, _, _ := strings.Cut(rest, `\`)
	if !ok || len(token) < 64 {
		b.t.Fatalf("no token:\n%s", b.history(x))
	}
	return token
}

// A token's answer is the task's result; a failure is its failure, and neither is taken
// twice.
func TestTokens(t *testing.T) {
	b := newBench(t, "", nil)
	m := b.machine("m", one(fmt.Sprintf(sent, "")))
	for _, c := range []struct {
		operation, status, want string
		in                      map[string]any
	}{
		{"SendTaskSuccess", "SUCCEEDED", `"output":"{\"a\":1}"`, map[string]any{"output": `{"a": 1}`}},
		{"SendTaskFailure", "FAILED", `"error":"Mine"`, map[string]any{"error": "Mine", "cause": "c"}},
		{"SendTaskFailure", "FAILED", `"status":"FAILED"`, nil},
	} {
		x := b.start(m, "", "{}")
		in := map[string]any{"taskToken": b.token(x)}
		for name, value := range c.in {
			in[name] = value
		}
		b.must("SendTaskHeartbeat", map[string]any{"taskToken": in["taskToken"]})
		if _, err := b.api("SendTaskSuccess", map[string]any{"taskToken": in["taskToken"], "output": "{"}); err == nil || !strings.HasPrefix(err.Error(), "InvalidOutput: ") {
			t.Errorf("no JSON: %v", err)
		}
		b.must(c.operation, in)
		text, _ := json.Marshal(b.until(x, c.status))
		if !strings.Contains(string(text), c.want) {
			t.Errorf("%s: %s", c.operation, text)
		}
		if _, err := b.api(c.operation, in); err == nil || err.(*stack.Error).Code != "TaskTimedOut" && err.(*stack.Error).Code != "InvalidOutput" {
			t.Errorf("%s again: %v", c.operation, err)
		}
	}
	if _, err := b.api("SendTaskHeartbeat", map[string]any{"taskToken": "mine"}); err == nil || err.(*stack.Error).Code != "InvalidToken" {
		t.Errorf("no token: %v", err)
	}
}

// Tasks, their heartbeats and whole executions end when they take too long.
// https://docs.aws.amazon.com/step-functions/latest/dg/sfn-stuck-execution.html
func TestTimeouts(t *testing.T) {
	held := `{"Type":"Task","Resource":"` + functions + `held","TimeoutSeconds":30,"Catch":[{"ErrorEquals":["States.Timeout"],"Next":"Late"}],"End":true}`
	for _, c := range []struct{ name, machine, begun, status, event string }{
		{"task", `{"StartAt":"T","States":{"T":` + held + `,"Late":{"Type":"Pass","End":true}}}`, "LambdaFunctionStarted", "SUCCEEDED", "LambdaFunctionTimedOut"},
		{"computed", `{"QueryLanguage":"JSONata","StartAt":"T","States":{"T":{"Type":"Task","Resource":"` + functions + `held","TimeoutSeconds":"{% 10 * 3 %}","End":true}}}`, "LambdaFunctionStarted", "FAILED", "LambdaFunctionTimedOut"},
		{"token", one(fmt.Sprintf(sent, `,"TimeoutSeconds":30`)), "TaskSubmitted", "FAILED", "TaskTimedOut"},
		{"heartbeat", one(fmt.Sprintf(sent, `,"HeartbeatSeconds":30`)), "TaskSubmitted", "FAILED", "TaskTimedOut"},
		{"execution", `{"TimeoutSeconds":30,"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":60,"End":true}}}`, "WaitStateEntered", "TIMED_OUT", "ExecutionTimedOut"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, "", nil)
			x := b.start(b.machine("m", c.machine), "", "{}")
			b.waits(x, c.begun)
			b.clock.Set(noon.Add(29 * time.Second))
			if is := b.must("DescribeExecution", map[string]any{"executionArn": x}); is["status"] != "RUNNING" {
				t.Errorf("is %v after 29 seconds", is)
			}
			b.clock.Set(noon.Add(30 * time.Second))
			is := b.until(x, c.status)
			if history := b.history(x); !strings.Contains(history, " "+c.event+" {\"error\":\"States.Timeout\"") {
				t.Errorf("is %v:\n%s", is, history)
			}
		})
	}
}

// A heartbeat lets a task go on.
func TestHeartbeat(t *testing.T) {
	b := newBench(t, "", nil)
	x := b.start(b.machine("m", one(fmt.Sprintf(sent, `,"HeartbeatSeconds":30`))), "", "{}")
	token := b.token(x)
	b.clock.Set(noon.Add(20 * time.Second))
	b.clock.Now()
	b.must("SendTaskHeartbeat", map[string]any{"taskToken": token})
	b.clock.Set(noon.Add(40 * time.Second))
	b.must("SendTaskSuccess", map[string]any{"taskToken": token, "output": "1"})
	b.until(x, "SUCCEEDED")
}

// A wait ends when its time has come, by the service's clock.
func TestWait(t *testing.T) {
	b := newBench(t, "", nil)
	x := b.start(b.machine("m", `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":3600,"End":true}}}`), "", "{}")
	b.waits(x, "WaitStateEntered")
	b.clock.Set(noon.Add(59 * time.Minute))
	if is := b.must("DescribeExecution", map[string]any{"executionArn": x}); is["status"] != "RUNNING" {
		t.Errorf("is %v", is)
	}
	b.clock.Set(noon.Add(time.Hour))
	b.until(x, "SUCCEEDED")
}

// StopExecution ends what is under way, branches too.
func TestStop(t *testing.T) {
	b := newBench(t, "", nil)
	branch := `{"StartAt":"H","States":{"H":{"Type":"Task","Resource":"` + functions + `held","End":true}}}`
	x := b.start(b.machine("m", `{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[`+branch+`,`+branch+`],"End":true}}}`), "", "{}")
	<-b.began
	<-b.began
	b.must("StopExecution", map[string]any{"executionArn": x, "error": "Enough", "cause": "it is late"})
	is := b.until(x, "ABORTED")
	if is["error"] != "Enough" || is["cause"] != "it is late" || is["stopDate"] == nil {
		t.Errorf("is %v", is)
	}
	if history := b.history(x); !strings.Contains(history, `0 ExecutionAborted {"cause":"it is late","error":"Enough"}`) {
		t.Errorf("history\n%s", history)
	}
	b.must("StopExecution", map[string]any{"executionArn": x}) // as often as it is asked for
}

// A name stands for one execution.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
func TestNames(t *testing.T) {
	b := newBench(t, "", nil)
	m := b.machine("m", one(`{"Type":"Task","Resource":"`+functions+`held","End":true}`))
	x := b.start(m, "x", `{"a":1}`)
	if again := b.start(m, "x", `{"a":1}`); again != x {
		t.Errorf("the same one is %s and %s", x, again)
	}
	start := func(machine, name, input string) string {
		_, err := b.api("StartExecution", map[string]any{"stateMachineArn": machine, "name": name, "input": input})
		if err == nil {
			return ""
		}
		return err.Error()
	}
	for _, c := range []struct{ machine, name, input, want string }{
		{m, "x", `{"a":2}`, "ExecutionAlreadyExists: Execution Already Exists: '" + x + "'"},
		{m, "a b", `{}`, "InvalidName: Invalid Name: 'a b'"},
		{m, "y", `{`, "InvalidExecutionInput: Invalid State Machine Execution Input: "},
		{m, "y", `"` + strings.Repeat("x", 256<<10) + `"`, "ValidationException: "},
		{m + "2", "y", `{}`, "StateMachineDoesNotExist: State Machine Does Not Exist: '" + m + "2'"},
		{"m", "y", `{}`, "InvalidArn: Invalid Arn: 'Invalid ARN prefix: m'"},
	} {
		if got := start(c.machine, c.name, c.input); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %.200s, want %s", c.name, got, c.want)
		}
	}
	close(b.release)
	b.until(x, "SUCCEEDED")
	if got := start(m, "x", `{"a":1}`); !strings.HasPrefix(got, "ExecutionAlreadyExists") {
		t.Errorf("after its end: %s", got)
	}
	y := b.start(m, "y", "")
	b.until(y, "SUCCEEDED")
	list := func(in map[string]any) (names []any) {
		in["stateMachineArn"] = m
		for _, e := range b.must("ListExecutions", in)["executions"].([]any) {
			names = append(names, e.(map[string]any)["name"])
		}
		return names
	}
	if got := fmt.Sprint(list(map[string]any{}), list(map[string]any{"statusFilter": "FAILED"}), list(map[string]any{"maxResults": 1})); got != "[y x] [] [y]" {
		t.Errorf("executions %s", got)
	}
}

// EXPRESS machines answer at once, and are told of no more.
func TestExpress(t *testing.T) {
	b := newBench(t, "", nil)
	made := func(name, kind string) any {
		return b.must("CreateStateMachine", map[string]any{"name": name, "type": kind, "roleArn": role, "definition": one(`{"Type":"Task","Resource":"` + functions + `flaky","End":true}`)})["stateMachineArn"]
	}
	m, standard := made("m", "EXPRESS"), made("s", "STANDARD")
	out := b.must("StartSyncExecution", map[string]any{"stateMachineArn": m, "input": "{}"})
	if out["status"] != "FAILED" || out["error"] != "Flaky" || out["billingDetails"] == nil {
		t.Errorf("first %v", out)
	}
	b.must("StartSyncExecution", map[string]any{"stateMachineArn": m, "input": "{}"})
	out = b.must("StartSyncExecution", map[string]any{"stateMachineArn": m, "input": "{}"})
	if out["status"] != "SUCCEEDED" || out["output"] != `{"tries":3}` {
		t.Errorf("third %v", out)
	}
	for operation, c := range map[string][2]any{
		"DescribeExecution": {"executionArn", out["executionArn"]}, "GetExecutionHistory": {"executionArn", out["executionArn"]},
		"ListExecutions": {"stateMachineArn", m}, "StartSyncExecution": {"stateMachineArn", standard},
	} {
		_, err := b.api(operation, map[string]any{c[0].(string): c[1]})
		if err == nil || !strings.Contains(err.Error(), "not valid in this context: express") && !strings.Contains(err.Error(), "not supported by this type") {
			t.Errorf("%s: %v", operation, err)
		}
	}
}

// A machine waits for the execution that it starts.
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
func TestChildren(t *testing.T) {
	b := newBench(t, "", nil)
	child := b.machine("child", one(`{"Type":"Task","Resource":"`+functions+`echo","End":true}`))
	broken := b.machine("broken", one(`{"Type":"Fail","Error":"Mine","Cause":"c"}`))
	parent := func(name, of, pattern, path string) string {
		return b.machine(name, one(`{"Type":"Task","Resource":"arn:aws:states:::states:startExecution`+pattern+`","Parameters":{"StateMachineArn":"`+of+`","Input":{"n.$":"$.n"}},"OutputPath":"`+path+`","End":true}`))
	}
	for _, c := range []struct{ name, of, pattern, path, status, want string }{
		{"asynchronous", child, "", "$.ExecutionArn", "SUCCEEDED", `"arn:aws:states:us-west-2:123456789012:execution:child:`},
		{"sync", child, ".sync", "$.Output", "SUCCEEDED", `"{\"n\":1}"`},
		{"sync2", child, ".sync:2", "$.Output", "SUCCEEDED", `{"n":1}`},
		{"fails", broken, ".sync:2", "$", "FAILED", ""},
		{"nobody", child + "x", ".sync:2", "$", "FAILED", ""},
	} {
		x := b.start(parent(c.name, c.of, c.pattern, c.path), "", `{"n":1}`)
		is := b.until(x, c.status)
		if output, _ := is["output"].(string); !strings.HasPrefix(output, c.want) {
			t.Errorf("%s: %s", c.name, output)
		}
		switch c.name {
		case "fails":
			if cause, _ := is["cause"].(string); is["error"] != "States.TaskFailed" || !strings.Contains(cause, `"Error":"Mine"`) {
				t.Errorf("%s: %v", c.name, is)
			}
		case "nobody":
			if is["error"] != "StepFunctions.StateMachineDoesNotExistException" {
				t.Errorf("%s: %v", c.name, is)
			}
		}
	}
}

// What a machine's role may not do, its executions do not.
func TestRights(t *testing.T) {
	b := newBench(t, "", func(o *states.Options) {
		o.Permit = func(_ context.Context, e invoke.Errand) error {
			if e.Role == role && e.Action == "lambda:InvokeFunction" && strings.HasSuffix(e.Resource, ":throws") || strings.HasSuffix(e.Role, "untrusting") {
				return fmt.Errorf("User: %s is not authorized to perform: %s on resource: %s", e.Session, e.Action, e.Resource)
			}
			return nil
		}
	})
	x := b.start(b.machine("m", one(`{"Type":"Task","Resource":"`+functions+`throws","End":true}`)), "x", "{}")
	if is := b.until(x, "FAILED"); is["error"] != "Lambda.AWSLambdaException" || !strings.Contains(is["cause"].(string), "lambda:InvokeFunction on resource: "+functions+"throws (Service: AWSLambda; Status Code: 403; Error Code: AccessDeniedException;") {
		t.Errorf("is %v", is)
	}
	_, err := b.api("CreateStateMachine", map[string]any{"name": "n", "definition": one(`{"Type":"Succeed"}`), "roleArn": role + "untrusting"})
	if err == nil || err.Error() != "AccessDeniedException: Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role." {
		t.Errorf("made: %v", err)
	}
}

// A history holds 25,000 events, and no more.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
func TestFullHistory(t *testing.T) {
	b := newBench(t, "", nil)
	x := b.start(b.machine("m", `{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$.end","IsPresent":true,"Next":"B"}],"Default":"A"},"B":{"Type":"Succeed"}}}`), "x", "{}")
	if is := b.until(x, "FAILED"); !strings.Contains(is["cause"].(string), "maximum number of history events (25000)") {
		t.Errorf("is %v", is)
	}
	last := b.must("GetExecutionHistory", map[string]any{"executionArn": x, "reverseOrder": true, "maxResults": 2})["events"].([]any)
	if e := last[0].(map[string]any); e["id"] != 25000.0 || e["type"] != "ExecutionFailed" {
		t.Errorf("the last event is %v", e)
	}
}

// Executions that have ended are kept up to a number.
func TestForgets(t *testing.T) {
	b := newBench(t, filepath.Join(t.TempDir(), "states.log"), nil)
	m := b.machine("m", one(`{"Type":"Succeed"}`))
	first := b.start(m, "", "{}")
	b.until(first, "SUCCEEDED")
	for range 1000 {
		b.until(b.start(m, "", "{}"), "SUCCEEDED")
	}
	for range 2000 {
		if _, err := b.api("DescribeExecution", map[string]any{"executionArn": first}); err != nil {
			b.mu.Lock()
			defer b.mu.Unlock()
			if said := strings.Join(b.said, "\n"); strings.Count(said, "the oldest executions of state machines are forgotten: 1000 that have ended") != 1 {
				t.Error("it is not said once")
			}
			for key := range b.log.All() {
				if strings.HasPrefix(key, "x/"+first) {
					t.Errorf("%s is left", key)
				}
			}
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("the first one is kept")
}

// Who waits for an execution stops it when it is stopped itself.
func TestStopsChildren(t *testing.T) {
	b := newBench(t, "", nil)
	child := b.machine("child", one(`{"Type":"Task","Resource":"`+functions+`held","End":true}`))
	x := b.start(b.machine("parent", one(`{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync","Parameters":{"StateMachineArn":"`+child+`","Name":"it"},"End":true}`)), "", "{}")
	<-b.began
	b.waits(x, "TaskSubmitted")
	b.must("StopExecution", map[string]any{"executionArn": x})
	b.until("arn:aws:states:us-west-2:123456789012:execution:child:it", "ABORTED")
}

// A task of an activity ends when no worker takes it in time, or tells nothing of it; a
// worker that gets none in a minute is told so.
func TestActivities(t *testing.T) {
	b := newBench(t, "", nil)
	work := b.must("CreateActivity", map[string]any{"name": "work"})["activityArn"].(string)
	m := b.machine("m", one(`{"Type":"Task","Resource":"`+work+`","TimeoutSeconds":300,"HeartbeatSeconds":30,"End":true}`))
	x := b.start(m, "", "{}")
	b.waits(x, "ActivityScheduled")
	b.clock.Set(noon.Add(299 * time.Second))
	if is := b.must("DescribeExecution", map[string]any{"executionArn": x}); is["status"] != "RUNNING" {
		t.Errorf("is %v: no worker has it whose heart could beat", is)
	}
	b.clock.Set(noon.Add(300 * time.Second))
	b.until(x, "FAILED")
	if history := b.history(x); !strings.Contains(history, `ActivityTimedOut {"error":"States.Timeout"}`) || strings.Contains(history, "ActivityStarted") {
		t.Errorf("its history is\n%s", history)
	}
	got := make(chan map[string]any)
	ask := func() { got <- b.must("GetActivityTask", map[string]any{"activityArn": work}) }
	go ask()
	y := b.start(m, "", `"y"`)
	task := <-got
	if task["input"] != `"y"` {
		t.Errorf("the task is %v", task)
	}
	b.waits(y, "ActivityStarted")
	b.clock.Set(noon.Add(331 * time.Second))
	b.until(y, "FAILED")
	if _, err := b.api("SendTaskSuccess", map[string]any{"taskToken": task["taskToken"], "output": "1"}); err == nil || !strings.HasPrefix(err.Error(), "TaskTimedOut: ") {
		t.Errorf("its token: %v", err)
	}
	go ask()
	for none := false; !none; {
		select {
		case task := <-got:
			if none = true; task["taskToken"] != nil {
				t.Errorf("the task is %v", task)
			}
		case <-time.After(time.Millisecond):
			b.clock.Set(b.clock.Now().Add(time.Minute))
		}
	}
}
