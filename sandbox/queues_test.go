package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/journal"
	"arc/sandbox/lambda"
	"arc/sandbox/sqs"
	"arc/sandbox/stack"
)

// hasty is a clock on which a second takes 10 ms: what waits for visibility
// timeouts does not wait for long.
type hasty struct{ began time.Time }

const haste = 100

func (c hasty) Now() time.Time { return c.began.Add(time.Since(c.began) * haste) }

func (c hasty) After(d time.Duration) <-chan time.Time { return time.After(d / haste) }

// queueWorld is queues and functions, wired as the cloud wires them, that can
// end and begin anew as the cloud does.
type queueWorld struct {
	t      *testing.T
	log    string // file
	dir    string // of the function
	config map[string]any
	clock  hasty

	queues *sqs.Service
	lambda *lambda.Service
	kept   *journal.Log

	mu   sync.Mutex
	told []activity.Event
}

const (
	queueARN    = "arn:aws:sqs:us-west-2:" + Account + ":"
	functionARN = "arn:aws:lambda:us-west-2:" + Account + ":function:worker"
)

// newQueueWorld makes a world whose one function has the code.
func newQueueWorld(t *testing.T, code string, config map[string]any) *queueWorld {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("node is not installed")
	}
	w := &queueWorld{t: t, dir: t.TempDir(), config: config, clock: hasty{time.Now()}}
	w.log = filepath.Join(w.dir, "sqs.log")
	if err := os.WriteFile(filepath.Join(w.dir, "index.mjs"), []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.end() })
	w.begin()
	return w
}

func (w *queueWorld) begin() {
	w.t.Helper()
	var err error
	if w.kept, err = journal.Open(w.log); err != nil {
		w.t.Fatal(err)
	}
	tell := func(e activity.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.told = append(w.told, e)
	}
	w.queues = sqs.New(sqs.Options{Account: Account, Region: "us-west-2", Clock: w.clock, Tell: tell})
	if err := w.queues.Restore(w.kept); err != nil {
		w.t.Fatal(err)
	}
	w.lambda = lambda.New(lambda.Options{Account: Account, Region: "us-west-2", Path: os.Getenv("PATH"), Clock: w.clock, Queues: w.queues, Tell: tell})
	w.lambda.Put(lambda.Function{
		Name: "worker", ARN: functionARN, Runtime: "nodejs22.x", Handler: "index.handler", Dir: w.dir, Timeout: 20, MemoryMB: 128,
		Env: map[string]string{"DIR": w.dir},
	})
}

func (w *queueWorld) end() {
	w.lambda.Close(context.Background())
	w.queues.Close(context.Background())
	w.kept.Close()
}

// poll makes the event source mapping of a queue.
func (w *queueWorld) poll(queue string) error {
	properties := map[string]any{"FunctionName": "worker", "EventSourceArn": queueARN + queue}
	for name, value := range w.config {
		properties[name] = value
	}
	_, err := w.lambda.Registrations()["AWS::Lambda::EventSourceMapping"].Provider.Create(context.Background(), stack.Request{LogicalID: "Mapping", Properties: properties})
	return err
}

func (w *queueWorld) mustPoll(queue string) {
	w.t.Helper()
	if err := w.poll(queue); err != nil {
		w.t.Fatal(err)
	}
}

func (w *queueWorld) call(operation string, in map[string]any) {
	w.t.Helper()
	body, err := json.Marshal(in)
	if err == nil {
		_, err = w.queues.Handle(context.Background(), operation, body)
	}
	if err != nil {
		w.t.Fatalf("%s: %v", operation, err)
	}
}

// make makes a queue with a visibility timeout of 100 seconds, which is longer
// than Node takes to start, and a dead-letter queue behind it.
func (w *queueWorld) make(name string, maxReceives int) {
	w.t.Helper()
	attributes := func() map[string]string {
		if strings.HasSuffix(name, ".fifo") {
			return map[string]string{"FifoQueue": "true"}
		}
		return map[string]string{}
	}
	w.call("CreateQueue", map[string]any{"QueueName": "dead-" + name, "Attributes": attributes()})
	with := attributes()
	with["VisibilityTimeout"] = "100"
	with["RedrivePolicy"] = fmt.Sprintf(`{"deadLetterTargetArn":"%sdead-%s","maxReceiveCount":%d}`, queueARN, name, maxReceives)
	w.call("CreateQueue", map[string]any{"QueueName": name, "Attributes": with})
}

// lines are the lines of a file that the function writes.
func (w *queueWorld) lines(file string) []string {
	text, _ := os.ReadFile(filepath.Join(w.dir, file))
	return strings.Fields(string(text))
}

// says waits until something is told, and gives it.
func (w *queueWorld) says(text string) activity.Event {
	w.t.Helper()
	var found activity.Event
	w.until("is told: "+text, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		i := slices.IndexFunc(w.told, func(e activity.Event) bool { return strings.Contains(e.Text, text) })
		if i >= 0 {
			found = w.told[i]
		}
		return i >= 0
	})
	return found
}

func (w *queueWorld) until(what string, ok func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.t.Fatalf("never came true: %s\n%v", what, w.told)
		}
		<-tick.C
	}
}

// left is how many messages a queue has, wherever they are.
func (w *queueWorld) left(queue string) int {
	out, err := w.queues.Handle(context.Background(), "GetQueueAttributes", []byte(`{"QueueUrl":"`+queue+`","AttributeNames":["All"]}`))
	if err != nil {
		w.t.Fatal(err)
	}
	text, _ := json.Marshal(out)
	var read struct{ Attributes map[string]string }
	json.Unmarshal(text, &read)
	n := 0
	for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"} {
		part, err := strconv.Atoi(read.Attributes[name])
		if err != nil {
			w.t.Fatal(read)
		}
		n += part
	}
	return n
}

// Messages do what they say: fail so often, or take the process with them. A
// FIFO queue's function reports the first failure and all behind it.
const obedient = `import fs from 'node:fs'
export const handler = async event => {
  const failed = []
  for (const r of event.Records) {
    const m = JSON.parse(r.body)
    const n = Number(r.attributes.ApproximateReceiveCount)
    if (n <= (m.kill ?? 0)) process.exit(1)
    const inOrder = r.eventSourceARN.endsWith('.fifo')
    if (n <= (m.fail ?? 0) || inOrder && failed.length) failed.push({ itemIdentifier: r.messageId })
    else fs.appendFileSync(process.env.DIR + '/done', m.id + '\n')
  }
  return { batchItemFailures: failed }
}`

// Whatever is sent, however often functions fail, workers die and the cloud ends:
// every message is handled or a dead letter, and those of a group in order.
func TestNoMessageIsLost(t *testing.T) {
	w := newQueueWorld(t, obedient, map[string]any{"FunctionResponseTypes": []any{"ReportBatchItemFailures"}})
	w.make("work", 3)
	w.make("orders.fifo", 3)
	random := rand.New(rand.NewPCG(14, 1))
	sent := map[string]bool{}
	for round := range 4 {
		w.mustPoll("work")
		w.mustPoll("orders.fifo")
		for range 40 {
			m := map[string]any{"id": fmt.Sprintf("w-%03d", len(sent)), "fail": random.IntN(5) * random.IntN(2)}
			if random.IntN(12) == 0 {
				m["kill"] = 1 + random.IntN(2)
			}
			in := map[string]any{"QueueUrl": "work"}
			if random.IntN(2) == 0 {
				group := string("abc"[random.IntN(3)])
				m["id"] = fmt.Sprintf("%s-%03d", group, len(sent))
				in = map[string]any{"QueueUrl": "orders.fifo", "MessageGroupId": group, "MessageDeduplicationId": m["id"]}
			} else if random.IntN(4) == 0 {
				in["DelaySeconds"] = random.IntN(20)
			}
			body, _ := json.Marshal(m)
			in["MessageBody"] = string(body)
			w.call("SendMessage", in)
			sent[m["id"].(string)] = true
		}
		if round < 3 { // the cloud ends in the middle of it
			seen := len(w.lines("done"))
			w.until("something is handled", func() bool { return len(w.lines("done")) > seen })
			w.end()
			w.begin()
		}
	}
	w.until("both queues are empty", func() bool { return w.left("work")+w.left("orders.fifo") == 0 })
	handled := map[string]bool{}
	last := map[string]string{}
	for _, id := range w.lines("done") {
		group := id[:1]
		if group != "w" && !handled[id] {
			if id < last[group] {
				t.Errorf("%s came after %s", id, last[group])
			}
			last[group] = id
		}
		handled[id] = true
	}
	dead := map[string]bool{}
	for _, queue := range []string{"dead-work", "dead-orders.fifo"} {
		for {
			got, err := w.queues.Take(t.Context(), queueARN+queue, 10, 0)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) == 0 {
				break
			}
			for _, m := range got {
				var body struct{ ID string }
				json.Unmarshal([]byte(m.Body), &body)
				dead[body.ID] = true
				w.queues.Delete(queueARN+queue, m.Handle)
			}
		}
	}
	for id := range sent {
		if !handled[id] && !dead[id] {
			t.Errorf("%s is lost", id)
		}
	}
	if len(dead) == 0 || len(handled) < 20 {
		t.Errorf("%d handled, %d dead letters", len(handled), len(dead))
	}
	w.says("moved to the dead-letter queue dead-work")
}

// What a function answers for a batch, and what becomes of the messages.
func TestBatchAnswers(t *testing.T) {
	w := newQueueWorld(t, `import fs from 'node:fs'
export const handler = async event => {
  const [r] = event.Records
  const m = JSON.parse(r.body)
  fs.appendFileSync(process.env.DIR + '/tried', m.id + '\n')
  if (m.throw) throw new Error('no luck')
  return m.answer
}`, map[string]any{"BatchSize": "1", "FunctionResponseTypes": []any{"ReportBatchItemFailures"}})
	w.make("work", 1)
	w.mustPoll("work")
	for _, c := range []struct {
		body string
		says string // "" = the message is done with
	}{
		{`{"id":"none"}`, ""},
		{`{"id":"empty","answer":{}}`, ""},
		{`{"id":"null","answer":{"batchItemFailures":null}}`, ""},
		{`{"id":"list","answer":{"batchItemFailures":[]}}`, ""},
		{`{"id":"another name","answer":{"BatchItemFailures":[{"itemIdentifier":"nobody"}]}}`, ""},
		{`{"id":"text","answer":"fine"}`, "is no batch response"},
		{`{"id":"unknown","answer":{"batchItemFailures":[{"itemIdentifier":"nobody"}]}}`, `"nobody" in batchItemFailures is no message`},
		{`{"id":"bare","answer":{"batchItemFailures":[{"itemIdentifier":""}]}}`, "missing or empty"},
		{`{"id":"throws","throw":true}`, "no luck"},
	} {
		w.mu.Lock()
		w.told = nil
		w.mu.Unlock()
		before := w.left("dead-work")
		w.call("SendMessage", map[string]any{"QueueUrl": "work", "MessageBody": c.body})
		if c.says == "" {
			w.says("delivered")
			continue
		}
		e := w.says(c.says)
		if e.Kind != activity.Delivery || len(e.Messages) != 1 || e.Resource != "queue work" {
			t.Errorf("%s: told %+v", c.body, e)
		}
		w.until("it is a dead letter: "+c.body, func() bool { return w.left("dead-work") == before+1 })
	}
}

// Filters leave messages out, a window collects, and only so many batches are
// under way.
func TestBatches(t *testing.T) {
	const counts = `import fs from 'node:fs'
export const handler = async event => {
  fs.appendFileSync(process.env.DIR + '/batches', event.Records.length + '\n')
  const file = process.env.DIR + '/now-' + process.pid
  fs.writeFileSync(file, '')
  await new Promise(done => setTimeout(done, 200))
  fs.appendFileSync(process.env.DIR + '/together', fs.readdirSync(process.env.DIR).filter(f => f.startsWith('now-')).length + '\n')
  fs.rmSync(file)
}`
	t.Run("filter", func(t *testing.T) {
		w := newQueueWorld(t, obedient, map[string]any{"FilterCriteria": map[string]any{"Filters": []any{
			map[string]any{"Pattern": `{"body":{"kind":["wanted"]}}`}, map[string]any{"Pattern": `{"body":["plain"]}`},
		}}})
		w.make("work", 3)
		w.mustPoll("work")
		w.call("SendMessage", map[string]any{"QueueUrl": "work", "MessageBody": `{"id":"no","kind":"other"}`})
		w.call("SendMessage", map[string]any{"QueueUrl": "work", "MessageBody": `{"id":"yes","kind":"wanted"}`})
		w.says("filter does not match")
		w.until("the rest is handled", func() bool { return w.left("work") == 0 })
		if got := w.lines("done"); !slices.Equal(got, []string{"yes"}) {
			t.Errorf("handled: %s", got)
		}
	})
	t.Run("window", func(t *testing.T) {
		w := newQueueWorld(t, counts, map[string]any{"BatchSize": "100", "MaximumBatchingWindowInSeconds": "300"})
		w.make("work", 3)
		w.call("SetQueueAttributes", map[string]any{"QueueUrl": "work", "Attributes": map[string]string{"VisibilityTimeout": "43200"}})
		w.mustPoll("work")
		for range 100 {
			w.call("SendMessage", map[string]any{"QueueUrl": "work", "MessageBody": "{}"})
		}
		w.until("all are handled", func() bool { return w.left("work") == 0 })
		if got := w.lines("batches"); !slices.Equal(got, []string{"100"}) {
			t.Errorf("batches: %s", got)
		}
	})
	t.Run("concurrency", func(t *testing.T) {
		w := newQueueWorld(t, counts, map[string]any{"BatchSize": "1", "ScalingConfig": map[string]any{"MaximumConcurrency": "2"}})
		w.make("work", 3)
		w.call("SetQueueAttributes", map[string]any{"QueueUrl": "work", "Attributes": map[string]string{"VisibilityTimeout": "43200"}})
		for range 12 {
			w.call("SendMessage", map[string]any{"QueueUrl": "work", "MessageBody": "{}"})
		}
		w.mustPoll("work")
		w.until("all are handled", func() bool { return w.left("work") == 0 })
		if got := slices.Max(w.lines("together")); got != "2" {
			t.Errorf("%s at once", got)
		}
	})
}

// A function that is throttled has its batch again, until the visibility timeout
// is over; then the message counts as received.
func TestThrottledBatch(t *testing.T) {
	w := newQueueWorld(t, obedient, nil)
	w.make("work", 1)
	w.lambda.Put(lambda.Function{Name: "worker", ARN: functionARN, Runtime: "nodejs22.x", Handler: "index.handler", Dir: w.dir, Timeout: 20, Reserved: new(0)})
	w.mustPoll("work")
	w.call("SendMessage", map[string]any{"QueueUrl": "work", "MessageBody": "{}"})
	w.says("tried again in 1s")
	w.says("tried again in 4s")
	w.says("counted as received")
	w.says("moved to the dead-letter queue dead-work")
}

// What Lambda refuses of a mapping is refused here.
func TestMappingIsChecked(t *testing.T) {
	for name, c := range map[string]struct {
		config map[string]any
		want   string
	}{
		"none":      {nil, "NonExistentQueue"},
		"short":     {nil, "Queue visibility timeout: 5 seconds is less than Function timeout: 20 seconds"},
		"size":      {map[string]any{"BatchSize": "11"}, "batch window in seconds must be greater than 0"},
		"a.fifo":    {map[string]any{"MaximumBatchingWindowInSeconds": "1"}, "not supported for FIFO"},
		"big.fifo":  {map[string]any{"BatchSize": "11", "MaximumBatchingWindowInSeconds": "1"}, "FIFO queue's 1 to 10"},
		"scaling":   {map[string]any{"ScalingConfig": map[string]any{"MaximumConcurrency": "1"}}, "must be 2 to 1000"},
		"filtering": {map[string]any{"FilterCriteria": map[string]any{"Filters": []any{map[string]any{"Pattern": `{"body":"x"}`}}}}, "Filters[0].Pattern"},
	} {
		w := newQueueWorld(t, obedient, c.config)
		if name != "none" {
			w.make(name, 3)
		}
		if name == "short" {
			w.call("SetQueueAttributes", map[string]any{"QueueUrl": name, "Attributes": map[string]string{"VisibilityTimeout": "5"}})
		}
		if err := w.poll(name); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

var _ invoke.Clock = hasty{}
