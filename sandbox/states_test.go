package sandbox_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStatesOfBoto3 has boto3 make, run and read state machines.
func TestStatesOfBoto3(t *testing.T) {
	t.Parallel()
	c := newProject(t).start()
	if out := client(t, c, "python3", filepath.Join("testdata", "states.py")); !strings.HasSuffix(out, "ok") {
		t.Error(out)
	}
}

// TestStatesOfAWSCLI has the AWS CLI do what its guide shows.
// https://docs.aws.amazon.com/cli/latest/reference/stepfunctions/
func TestStatesOfAWSCLI(t *testing.T) {
	t.Parallel()
	c := newProject(t).start()
	aws := func(args ...string) string {
		return client(t, c, "aws", append([]string{"stepfunctions", "--output", "text"}, args...)...)
	}
	arn := aws("create-state-machine", "--name", "m", "--role-arn", "arn:aws:iam::000000000000:role/any", "--query", "stateMachineArn",
		"--definition", `{"StartAt":"S","States":{"S":{"Type":"Pass","Parameters":{"twice.$":"States.Format('{}{}', $.n, $.n)"},"End":true}}}`)
	x := aws("start-execution", "--state-machine-arn", arn, "--name", "one", "--input", `{"n":4}`, "--query", "executionArn")
	if x != "arn:aws:states:us-west-2:000000000000:execution:m:one" {
		t.Errorf("the execution is %s", x)
	}
	wait(t, func() bool {
		return aws("describe-execution", "--execution-arn", x, "--query", "[status,output]") == "SUCCEEDED\t"+`{"twice":"44"}`
	}, func() string { return aws("describe-execution", "--execution-arn", x) })
	if got := aws("get-execution-history", "--execution-arn", x, "--query", "events[].type"); got != "ExecutionStarted\tPassStateEntered\tPassStateExited\tExecutionSucceeded" {
		t.Errorf("history %s", got)
	}
	if got := aws("list-executions", "--state-machine-arn", arn, "--query", "executions[].name"); got != "one" {
		t.Errorf("executions %s", got)
	}
	fails := aws("create-state-machine", "--name", "fails", "--role-arn", "arn:aws:iam::000000000000:role/any", "--query", "stateMachineArn",
		"--definition", `{"StartAt":"S","States":{"S":{"Type":"Pass","Next":"F"},"F":{"Type":"Fail","Error":"E"}}}`)
	x = aws("start-execution", "--state-machine-arn", fails, "--query", "executionArn")
	for _, count := range []string{"0", "1"} {
		want := "FAILED\tREDRIVABLE\t" + count
		told := func() string {
			return aws("describe-execution", "--execution-arn", x, "--query", "[status,redriveStatus,redriveCount]")
		}
		wait(t, func() bool { return told() == want }, told)
		if count == "0" {
			aws("redrive-execution", "--execution-arn", x)
		}
	}
	if got := aws("get-execution-history", "--execution-arn", x, "--query", "events[4:].[type,executionRedrivenEventDetails.redriveCount]"); got != "ExecutionFailed\tNone\nExecutionRedriven\t1\nExecutionFailed\tNone" {
		t.Errorf("redriven history %s", got)
	}
}

// TestMapRunsOfAWSCLI has the AWS CLI run a distributed map over a CSV file in S3, look
// at its map run, and read the results that it wrote.
// https://docs.aws.amazon.com/step-functions/latest/dg/tutorial-map-distributed.html
func TestMapRunsOfAWSCLI(t *testing.T) {
	c := newProject(t).start()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	aws := func(args ...string) string {
		return client(t, c, "aws", append([]string{"--output", "text"}, args...)...)
	}
	sfn := func(args ...string) string { return aws(append([]string{"stepfunctions"}, args...)...) }
	aws("s3api", "create-bucket", "--bucket", "maps", "--create-bucket-configuration", "LocationConstraint=us-west-2")
	aws("s3api", "put-object", "--bucket", "maps", "--key", "in/orders.csv", "--body", file("orders.csv", "id,sum\n1,20\n2,\n3,22\n"))
	definition := file("map.json", `{"StartAt":"M","States":{"M":{
		"Type":"Map","Label":"orders","MaxConcurrency":2,"ToleratedFailureCount":1,"End":true,
		"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Parameters":{"Bucket":"maps","Key.$":"$.key"},"ReaderConfig":{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"}},
		"ItemBatcher":{"MaxItemsPerBatch":1,"BatchInput":{"file.$":"$.key"}},
		"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"Has","States":{
			"Has":{"Type":"Choice","Choices":[{"Variable":"$.Items[0].sum","StringEquals":"","Next":"No"}],"Default":"Yes"},
			"Yes":{"Type":"Pass","Parameters":{"of.$":"$.BatchInput.file","sum.$":"$.Items[0].sum"},"End":true},"No":{"Type":"Fail","Error":"NoSum"}}},
		"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"maps","Prefix":"out"},"WriterConfig":{"Transformation":"COMPACT","OutputType":"JSON"}}}}}`)
	arn := sfn("create-state-machine", "--name", "spread", "--role-arn", "arn:aws:iam::000000000000:role/any", "--query", "stateMachineArn", "--definition", "file://"+definition)
	x := sfn("start-execution", "--state-machine-arn", arn, "--name", "one", "--input", `{"key":"in/orders.csv"}`, "--query", "executionArn")
	wait(t, func() bool {
		return sfn("describe-execution", "--execution-arn", x, "--query", "status") == "SUCCEEDED"
	},
		func() string { return sfn("get-execution-history", "--execution-arn", x) })
	if got := sfn("get-execution-history", "--execution-arn", x, "--query", "events[].type"); got != "ExecutionStarted\tMapStateEntered\tMapStateStarted\tMapRunStarted\tMapRunSucceeded\tMapStateSucceeded\tMapStateExited\tExecutionSucceeded" {
		t.Errorf("history %s", got)
	}
	run := sfn("list-map-runs", "--execution-arn", x, "--query", "mapRuns[0].mapRunArn")
	if !strings.HasPrefix(run, "arn:aws:states:us-west-2:000000000000:mapRun:spread/orders:") {
		t.Errorf("the map run is %s", run)
	}
	if got := sfn("describe-map-run", "--map-run-arn", run, "--query", "[status,maxConcurrency,toleratedFailureCount,itemCounts.succeeded,itemCounts.failed,executionCounts.total]"); got != "SUCCEEDED\t2\t1\t2\t1\t3" {
		t.Errorf("it is %s", got)
	}
	if got := sfn("list-executions", "--map-run-arn", run, "--status-filter", "FAILED", "--query", "executions[].stateMachineArn"); got != arn+"/orders" {
		t.Errorf("failed is one of %s", got)
	}
	output := sfn("describe-execution", "--execution-arn", x, "--query", "output")
	id := run[strings.LastIndexByte(run, ':')+1:]
	if output != `{"MapRunArn":"`+run+`","ResultWriterDetails":{"Bucket":"maps","Key":"out/`+id+`/manifest.json"}}` {
		t.Errorf("gives %s", output)
	}
	read := func(name string) string {
		path := filepath.Join(dir, "got")
		aws("s3api", "get-object", "--bucket", "maps", "--key", "out/"+id+"/"+name, path)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if got := read("SUCCEEDED_0.json"); got != `[{"of":"in/orders.csv","sum":"20"},{"of":"in/orders.csv","sum":"22"}]` {
		t.Errorf("written %s", got)
	}
	if got := read("FAILED_0.json"); !strings.Contains(got, `"Error":"NoSum"`) {
		t.Errorf("written of what failed %s", got)
	}
	if got := read("manifest.json"); !strings.Contains(got, `"DestinationBucket":"maps","MapRunArn":"`+run+`"`) {
		t.Errorf("the manifest is %s", got)
	}
	list := file("list.json", `{"StartAt":"M","States":{"M":{"Type":"Map","End":true,"ItemReader":{"Resource":"arn:aws:states:::s3:listObjectsV2","Parameters":{"Bucket":"maps","Prefix":"in/"}},
		"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"},"StartAt":"P","States":{"P":{"Type":"Pass","OutputPath":"$.Key","End":true}}}}}}`)
	lists := sfn("create-state-machine", "--name", "lists", "--role-arn", "arn:aws:iam::000000000000:role/any", "--query", "stateMachineArn", "--definition", "file://"+list)
	x = sfn("start-execution", "--state-machine-arn", lists, "--query", "executionArn")
	wait(t, func() bool {
		return sfn("describe-execution", "--execution-arn", x, "--query", "[status,output]") == "SUCCEEDED\t"+`["in/orders.csv"]`
	}, func() string { return sfn("describe-execution", "--execution-arn", x) })
}
