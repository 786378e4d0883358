package states_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"arc/sandbox/stack"
	"arc/sandbox/states"
)

const machineType = "AWS::StepFunctions::StateMachine"

func request(t *testing.T, properties string) stack.Request {
	t.Helper()
	var p map[string]any
	if err := json.Unmarshal([]byte(properties), &p); err != nil {
		t.Fatal(err)
	}
	return stack.Request{Stack: stack.Ref{Name: "app", Region: "us-west-2", Account: "123456789012"}, LogicalID: "Machine", Type: machineType, Properties: p, Token: "TOKEN"}
}

// Stacks make machines from definitions wherever those stand, and change and delete
// them.
func TestStacks(t *testing.T) {
	objects := map[string]string{
		"b/m.json": `{"StartAt":"S","States":{"S":{"Type":"Pass","Result":"${word}","End":true}}}`,
		"b/m.yaml": "StartAt: S\nStates:\n  S: {Type: Pass, Result: '${word}', End: true}\n",
	}
	b := newBench(t, "", func(o *states.Options) {
		o.Object = func(bucket, key string) ([]byte, error) {
			if text, ok := objects[bucket+"/"+key]; ok {
				return []byte(text), nil
			}
			return nil, errors.New("NoSuchKey")
		}
	})
	provider := b.Registrations()[machineType].Provider
	ctx := context.Background()
	for _, c := range []struct{ definition, want string }{
		{`"DefinitionString":"{\"StartAt\":\"S\",\"States\":{\"S\":{\"Type\":\"Pass\",\"Result\":\"${word}\",\"End\":true}}}"`, `"hello"`},
		{`"Definition":{"StartAt":"S","States":{"S":{"Type":"Pass","Result":"${word} ${other}","End":true}}}`, `"hello ${other}"`},
		{`"DefinitionS3Location":{"Bucket":"b","Key":"m.json"}`, `"hello"`},
		{`"DefinitionS3Location":{"Bucket":"b","Key":"m.yaml"}`, `"hello"`},
	} {
		req := request(t, `{"RoleArn":"`+role+`","DefinitionSubstitutions":{"word":"hello"},"Tags":[{"Key":"a","Value":"b"}],"LoggingConfiguration":{"Level":"ALL"},"TracingConfiguration":{"Enabled":true},`+c.definition+`}`)
		made, err := provider.Create(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		const arn = "arn:aws:states:us-west-2:123456789012:stateMachine:app-Machine-TOKEN"
		if made.PhysicalID != arn || made.Attributes["Arn"] != arn || made.Attributes["Name"] != "app-Machine-TOKEN" || made.Attributes["StateMachineRevisionId"] == "" {
			t.Errorf("made %+v", made)
		}
		if !strings.Contains(made.Note, "LoggingConfiguration is recorded only") || !strings.Contains(made.Note, "X-Ray") {
			t.Errorf("note %s", made.Note)
		}
		x := b.start(arn, "x", "{}")
		if is := b.until(x, "SUCCEEDED"); is["output"] != c.want {
			t.Errorf("%s: %v", c.definition, is["output"])
		}
		if tags := fmt.Sprint(b.must("ListTagsForResource", map[string]any{"resourceArn": arn})["tags"]); tags != "[map[key:a value:b]]" {
			t.Errorf("tags %s", tags)
		}
		if _, err := provider.Create(ctx, req); err == nil || !strings.Contains(err.Error(), "State Machine Already Exists: '"+arn+"'") {
			t.Errorf("made twice: %v", err)
		}
		change := request(t, `{"RoleArn":"`+role+`","DefinitionString":"{\"StartAt\":\"S\",\"States\":{\"S\":{\"Type\":\"Pass\",\"Result\":2,\"End\":true}}}"}`)
		change.PhysicalID = arn
		changed, err := provider.Update(ctx, change)
		if err != nil || changed.Attributes["StateMachineRevisionId"] == made.Attributes["StateMachineRevisionId"] {
			t.Errorf("changed %+v, %v", changed, err)
		}
		if is := b.until(b.start(arn, "y", "{}"), "SUCCEEDED"); is["output"] != "2" {
			t.Errorf("changed: %v", is["output"])
		}
		if err := provider.Delete(ctx, change); err != nil {
			t.Fatal(err)
		}
		if _, err := b.api("DescribeExecution", map[string]any{"executionArn": x}); err == nil {
			t.Error("its executions are left")
		}
	}
}

// What is wrong is told before anything is made, as far as it is known then.
func TestLook(t *testing.T) {
	b := newBench(t, "", nil)
	check := b.Registrations()[machineType].Check
	task := func(resource string) string {
		return `"DefinitionString":"{\"StartAt\":\"S\",\"States\":{\"S\":{\"Type\":\"Task\",\"Resource\":\"` + resource + `\",\"End\":true}}}"`
	}
	for _, c := range []struct{ properties, want string }{
		{task("${f}"), ""},
		{task("arn:aws:states:::ecs:runTask"), "NOT_EMULATED"},
		{task("f"), "not a valid resource ARN"},
		{`"DefinitionString":"{\"StartAt\":\"S\",\"States\":{\"S\":{\"Type\":\"Wait\",\"Seconds\":${f},\"End\":true}}}"`, stack.ErrUnknown.Error()},
		{`"DefinitionString":"{"`, "INVALID_JSON_DESCRIPTION"},
		{`"DefinitionS3Location":{"Bucket":"b","Key":"k"}`, stack.ErrUnknown.Error()},
		{`"Definition":{},"DefinitionString":"{}"`, "exactly one of Definition"},
		{`"Other":1`, "property Other: not known"},
		{task("${f}") + `,"StateMachineType":"QUICK"`, "must be STANDARD or EXPRESS"},
		{task("arn:aws:states:::sqs:sendMessage.waitForTaskToken") + `,"StateMachineType":"EXPRESS"`, "does not support '.waitForTaskToken'"},
	} {
		req := request(t, `{"RoleArn":"r",`+c.properties+`}`)
		req.Properties["DefinitionSubstitutions"] = map[string]any{"f": stack.Unknown{}}
		err := check(req.Properties)
		if said := fmt.Sprint(err); (err == nil) != (c.want == "") || !strings.Contains(said, c.want) {
			t.Errorf("%s: %s, want %s", c.properties, said, c.want)
		}
	}
	req := request(t, `{"RoleArn":"r","Definition":{"StartAt":"S","States":{"S":{"Type":"Task","Resource":"x","End":true}}}}`)
	state := req.Properties["Definition"].(map[string]any)["States"].(map[string]any)["S"].(map[string]any)
	state["Resource"] = stack.Unknown{}
	if err := check(req.Properties); err != nil {
		t.Errorf("an unknown resource: %v", err)
	}
	state["Next"] = "T"
	if err := check(req.Properties); err == nil {
		t.Error("Next and End are let through")
	}
}

// Clients make a machine once, and change what they name.
func TestClientsMachines(t *testing.T) {
	b := newBench(t, "", nil)
	arn := b.machine("m", one(`{"Type":"Succeed"}`))
	if again := b.machine("m", one(`{"Type":"Succeed"}`)); again != arn {
		t.Errorf("made twice: %s", again)
	}
	for _, in := range []map[string]any{
		{"name": "m", "definition": one(`{"Type":"Fail"}`), "roleArn": role}, {"name": "m", "definition": one(`{"Type":"Succeed"}`), "roleArn": role + "2"},
		{"name": "m", "definition": one(`{"Type":"Succeed"}`), "roleArn": role, "type": "EXPRESS"},
	} {
		if _, err := b.api("CreateStateMachine", in); err == nil || err.(*stack.Error).Code != "StateMachineAlreadyExists" {
			t.Errorf("%v: %v", in, err)
		}
	}
	if _, err := b.api("UpdateStateMachine", map[string]any{"stateMachineArn": arn}); err == nil || err.(*stack.Error).Code != "MissingRequiredParameter" {
		t.Errorf("nothing is changed: %v", err)
	}
	b.must("UpdateStateMachine", map[string]any{"stateMachineArn": arn, "roleArn": role + "2", "loggingConfiguration": map[string]any{"level": "ALL"}})
	is := b.must("DescribeStateMachine", map[string]any{"stateMachineArn": arn})
	if is["roleArn"] != role+"2" || is["definition"] != one(`{"Type":"Succeed"}`) || fmt.Sprint(is["loggingConfiguration"]) != "map[level:ALL]" {
		t.Errorf("is %v", is)
	}
	for in, code := range map[string]string{`{"name":"a b"}`: "InvalidName", `{"name":"a","type":"QUICK"}`: "ValidationException", `{"name":"a","roleArn":"r"}`: "InvalidArn"} {
		given := map[string]any{"definition": one(`{"Type":"Succeed"}`), "roleArn": role}
		if err := json.Unmarshal([]byte(in), &given); err != nil {
			t.Fatal(err)
		}
		if _, err := b.api("CreateStateMachine", given); err == nil || err.(*stack.Error).Code != code {
			t.Errorf("%s: %v", in, err)
		}
	}
}
