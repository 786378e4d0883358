package states_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestTrials tries states alone: what is answered is what LocalStack's tests have
// recorded on AWS, but for the order of members.
// https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html
// https://github.com/localstack/localstack/tree/main/tests/aws/services/stepfunctions/v2/test_state
func TestTrials(t *testing.T) {
	const hello, nested = `{"Value":"HelloWorld"}`, `{"initialData":{"a":"value","b":"other"},"other":1234}`
	with := func(more ...map[string]any) map[string]any {
		out := map[string]any{"roleArn": role, "inspectionLevel": "DEBUG"}
		for _, m := range more {
			for name, v := range m {
				out[name] = v
			}
		}
		return out
	}
	result := func(text string) map[string]any { return map[string]any{"mock": map[string]any{"result": text}} }
	thrown := map[string]any{"mock": map[string]any{"errorOutput": map[string]any{"error": "Mine", "cause": "c"}}}
	const invoke = `{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"echo","Payload.$":"$"},%s"End":true}`
	retry := strings.Replace(invoke, "%s", `"Retry":[{"ErrorEquals":["Mine"],"IntervalSeconds":1,"MaxAttempts":5,"BackoffRate":2.0}],"Catch":[{"ErrorEquals":["Other"],"Next":"A"},{"ErrorEquals":["States.ALL"],"ResultPath":"$.e","Next":"B"}],`, 1)
	const each = `{"Type":"Map","ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"End":true%s}`
	const machine = `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"M"},"M":{"Type":"Map","ItemProcessor":{"StartAt":"Inner","States":{"Inner":{"Type":"Pass","Result":1,"End":true}}},"End":true}}}`
	for _, test := range []struct {
		state, input string
		in           map[string]any
		want         string // the answer, or the error
	}{
		{`{"Type":"Pass","End":true}`, hello, nil, `{"inspectionData":{"afterInputPath":"{\"Value\":\"HelloWorld\"}","afterParameters":"{\"Value\":\"HelloWorld\"}","afterResultPath":"{\"Value\":\"HelloWorld\"}","afterResultSelector":"{\"Value\":\"HelloWorld\"}","input":"{\"Value\":\"HelloWorld\"}"},"output":"{\"Value\":\"HelloWorld\"}","status":"SUCCEEDED"}`},
		{`{"Type":"Pass","End":true}`, hello, map[string]any{"inspectionLevel": "INFO"}, `{"output":"{\"Value\":\"HelloWorld\"}","status":"SUCCEEDED"}`},
		{`{"Type":"Pass","Result":{"k":"v"},"Next":"Next"}`, hello, nil, `{"inspectionData":{"afterResultPath":"{\"k\":\"v\"}","afterResultSelector":"{\"k\":\"v\"}","input":"{\"Value\":\"HelloWorld\"}","result":"{\"k\":\"v\"}"},"nextState":"Next","output":"{\"k\":\"v\"}","status":"SUCCEEDED"}`},
		{`{"Type":"Pass","InputPath":"$.initialData","Parameters":{"s":"some","i.$":"$.a"},"ResultPath":"$.m","End":true}`, nested, nil, `{"inspectionData":{"afterInputPath":"{\"a\":\"value\",\"b\":\"other\"}","afterParameters":"{\"i\":\"value\",\"s\":\"some\"}","afterResultPath":"{\"initialData\":{\"a\":\"value\",\"b\":\"other\"},\"m\":{\"i\":\"value\",\"s\":\"some\"},\"other\":1234}","afterResultSelector":"{\"i\":\"value\",\"s\":\"some\"}","input":"{\"initialData\":{\"a\":\"value\",\"b\":\"other\"},\"other\":1234}"},"output":"{\"initialData\":{\"a\":\"value\",\"b\":\"other\"},\"m\":{\"i\":\"value\",\"s\":\"some\"},\"other\":1234}","status":"SUCCEEDED"}`},
		{`{"Type":"Fail","Error":"SomeFailure","Cause":"why"}`, hello, nil, `{"cause":"why","error":"SomeFailure","inspectionData":{"afterInputPath":"{\"Value\":\"HelloWorld\"}","input":"{\"Value\":\"HelloWorld\"}"},"status":"FAILED"}`},
		{`{"Type":"Succeed"}`, hello, nil, `{"inspectionData":{"afterInputPath":"{\"Value\":\"HelloWorld\"}","input":"{\"Value\":\"HelloWorld\"}"},"output":"{\"Value\":\"HelloWorld\"}","status":"SUCCEEDED"}`},
		{`{"Type":"Choice","Choices":[{"Variable":"$.value","NumericEquals":22,"Next":"It"}],"Default":"Other"}`, `{"value":22}`, nil, `{"inspectionData":{"afterInputPath":"{\"value\":22}","input":"{\"value\":22}"},"nextState":"It","output":"{\"value\":22}","status":"SUCCEEDED"}`},
		{`{"Type":"Task","Resource":"` + functions + `echo","End":true}`, hello, nil, `{"inspectionData":{"afterInputPath":"{\"Value\":\"HelloWorld\"}","afterParameters":"{\"Value\":\"HelloWorld\"}","afterResultPath":"{\"Value\":\"HelloWorld\"}","afterResultSelector":"{\"Value\":\"HelloWorld\"}","input":"{\"Value\":\"HelloWorld\"}","result":"{\"Value\":\"HelloWorld\"}"},"output":"{\"Value\":\"HelloWorld\"}","status":"SUCCEEDED"}`},
		{`{"Type":"Task","Resource":"` + functions + `throws","End":true}`, `{}`, map[string]any{"inspectionLevel": ""}, `{"cause":"{\"errorType\":\"CustomError\",\"errorMessage\":\"it failed\"}","error":"CustomError","status":"FAILED"}`},
		{retry, `{}`, with(thrown, map[string]any{"stateConfiguration": map[string]any{"retrierRetryCount": 4}}), `{"cause":"c","error":"Mine","inspectionData":{"afterInputPath":"{}","afterParameters":"{\"FunctionName\":\"echo\",\"Payload\":{}}","errorDetails":{"retryBackoffIntervalSeconds":16,"retryIndex":0},"input":"{}"},"status":"RETRIABLE"}`},
		{retry, `{}`, with(thrown, map[string]any{"stateConfiguration": map[string]any{"retrierRetryCount": 5}}), `{"cause":"c","error":"Mine","inspectionData":{"afterInputPath":"{}","afterParameters":"{\"FunctionName\":\"echo\",\"Payload\":{}}","errorDetails":{"catchIndex":1},"input":"{}"},"nextState":"B","output":"{\"e\":{\"Cause\":\"c\",\"Error\":\"Mine\"}}","status":"CAUGHT_ERROR"}`},
		{strings.Replace(invoke, "%s", "", 1), `{}`, with(thrown, map[string]any{"roleArn": "", "inspectionLevel": "INFO"}), `{"cause":"c","error":"Mine","status":"FAILED"}`},
		{`{"QueryLanguage":"JSONata","Type":"Task","Resource":"arn:aws:states:::http:invoke","Arguments":{"x":"{% $v + 1 %}"},"Output":"{% $states.result.y %}","Next":"N"}`, `{"cost":10}`, with(result(`{"y":true}`), map[string]any{"variables": `{"v":2}`}), `{"inspectionData":{"afterArguments":"{\"x\":3}","input":"{\"cost\":10}","result":"{\"y\":true}","variables":"{\"v\":2}"},"nextState":"N","output":"true","status":"SUCCEEDED"}`},
		{`{"QueryLanguage":"JSONata","Type":"Pass","Assign":{"w":"{% $v * 2 %}"},"Output":"{% $states.context.State.Name & $string($exists($states.context.Execution.RedriveCount)) %}","End":true}`, `{}`, with(map[string]any{"variables": `{"v":2}`}), `{"inspectionData":{"input":"{}","variables":"{\"v\":2,\"w\":4}"},"output":"\"StateNamefalse\"","status":"SUCCEEDED"}`},
		{strings.Replace(each, "%s", `,"ItemsPath":"$.Values","ToleratedFailureCount":2`, 1), `{"Values":[1,2]}`, with(result(`["a","b"]`)), `{"inspectionData":{"afterInputPath":"{\"Values\":[1,2]}","afterItemsPath":"[1,2]","afterResultPath":"[\"a\",\"b\"]","afterResultSelector":"[\"a\",\"b\"]","input":"{\"Values\":[1,2]}","maxConcurrency":0,"toleratedFailureCount":2},"output":"[\"a\",\"b\"]","status":"SUCCEEDED"}`},
		{strings.Replace(each, "%s", "", 1), `{}`, with(result(`[]`)), `{"cause":"Reference path \"$\" must point to array.","error":"States.Runtime","inspectionData":{"afterInputPath":"{}","input":"{}"},"status":"FAILED"}`},
		{`{"Type":"Parallel","Branches":[{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}],"End":true}`, `{}`, with(result(`["x"]`)), `{"inspectionData":{"afterResultPath":"[\"x\"]","afterResultSelector":"[\"x\"]","input":"{}"},"output":"[\"x\"]","status":"SUCCEEDED"}`},
		{machine, `{}`, with(map[string]any{"stateName": "A", "inspectionLevel": "INFO"}), `{"nextState":"M","output":"{}","status":"SUCCEEDED"}`},
		{machine, `{}`, with(map[string]any{"stateName": "Inner", "inspectionLevel": "INFO"}), `{"output":"1","status":"SUCCEEDED"}`},
		{`{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{"t.$":"$$.Task.Token"},"ResultPath":"$.r","End":true}`, `{}`, with(result(`1`), map[string]any{"context": `{"Task":{"Token":"abcd"}}`}), `{"inspectionData":{"afterInputPath":"{}","afterParameters":"{\"t\":\"abcd\"}","afterResultPath":"{\"r\":1}","afterResultSelector":"1","input":"{}","result":"1"},"output":"{\"r\":1}","status":"SUCCEEDED"}`},

		{machine, `{}`, with(map[string]any{"stateName": "dne"}), "ValidationException: State not found in definition"},
		{strings.Replace(invoke, "%s", "", 1), `{}`, map[string]any{"roleArn": ""}, "ValidationException: RoleArn must be specified when testing a Task state"},
		{`{"Type":"Pass","End":true}`, `{}`, with(result(`1`)), "ValidationException: State type 'Pass' is not supported when a mock is specified"},
		{strings.Replace(each, "%s", "", 1), `[]`, nil, "InvalidDefinition: TestState API does not support Map or Parallel states. Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]"},
		{strings.Replace(invoke, "%s", "", 1), `{}`, with(map[string]any{"mock": map[string]any{"result": "1", "errorOutput": map[string]any{}}}), "ValidationException: A test mock should have only one of the following fields: [result, errorOutput]."},
		{strings.Replace(invoke, "%s", "", 1), `{}`, with(map[string]any{"mock": map[string]any{}}), "ValidationException: A test mock should have one of the following fields: [result, errorOutput]."},
		{strings.Replace(invoke, "%s", "", 1), `{}`, with(result("{"), nil), "ValidationException: Mocked result must be valid JSON"},
		{strings.Replace(invoke, "%s", "", 1), `{}`, with(result("1"), map[string]any{"revealSecrets": true}), "ValidationException: TestState does not support RevealSecrets when a mock is specified."},
		{strings.Replace(each, "%s", "", 1), `[]`, with(result("1")), "ValidationException: Mocked result must be an array."},
		{`{"Type":"Map","ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"b"}},"End":true}`, `[]`, with(result("[]")), "ValidationException: Mocked result must be a JSON object."},
		{`{"Type":"Parallel","Branches":[{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}],"End":true}`, `{}`, with(result("[]")), "ValidationException: Mocked result must contain the same number of items as number of Parallel branches."},
		{`{"Type":"Parallel","Branches":[],"End":true}`, `{}`, with(result("[]")), "InvalidDefinition: Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Value cannot be empty at /States/StateName/Branches'"},
		{`{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{},"End":true}`, `{}`, nil, "InvalidDefinition: TestState needs a mock of activities and of the patterns .sync and .waitForTaskToken"},
		{`{"Type":"Task","Resource":"arn:aws:states:::ecs:runTask","Parameters":{},"End":true}`, `{}`, nil, "InvalidDefinition: Invalid State Machine Definition: 'NOT_EMULATED: the local cloud does not run arn:aws:states:::ecs:runTask;"},
		{strings.Replace(invoke, "%s", "", 1), `{}`, with(result("1"), map[string]any{"context": `{"Pokedex":1}`}), "ValidationException: Invalid Context object provided: Field 'Pokedex' is not allowed"},
		{strings.Replace(invoke, "%s", "", 1), `{}`, with(result("1"), map[string]any{"context": `{"Map":{}}`}), "ValidationException: Invalid Context object provided: 'Map' field is not supported when mocking a Context object"},
		{strings.Replace(invoke, "%s", "", 1), `{}`, with(result("1"), map[string]any{"context": `{"Task":{}}`}), "ValidationException: Invalid Context object provided: Context object contains 'Task' when state is not a Task state with a '.sync' or '.waitForTaskToken' service integration pattern"},
		{strings.Replace(invoke, "%s", "", 1), `{}`, with(result("1"), map[string]any{"stateConfiguration": map[string]any{"mapIterationFailureCount": 1}}), "UnknownOperationException: the local cloud's TestState knows the retrierRetryCount of stateConfiguration, and not mapIterationFailureCount"},
		{`{"Type":"Pass","End":true}`, `{}`, map[string]any{"inspectionLevel": "ALL"}, "ValidationException: 1 validation error detected: Value 'ALL' at 'inspectionLevel'"},
		{`{"Type":"Pass","End":true}`, `{`, nil, "InvalidExecutionInput: "},
		{`{"Type":"Pass","End":true}`, `"` + strings.Repeat("x", 256<<10) + `"`, nil, "ValidationException: 1 validation error detected: Value at 'input' failed"},
		{`{"Type":"Pass","End":true}`, `{}`, map[string]any{"variables": "[]"}, "ValidationException: Variables must be a JSON object"},
		{`{"Type":"Pass","End":true}`, `{}`, map[string]any{"context": "[]"}, "ValidationException: Invalid Context object provided: it must be a JSON object"},
		{`[]`, `{}`, nil, "InvalidDefinition: Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Definition must be a valid JSON object at null'"},
		{`{`, `{}`, nil, "InvalidDefinition: Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION"},
	} {
		b := newBench(t, "", nil)
		out, err := b.api("TestState", with(map[string]any{"definition": test.state, "input": test.input}, test.in))
		if err != nil {
			if !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("%s %v\nis %v\nwant %s", test.state, test.in, err, test.want)
			}
			continue
		}
		if got, _ := json.Marshal(out); string(got) != test.want {
			t.Errorf("%s %v\nis %s\nwant %s", test.state, test.in, got, test.want)
		}
		if list := b.must("ListStateMachines", map[string]any{})["stateMachines"].([]any); len(list) != 0 || len(b.said) != 0 {
			t.Errorf("a test leaves %v, says %v", list, b.said)
		}
	}
}
