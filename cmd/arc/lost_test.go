package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// obedient are functions that do with a message what it says: they fail, or end
// their process, the first times that they are given it; "slow" takes its time.
// What is handled is a line of a file.
var obedient = map[string]string{
	"app.arc":                      "@app\nlost\n\n@http\nget /\n\n@events\nnews\n\n@queues\njobs\n  fifo false\n  reportBatchItemFailures true\norders\n  reportBatchItemFailures true\n",
	"src/http/get-index/index.mjs": "export const handler = async () => ({ statusCode: 200 })\n",
	"src/shared/obey.mjs": `import fs from 'node:fs'
export async function obey (m, tries) {
  if (m.slow) await new Promise(done => setTimeout(done, m.slow))
  if (tries <= m.kill) process.exit(1)
  if (tries <= m.fail) throw new Error('as it was told')
  fs.appendFileSync('OUT/done', m.id + '\n')
}
export const tries = id => {
  const file = 'OUT/tries-' + id
  fs.appendFileSync(file, '.')
  return fs.statSync(file).size
}
export async function batch ({ Records }) {
  const failed = []
  for (const r of Records) {
    const rest = r.eventSourceARN.endsWith('.fifo') && failed.length
    try {
      if (rest) throw new Error('one before it failed')
      await obey(JSON.parse(r.body), Number(r.attributes.ApproximateReceiveCount))
    }
    catch { failed.push({ itemIdentifier: r.messageId }) }
  }
  return { batchItemFailures: failed }
}
`,
	"src/queues/jobs/index.mjs":   "export { batch as handler } from '@architect/shared/obey.mjs'\n",
	"src/queues/orders/index.mjs": "export { batch as handler } from '@architect/shared/obey.mjs'\n",
	"src/events/news/index.mjs": `import { obey, tries } from '@architect/shared/obey.mjs'
export const handler = async ({ Records: [{ Sns }] }) => { const m = JSON.parse(Sns.Message); await obey(m, tries(m.id)) }
`,
}

// TestNothingIsLost sends to queues and a topic what a seed draws, with failures
// and kills of functions, and kills the local cloud with -9 with messages under
// way: each that was taken is handled, in a dead-letter queue, or told of as lost;
// and orders are handled in order. make lost does it for long.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	lookTool(t, "node")
	length, seed := time.Duration(0), uint64(14)
	if text := os.Getenv("ARC_LOST"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
		if seed, err = strconv.ParseUint(os.Getenv("ARC_LOST_SEED"), 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	l := &losing{T: t, arc: buildArc(t), dir: filepath.Join(t.TempDir(), "app"), out: t.TempDir(), draw: rand.New(rand.NewPCG(seed, 1)), sent: map[string]bool{}, ids: map[string]string{}, long: length > 0}
	for name, text := range obedient {
		file := filepath.Join(l.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "OUT", filepath.ToSlash(l.out))), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for round, until := 0, time.Now().Add(length); round < 3 || time.Now().Before(until); round++ {
		l.start()
		l.sendUntil(time.Duration(300+l.draw.IntN(1200)) * time.Millisecond)
	}
	l.start()
	l.settle()
}

// losing is a cloud that is killed over and over.
type losing struct {
	*testing.T
	arc, dir string
	out      string // what the functions write, which outlives the cloud
	draw     *rand.Rand
	long     bool // events fail, too, whose retries take minutes

	p        *process
	said     string // what the runs so far have said
	endpoint string
	names    map[string]string // of queues, by what their names begin with
	topic    string

	mu   sync.Mutex
	sent map[string]bool   // what the cloud has acknowledged
	ids  map[string]string // the cloud's own ID of each
	next int
}

func (l *losing) start() {
	l.Helper()
	l.p = startArc(l.T, l.arc, l.dir, "sandbox", fmt.Sprintf("--port=%d", freePort(l.T)))
	l.p.url(l.T, "HTTP")
	l.endpoint = regexp.MustCompile(`local cloud at (\S+)`).FindStringSubmatch(l.p.stderr.String())[1]
	var list struct {
		QueueURLs []string `json:"QueueUrls"`
	}
	l.must(l.sqs("ListQueues", map[string]any{}, &list))
	l.names = map[string]string{}
	for _, u := range list.QueueURLs {
		name := u[strings.LastIndexByte(u, '/')+1:]
		for _, kind := range []string{"JobsQueue", "JobsDead", "OrdersQueue", "OrdersDead", "NewsEventDead"} {
			if strings.Contains(name, "-"+kind) {
				l.names[kind] = u
			}
		}
	}
	// Six times the function's timeout is long to wait for.
	for _, kind := range []string{"JobsQueue", "OrdersQueue"} {
		l.must(l.sqs("SetQueueAttributes", map[string]any{"QueueUrl": l.names[kind], "Attributes": map[string]string{"VisibilityTimeout": "2"}}, nil))
	}
	var parameters struct {
		Parameters []struct{ Name, Value string }
	}
	l.must(l.call("ssm", "AmazonSSM.GetParametersByPath", map[string]any{"Path": "/LostTesting/events", "Recursive": true}, &parameters))
	l.topic = parameters.Parameters[0].Value
}

func (l *losing) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// sendUntil has four clients send until the cloud is killed.
func (l *losing) sendUntil(after time.Duration) {
	time.AfterFunc(after, func() { l.p.cmd.Process.Kill() })
	var clients sync.WaitGroup
	for i := range 4 {
		draw := rand.New(rand.NewPCG(l.draw.Uint64(), 2))
		clients.Go(func() {
			for l.send(i, draw) == nil {
				pause := 20
				if i == 0 {
					pause = 100 // orders take their turns
				}
				time.Sleep(time.Duration(draw.IntN(pause)) * time.Millisecond)
			}
		})
	}
	clients.Wait()
	l.p.kill()
	l.said += l.p.stderr.String()
}

// send sends one message, and notes it when the cloud has taken it. The first
// client alone sends orders: theirs is an order that can be told.
func (l *losing) send(client int, draw *rand.Rand) error {
	l.mu.Lock()
	l.next++
	n := l.next
	l.mu.Unlock()
	kind := 2 * draw.IntN(2)
	if client == 0 {
		kind = 1
	}
	m := map[string]any{"id": fmt.Sprintf("%s%05d", [...]string{"j", "o", "n"}[kind], n), "fail": 0, "kill": 0, "slow": draw.IntN(200)}
	if kind < 2 || l.long {
		m["fail"] = draw.IntN(3) * draw.IntN(2) * draw.IntN(4)
		if draw.IntN(15) == 0 {
			m["kill"] = 1 + draw.IntN(2)
		}
	}
	if kind == 1 { // a group stops at one that fails
		m["group"], m["slow"] = "abc"[draw.IntN(3):][:1], 0
		m["id"] = fmt.Sprint("o", m["group"], m["id"].(string)[1:])
	}
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	var answer struct {
		MessageID string `json:"MessageId"`
	}
	switch kind {
	case 0:
		in := map[string]any{"QueueUrl": l.names["JobsQueue"], "MessageBody": string(body)}
		if draw.IntN(4) == 0 {
			in["DelaySeconds"] = draw.IntN(3)
		}
		err = l.sqs("SendMessage", in, &answer)
	case 1:
		err = l.sqs("SendMessage", map[string]any{"QueueUrl": l.names["OrdersQueue"], "MessageBody": string(body), "MessageGroupId": m["group"]}, &answer)
	case 2:
		answer.MessageID, err = l.publish(string(body))
	}
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.sent[m["id"].(string)], l.ids[m["id"].(string)] = true, answer.MessageID
	}
	return err
}

// settle waits until nothing is under way, and looks for every message.
func (l *losing) settle() {
	patience := time.Minute
	if l.long {
		patience = 15 * time.Minute
	}
	dead := map[string]bool{}
	missing := func() (list []string) {
		handled := l.handled()
		said := l.said + l.p.stderr.String()
		for id := range l.sent {
			if !slices.Contains(handled, id) && !dead[id] && !toldOf(said, l.ids[id]) {
				list = append(list, id)
			}
		}
		return list
	}
	// A group of orders stops at one that fails, for two seconds each time, so that
	// the last of them come late: patience ends where nothing is handled any more.
	fewest, deadline := len(l.sent)+1, time.Now().Add(patience)
	for ; ; time.Sleep(200 * time.Millisecond) {
		for _, kind := range []string{"JobsDead", "OrdersDead", "NewsEventDead"} {
			l.drain(l.names[kind], dead)
		}
		left := missing()
		if len(left) == 0 {
			break
		}
		if len(left) < fewest {
			fewest, deadline = len(left), time.Now().Add(patience)
		}
		if time.Now().After(deadline) {
			slices.Sort(left)
			l.Fatalf("%d of %d are lost: %v\n%s", len(left), len(l.sent), left, l.p.stderr)
		}
	}
	first := map[string]bool{}
	last := map[string]string{} // by group
	kinds := map[byte]int{}
	for _, id := range l.handled() {
		if first[id] {
			continue
		}
		first[id] = true
		kinds[id[0]]++
		if id[0] == 'o' && l.sent[id] {
			if group := id[:2]; id < last[group] {
				l.Errorf("%s was handled after %s", id, last[group])
			} else {
				last[group] = id
			}
		}
	}
	l.Logf("%d taken, handled %d jobs, %d orders, %d events; %d dead letters", len(l.sent), kinds['j'], kinds['o'], kinds['n'], len(dead))
	if kinds['j'] == 0 || kinds['o'] == 0 || kinds['n'] == 0 || len(dead) == 0 {
		l.Errorf("that is no sample: %d taken, %v handled, %d dead letters", len(l.sent), kinds, len(dead))
	}
}

// toldOf tells that the log says of a message that it is lost.
func toldOf(said, id string) bool {
	for line := range strings.Lines(said) {
		if id != "" && strings.Contains(line, id) && (strings.Contains(line, "lost") || strings.Contains(line, "dropped")) {
			return true
		}
	}
	return false
}

// handled are the IDs of messages that functions have handled, in order.
func (l *losing) handled() []string {
	text, err := os.ReadFile(filepath.Join(l.out, "done"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.Fatal(err)
	}
	return strings.Fields(string(text))
}

// drain takes all out of a dead-letter queue.
func (l *losing) drain(queue string, into map[string]bool) {
	l.Helper()
	for {
		var got struct {
			Messages []struct{ Body, ReceiptHandle string }
		}
		l.must(l.sqs("ReceiveMessage", map[string]any{"QueueUrl": queue, "MaxNumberOfMessages": 10}, &got))
		if len(got.Messages) == 0 {
			return
		}
		for _, m := range got.Messages {
			var event struct {
				ID      string
				Records []struct{ Sns struct{ Message string } }
			}
			l.must(json.Unmarshal([]byte(m.Body), &event))
			if len(event.Records) > 0 {
				l.must(json.Unmarshal([]byte(event.Records[0].Sns.Message), &event))
			}
			into[event.ID] = true
			l.must(l.sqs("DeleteMessage", map[string]any{"QueueUrl": queue, "ReceiptHandle": m.ReceiptHandle}, nil))
		}
	}
}

func (l *losing) sqs(operation string, in, out any) error {
	return l.call("sqs", "AmazonSQS."+operation, in, out)
}

func (l *losing) call(service, target string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	text, err := l.post(service, "application/x-amz-json-1.0", target, body)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(text, out)
}

func (l *losing) publish(message string) (id string, err error) {
	text, err := l.post("sns", "application/x-www-form-urlencoded", "", []byte(url.Values{"Action": {"Publish"}, "TopicArn": {l.topic}, "Message": {message}}.Encode()))
	if found := regexp.MustCompile(`<MessageId>([^<]+)`).FindSubmatch(text); found != nil {
		id = string(found[1])
	}
	return id, err
}

func (l *losing) post(service, contentType, target string, body []byte) ([]byte, error) {
	req, err := http.NewRequest(http.MethodPost, l.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", contentType)
	// The form of a signature is all that is looked at.
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/us-west-2/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	if target != "" {
		req.Header.Set("X-Amz-Target", target)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s\n%s", service, target, resp.Status, text)
	}
	return text, err
}
