package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/lambda"
	"arc/sandbox/stack"
)

// records are a table's stream whose records are as old as a test wants them.
type records []invoke.Record

func (r records) Latest(context.Context, string) (string, error) { return "", nil }

func (r records) Read(ctx context.Context, _, after string, most int, _ time.Duration) ([]invoke.Record, string, error) {
	from, _ := strconv.Atoi(after) // "" is the oldest
	if from == len(r) {
		<-ctx.Done()
		return nil, after, ctx.Err()
	}
	to := min(from+most, len(r))
	return r[from:to], strconv.Itoa(to), nil
}

// Records that are too old are given up before a function has them, and those
// that become too old while it fails on them; each is told of where the mapping
// says. What of a mapping is not done here, its resource says.
func TestStreamAge(t *testing.T) {
	w := newQueueWorld(t, `import fs from 'node:fs'
export const handler = async event => {
  fs.appendFileSync(process.env.DIR + '/given', event.Records.map(r => r.n).join('+') + '\n')
  if (event.Records.some(r => r.n === 2)) throw new Error('no luck')
}`, nil)
	stream := records{}
	for n, age := range []time.Duration{2 * time.Hour, 0, -24 * time.Hour} {
		stream = append(stream, invoke.Record{
			Position: strconv.Itoa(n + 1), Sequence: fmt.Sprint("00", n+1), Shard: "shardId-0", Created: w.clock.Now().Add(-age), JSON: []byte(fmt.Sprintf(`{"n":%d}`, n+1)),
		})
	}
	var mu sync.Mutex
	var handed []string
	s := lambda.New(lambda.Options{
		Account: Account, Region: "us-west-2", Path: os.Getenv("PATH"), Clock: w.clock, Streams: stream,
		Tell: func(e activity.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.told = append(w.told, e)
		},
		Send: func(_ context.Context, arn string, m invoke.Message) error {
			mu.Lock()
			defer mu.Unlock()
			handed = append(handed, arn+" "+string(m.Body))
			return nil
		},
	})
	t.Cleanup(func() { s.Close(context.Background()) })
	s.Put(lambda.Function{Name: "worker", ARN: functionARN, Runtime: "nodejs22.x", Handler: "index.handler", Dir: w.dir, Timeout: 20, MemoryMB: 128, Env: map[string]string{"DIR": w.dir}})
	properties := func(more map[string]any) map[string]any {
		p := map[string]any{
			"FunctionName": "worker", "EventSourceArn": "arn:aws:dynamodb:us-west-2:" + Account + ":table/rows/stream/2026", "StartingPosition": "TRIM_HORIZON",
			"BatchSize": json.Number("1"), "MaximumRecordAgeInSeconds": json.Number("1500"), "DestinationConfig": map[string]any{"OnFailure": map[string]any{"Destination": queueARN + "lost"}},
		}
		for name, value := range more {
			p[name] = value
		}
		return p
	}
	provider := s.Registrations()["AWS::Lambda::EventSourceMapping"].Provider
	for seconds, want := range map[string]string{"30": "no state of tumbling windows", "0": ""} {
		made, err := provider.Create(t.Context(), stack.Request{LogicalID: "Off" + seconds, Properties: properties(map[string]any{"Enabled": false, "TumblingWindowInSeconds": json.Number(seconds), "ParallelizationFactor": json.Number("10")})})
		if err != nil || !strings.Contains(made.Note, want) || (want == "") != (made.Note == "") {
			t.Errorf("windows of %s s: %q, %v", seconds, made.Note, err)
		}
	}
	if _, err := provider.Create(t.Context(), stack.Request{LogicalID: "Off", Properties: properties(map[string]any{"ParallelizationFactor": json.Number("11")})}); err == nil || !strings.Contains(err.Error(), "ParallelizationFactor 11") {
		t.Errorf("a factor of 11: %v", err)
	}
	if _, err := provider.Create(t.Context(), stack.Request{LogicalID: "Mapping", Properties: properties(nil)}); err != nil {
		t.Fatal(err)
	}
	w.until("the last record is given", func() bool {
		given := w.lines("given")
		return len(given) > 0 && given[len(given)-1] == "3"
	})
	if given := w.lines("given"); given[0] != "2" || len(given) < 3 {
		t.Errorf("given: %s", given) // 1 never, 2 until it is 25 minutes old, on a clock that runs fast
	}
	mu.Lock()
	defer mu.Unlock()
	if len(handed) != 2 {
		t.Fatalf("handed on: %s", handed)
	}
	for i, want := range []string{`"approximateInvokeCount":0`, `"functionError":"Unhandled"`} {
		if !strings.HasPrefix(handed[i], queueARN+"lost ") || !strings.Contains(handed[i], `"condition":"RecordAgeExceeded"`) || !strings.Contains(handed[i], want) ||
			!strings.Contains(handed[i], fmt.Sprintf(`"startSequenceNumber":"00%d"`, i+1)) {
			t.Errorf("handed on: %s", handed[i])
		}
	}
	w.says("given up after 0 tries (older than 25m0s) and handed on")
}
