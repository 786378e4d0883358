package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"time"
)

// messagesApp is a queue and a topic whose functions tell the bench what came to
// them, by the IDs that it sent.
var messagesApp = map[string]string{
	"app.arc":                      "@app\nbenchmessages\n@http\nget /\n@events\nnews\n@queues\njobs\n  fifo false\n",
	"src/http/get-index/index.mjs": "export const handler = async () => ({ statusCode: 200, body: process.env.BENCH })\n",
	"src/events/news/index.mjs": "export const handler = async ({ Records }) => {\n" +
		"  await fetch(Records[0].Sns.Message)\n}\n",
	"src/queues/jobs/index.mjs": "export const handler = async ({ Records }) => {\n" +
		"  const urls = Records.map(r => r.body)\n" +
		"  await fetch(urls[0] + urls.slice(1).map(u => '&' + u.split('?')[1]).join(''))\n}\n",
}

// messages times the way from a message to its function, and 1,000 messages
// through batches of ten. The floor is the same function, invoked with the same
// event by Lambda's API, until it has told.
func (b *bencher) messages() ([]row, error) {
	dir := filepath.Join(b.dir, "messages")
	if err := b.project(dir, messagesApp); err != nil {
		return nil, err
	}
	came := make(chan string, 10_000)
	told := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, id := range r.URL.Query()["id"] {
			came <- id
		}
	}))
	defer told.Close()
	internal, err := freePort()
	if err != nil {
		return nil, err
	}
	r, _, err := b.sandboxIn(dir, "", fmt.Sprintf("ARC_INTERNAL_PORT=%d", internal))
	if err != nil {
		return nil, err
	}
	defer r.stop()
	c := &localCloud{fmt.Sprintf("http://127.0.0.1:%d", internal)}
	queue, topic, function, err := c.names()
	if err != nil {
		return nil, err
	}
	message := func(id string) string { return told.URL + "/?id=" + id }
	send := func(id string) error {
		return c.json("sqs", "AmazonSQS.SendMessage", map[string]string{"QueueUrl": queue, "MessageBody": message(id)}, nil)
	}
	publish := func(id string) error {
		return c.form("sns", url.Values{"Action": {"Publish"}, "TopicArn": {topic}, "Message": {message(id)}}, nil)
	}
	invoke := func(id string) error {
		return c.post("lambda", "/2015-03-31/functions/"+function+"/invocations", map[string]any{"Records": []any{map[string]string{"body": message(id)}}})
	}
	times := func(deliver func(id string) error) (all durations, err error) {
		for i := range 320 {
			id := fmt.Sprint("m", i)
			began := time.Now()
			if err := deliver(id); err != nil {
				return nil, err
			}
			select {
			case got := <-came:
				if got != id {
					return nil, fmt.Errorf("%s came instead of %s", got, id)
				}
			case <-time.After(30 * time.Second):
				return nil, fmt.Errorf("%s did not come", id)
			}
			if i >= 20 { // warm
				all = append(all, time.Since(began))
			}
		}
		return all, nil
	}
	floor, err := times(invoke)
	if err != nil {
		return nil, err
	}
	queued, err := times(send)
	if err != nil {
		return nil, err
	}
	published, err := times(publish)
	if err != nil {
		return nil, err
	}
	thousand, sending, err := b.thousand(c, queue, message, came)
	if err != nil {
		return nil, err
	}
	return []row{
		{"SQS send to its function, p50 / p99", queued.tail(), floor.tail() + " (Lambda invoke of it)", "", "5 / 20 ms"},
		{"1,000 messages through batches of 10", ms(thousand), ms(sending) + " (to send them)", "", "1 s, none lost or repeated"},
		{"SNS publish to its function, p50 / p99", published.tail(), floor.tail() + " (Lambda invoke)", "", "5 ms"},
	}, nil
}

// thousand sends 1,000 messages in batches and waits until each has come once.
func (b *bencher) thousand(c *localCloud, queue string, message func(string) string, came chan string) (all, sending time.Duration, err error) {
	began := time.Now()
	for i := range 100 {
		entries := make([]map[string]string, 10)
		for j := range entries {
			entries[j] = map[string]string{"Id": fmt.Sprint("e", j), "MessageBody": message(fmt.Sprint("t", i*10+j))}
		}
		if err := c.json("sqs", "AmazonSQS.SendMessageBatch", map[string]any{"QueueUrl": queue, "Entries": entries}, nil); err != nil {
			return 0, 0, err
		}
	}
	sending = time.Since(began)
	seen := map[string]bool{}
	for len(seen) < 1000 {
		select {
		case id := <-came:
			if seen[id] {
				return 0, 0, fmt.Errorf("%s came twice", id)
			}
			seen[id] = true
		case <-time.After(30 * time.Second):
			return 0, 0, fmt.Errorf("%d of 1000 messages came", len(seen))
		}
	}
	return time.Since(began), sending, nil
}

// localCloud is a client of the local cloud's endpoint, which asks for no more
// than the form of a signature.
type localCloud struct{ endpoint string }

func (c *localCloud) do(service, path, contentType, target string, body []byte, out any) error {
	req, err := http.NewRequest(http.MethodPost, c.endpoint+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/us-west-2/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	if target != "" {
		req.Header.Set("X-Amz-Target", target)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s\n%s", service, target, resp.Status, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

func (c *localCloud) json(service, target string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.do(service, "/", "application/x-amz-json-1.0", target, body, out)
}

func (c *localCloud) form(service string, in url.Values, out any) error {
	return c.do(service, "/", "application/x-www-form-urlencoded", "", []byte(in.Encode()), out)
}

func (c *localCloud) post(service, path string, in any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.do(service, path, "application/json", "", body, nil)
}

// names finds what the app's stack has made.
func (c *localCloud) names() (queue, topic, function string, err error) {
	var found struct {
		Parameters []struct{ Name, Value string }
	}
	err = c.json("ssm", "AmazonSSM.GetParametersByPath", map[string]any{"Path": "/BenchmessagesTesting", "Recursive": true}, &found)
	if err != nil {
		return "", "", "", err
	}
	for _, p := range found.Parameters {
		switch {
		case strings.HasSuffix(p.Name, "/queues/jobs"):
			queue = p.Value
		case strings.HasSuffix(p.Name, "/events/news"):
			topic = p.Value
		}
	}
	resp, err := http.Get(c.endpoint + "/2015-03-31/functions/")
	if err != nil {
		return "", "", "", err
	}
	defer resp.Body.Close()
	var list struct {
		Functions []struct{ FunctionName string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		return "", "", "", err
	}
	for _, f := range list.Functions {
		if strings.Contains(f.FunctionName, "JobsQueue") {
			function = f.FunctionName
		}
	}
	if queue == "" || topic == "" || function == "" {
		return "", "", "", fmt.Errorf("the stack has not made all: %q %q %q", queue, topic, function)
	}
	return queue, topic, function, nil
}
