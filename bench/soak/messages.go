package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// messaging is what goes through a queue, a topic and a table's stream, and what
// the app's schedule does: functions tell of each to a server.
type messaging struct {
	server *httptest.Server

	queued, published, written, ticks tally

	mu   sync.Mutex
	open map[string]*tally // what no function has told of, by ID

	endpoint, queue, topic, table string
}

func newMessaging() *messaging {
	m := &messaging{open: map[string]*tally{}}
	m.server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, id := range r.URL.Query()["id"] {
			delete(m.open, id)
		}
		if r.URL.Path == "/tick" {
			m.ticks.done.Add(1)
		}
	}))
	return m
}

// functions are those that tell.
func (m *messaging) functions() map[string]string {
	tell := func(ids string) string {
		return "const tell = ids => fetch('" + m.server.URL + "/?' + ids.map(id => 'id=' + id).join('&'))\nexport const handler = async ({ Records }) => { " + ids + " }\n"
	}
	return map[string]string{
		// Every fiftieth fails at first, and comes again in six times the timeout.
		"src/queues/jobs/index.mjs":          tell("if (Records.some(r => r.body.endsWith('00') && r.attributes.ApproximateReceiveCount === '1')) throw new Error('at first'); await tell(Records.map(r => r.body))"),
		"src/queues/jobs/config.arc":         "@aws\ntimeout 2\n",
		"src/events/news/index.mjs":          tell("await tell(Records.map(r => r.Sns.Message))"),
		"src/events/news/config.arc":         "@aws\ntimeout 30\n",
		"src/tables-streams/rows/index.mjs":  tell("await tell(Records.map(r => r.dynamodb.Keys.id.S))"),
		"src/tables-streams/rows/config.arc": "@aws\ntimeout 30\n",
		"src/scheduled/tick/index.mjs":       "export const handler = async () => { await fetch('" + m.server.URL + "/tick') }\n",
	}
}

// find asks the local cloud for the names of what its stack has made.
func (m *messaging) find(log string) error {
	said, err := os.ReadFile(log)
	if err != nil {
		return err
	}
	found := regexp.MustCompile(`local cloud at (\S+)`).FindSubmatch(said)
	if found == nil {
		return fmt.Errorf("arc does not say where its cloud is:\n%s", said)
	}
	m.endpoint = string(found[1])
	var list struct {
		Parameters []struct{ Name, Value string }
	}
	answer, err := m.call("ssm", "AmazonSSM.GetParametersByPath", map[string]any{"Path": "/SoakappTesting", "Recursive": true})
	if err == nil {
		err = json.Unmarshal(answer, &list)
	}
	if err != nil {
		return err
	}
	for _, p := range list.Parameters {
		for end, into := range map[string]*string{"/queues/jobs": &m.queue, "/events/news": &m.topic, "/tables/rows": &m.table} {
			if strings.HasSuffix(p.Name, end) {
				*into = p.Value
			}
		}
	}
	if m.queue == "" || m.topic == "" || m.table == "" {
		return fmt.Errorf("the stack has not made all: %q %q %q", m.queue, m.topic, m.table)
	}
	return nil
}

func (m *messaging) call(service, target string, in any) ([]byte, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	return m.post(service, "application/x-amz-json-1.0", target, body)
}

// post sends a request with the form of a signature, which is all that is
// looked at.
func (m *messaging) post(service, contentType, target string, body []byte) ([]byte, error) {
	req, err := http.NewRequest(http.MethodPost, m.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("X-Amz-Date", "20260101T000000Z")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/us-west-2/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	if target != "" {
		req.Header.Set("X-Amz-Target", target)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s\n%.300s", service, target, resp.Status, answer)
	}
	return answer, err
}

// message sends to the queue, the topic and the table, one after another.
func (m *messaging) message(ctx context.Context, draw *rand.Rand) {
	for n := 0; pause(ctx, 5*time.Millisecond, 60*time.Millisecond, draw); n++ {
		id := fmt.Sprintf("%d-%05d", draw.Uint32(), n)
		kind := []*tally{&m.queued, &m.published, &m.written}[n%3]
		m.mu.Lock()
		m.open[id] = kind
		m.mu.Unlock()
		var err error
		switch kind {
		case &m.queued:
			_, err = m.call("sqs", "AmazonSQS.SendMessage", map[string]any{"QueueUrl": m.queue, "MessageBody": id})
		case &m.published:
			_, err = m.post("sns", "application/x-www-form-urlencoded", "", []byte(url.Values{"Action": {"Publish"}, "TopicArn": {m.topic}, "Message": {id}}.Encode()))
		case &m.written:
			_, err = m.call("dynamodb", "DynamoDB_20120810.PutItem", map[string]any{"TableName": m.table, "Item": map[string]any{"id": map[string]string{"S": id}}})
		}
		kind.note(err)
		if err != nil {
			m.mu.Lock()
			delete(m.open, id)
			m.mu.Unlock()
		}
	}
}

// settle waits until functions have told of everything, and counts what is lost.
func (m *messaging) settle(length time.Duration) {
	left := func() int {
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.open)
	}
	for until := time.Now().Add(2 * time.Minute); left() > 0 && time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, kind := range m.open {
		kind.lost.Add(1)
		kind.first.Do(func() { kind.firstReason = id + " did not come to its function" })
	}
	// The minute in which it ends may not be over.
	if want := int64(length/time.Minute) - 1; m.ticks.done.Load() < want {
		m.ticks.lost.Store(want - m.ticks.done.Load())
		m.ticks.firstReason = fmt.Sprintf("%d times a minute was over, at least", want)
	}
}

// logFile is what arc says.
func (s *soaking) logFile() string { return filepath.Join(s.dir, "log") }
