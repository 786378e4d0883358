package custom

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
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
				if c.name == "done without an answer" && !strings.HasSuffix(f.said[0], "Create of Thing (Custom::Thing): function Maker is done and has not answered, at the ResponseURL of its event; another one may do so for 5 minutes") {
					t.Errorf("says %q", f.said)
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
	got, _ := json.Marshal(texts(map[string]any{"A": json.Number("1.50"), "B": []any{true, map[string]any{"C": json.Number("2")}}, "D": "d", "E": nil}))
	if want := `{"A":"1.50","B":["true",{"C":"2"}],"D":"d","E":null}`; string(got) != want {
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
		first := "0"
		if sign[0] == '0' {
			first = "1"
		}
		for name, wrong := range map[string]string{"no signature": at, "another signature": at + "X-Amz-Signature=" + first + sign[1:], "another resource": strings.Replace(to, "%7CThing%7C", "%7COther%7C", 1)} {
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
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
	const copied = `"StackId":"{stack}","RequestId":"{request}","LogicalResourceId":"Thing"`
	long := strings.Repeat("x", maxID)
	for _, c := range []struct{ body, want, id string }{
		{`{"Status":"FAILED","Reason":"no","PhysicalResourceId":"it",` + copied + `}`, "Received response status [FAILED] from custom resource. Message returned: no (RequestId: ", "it"},
		{`{"Status":"success","PhysicalResourceId":"it",` + copied + `}`, "'success' is not a valid ResponseStatus", ""},
		{`{"status":"SUCCESS","PhysicalResourceId":"it",` + copied + `}`, "Status is missing", ""},
		{`{"Status":"SUCCESS","physicalResourceId":"it",` + copied + `}`, "Invalid PhysicalResourceId", ""},
		{`{"Status":"SUCCESS","PhysicalResourceId":"it","stackId":"{stack}","RequestId":"{request}","LogicalResourceId":"Thing"}`, "StackId must be copied", ""},
		{`{"Status":"SUCCESS","PhysicalResourceId":"it","StackId":"{stack}","RequestID":"{request}","LogicalResourceId":"Thing"}`, "RequestId must be copied", ""},
		{`{"Status":"SUCCESS","PhysicalResourceId":"it","data":["a"],"reason":null,"noEcho":1,` + copied + `}`, "", "it"},
		{`{"Status":"FAILED","reason":"no","PhysicalResourceId":"it",` + copied + `}`, "Message returned:  (RequestId: ", "it"},
		{`{"Status":"SUCCESS","Reason":null,"PhysicalResourceId":"it",` + copied + `}`, "Value of property Reason must be of type String", ""},
		{`{"Status":"SUCCESS","Reason":1,"PhysicalResourceId":"it",` + copied + `}`, "Value of property Reason must be of type String", ""},
		{`{"Status":"SUCCESS","Reason":"why not","PhysicalResourceId":"it","Data":null,` + copied + `}`, "", "it"},
		{`{"Status":"SUCCESS","PhysicalResourceId":"it","StackId":"x","RequestId":"{request}","LogicalResourceId":"Thing"}`, "StackId must be copied", ""},
		{`{"Status":"SUCCESS","PhysicalResourceId":"it","StackId":"{stack}","RequestId":"x","LogicalResourceId":"Thing"}`, "RequestId must be copied", ""},
		{`{"Status":"SUCCESS","PhysicalResourceId":"it","StackId":"{stack}","RequestId":"{request}","LogicalResourceId":"thing"}`, "LogicalResourceId must be copied", ""},
		{`{"Status":"SUCCESS",` + copied + `}`, "Invalid PhysicalResourceId", ""},
		{`{"Status":"SUCCESS","PhysicalResourceId":"` + long + `x",` + copied + `}`, "Invalid PhysicalResourceId", ""},
		{`{"Status":"SUCCESS","PhysicalResourceId":"` + long + `",` + copied + `}`, "", long},
		{`{"Status":"SUCCESS","PhysicalResourceId":"it","NoEcho":true,` + copied + `}`, "", "it"},
		{`{"Status":"SUCCESS","PhysicalResourceId":"it","Data":["a"],` + copied + `}`, "Data must be an object", "it"},
		{`{"Status":"SUCCESS","PhysicalResourceId":"it","Data":{"A":"{fill}"},` + copied + `}`, "", "it"},
		{`{"Status":"SUCCESS","PhysicalResourceId":"it","Data":{"A":"{fill}x"},` + copied + `}`, "Response object is too long.", ""},
	} {
		f.do = func(m message, _ func(invoke.Try)) error {
			body := strings.NewReplacer("{stack}", m.StackID, "{request}", m.RequestID).Replace(c.body)
			if at := strings.Index(body, "{fill}"); at > 0 { // up to the most that is taken
				over := strings.Count(c.body, "{fill}x")
				body = strings.Replace(body, "{fill}", strings.Repeat("y", maxAnswer-len(body)+len("{fill}")+over), 1)
			}
			f.put(m.ResponseURL, body)
			return nil
		}
		made, err, _ := f.create(nil)
		if id := cmp.Or(c.id, "app-Thing-ABC"); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) || made.PhysicalID != id || err == nil && made.NoEcho != strings.Contains(c.body, `"NoEcho"`) {
			t.Errorf("%.80s: %+v, %v, want %s", c.body, made, err, c.want)
		}
	}
	f.do = func(message, func(invoke.Try)) error { return invoke.ErrNotFound }
	if made, err, _ := f.create(nil); err == nil || made.PhysicalID != "" || len(f.desk.waiting) != 0 {
		t.Errorf("of a function that is not there: %+v, %v, %d wait", made, err, len(f.desk.waiting))
	}
}

// The bucket of answers takes puts, and leaves all other requests to others.
func TestBucket(t *testing.T) {
	f := newMaker(func(message, func(invoke.Try)) error { return nil })
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	r := &request{id: "r1", key: "stack|Thing|r1", sign: "s", answers: make(chan answer, 1)}
	f.desk.waiting["r1"] = r
	for _, c := range []struct {
		method, path string
		body         io.Reader
		status       int
		words        string
	}{
		{"PUT", "/other/stack%7CThing%7Cr1?X-Amz-Signature=s", strings.NewReader("{}"), http.StatusTeapot, ""},
		{"GET", "/" + bucketPrefix + "useast1/stack%7CThing%7Cr1?X-Amz-Signature=s", nil, http.StatusForbidden, "<Code>SignatureDoesNotMatch</Code>"},
		{"PUT", "/" + bucketPrefix + "useast1/stack%7CThing%7Cr1?X-Amz-Signature=t", strings.NewReader("{}"), http.StatusForbidden, "<Code>SignatureDoesNotMatch</Code>"},
		{"PUT", "/" + bucketPrefix + "useast1/stack%7CThing%7Cr1?X-Amz-Signature=s", iotest.ErrReader(io.ErrUnexpectedEOF), http.StatusBadRequest, "<Code>IncompleteBody</Code>"},
		{"PUT", "/" + bucketPrefix + "useast1/stack%7CThing%7Cr1?X-Amz-Signature=s", strings.NewReader("{}"), http.StatusOK, ""},
	} {
		w := httptest.NewRecorder()
		f.desk.Before(next).ServeHTTP(w, httptest.NewRequest(c.method, "http://localhost:2222"+c.path, c.body))
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.words) || c.words == "" && w.Body.Len() > 0 || w.Code == http.StatusOK && w.Header().Get("ETag") == "" {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
	if len(r.answers) != 1 {
		t.Error("no answer is there")
	}
	for host, want := range map[string]string{bucketPrefix + "useast1.s3.us-east-1.amazonaws.com": bucketPrefix + "useast1", "files.s3.amazonaws.com": "", "": ""} {
		if got := Bucket(host); got != want {
			t.Errorf("%s: %q", host, got)
		}
	}
	if got := printable(strings.Repeat("é", 64)); len(got) > 150 || strings.ContainsRune(printable("a\n"), '\n') {
		t.Errorf("%s", got)
	}
}

// What a request says, of each type.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
func TestRequests(t *testing.T) {
	const token = "arn:aws:lambda:us-east-1:123456789012:function:maker"
	var asked message
	var raw map[string]any
	f := newMaker(nil)
	answering := func(m message, _ func(invoke.Try)) error {
		asked = m
		f.put(m.ResponseURL, `{"Status":"SUCCESS","PhysicalResourceId":"two","StackId":"`+m.StackID+`","RequestId":"`+m.RequestID+`","LogicalResourceId":"Thing"}`)
		return nil
	}
	f.do = answering
	call := f.desk.options.Call
	f.desk.options.Call = func(arn, id string, event []byte, heard func(invoke.Try)) error {
		raw = map[string]any{}
		if err := json.Unmarshal(event, &raw); err != nil {
			return err
		}
		return call(arn, id, event, heard)
	}
	req := stack.Request{
		Stack: stack.Ref{Name: "app", ID: "arn:aws:cloudformation:us-east-1:123456789012:stack/app/x", Region: "us-east-1"}, LogicalID: "Thing", Type: "Custom::Thing", Token: "ABC", PhysicalID: "one",
		Properties: map[string]any{"ServiceToken": token, "N": json.Number("2")}, Old: map[string]any{"ServiceToken": token, "N": json.Number("1")},
	}
	got := func(want string) {
		t.Helper()
		text, _ := json.Marshal(map[string]any{"type": asked.RequestType, "id": raw["PhysicalResourceId"], "new": asked.ResourceProperties, "old": raw["OldResourceProperties"], "token": asked.ServiceToken, "of": asked.LogicalResourceID + " " + asked.ResourceType + " " + asked.StackID})
		of := `"of":"Thing Custom::Thing arn:aws:cloudformation:us-east-1:123456789012:stack/app/x","old":`
		if want = strings.Replace(want, "OF", of, 1) + `,"token":"` + token + `","type":"` + asked.RequestType + `"}`; string(text) != want {
			t.Errorf("%s, want %s", text, want)
		}
	}
	if made, err := f.desk.Create(t.Context(), req); err != nil || made.PhysicalID != "two" || asked.RequestType != "Create" {
		t.Errorf("%+v %v", made, err)
	}
	got(`{"id":null,"new":{"N":"2","ServiceToken":"` + token + `"},OFnull`)
	if made, err := f.desk.Update(t.Context(), req); err != nil || made.PhysicalID != "two" || asked.RequestType != "Update" {
		t.Errorf("%+v %v", made, err)
	}
	got(`{"id":"one","new":{"N":"2","ServiceToken":"` + token + `"},OF{"N":"1","ServiceToken":"` + token + `"}`)
	if err := f.desk.Delete(t.Context(), req); err != nil || asked.RequestType != "Delete" {
		t.Error(err)
	}
	got(`{"id":"one","new":{"N":"2","ServiceToken":"` + token + `"},OFnull`)
	at, err := url.Parse(asked.ResponseURL)
	if err != nil || at.Scheme != "https" || at.Host != bucketPrefix+"useast1.s3.us-east-1.amazonaws.com" || at.Query().Get("X-Amz-Expires") != "7200" {
		t.Errorf("%s %v", asked.ResponseURL, err)
	}
	f.desk.options.Led = func(string) bool { return false }
	f.desk.options.Called = func(string) string { return "" }
	f.do = func(m message, heard func(invoke.Try)) error { // by the cloud's own address
		asked = m
		heard(invoke.Try{Failed: "broken"})
		return nil
	}
	err = f.desk.Delete(t.Context(), req)
	if !strings.HasPrefix(asked.ResponseURL, "http://localhost:2222/"+bucketPrefix+"useast1/arn%3Aaws%3Acloudformation") || err == nil || !strings.Contains(err.Error(), "("+token+" failed: broken; on AWS this waits for 60 minutes more)") {
		t.Errorf("%s: %v", asked.ResponseURL, err)
	}
	var told []string
	req.Tell = func(text string) { told = append(told, text) }
	if err := f.desk.Delete(t.Context(), req); err == nil || len(told) != 1 || !strings.Contains(told[0], "is not tried again: broken") {
		t.Errorf("%v %q", err, told)
	}
	f.do = func(m message, heard func(invoke.Try)) error { // it has answered before it fails
		heard(invoke.Try{Failed: "broken"})
		at, _ := url.Parse(m.ResponseURL)
		w := httptest.NewRecorder()
		body := `{"Status":"SUCCESS","PhysicalResourceId":"two","StackId":"` + m.StackID + `","RequestId":"` + m.RequestID + `","LogicalResourceId":"Thing"}`
		f.desk.Before(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest(http.MethodPut, at.RequestURI(), strings.NewReader(body)))
		return nil
	}
	if err := f.desk.Delete(t.Context(), req); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the stack is gone"))
	f.do = func(message, func(invoke.Try)) error { return nil }
	if err := f.desk.Delete(ctx, req); err == nil || err.Error() != "the stack is gone" {
		t.Error(err)
	}
	if len(f.desk.waiting) != 0 {
		t.Errorf("%d wait", len(f.desk.waiting))
	}
}

// What is not sent, and why.
func TestUnsent(t *testing.T) {
	f := newMaker(func(message, func(invoke.Try)) error { return errors.New("busy") })
	const token = "arn:aws:lambda:us-east-1:123456789012:function:maker"
	for token, want := range map[string]string{
		token: "The ServiceToken " + token + ": busy", "maker": `Invalid service token: "maker" is the ARN of no Lambda function and of no SNS topic`, "arn:aws:sqs:us-east-1:123456789012:queue": "of no Lambda function and of no SNS topic",
		"arn:aws:lambda:us-east-1:123456789012": "of no Lambda function", "xrn:aws:lambda:us-east-1:123456789012:function:maker": "of no Lambda function",
		"arn:aws:lambda:eu-west-1:123456789012:function:maker": "is in eu-west-1, and must be in the region of the stack, us-east-1", "arn:aws:lambda:us-east-1:210987654321:function:maker": "is in the account 210987654321, and the local cloud has 123456789012 alone",
		"arn:aws:sns:us-east-1:123456789012:topic": "The ServiceToken arn:aws:sns:us-east-1:123456789012:topic: no such topic",
	} {
		if made, err, _ := f.create(map[string]any{"ServiceToken": token}); err == nil || !strings.Contains(err.Error(), want) || made.PhysicalID != "" {
			t.Errorf("%s: %+v %v", token, made, err)
		}
	}
	if made, err, _ := f.create(map[string]any{"ServiceTimeout": "0"}); err == nil || !strings.Contains(err.Error(), "ServiceTimeout: must be a whole number") || made.PhysicalID != "" {
		t.Errorf("%+v %v", made, err)
	}
	f.do = func(message, func(invoke.Try)) error { return invoke.ErrNotFound }
	if _, err, _ := f.create(nil); err == nil || err.Error() != "The function behind the ServiceToken "+token+" does not exist" {
		t.Error(err)
	}
	var untouched stack.Untouched
	if _, err := f.desk.Update(t.Context(), stack.Request{Properties: map[string]any{"ServiceToken": token}, Old: map[string]any{"ServiceToken": "other"}}); !errors.As(err, &untouched) || err.Error() != "Modifying service token is not allowed." {
		t.Error(err)
	}
	// A stack that is brought back asks nobody.
	made, err := f.desk.Create(t.Context(), stack.Request{PhysicalID: "it", Restored: true, Attributes: map[string]any{"A": "b"}, Properties: map[string]any{"ServiceToken": token}})
	if err != nil || made.PhysicalID != "it" || made.Attributes["A"] != "b" {
		t.Errorf("%+v %v", made, err)
	}
	for _, c := range []struct {
		properties map[string]any
		want       string
	}{
		{nil, "Property ServiceToken cannot be empty."}, {map[string]any{"ServiceToken": ""}, "Property ServiceToken cannot be empty."}, {map[string]any{"ServiceToken": 1}, "Property ServiceToken cannot be empty."},
		{map[string]any{"ServiceToken": stack.Unknown{}}, ""}, {map[string]any{"ServiceToken": token}, ""}, {map[string]any{"ServiceToken": token, "ServiceTimeout": stack.Unknown{}}, ""},
		{map[string]any{"ServiceToken": token, "ServiceTimeout": "1"}, ""}, {map[string]any{"ServiceToken": token, "ServiceTimeout": 3600}, ""}, {map[string]any{"ServiceToken": token, "ServiceTimeout": "3601"}, `from 1 to 3600, not "3601"`},
		{map[string]any{"ServiceToken": token, "ServiceTimeout": "0"}, `not "0"`}, {map[string]any{"ServiceToken": token, "ServiceTimeout": "1.5"}, `not "1.5"`},
	} {
		if err := f.desk.Registration().Check(c.properties); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.properties, err)
		}
	}
}
