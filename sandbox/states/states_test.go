package states_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/invoke/clocktest"
	"arc/sandbox/journal"
	"arc/sandbox/stack"
	"arc/sandbox/states"
)

var update = flag.Bool("update", false, "rewrite the goldens")

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

const role = "arn:aws:iam::123456789012:role/machine"

// bench is a service with functions of a test.
type bench struct {
	*states.Service
	t     *testing.T
	clock *clocktest.Clock
	log   *journal.Log

	mu      sync.Mutex
	said    []string
	calls   map[string]int    // of functions, by name
	release chan struct{}     // lets the function "held" end
	began   chan string       // takes the names of functions that are called
	assumed []string          // roles that were taken
	objects map[string]string // of S3, by /BUCKET/KEY
}

// hurried is a clock on which every wait is over at once.
type hurried struct{ *clocktest.Clock }

func (h hurried) After(d time.Duration) <-chan time.Time {
	h.Set(h.Now().Add(d))
	return h.Clock.After(0)
}

func newBench(t *testing.T, file string, change func(*states.Options)) *bench {
	t.Helper()
	b := &bench{t: t, clock: clocktest.New(noon), calls: map[string]int{}, objects: map[string]string{}, release: make(chan struct{}), began: make(chan string, 1000)}
	options := states.Options{
		Account: "123456789012", Region: "us-west-2", Invoker: b, Clock: b.clock,
		Runs: func(service, operation string) bool { return service == "ssm" && operation == "GetParameter" },
		Call: b.call,
		Tell: func(e activity.Event) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.said = append(b.said, e.String())
		},
	}
	if change != nil {
		change(&options)
	}
	b.Service = states.New(options)
	if file != "" {
		log, err := journal.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		b.log = log
		if err := b.Restore(log); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { log.Close() })
	}
	t.Cleanup(func() { b.Close(context.Background()) })
	return b
}

// Invoke is the functions: each does what its name says.
func (b *bench) Invoke(ctx context.Context, name string, event []byte) (invoke.Result, error) {
	name = name[strings.LastIndexByte(name, ':')+1:]
	b.mu.Lock()
	b.calls[name]++
	n := b.calls[name]
	b.mu.Unlock()
	b.began <- name
	thrown := func(kind string) (invoke.Result, error) {
		return invoke.Result{Failed: "Unhandled", Payload: fmt.Appendf(nil, `{"errorType":%q,"errorMessage":"it failed"}`, kind)}, nil
	}
	switch name {
	case "echo":
		return invoke.Result{Payload: event, Version: "$LATEST", RequestID: "the-id"}, nil
	case "throws":
		return thrown("CustomError")
	case "nameless":
		return invoke.Result{Failed: "Unhandled", Payload: []byte(`{"errorMessage":"timed out"}`)}, nil
	case "flaky": // fails twice
		if n <= 2 {
			return thrown("Flaky")
		}
		return invoke.Result{Payload: fmt.Appendf(nil, `{"tries":%d}`, n)}, nil
	case "large":
		return invoke.Result{Payload: []byte(`"` + strings.Repeat("x", 256<<10) + `"`)}, nil
	case "busy":
		return invoke.Result{}, invoke.ErrThrottled
	case "held":
		select {
		case <-ctx.Done():
			return invoke.Result{}, ctx.Err()
		case <-b.release:
			return invoke.Result{Payload: event}, nil
		}
	}
	return invoke.Result{}, fmt.Errorf("function %s: %w", name, invoke.ErrNotFound)
}

// call is all other services: their answer is the request, or an error by name.
func (b *bench) call(who invoke.Session, r *http.Request) invoke.Answer {
	target := r.Header.Get("X-Amz-Target")
	if target == "AWSStepFunctions.StartExecution" {
		var body strings.Builder
		r.Write(&body)
		_, text, _ := strings.Cut(body.String(), "\r\n\r\n")
		out, err := b.Handle(r.Context(), "StartExecution", []byte(text))
		if err != nil {
			return invoke.Answer{Status: 400, Body: fmt.Appendf(nil, `{"__type":%q,"message":%q}`, err.(*stack.Error).Code, err.(*stack.Error).Message)}
		}
		data, _ := json.Marshal(out)
		return invoke.Answer{Status: 200, Body: data}
	}
	switch who.Service {
	case "s3":
		return b.s3(r)
	case "sts":
		b.mu.Lock()
		b.assumed = append(b.assumed, fmt.Sprint(who.Role, " takes ", r.FormValue("RoleArn"), " for ", r.FormValue("ExternalId")))
		b.mu.Unlock()
		if strings.HasSuffix(r.FormValue("RoleArn"), "closed") {
			return invoke.Answer{Status: 403, Header: http.Header{"X-Amzn-Requestid": {"the-id"}}, Body: []byte("<ErrorResponse><Error><Code>AccessDenied</Code><Message>not so</Message></Error></ErrorResponse>")}
		}
		return invoke.Answer{Status: 200}
	}
	var in map[string]any
	json.NewDecoder(r.Body).Decode(&in)
	if code, _ := in["fail"].(string); code != "" {
		return invoke.Answer{Status: 400, Header: http.Header{"X-Amzn-Requestid": {"the-id"}}, Body: fmt.Appendf(nil, `{"__type":"com.amazon#%s","message":"no"}`, code)}
	}
	data, _ := json.Marshal(map[string]any{"asked": in, "target": target, "by": who.Role, "service": who.Service})
	return invoke.Answer{Status: 200, Header: http.Header{"X-Amzn-Requestid": {"the-id"}}, Body: data}
}

// s3 gives, takes and lists objects, two a page.
func (b *bench) s3(r *http.Request) invoke.Answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.Method == http.MethodPut {
		body, _ := io.ReadAll(r.Body)
		b.objects[r.URL.Path] = string(body)
		return invoke.Answer{Status: 200}
	}
	if q := r.URL.Query(); q.Get("list-type") == "2" {
		var out strings.Builder
		keys := slices.DeleteFunc(slices.Sorted(maps.Keys(b.objects)), func(path string) bool {
			return !strings.HasPrefix(path, r.URL.Path+"/"+q.Get("prefix")) || path <= q.Get("continuation-token")
		})
		for i, path := range keys {
			if i == 2 {
				fmt.Fprintf(&out, "<NextContinuationToken>%s</NextContinuationToken>", keys[1])
				break
			}
			fmt.Fprintf(&out, "<Contents><Key>%s</Key><LastModified>2026-11-30T12:00:00.000Z</LastModified><ETag>&#34;e&#34;</ETag><Size>%d</Size><StorageClass>STANDARD</StorageClass></Contents>", strings.TrimPrefix(path, r.URL.Path+"/"), len(b.objects[path]))
		}
		return invoke.Answer{Status: 200, Body: []byte("<ListBucketResult>" + out.String() + "</ListBucketResult>")}
	}
	text, ok := b.objects[r.URL.Path]
	if !ok {
		return invoke.Answer{Status: 404, Header: http.Header{"X-Amzn-Requestid": {"the-id"}}, Body: []byte("<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>")}
	}
	return invoke.Answer{Status: 200, Body: []byte(text)}
}

// api calls an operation.
func (b *bench) api(operation string, in map[string]any) (map[string]any, error) {
	b.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		b.t.Fatal(err)
	}
	out, err := b.Handle(context.Background(), operation, body)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(out)
	if err != nil {
		b.t.Fatal(err)
	}
	var answer map[string]any
	if err := json.Unmarshal(text, &answer); err != nil {
		b.t.Fatal(err)
	}
	return answer, nil
}

func (b *bench) must(operation string, in map[string]any) map[string]any {
	b.t.Helper()
	out, err := b.api(operation, in)
	if err != nil {
		b.t.Fatalf("%s: %v", operation, err)
	}
	return out
}

// machine makes a machine and gives its ARN.
func (b *bench) machine(name, definition string) string {
	b.t.Helper()
	return b.must("CreateStateMachine", map[string]any{"name": name, "definition": definition, "roleArn": role})["stateMachineArn"].(string)
}

// start gives the ARN of an execution.
func (b *bench) start(machine, name, input string) string {
	b.t.Helper()
	return b.must("StartExecution", map[string]any{"stateMachineArn": machine, "name": name, "input": input})["executionArn"].(string)
}

// until waits for the status of an execution.
func (b *bench) until(arn, status string) map[string]any {
	b.t.Helper()
	var out map[string]any
	for range 20000 {
		if out = b.must("DescribeExecution", map[string]any{"executionArn": arn}); out["status"] == status {
			return out
		}
		time.Sleep(time.Millisecond)
	}
	b.t.Fatalf("%s is %v, want %s", arn, out, status)
	return nil
}

// waits lets the execution come so far that it has an event of the kind.
func (b *bench) waits(arn, kind string) {
	b.t.Helper()
	for range 20000 {
		if strings.Contains(b.history(arn), " "+kind+" ") {
			return
		}
		time.Sleep(time.Millisecond)
	}
	b.t.Fatalf("%s has no event %s:\n%s", arn, kind, b.history(arn))
}

// history is an execution's events, a line each.
func (b *bench) history(arn string) string {
	b.t.Helper()
	var out strings.Builder
	for _, e := range b.must("GetExecutionHistory", map[string]any{"executionArn": arn, "maxResults": 1000})["events"].([]any) {
		event := e.(map[string]any)
		kind := event["type"].(string)
		fmt.Fprintf(&out, "%v %v %s ", event["id"], event["previousEventId"], kind)
		for name, details := range event {
			if m, ok := details.(map[string]any); ok {
				if strings.ToLower(name[:1]) != name[:1] || !strings.HasSuffix(name, "EventDetails") {
					b.t.Errorf("details %s", name)
				}
				for _, told := range []string{"inputDetails", "outputDetails", "assignedVariablesDetails"} {
					delete(m, told)
				}
				text, _ := json.Marshal(m)
				out.Write(text)
			}
		}
		out.WriteString("\n")
	}
	return out.String()
}

// Definitions run as the specification and AWS say: an archive of testdata is a kind of
// state, NAME/machine.json and NAME/input.json a case of it, and NAME/want.txt what has
// come of it, the events of its history included.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		given := map[string]string{}
		for _, f := range archive.Files {
			given[f.Name] = string(f.Data)
		}
		for i, f := range archive.Files {
			name, isCase := strings.CutSuffix(f.Name, "/want.txt")
			if !isCase {
				continue
			}
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+name, func(t *testing.T) {
				_, unordered := given[name+"/unordered"]
				objects := map[string]string{}
				for file, text := range given {
					if path, ok := strings.CutPrefix(file, name+"/s3"); ok {
						objects[path] = text
					}
				}
				got := runCase(t, given[name+"/machine.json"], given[name+"/input.json"], objects, !unordered)
				if got != string(f.Data) && !*update {
					t.Errorf("is\n%s\nwant\n%s", got, f.Data)
				}
				archive.Files[i].Data = []byte(got)
			})
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func runCase(t *testing.T, definition, input string, objects map[string]string, history bool) string {
	b := newBench(t, "", func(o *states.Options) { o.Clock = hurried{o.Clock.(*clocktest.Clock)} })
	maps.Copy(b.objects, objects)
	made, err := b.api("CreateStateMachine", map[string]any{"name": "it", "definition": definition, "roleArn": role})
	if err != nil {
		var api *stack.Error
		if !errors.As(err, &api) {
			t.Fatal(err)
		}
		return api.Error() + "\n"
	}
	x := b.start(made["stateMachineArn"].(string), "one", strings.TrimSpace(input))
	for {
		is := b.must("DescribeExecution", map[string]any{"executionArn": x})
		if is["status"] == "RUNNING" {
			time.Sleep(time.Millisecond)
			continue
		}
		var out strings.Builder
		for _, name := range []string{"status", "output", "error", "cause"} {
			if is[name] != nil {
				fmt.Fprintf(&out, "%s %v\n", name, is[name])
			}
		}
		if history {
			out.WriteString(b.history(x))
		}
		for _, path := range slices.Sorted(maps.Keys(b.objects)) {
			if _, given := objects[path]; !given {
				fmt.Fprintf(&out, "%s %s\n", path, b.objects[path])
			}
		}
		return runID.ReplaceAllString(requestID.ReplaceAllString(out.String(), "Request ID: ID"), "${1}ID")
	}
}

// requestID and runID are others each time.
var (
	requestID = regexp.MustCompile(`Request ID: [0-9a-f-]{36}`)
	runID     = regexp.MustCompile(`((?:mapRun:it/|:it/|[:/.]|"Name\\*":\\*"))[0-9a-f]{8}-[0-9a-f-]{27}`)
)
