package states_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"arc/sandbox/invoke"
	"arc/sandbox/stack"
	"arc/sandbox/states"
)

// spread is a machine of one distributed map, whose items a function runs.
func spread(function, kind, more string) string {
	return one(`{"Type":"Map","Label":"L","ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"` + kind + `"},"StartAt":"A","States":{"A":{"Type":"Task","Resource":"` + functions + function + `","End":true}}}` + more + `,"End":true}`)
}

// run is the one map run of an execution.
func (b *bench) run(x string) map[string]any {
	b.t.Helper()
	list := b.must("ListMapRuns", map[string]any{"executionArn": x})["mapRuns"].([]any)
	if len(list) != 1 {
		b.t.Fatalf("map runs: %v", list)
	}
	return b.must("DescribeMapRun", map[string]any{"mapRunArn": list[0].(map[string]any)["mapRunArn"]})
}

// Map runs are listed and described, and so are the executions of their items.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeMapRun.html
func TestMapRuns(t *testing.T) {
	b := newBench(t, "", nil)
	for _, kind := range []string{"STANDARD", "EXPRESS"} {
		m := b.machine(kind, spread("echo", kind, `,"MaxConcurrency":2,"ToleratedFailurePercentage":5,"ItemBatcher":{"MaxItemsPerBatch":2}`))
		x := b.start(m, "x", `[1,2,3]`)
		b.until(x, "SUCCEEDED")
		run := b.run(x)
		text := fmt.Sprintln(run["status"], run["maxConcurrency"], run["toleratedFailureCount"], run["toleratedFailurePercentage"], run["executionArn"] == x, run["stopDate"] != nil)
		if text != "SUCCEEDED 2 0 5 true true\n" {
			t.Errorf("%s: %s of %v", kind, text, run)
		}
		for name, want := range map[string]string{"itemCounts": "3 3 3 0", "executionCounts": "2 2 2 0"} {
			c := run[name].(map[string]any)
			if got := fmt.Sprint(c["total"], c["succeeded"], c["resultsWritten"], c["pending"]); got != want {
				t.Errorf("%s of %s: %s", name, kind, got)
			}
		}
		arn := run["mapRunArn"].(string)
		if !strings.HasPrefix(arn, "arn:aws:states:us-west-2:123456789012:mapRun:"+kind+"/L:") {
			t.Errorf("the map run is %s", arn)
		}
		items := b.must("ListExecutions", map[string]any{"mapRunArn": arn, "statusFilter": "SUCCEEDED"})["executions"].([]any)
		if len(items) != 2 {
			t.Fatalf("%s: items %v", kind, items)
		}
		last := items[0].(map[string]any)
		if last["stateMachineArn"] != m+"/L" || last["mapRunArn"] != arn {
			t.Errorf("%s: an item is %v", kind, last)
		}
		if kind == "EXPRESS" {
			continue // whose executions nobody describes
		}
		is := b.must("DescribeExecution", map[string]any{"executionArn": last["executionArn"]})
		if is["output"] != `{"Items":[3]}` || is["mapRunArn"] != arn {
			t.Errorf("the last item is %v", is)
		}
		of := b.must("DescribeStateMachineForExecution", map[string]any{"executionArn": last["executionArn"]})
		if of["mapRunArn"] != arn || of["label"] != "L" || !strings.HasPrefix(of["definition"].(string), `{"StartAt":"A","States"`) {
			t.Errorf("its machine is %v", of)
		}
		if got := b.must("ListExecutions", map[string]any{"stateMachineArn": m})["executions"].([]any); len(got) != 1 {
			t.Errorf("the machine has the executions %v", got)
		}
		b.must("DeleteStateMachine", map[string]any{"stateMachineArn": m})
		for _, c := range []struct {
			operation, code string
			in              map[string]any
		}{
			{"DescribeMapRun", "ResourceNotFound", map[string]any{"mapRunArn": arn}},
			{"ListExecutions", "ResourceNotFound", map[string]any{"mapRunArn": arn}},
			{"ListExecutions", "ValidationException", map[string]any{"mapRunArn": arn, "stateMachineArn": m}},
			{"ListMapRuns", "ExecutionDoesNotExist", map[string]any{"executionArn": x}},
			{"ListMapRuns", "InvalidArn", map[string]any{"executionArn": "x"}},
			{"DescribeExecution", "ExecutionDoesNotExist", map[string]any{"executionArn": last["executionArn"]}},
		} {
			if _, err := b.api(c.operation, c.in); err == nil || err.(*stack.Error).Code != c.code {
				t.Errorf("%s %v: %v", c.operation, c.in, err)
			}
		}
	}
}

// Only so many items run at a time; with the execution all of them stop.
func TestMapRunStops(t *testing.T) {
	b := newBench(t, "", nil)
	x := b.start(b.machine("m", spread("held", "STANDARD", `,"MaxConcurrency":2`)), "x", `[1,2,3]`)
	<-b.began
	<-b.began
	run := b.run(x)
	if c := run["itemCounts"].(map[string]any); run["status"] != "RUNNING" || fmt.Sprint(c["running"], c["pending"]) != "2 1" {
		t.Errorf("is %v", run)
	}
	b.must("StopExecution", map[string]any{"executionArn": x})
	run = b.run(x)
	if c := run["itemCounts"].(map[string]any); run["status"] != "ABORTED" || fmt.Sprint(c["aborted"], c["running"], c["pending"], c["resultsWritten"]) != "3 0 0 0" {
		t.Errorf("is %v", run)
	}
	items := b.must("ListExecutions", map[string]any{"mapRunArn": run["mapRunArn"], "statusFilter": "ABORTED"})["executions"].([]any)
	if len(items) != 2 || len(b.began) != 0 {
		t.Errorf("%d items were begun, %d more after", len(items), len(b.began))
	}
	if h := b.history(x); !strings.Contains(h, " MapRunAborted ") {
		t.Error(h)
	}
}

// A map run that failed stops what still runs.
func TestMapRunFails(t *testing.T) {
	b := newBench(t, "", nil)
	definition := `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"C","States":{
		"C":{"Type":"Choice","Choices":[{"Variable":"$","NumericEquals":2,"Next":"W"},{"Variable":"$","NumericEquals":3,"Next":"S"}],"Default":"H"},"S":{"Type":"Succeed"},
		"H":{"Type":"Task","Resource":"` + functions + `held","End":true},
		"W":{"Type":"Wait","Seconds":10,"Next":"F"},"F":{"Type":"Fail","Error":"Two"}}},"End":true}}}`
	x := b.start(b.machine("m", definition), "x", `[3,1,2]`)
	<-b.began
	for b.must("DescribeExecution", map[string]any{"executionArn": x})["status"] == "RUNNING" {
		b.clock.Set(b.clock.Now().Add(10e9))
	}
	run := b.run(x)
	if c := run["itemCounts"].(map[string]any); run["status"] != "FAILED" || fmt.Sprint(c["failed"], c["aborted"], c["succeeded"], c["resultsWritten"], c["total"]) != "1 1 1 0 3" {
		t.Errorf("is %v", run)
	}
}

// A map run goes on in the next run of the local cloud: items that have ended are not
// run again, and those that had not go on.
func TestMapRunGoesOn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "states.log")
	definition := `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"C","States":{
		"C":{"Type":"Choice","Choices":[{"Variable":"$","NumericEquals":2,"Next":"H"}],"Default":"E"},
		"E":{"Type":"Task","Resource":"` + functions + `echo","End":true},
		"H":{"Type":"Task","Resource":"` + functions + `held","End":true}}},"MaxConcurrency":1,"End":true}}}`
	b := newBench(t, file, nil)
	x := b.start(b.machine("m", definition), "x", `[1,2,3]`)
	for name := <-b.began; name != "held"; name = <-b.began {
	}
	arn := b.run(x)["mapRunArn"]
	again := b.anew(file)
	again.Resume()
	if name := <-again.began; name != "held" {
		t.Errorf("first %s is called", name)
	}
	again.release <- struct{}{}
	if is := again.until(x, "SUCCEEDED"); is["output"] != "[1,2,3]" {
		t.Errorf("is %v", is)
	}
	run := again.run(x)
	if c := run["itemCounts"].(map[string]any); run["mapRunArn"] != arn || fmt.Sprint(c["succeeded"], c["total"]) != "3 3" {
		t.Errorf("is %v, was %s", run, arn)
	}
	if again.calls["echo"] != 1 || strings.Count(again.history(x), "MapRunStarted") != 1 {
		t.Errorf("%d calls\n%s", again.calls["echo"], again.history(x))
	}
}

// anew is the next run of the local cloud, with what this one has kept in a file.
func (b *bench) anew(file string) *bench {
	b.t.Helper()
	if err := b.Close(context.Background()); err != nil {
		b.t.Fatal(err)
	}
	b.log.Close()
	return newBench(b.t, file, nil)
}

// What has failed before the local cloud was started anew counts as failed, and is not
// run again: nobody has redriven the map run.
func TestMapRunGoesOnAfterFailures(t *testing.T) {
	file := filepath.Join(t.TempDir(), "states.log")
	definition := one(`{"Type":"Map","ToleratedFailureCount":1,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"C","States":{
		"C":{"Type":"Choice","Choices":[{"Variable":"$","NumericEquals":2,"Next":"H"}],"Default":"F"},
		"F":{"Type":"Task","Resource":"` + functions + `throws","End":true},
		"H":{"Type":"Task","Resource":"` + functions + `held","End":true}}},"MaxConcurrency":1,"End":true}`)
	b := newBench(t, file, nil)
	x := b.start(b.machine("m", definition), "x", `[1,2]`)
	for name := <-b.began; name != "held"; name = <-b.began {
	}
	again := b.anew(file)
	again.Resume()
	if name := <-again.began; name != "held" {
		t.Fatalf("first %s is called", name)
	}
	again.release <- struct{}{}
	again.until(x, "SUCCEEDED")
	again.mu.Lock()
	said := strings.Join(again.said, "\n")
	again.mu.Unlock()
	if strings.Count(said, "goes on where an earlier run") != 1 || !strings.Contains(said, "ended, with 1 of its map runs' items") {
		t.Errorf("it says\n%s", said)
	}
	if c := again.run(x)["itemCounts"].(map[string]any); again.calls["throws"] != 0 || fmt.Sprint(c["failed"], c["succeeded"]) != "1 1" {
		t.Errorf("%d calls, %v", again.calls["throws"], c)
	}
}

// A map run of more items than executions are kept of forgets none of them as long as
// it may go on: redriven, it runs again what has failed alone. When its execution is
// forgotten they are, too.
func TestMapRunKeepsItems(t *testing.T) {
	b := newBench(t, filepath.Join(t.TempDir(), "states.log"), nil)
	definition := one(`{"Type":"Map","ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"C","States":{
		"C":{"Type":"Choice","Choices":[{"Variable":"$","NumericEquals":1200,"Next":"F"},{"Variable":"$","NumericEquals":0,"Next":"E"}],"Default":"S"},"S":{"Type":"Succeed"},
		"E":{"Type":"Task","Resource":"` + functions + `echo","End":true},
		"F":{"Type":"Task","Resource":"` + functions + `flaky","End":true}}},"MaxConcurrency":1,"End":true}`)
	var items []string
	for i := range 1201 {
		items = append(items, fmt.Sprint(i))
	}
	x := b.start(b.machine("m", definition), "x", "["+strings.Join(items, ",")+"]")
	b.until(x, "FAILED")
	b.redriven(x, "FAILED")
	b.redriven(x, "SUCCEEDED")
	if b.calls["echo"] != 1 || b.calls["flaky"] != 3 {
		t.Errorf("calls %v", b.calls)
	}
	arn := b.run(x)["mapRunArn"]
	m := b.machine("other", one(`{"Type":"Succeed"}`))
	for range 1000 {
		b.until(b.start(m, "", "{}"), "SUCCEEDED")
	}
	for range 2000 {
		if _, err := b.api("DescribeExecution", map[string]any{"executionArn": x}); err != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if _, err := b.api("ListExecutions", map[string]any{"mapRunArn": arn}); err == nil || err.(*stack.Error).Code != "ResourceNotFound" {
		t.Errorf("the map run: %v", err)
	}
	for key := range b.log.All() {
		if strings.HasPrefix(key, "run/") || strings.HasPrefix(key, "x/") && !strings.Contains(key, ":other:") {
			t.Fatalf("%s is left", key)
		}
	}
}

// Executions of others push out no items of a map run that still runs, and not its
// execution when it ends at last.
func TestMapRunKeepsItemsAsItRuns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "states.log")
	b := newBench(t, file, nil)
	x := b.start(b.machine("m", one(`{"Type":"Map","ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"C","States":{
		"C":{"Type":"Choice","Choices":[{"Variable":"$","NumericEquals":2,"Next":"H"}],"Default":"E"},
		"E":{"Type":"Task","Resource":"`+functions+`echo","End":true},
		"H":{"Type":"Task","Resource":"`+functions+`held","End":true}}},"MaxConcurrency":1,"End":true}`)), "x", `[1,2]`)
	for name := <-b.began; name != "held"; name = <-b.began {
	}
	m := b.machine("other", one(`{"Type":"Succeed"}`))
	for range 1001 {
		b.until(b.start(m, "", "{}"), "SUCCEEDED")
	}
	again := b.anew(file)
	again.clock.Set(noon.Add(time.Second))
	again.Resume()
	again.release <- struct{}{}
	again.until(x, "SUCCEEDED")
	if again.calls["echo"] != 0 {
		t.Errorf("calls %v", again.calls)
	}
}

// The machine's role must let it start executions of its own.
// https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
func TestMapRunRights(t *testing.T) {
	b := newBench(t, "", func(o *states.Options) {
		o.Permit = func(_ context.Context, e invoke.Errand) error {
			if e.Action == "states:StartExecution" && e.Role == role {
				return fmt.Errorf("not authorized to perform: %s on resource: %s", e.Action, e.Resource)
			}
			return nil
		}
	})
	m := b.machine("m", spread("echo", "STANDARD", ""))
	if is := b.until(b.start(m, "x", "[1]"), "FAILED"); is["error"] != "States.Permissions" || is["cause"] != "not authorized to perform: states:StartExecution on resource: "+m {
		t.Errorf("is %v", is)
	}
}
