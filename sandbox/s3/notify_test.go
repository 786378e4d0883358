package s3

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"arc/sandbox/activity"
	"arc/sandbox/door"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

// heard collects what a server tells others.
type heard struct {
	mu    sync.Mutex
	lines []string // target, event, key, size
	told  []string
}

func (h *heard) send(_ context.Context, arn string, m invoke.Message) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	name := arn[strings.LastIndexByte(arn, ':')+1:]
	switch {
	case strings.Contains(arn, "closed"):
		return errors.New("the queue is closed")
	case m.Principal != "s3.amazonaws.com" || m.Source != "arn:aws:s3:::pictures":
		h.lines = append(h.lines, fmt.Sprintf("in the name of %s for %s", m.Principal, m.Source))
	case strings.Contains(name, "/default"):
		var detail struct {
			Reason string
			Object struct{ Key string }
		}
		if err := json.Unmarshal(m.Body, &detail); err != nil {
			return err
		}
		h.lines = append(h.lines, strings.Join([]string{name, m.Attributes["Source"].Value, m.Attributes["DetailType"].Value, detail.Reason, detail.Object.Key}, " "))
	case strings.Contains(string(m.Body), "s3:TestEvent"):
		h.lines = append(h.lines, name+" test")
	default:
		var event struct {
			Records []struct {
				EventName string
				S3        struct {
					ConfigurationID string
					Object          struct {
						Key  string
						Size int
					}
				}
			}
		}
		if err := json.Unmarshal(m.Body, &event); err != nil {
			return err
		}
		r := event.Records[0]
		h.lines = append(h.lines, fmt.Sprint(name, " ", r.EventName, " ", r.S3.Object.Key, " ", r.S3.Object.Size))
	}
	return nil
}

// expect compares what was told since the last time.
func (h *heard) expect(t *testing.T, s *Server, want ...string) {
	t.Helper()
	s.herald.done.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Equal(h.lines, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(h.lines, "\n"), strings.Join(want, "\n"))
	}
	h.lines = nil
}

// Buckets tell functions, queues, topics and the bus what becomes of objects, by the
// template's word and by a client's, and only whom they may.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
func TestNotifications(t *testing.T) {
	h := &heard{}
	s := New(Options{
		Account: "123456789012", Region: "eu-west-1", Scratch: t.TempDir(), Send: h.send,
		Permit: func(function, principal string, sources ...string) error {
			if strings.HasSuffix(function, "closed") || principal != "s3.amazonaws.com" || !slices.Equal(sources, []string{"arn:aws:s3:::pictures"}) {
				return errors.New("there is no permission")
			}
			return nil
		},
		Tell: func(e activity.Event) { h.told = append(h.told, e.Text) },
	})
	defer s.Close(t.Context())
	web := httptest.NewServer(door.Bodies(door.NewBudget(64<<20), s))
	defer web.Close()
	do := func(method, path, body string, header ...string) string {
		t.Helper()
		req, err := http.NewRequest(method, web.URL+"/pictures"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	bucket := s.Registrations()["AWS::S3::Bucket"].Provider
	request := func(notification string) stack.Request {
		r := stack.Request{Stack: stack.Ref{Name: "app", Region: "eu-west-1"}, LogicalID: "Pictures", Type: "AWS::S3::Bucket", PhysicalID: "pictures"}
		text := `{"BucketName":"pictures"}`
		if notification != "" {
			text = `{"BucketName":"pictures","NotificationConfiguration":` + notification + `}`
		}
		if err := json.Unmarshal([]byte(text), &r.Properties); err != nil {
			t.Fatal(err)
		}
		return r
	}
	const arn = "arn:aws:%s:eu-west-1:123456789012:%s"
	function, queue, topic := fmt.Sprintf(arn, "lambda", "function:thumb"), fmt.Sprintf(arn, "sqs", "jobs"), fmt.Sprintf(arn, "sns", "news")
	all := `{"LambdaConfigurations":[{"Event":"s3:ObjectCreated:*","Function":"` + function + `","Filter":{"S3Key":{"Rules":[{"Name":"suffix","Value":".jpg"},{"Name":"prefix","Value":"in/"}]}}}],
		"QueueConfigurations":[{"Event":"s3:ObjectRemoved:Delete","Queue":"` + queue + `"}],"TopicConfigurations":[{"Event":"s3:ObjectCreated:Copy","Topic":"` + topic + `"}],
		"EventBridgeConfiguration":{}}`
	for wrong, why := range map[string]string{
		strings.ReplaceAll(all, "thumb", "closed"):                              "Unable to validate the following destination configurations: " + strings.ReplaceAll(function, "thumb", "closed") + ": there is no permission",
		strings.ReplaceAll(all, "jobs", "closed"):                               "the queue is closed",
		strings.ReplaceAll(all, "s3:ObjectCreated:*", "s3:ObjectMade:*"):        "The event 's3:ObjectMade:*' is not supported for notifications",
		strings.ReplaceAll(all, `"Function":"`+function+`",`, `"Function":"",`): "the destination has no ARN",
	} {
		if _, err := bucket.Create(t.Context(), request(wrong)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", why, err)
		}
	}
	h.lines = nil
	if _, err := bucket.Create(t.Context(), request(all)); err != nil {
		t.Fatal(err)
	}
	h.expect(t, s, "jobs test", "news test")
	do("PUT", "/in/a%20b.jpg", "hello")
	h.expect(t, s, "thumb ObjectCreated:Put in/a+b.jpg 5", "event-bus/default aws.s3 Object Created PutObject in/a b.jpg")
	do("PUT", "/in/a.txt", "hello")
	do("PUT", "/out/a.jpg", "hello")
	h.expect(t, s, "event-bus/default aws.s3 Object Created PutObject in/a.txt", "event-bus/default aws.s3 Object Created PutObject out/a.jpg")
	do("PUT", "/in/c.jpg", "", "X-Amz-Copy-Source", "/pictures/out/a.jpg")
	h.expect(t, s, "thumb ObjectCreated:Copy in/c.jpg 5", "news ObjectCreated:Copy in/c.jpg 5", "event-bus/default aws.s3 Object Created CopyObject in/c.jpg")
	do("DELETE", "/in/c.jpg", "")
	do("DELETE", "/nothing", "")
	do("POST", "/?delete", `<Delete><Object><Key>in/a.txt</Key></Object></Delete>`)
	h.expect(t, s, "jobs ObjectRemoved:Delete in/c.jpg 0", "event-bus/default aws.s3 Object Deleted DeleteObject in/c.jpg",
		"jobs ObjectRemoved:Delete in/a.txt 0", "event-bus/default aws.s3 Object Deleted DeleteObject in/a.txt")

	// A client reads the template's, sets its own, and a template without any leaves
	// that alone.
	if got := do("GET", "/?notification", ""); !strings.Contains(got, "<CloudFunction>"+function+"</CloudFunction>") || !strings.Contains(got, "EventBridgeConfiguration") {
		t.Errorf("the setting is %s", got)
	}
	before := request(all).Properties
	update := request("")
	update.Old = before
	if _, err := bucket.Update(t.Context(), update); err != nil {
		t.Fatal(err)
	}
	do("PUT", "/in/b.jpg", "hello")
	h.expect(t, s)
	if got := do("PUT", "/?notification", `<NotificationConfiguration><QueueConfiguration><Queue>`+strings.ReplaceAll(queue, "jobs", "closed")+`</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>`); !strings.Contains(got, "InvalidArgument") {
		t.Errorf("a closed queue: %s", got)
	}
	if got := do("PUT", "/?notification", `<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><QueueConfiguration><Id>own</Id><Queue>`+queue+`</Queue><Event>s3:ObjectCreated:Put</Event><Event>s3:ObjectRemoved:*</Event></QueueConfiguration></NotificationConfiguration>`); got != "" {
		t.Errorf("a setting: %s", got)
	}
	update.Old = update.Properties
	if _, err := bucket.Update(t.Context(), update); err != nil {
		t.Fatal(err)
	}
	do("PUT", "/?versioning", `<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>`)
	do("PUT", "/one", "1")
	do("DELETE", "/one", "")
	h.expect(t, s, "jobs test", "jobs ObjectCreated:Put one 1", "jobs ObjectRemoved:DeleteMarkerCreated one 0")
	if len(h.told) > 0 {
		t.Errorf("told of %q", h.told)
	}
}
