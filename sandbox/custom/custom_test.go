package custom

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

// maker is a function that is asked, as a test has it.
type maker struct {
	desk *Desk
	do   func(m message, heard func(invoke.Try)) error
	said []string
}

func newMaker(do func(m message, heard func(invoke.Try)) error) *maker {
	f := &maker{do: do}
	f.desk = New(Options{
		Account: "123456789012",
		Call: func(_, id string, event []byte, heard func(invoke.Try)) error {
			var m message
			if err := json.Unmarshal(event, &m); err != nil {
				return err
			}
			if m.RequestID != id {
				return errors.New("another request")
			}
			return f.do(m, heard)
		},
		Publish:  func(context.Context, string, string, string) error { return errors.New("no such topic") },
		Led:      func(string) bool { return true },
		Endpoint: func() string { return "http://localhost:2222" },
		Host:     func(bucket, region string) string { return bucket + ".s3." + region + ".amazonaws.com" },
		Called:   func(string) string { return "function Maker" },
		Tell:     func(e activity.Event) { f.said = append(f.said, e.Text) },
	})
	return f
}

// put sends an answer to where a request wants it, and gives the status.
func (f *maker) put(to, body string) int {
	at, err := url.Parse(to)
	if err != nil {
		return 0
	}
	bucket, _, _ := strings.Cut(at.Host, ".")
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPut, "http://localhost:2222/"+bucket+at.EscapedPath()+"?"+at.RawQuery, strings.NewReader(body))
	f.desk.Before(http.NotFoundHandler()).ServeHTTP(w, r)
	return w.Code
}

func (f *maker) create(properties map[string]any) (stack.Resource, error, time.Duration) {
	began := time.Now()
	p := map[string]any{"ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:maker"}
	for name, value := range properties {
		p[name] = value
	}
	made, err := f.desk.Create(context.Background(), stack.Request{
		Stack: stack.Ref{Name: "app", ID: "arn:aws:cloudformation:us-east-1:123456789012:stack/app/x", Region: "us-east-1"}, LogicalID: "Thing", Type: "Custom::Thing", Token: "ABC", Properties: p,
	})
	return made, err, time.Since(began)
}

// How long an answer is waited for: to ServiceTimeout, or an hour; five minutes where
// the function is done and the template says nothing; not at all when it is not tried
// again. The reason says how long AWS would wait.
func TestWaiting(t *testing.T) {
	answered := func(m message) string {
		return `{"Status":"SUCCESS","PhysicalResourceId":"it","StackId":"` + m.StackID + `","RequestId":"` + m.RequestID + `","LogicalResourceId":"Thing","Reason":"fine"}`
	}
	for _, c := range []struct {
		name       string
		properties map[string]any
		tries      []invoke.Try  // told at once, but for what they wait
		answer     time.Duration // after which one comes; 0 = none does
		waited     time.Duration
		says       string // "" = it is made
	}{
		{"nothing is heard", nil, nil, 0, time.Hour, "did not receive a response from your Custom Resource"},
		{"its own time", map[string]any{"ServiceTimeout": "7"}, nil, 0, 7 * time.Second, "attach the updated version."},
		{"done without an answer", nil, []invoke.Try{{}}, 0, 5 * time.Minute, "(function Maker is done and has not answered; on AWS this waits for 55 minutes more)"},
		{"done, and its own time", map[string]any{"ServiceTimeout": json.Number("1000")}, []invoke.Try{{}}, 0, 1000 * time.Second, "(function Maker is done and has not answered)"},
		{"another answers", nil, []invoke.Try{{}}, 4 * time.Minute, 4 * time.Minute, ""},
		{"it fails for good", nil, []invoke.Try{{Failed: "no", Again: time.Minute}, {Failed: "no, again"}}, 0, time.Minute, "(function Maker failed: no, again; on AWS this waits for 59 minutes more)"},
		{"it fails, and answers the second time", nil, []invoke.Try{{Failed: "no", Again: time.Minute}}, time.Minute, time.Minute, ""},
		{"it fails after the time", map[string]any{"ServiceTimeout": "30"}, []invoke.Try{{Failed: "no", Again: time.Minute}, {Failed: "no, again"}}, 0, 30 * time.Second, "(no)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var f *maker
				f = newMaker(func(m message, heard func(invoke.Try)) error {
					go func() {
						for _, try := range c.tries {
							heard(try)
							time.Sleep(try.Again)
						}
					}()
					if c.answer > 0 {
						time.AfterFunc(c.answer, func() {
							if status := f.put(m.ResponseURL, answered(m)); status != http.StatusOK {
								t.Errorf("the answer is met with %d", status)
							}
						})
					}
					return nil
				})
				made, err, waited := f.create(c.properties)
				if waited != c.waited {
					t.Errorf("it took %s, want %s", waited, c.waited)
				}
				switch {
				case c.says == "" && (err != nil || made.PhysicalID != "it"):
					t.Errorf("%+v, %v", made, err)
				case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says) || made.PhysicalID != "app-Thing-ABC"):
					t.Errorf("%+v, %v, want %s", made, err, c.says)
				}
				if len(f.said) != len(c.tries) && c.name != "it fails after the time" {
					t.Errorf("of %d tries is told %q", len(c.tries), f.said)
				}
				time.Sleep(2 * time.Hour) // what is under way ends
			})
		})
	}
}

// CloudFormation makes strings of numbers and of true and false, however deep.
func TestTexts(t *testing.T) {
	got, _ := json.Marshal(texts(map[string]any{"A": json.Number("1.50"), "B": []any{true, map[string]any{"C": json.Number("2")}}, "D": "d"}))
	if want := `{"A":"1.50","B":["true",{"C":"2"}],"D":"d"}`; string(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Answers that come by no signature, a second time, or too late change nothing.
func TestAnswers(t *testing.T) {
	var f *maker
	var to string
	f = newMaker(func(m message, _ func(invoke.Try)) error {
		to = m.ResponseURL
		body := func(id string) string {
			return `{"Status":"SUCCESS","PhysicalResourceId":"` + id + `","StackId":"` + m.StackID + `","RequestId":"` + m.RequestID + `","LogicalResourceId":"Thing","Data":{"N":1.50,"None":null}}`
		}
		at, sign, _ := strings.Cut(to, "X-Amz-Signature=")
		for name, wrong := range map[string]string{"no signature": at, "another signature": at + "X-Amz-Signature=0" + sign[1:], "another resource": strings.Replace(to, "%7CThing%7C", "%7COther%7C", 1)} {
			if status := f.put(wrong, body(name)); status != http.StatusForbidden {
				t.Errorf("%s: %d", name, status)
			}
		}
		for _, id := range []string{"first", "second"} {
			if status := f.put(to, body(id)); status != http.StatusOK {
				t.Errorf("the %s answer: %d", id, status)
			}
		}
		return nil
	})
	made, err, _ := f.create(nil)
	if err != nil || made.PhysicalID != "first" || made.Attributes["N"] != json.Number("1.50") || len(made.Attributes) != 1 {
		t.Errorf("%+v, %v", made, err)
	}
	if status := f.put(to, "{}"); status != http.StatusOK || len(f.said) != 1 || !strings.Contains(f.said[0], "nothing waits any more") {
		t.Errorf("a late answer: %d, %q", status, f.said)
	}
	for body, want := range map[string]string{
		"{": "Response is not valid JSON", `{"PhysicalResourceId": "x"}`: "Status is missing", `{"Status": "SUCCESS", "Data": [1]}`: "StackId must be copied", `{"Status": 1}`: "Status must not be a number",
	} {
		f.do = func(m message, _ func(invoke.Try)) error {
			f.put(m.ResponseURL, body)
			return nil
		}
		if made, err, _ := f.create(nil); err == nil || !strings.Contains(err.Error(), want) || made.PhysicalID != "app-Thing-ABC" {
			t.Errorf("%s: %+v, %v", body, made, err)
		}
	}
	f.do = func(message, func(invoke.Try)) error { return invoke.ErrNotFound }
	if made, err, _ := f.create(nil); err == nil || made.PhysicalID != "" || len(f.desk.waiting) != 0 {
		t.Errorf("of a function that is not there: %+v, %v, %d wait", made, err, len(f.desk.waiting))
	}
}
