package sandbox_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"arc/sandbox"
)

// streamTemplate is a table, a function that reads its stream as EVENT_SOURCE
// says, and a queue for what is given up. The function prints what it is given,
// fails on what is to "fail", and reports what is to be "reported".
const streamTemplate = `{
  "Resources": {
    "Notes": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "NAME", "BillingMode": "PAY_PER_REQUEST",
      "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
      "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"}}},
    "Lost": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "NAME-lost"}},
    "LOGICAL": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "NAME-reader", "Runtime": "nodejs22.x", "Handler": "index.handler", "Role": "arn:aws:iam::000000000000:role/r",
      "Code": {"ZipFile": "exports.handler = async ({ Records }) => { const id = r => r.dynamodb.Keys.id.S; console.log('given ' + Records.map(id)); if (Records.some(r => id(r).startsWith('fail'))) throw new Error('on purpose'); return { batchItemFailures: Records.filter(r => id(r).startsWith('report')).map(r => ({ itemIdentifier: r.dynamodb.SequenceNumber })) } }"}}},
    "Source": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"FunctionName": {"Ref": "LOGICAL"}, "EventSourceArn": {"Fn::GetAtt": ["Notes", "StreamArn"]},
      EVENT_SOURCE}}
  },
  "Outputs": {"Name": {"Value": {"Ref": "Notes"}}}
}`

// TestStreamsReachFunctions has table streams read as event source mappings say.
func TestStreamsReachFunctions(t *testing.T) {
	need(t, "node")
	need(t, "npm")
	p := newProject(t)
	c := p.start()
	const lost = `"DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["Lost", "Arn"]}}}`
	for _, test := range []struct {
		name, source string
		puts         []string // one BatchWriteItem
		given        []string // batches, in order
		told         []string // in what the log says
		gone         int      // records that reach the queue
	}{
		{"one", `"StartingPosition": "TRIM_HORIZON"`, []string{"a", "b"}, []string{"a,b"}, nil, 0},
		{"size", `"StartingPosition": "LATEST", "BatchSize": 2`, []string{"a", "b", "c"}, []string{"a,b", "c"}, nil, 0},
		{"window", `"StartingPosition": "TRIM_HORIZON", "BatchSize": 2, "MaximumBatchingWindowInSeconds": 300`, []string{"a", "b"}, []string{"a,b"}, nil, 0},
		{"filter", `"StartingPosition": "TRIM_HORIZON", "FilterCriteria": {"Filters": [{"Pattern": "{\"eventName\": [\"INSERT\"], \"dynamodb\": {\"Keys\": {\"id\": {\"S\": [{\"prefix\": \"b\"}]}}}}"}]}`,
			[]string{"a", "b", "b2"}, []string{"b,b2"}, nil, 0},
		{"retry", `"StartingPosition": "TRIM_HORIZON", "BatchSize": 1, "MaximumRetryAttempts": 1, ` + lost, []string{"fail", "b"}, []string{"fail", "fail", "b"},
			[]string{"failed (Unhandled: on purpose); tried again in 1s, and nothing behind it before", "given up after 2 tries (Unhandled: on purpose) and handed on"}, 1},
		{"lost", `"StartingPosition": "TRIM_HORIZON", "MaximumRetryAttempts": 0`, []string{"fail"}, []string{"fail"},
			[]string{"given up after 1 tries (Unhandled: on purpose) and lost: the event source has no destination for failures"}, 0},
		{"bisect", `"StartingPosition": "TRIM_HORIZON", "MaximumRetryAttempts": 0, "BisectBatchOnFunctionError": true, ` + lost, []string{"a", "b", "fail", "d"},
			[]string{"a,b,fail,d", "a,b", "fail,d", "fail", "d"}, []string{"split in two"}, 1},
		{"report", `"StartingPosition": "TRIM_HORIZON", "MaximumRetryAttempts": 0, "FunctionResponseTypes": ["ReportBatchItemFailures"], ` + lost, []string{"a", "report", "c"},
			[]string{"a,report,c"}, []string{"given up after 1 tries (reported as failed by the function) and handed on"}, 2},
		{"reported", `"StartingPosition": "TRIM_HORIZON", "MaximumRetryAttempts": 1, "FunctionResponseTypes": ["ReportBatchItemFailures"], ` + lost, []string{"a", "report", "c"},
			[]string{"a,report,c", "report,c"}, nil, 2},
		{"ignored", `"StartingPosition": "TRIM_HORIZON"`, []string{"report"}, []string{"report"}, nil, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			name := "streams-" + test.name
			p.deployTemplate(c, name, strings.NewReplacer("NAME", name, "LOGICAL", "Reader"+test.name, "EVENT_SOURCE", test.source).Replace(streamTemplate))
			var puts []any
			for _, id := range test.puts {
				puts = append(puts, map[string]any{"PutRequest": map[string]any{"Item": map[string]any{"id": map[string]string{"S": id}}}})
			}
			call(t, c, "dynamodb", "DynamoDB_20120810.BatchWriteItem", map[string]any{"RequestItems": map[string]any{name: puts}})
			given := func() (batches []string) {
				p.mu.Lock()
				defer p.mu.Unlock()
				for _, line := range p.lines {
					if batch, ok := strings.CutPrefix(line, "Reader"+test.name+" | given "); ok {
						batches = append(batches, batch)
					}
				}
				return batches
			}
			told := func(text string) bool {
				p.mu.Lock()
				defer p.mu.Unlock()
				return slices.ContainsFunc(p.lines, func(line string) bool {
					return strings.Contains(line, "stream of table "+name+" ") && strings.Contains(line, text)
				})
			}
			wait(t, func() bool { return len(given()) >= len(test.given) }, func() string { return fmt.Sprint(given(), p.lines) })
			for _, text := range test.told {
				wait(t, func() bool { return told(text) }, func() string { return text + "\n" + strings.Join(p.lines, "\n") })
			}
			if got := given(); !slices.Equal(got, test.given) {
				t.Errorf("the function was given %q, want %q", got, test.given)
			}
			if test.gone == 0 {
				return
			}
			var got struct{ Messages []struct{ Body string } }
			wait(t, func() bool {
				answer := call(t, c, "sqs", "AmazonSQS.ReceiveMessage", map[string]any{"QueueUrl": c.Running().Endpoint + "/000000000000/" + name + "-lost"})
				return json.Unmarshal(answer, &got) == nil && len(got.Messages) == 1
			}, func() string { return "nothing in the queue" })
			var record struct {
				Request struct {
					FunctionARN string `json:"functionArn"`
					Condition   string `json:"condition"`
				} `json:"requestContext"`
				Batch struct {
					ShardID string `json:"shardId"`
					Size    int    `json:"batchSize"`
					Start   string `json:"startSequenceNumber"`
					ARN     string `json:"streamArn"`
				} `json:"DDBStreamBatchInfo"`
			}
			if err := json.Unmarshal([]byte(got.Messages[0].Body), &record); err != nil || record.Request.Condition != "RetryAttemptsExhausted" || record.Batch.Size != test.gone ||
				!strings.HasSuffix(record.Request.FunctionARN, ":function:"+name+"-reader") || !regexp.MustCompile(`^shardId-\d{20}-`).MatchString(record.Batch.ShardID) ||
				len(record.Batch.Start) != 21 || !strings.Contains(record.Batch.ARN, ":table/"+name+"/stream/20") {
				t.Errorf("the queue has %s (%v)", got.Messages[0].Body, err)
			}
		})
	}
	refused := 0
	for properties, want := range map[string]string{
		`"BatchSize": 1`:                                                      "at 'startingPosition'",
		`"StartingPosition": "AT_TIMESTAMP"`:                                  "Unsupported starting position",
		`"StartingPosition": "LATEST", "BatchSize": 10001`:                    "BatchSize 10001",
		`"StartingPosition": "LATEST", "MaximumRecordAgeInSeconds": 59`:       "MaximumRecordAgeInSeconds 59",
		`"StartingPosition": "LATEST", "MaximumRetryAttempts": 10001`:         "MaximumRetryAttempts 10001",
		`"StartingPosition": "LATEST", "MaximumBatchingWindowInSeconds": 301`: "MaximumBatchingWindowInSeconds 301",
		`"StartingPosition": "LATEST", "BisectBatchOnFunctionErorr": true`:    "property BisectBatchOnFunctionErorr",
	} {
		refused++
		if reason := p.refusal(c, fmt.Sprintf("refused%d", refused), strings.NewReplacer("NAME", "refused", "LOGICAL", "Reader", "EVENT_SOURCE", properties).Replace(streamTemplate)); !strings.Contains(reason, want) {
			t.Errorf("%s: %q, want %q", properties, reason, want)
		}
	}
}

// TestStreamsGoOn starts the cloud again: its functions are not given what they
// had, and are given what nobody read.
func TestStreamsGoOn(t *testing.T) {
	need(t, "node")
	need(t, "npm")
	p := newProject(t)
	options := p.options()
	options.State = sandbox.State{Dir: t.TempDir()}
	template := strings.NewReplacer("NAME", "goes-on", "LOGICAL", "Reader", "EVENT_SOURCE", `"StartingPosition": "TRIM_HORIZON"`).Replace(streamTemplate)
	for i, id := range []string{"a", "b"} {
		c, err := sandbox.Start(options)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 { // then it is there
			p.deployTemplate(c, "goes-on", template)
		}
		before := journal(t, options.State.Dir)
		call(t, c, "dynamodb", "DynamoDB_20120810.PutItem", map[string]any{"TableName": "goes-on", "Item": map[string]any{"id": map[string]string{"S": id}}})
		given := func() (batches []string) {
			p.mu.Lock()
			defer p.mu.Unlock()
			for _, line := range p.lines {
				if batch, ok := strings.CutPrefix(line, "Reader | given "); ok {
					batches = append(batches, batch)
				}
			}
			return batches
		}
		wait(t, func() bool { return len(given()) > i }, func() string { return fmt.Sprint(given()) })
		if got := given(); got[i] != id {
			t.Errorf("run %d: the function was given %q", i, got)
		}
		// A record whose position is not kept yet is given once more.
		wait(t, func() bool { return journal(t, options.State.Dir) > before }, func() string { return "the position is not kept" })
		c.Close()
	}
}

// journal is how many bytes Lambda has written down below a folder.
func journal(t *testing.T, dir string) (size int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasPrefix(entry.Name(), "lambda") {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return size
}

// wait waits until something holds, and fails with what is so instead.
func wait(t *testing.T, holds func() bool, instead func() string) {
	t.Helper()
	for began := time.Now(); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			t.Fatal(instead())
		}
	}
}

// call sends a request in JSON to the cloud's endpoint, as SDKs do.
func call(t *testing.T, c *sandbox.Cloud, service, target string, in any) []byte {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest("POST", c.Running().Endpoint+"/", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", target)
	req.Header.Set("X-Amz-Date", "20260101T000000Z")
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x/20260101/us-west-2/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%s: %s %v %s", target, resp.Status, err, answer)
	}
	return answer
}
