package states_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"arc/sandbox/stack"
)

// redriven redrives an execution and waits for its status.
func (b *bench) redriven(x, status string) map[string]any {
	b.t.Helper()
	b.must("RedriveExecution", map[string]any{"executionArn": x})
	return b.until(x, status)
}

// An execution goes on from the state that has failed, with its input and its
// variables: what has succeeded is not run again.
// https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
func TestRedrive(t *testing.T) {
	b := newBench(t, "", nil)
	m := b.machine("m", `{"StartAt":"E","States":{
		"E":{"Type":"Task","Resource":"`+functions+`echo","Assign":{"v.$":"$.n"},"Next":"F"},
		"F":{"Type":"Task","Resource":"`+functions+`flaky","Retry":[{"ErrorEquals":["Other"]}],"ResultSelector":{"tries.$":"$.tries","n.$":"$v","redrives.$":"$$.Execution.RedriveCount"},"End":true}}}`)
	x := b.start(m, "x", `{"n":7}`)
	is := b.until(x, "FAILED")
	if is["redriveStatus"] != "REDRIVABLE" || is["redriveCount"] != 0.0 || is["redriveDate"] != nil {
		t.Errorf("is %v", is)
	}
	if is = b.redriven(x, "FAILED"); is["redriveCount"] != 1.0 || is["error"] != "Flaky" || is["redriveDate"] == nil {
		t.Errorf("is %v", is)
	}
	b.clock.Set(noon.Add(14 * 24 * time.Hour))
	if is = b.redriven(x, "SUCCEEDED"); is["output"] != `{"n":7,"redrives":2,"tries":3}` || is["error"] != nil || is["redriveStatusReason"] != "Execution is SUCCEEDED and cannot be redriven" {
		t.Errorf("is %v", is)
	}
	if b.calls["echo"] != 1 || b.calls["flaky"] != 3 {
		t.Errorf("calls %v", b.calls)
	}
	_, history, _ := strings.Cut(b.history(x), " ExecutionFailed ")
	var kinds []string
	for line := range strings.Lines(history) {
		fields := strings.Fields(line)
		kinds = append(kinds, strings.Join(fields[:min(3, len(fields))], " "))
	}
	if got := strings.Join(kinds[1:], ", "); got != "12 11 ExecutionRedriven, 13 12 LambdaFunctionScheduled, 14 13 LambdaFunctionStarted, 15 14 LambdaFunctionFailed, 16 15 ExecutionFailed, 17 16 ExecutionRedriven, 18 17 LambdaFunctionScheduled, 19 18 LambdaFunctionStarted, 20 19 LambdaFunctionSucceeded, 21 20 TaskStateExited, 22 21 ExecutionSucceeded" {
		t.Errorf("goes on with %s\n%s", got, b.history(x))
	}
}

// Of branches, of items and of map runs only what has failed is run again.
func TestRedriveBranches(t *testing.T) {
	flaky := `{"Type":"Task","Resource":"` + functions + `flaky","ResultSelector":{"t.$":"$.tries"},"End":true}`
	echo := `{"Type":"Task","Resource":"` + functions + `echo","End":true}`
	item := `"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$","NumericEquals":2,"Next":"F"}],"Default":"E"},"E":` + echo + `,"F":` + flaky + `}`
	for name, test := range map[string]struct{ state, want, event string }{
		"parallel": {`{"Type":"Parallel","Branches":[{"StartAt":"E","States":{"E":` + echo + `}},{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":1,"Next":"F"},"F":` + flaky + `}}],"End":true}`, `[[1,2,3],{"t":3}]`, "ParallelStateStarted"},
		"map":      {`{"Type":"Map","MaxConcurrency":1,"ItemProcessor":{` + item + `},"End":true}`, `[1,{"t":3},3]`, "MapStateStarted"},
		"map run":  {`{"Type":"Map","MaxConcurrency":1,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},` + item + `},"End":true}`, `[1,{"t":3},3]`, "MapRunStarted"},
		"express":  {`{"Type":"Map","MaxConcurrency":1,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"},` + item + `},"End":true}`, `[1,{"t":3},3]`, "MapRunStarted"},
	} {
		b := newBench(t, "", nil)
		x := b.start(b.machine("m", one(test.state)), "x", "[1,2,3]")
		fails := func() {
			for b.must("DescribeExecution", map[string]any{"executionArn": x})["status"] == "RUNNING" {
				b.clock.Set(b.clock.Now().Add(time.Second))
			}
		}
		fails()
		b.must("RedriveExecution", map[string]any{"executionArn": x})
		fails()
		b.must("RedriveExecution", map[string]any{"executionArn": x})
		if is := b.until(x, "SUCCEEDED"); is["output"] != test.want {
			t.Errorf("%s is %v", name, is)
		}
		want := map[string]int{"parallel": 1}[name]
		if name != "parallel" {
			want = 2 // the first item, and the third one after the second
		}
		if b.calls["echo"] != want || b.calls["flaky"] != 3 || strings.Count(b.history(x), test.event) != 1 {
			t.Errorf("%s: calls %v\n%s", name, b.calls, b.history(x))
		}
		if !strings.HasSuffix(test.event, "RunStarted") {
			continue
		}
		run := b.run(x)
		c := run["itemCounts"].(map[string]any)
		if got := fmt.Sprint(run["status"], run["redriveCount"], c["succeeded"], c["failed"]); got != "SUCCEEDED2 3 0" || strings.Count(b.history(x), "MapRunRedriven") != 2 {
			t.Errorf("%s: %s of %v", name, got, run)
		}
	}
}

// Executions that were stopped, or took too long, are redriven as well, in the next run
// of the local cloud, too.
func TestRedriveInNextRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "states.log")
	b := newBench(t, file, nil)
	held := b.start(b.machine("held", one(`{"Type":"Task","Resource":"`+functions+`held","End":true}`)), "x", `5`)
	<-b.began
	b.must("StopExecution", map[string]any{"executionArn": held})
	late := b.start(b.machine("late", `{"StartAt":"W","TimeoutSeconds":100000,"States":{"W":{"Type":"Wait","Seconds":60000,"Next":"V"},"V":{"Type":"Wait","Seconds":60000,"End":true}}}`), "x", `6`)
	b.waits(late, "WaitStateEntered")
	b.clock.Set(noon.Add(60000 * time.Second))
	b.waits(late, "WaitStateExited")
	for b.must("DescribeExecution", map[string]any{"executionArn": late})["status"] == "RUNNING" {
		b.clock.Set(b.clock.Now().Add(10 * time.Second))
	}
	if is := b.until(late, "TIMED_OUT"); is["redriveStatus"] != "REDRIVABLE" {
		t.Errorf("is %v", is)
	}
	b.log.Close()
	again := newBench(t, file, nil)
	again.clock.Set(b.clock.Now())
	again.Resume()
	close(again.release)
	if is := again.redriven(held, "SUCCEEDED"); is["output"] != "5" {
		t.Errorf("held is %v", is)
	}
	again.must("RedriveExecution", map[string]any{"executionArn": late})
	for again.must("DescribeExecution", map[string]any{"executionArn": late})["status"] == "RUNNING" {
		again.clock.Set(again.clock.Now().Add(10 * time.Second))
	}
	if is := again.until(late, "SUCCEEDED"); is["output"] != "6" || strings.Count(again.history(late), "WaitStateEntered") != 2 {
		t.Errorf("late is %v\n%s", is, again.history(late))
	}
}

// What cannot be redriven is refused, with the reason.
func TestNotRedrivable(t *testing.T) {
	b := newBench(t, "", nil)
	waits := b.start(b.machine("waits", one(`{"Type":"Wait","Seconds":600,"End":true}`)), "x", "{}")
	fails := b.start(b.machine("fails", one(`{"Type":"Fail","Error":"E"}`)), "x", "{}")
	b.until(fails, "FAILED")
	token := map[string]any{"executionArn": fails, "clientToken": "t"}
	first := b.must("RedriveExecution", token)
	b.until(fails, "FAILED")
	b.clock.Set(noon.Add(time.Minute))
	if again := b.must("RedriveExecution", token); again["redriveDate"] != first["redriveDate"] || b.until(fails, "FAILED")["redriveCount"] != 1.0 {
		t.Errorf("with the same token: %v, was %v", again, first)
	}
	spreads := b.start(b.machine("spreads", spread("throws", "STANDARD", "")), "x", "[1]")
	b.until(spreads, "FAILED")
	items := b.must("ListExecutions", map[string]any{"mapRunArn": b.run(spreads)["mapRunArn"]})["executions"].([]any)
	item := items[0].(map[string]any)["executionArn"].(string)
	if is := b.until(item, "FAILED"); is["redriveStatus"] != "REDRIVABLE_BY_MAP_RUN" {
		t.Errorf("an item is %v", is)
	}
	refused := func(x, code, words string) {
		t.Helper()
		_, err := b.api("RedriveExecution", map[string]any{"executionArn": x})
		if err == nil || err.(*stack.Error).Code != code || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", x, err)
		}
	}
	refused(waits, "ExecutionNotRedrivable", "Execution is RUNNING and cannot be redriven")
	refused(item, "ExecutionNotRedrivable", "whose parent is redriven")
	refused(strings.Replace(fails, ":x", ":y", 1), "ExecutionDoesNotExist", "Execution Does Not Exist")
	refused(strings.Replace(fails, ":execution:", ":express:", 1), "InvalidArn", "express")
	b.clock.Set(noon.Add(14*24*time.Hour + time.Hour))
	refused(fails, "ExecutionNotRedrivable", "Execution redrivable period exceeded")
	if is := b.until(fails, "FAILED"); is["redriveStatus"] != "NOT_REDRIVABLE" || is["redriveStatusReason"] != "Execution redrivable period exceeded" {
		t.Errorf("is %v", is)
	}
}
