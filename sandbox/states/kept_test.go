package states_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What has not ended goes on in the next run, from the last state that was complete;
// what has ended can be described. The first run is killed: it says nothing more.
func TestResume(t *testing.T) {
	file := filepath.Join(t.TempDir(), "states.log")
	b := newBench(t, file, nil)
	echo := func(next string) string {
		return `{"Type":"Task","Resource":"` + functions + `echo","Parameters":{"n.$":"$.n"},"Assign":{"v.$":"$.n"},"Next":"` + next + `"}`
	}
	ended := b.start(b.machine("ended", one(`{"Type":"Pass","Result":1,"End":true}`)), "", "{}")
	b.until(ended, "SUCCEEDED")
	function := b.start(b.machine("function", `{"StartAt":"E","States":{"E":`+echo("H")+`,"H":{"Type":"Task","Resource":"`+functions+`held","Parameters":{"n.$":"$v"},"End":true}}}`), "", `{"n":7}`)
	waiting := b.start(b.machine("waiting", `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":600,"End":true}}}`), "", "{}")
	token := b.start(b.machine("token", one(fmt.Sprintf(sent, ""))), "", "{}")
	item := `{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$","NumericEquals":2,"Next":"H"}],"Default":"E"},"E":{"Type":"Task","Resource":"` + functions + `echo","End":true},"H":{"Type":"Task","Resource":"` + functions + `held","End":true}}}`
	items := b.start(b.machine("items", `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":`+item+`,"End":true}}}`), "", "[1,2,3]")
	answered := b.start(b.machine("answered", one(fmt.Sprintf(sent, ""))), "", "{}")
	b.waits(function, "LambdaFunctionSucceeded")
	b.waits(waiting, "WaitStateEntered")
	secret := b.token(token)
	for range 2000 {
		if strings.Count(b.history(items), "MapIterationSucceeded") == 2 && strings.Contains(b.history(function), `"name":"H"`) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	b.token(answered)
	b.clock.Set(noon.Add(5 * time.Minute))
	before := b.history(items)
	b.log.Close() // nothing of the first run is kept from here on: as if it was killed

	c := newBench(t, file, nil)
	c.clock.Set(noon.Add(9 * time.Minute))
	c.Resume()
	if is := c.must("DescribeExecution", map[string]any{"executionArn": ended}); is["status"] != "SUCCEEDED" || is["output"] != "1" {
		t.Errorf("ended %v", is)
	}
	c.must("SendTaskSuccess", map[string]any{"taskToken": secret, "output": `"thanks"`})
	if is := c.until(token, "SUCCEEDED"); is["output"] != `"thanks"` {
		t.Errorf("token %v", is)
	}
	if strings.Count(c.history(token), "TaskScheduled") != 1 {
		t.Errorf("the message is sent again:\n%s", c.history(token))
	}
	close(c.release)
	if is := c.until(function, "SUCCEEDED"); is["output"] != `{"n":7}` {
		t.Errorf("function %v", is)
	}
	if is := c.until(items, "SUCCEEDED"); is["output"] != "[1,2,3]" {
		t.Errorf("items %v", is)
	}
	if history := c.history(items); !strings.HasPrefix(history, before) || strings.Count(history, "MapIterationStarted") != 3 {
		t.Errorf("items\n%s\nbefore\n%s", history, before)
	}
	c.mu.Lock()
	if c.calls["echo"] != 0 || c.calls["held"] != 2 {
		t.Errorf("called again: %v", c.calls)
	}
	c.mu.Unlock()
	if is := c.must("DescribeExecution", map[string]any{"executionArn": waiting}); is["status"] != "RUNNING" {
		t.Errorf("waiting %v", is)
	}
	c.clock.Set(noon.Add(10 * time.Minute))
	c.until(waiting, "SUCCEEDED")
}

// An answer that was acknowledged is not lost when the process is killed right then.
func TestAnswerIsKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "states.log")
	b := newBench(t, file, nil)
	// What follows the task does not come to an end in the first run.
	task := strings.Replace(fmt.Sprintf(sent, `,"ResultPath":"$.r"`), `"End":true`, `"Next":"H"`, 1)
	x := b.start(b.machine("m", `{"StartAt":"T","States":{"T":`+task+`,"H":{"Type":"Task","Resource":"`+functions+`held","End":true}}}`), "", "{}")
	b.must("SendTaskSuccess", map[string]any{"taskToken": b.token(x), "output": "5"})
	b.log.Close()
	c := newBench(t, file, nil)
	close(c.release)
	c.Resume()
	if is := c.until(x, "SUCCEEDED"); is["output"] != `{"r":5}` {
		t.Errorf("is %v", is)
	}
}

// The cloud's end ends what runs, and says what becomes of it.
func TestClose(t *testing.T) {
	for _, file := range []string{"", filepath.Join(t.TempDir(), "states.log")} {
		b := newBench(t, file, nil)
		x := b.start(b.machine("m", one(`{"Type":"Task","Resource":"`+functions+`held","End":true}`)), "x", "{}")
		<-b.began
		if err := b.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		want := "execution x is given up: the local cloud is stopping"
		if file != "" {
			want = "execution x goes on when the local cloud runs again"
		}
		if said := strings.Join(b.said, "\n"); !strings.Contains(said, want) {
			t.Errorf("said %s", said)
		}
		if is := b.must("DescribeExecution", map[string]any{"executionArn": x}); is["status"] != "RUNNING" {
			t.Errorf("is %v", is)
		}
	}
}

// Versions and aliases that clients made are there in the next run, and the numbers of
// versions go on.
func TestVersionsAreKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "states.log")
	b := newBench(t, file, nil)
	m := b.machine("m", one(`{"Type":"Pass","Result":1,"End":true}`))
	first := b.must("PublishStateMachineVersion", map[string]any{"stateMachineArn": m, "description": "d"})["stateMachineVersionArn"].(string)
	live := b.must("CreateStateMachineAlias", map[string]any{"name": "live", "routingConfiguration": []any{map[string]any{"stateMachineVersionArn": first, "weight": 100}}})["stateMachineAliasArn"].(string)
	b.must("UpdateStateMachine", map[string]any{"stateMachineArn": m, "definition": one(`{"Type":"Pass","Result":2,"End":true}`)})
	b.log.Close()

	c := newBench(t, file, nil)
	if is := c.until(c.start(live, "", "{}"), "SUCCEEDED"); is["output"] != "1" || is["stateMachineVersionArn"] != first || is["stateMachineAliasArn"] != live {
		t.Errorf("by its alias %v", is)
	}
	if is := c.must("DescribeStateMachine", map[string]any{"stateMachineArn": first}); is["description"] != "d" {
		t.Errorf("the version %v", is)
	}
	if second := c.must("PublishStateMachineVersion", map[string]any{"stateMachineArn": m})["stateMachineVersionArn"]; second != m+":2" {
		t.Errorf("the next version is %v", second)
	}
	c.must("DeleteStateMachine", map[string]any{"stateMachineArn": m})
	c.log.Close()

	d := newBench(t, file, nil)
	if _, err := d.api("StartExecution", map[string]any{"stateMachineArn": live}); err == nil || !strings.HasPrefix(err.Error(), "StateMachineDoesNotExist: ") {
		t.Errorf("after its machine: %v", err)
	}
}

// A task of an activity that no worker has taken is there in the next run, and the
// answer of one that a worker has taken is taken then.
func TestActivitiesAreKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "states.log")
	b := newBench(t, file, nil)
	work := b.must("CreateActivity", map[string]any{"name": "work"})["activityArn"].(string)
	m := b.machine("m", one(`{"Type":"Task","Resource":"`+work+`","End":true}`))
	taken := b.start(m, "", `"taken"`)
	b.waits(taken, "ActivityScheduled")
	task := b.must("GetActivityTask", map[string]any{"activityArn": work, "workerName": "ann"})
	waiting := b.start(m, "", `"waiting"`)
	b.waits(waiting, "ActivityScheduled")
	b.log.Close()

	c := newBench(t, file, nil)
	c.Resume()
	c.must("SendTaskSuccess", map[string]any{"taskToken": task["taskToken"], "output": "1"})
	if is := c.until(taken, "SUCCEEDED"); is["output"] != "1" {
		t.Errorf("taken %v", is)
	}
	next := c.must("GetActivityTask", map[string]any{"activityArn": work})
	if next["input"] != `"waiting"` {
		t.Errorf("the next task is %v", next)
	}
	c.must("SendTaskSuccess", map[string]any{"taskToken": next["taskToken"], "output": "2"})
	c.until(waiting, "SUCCEEDED")
	for _, x := range []string{taken, waiting} {
		if history := c.history(x); strings.Count(history, "ActivityScheduled") != 1 || strings.Count(history, "ActivityStarted") != 1 {
			t.Errorf("its history is\n%s", history)
		}
	}
}
