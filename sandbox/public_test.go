package sandbox_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/coder/websocket"
	"github.com/rogpeppe/go-internal/txtar"

	"arc/sandbox"
	"arc/sandbox/invoke/clocktest"
)

// Templates in the shape of public ones come up and answer, or are refused before
// anything is made. A file of testdata/public is one: its comment names the public
// template that it is patterned on, template.yaml is the template, other files are
// the code that it names, and script has what is done and what must be so, line by
// line:
//
//	http METHOD URL [BODY] -> STATUS [WORDS]  a request, repeated until the answer has the words
//	with NAME: VALUE                          a header of the next request
//	ws URL TEXT -> ANSWER                     a message on a new socket
//	say URL TEXT                              one that nothing answers
//	closed URL -> STATUS                      a socket that does not open
//	aws TARGET JSON [-> WORDS]                a call of a service with a JSON protocol: sqs AmazonSQS.SendMessage
//	put BUCKET KEY TEXT                       an object
//	publish TOPIC TEXT                        a message
//	invoke FUNCTION JSON -> WORDS             a call of a function
//	logs FUNCTION WORDS                       what a function writes, in the end
//	forward DURATION                          the clock of schedules
//	refused WORDS                             the stack is not made, for this reason
//	fails WORDS                               as the first step: the stack is rolled back, after an event with the words
//	update FILE                               the stack, to another template
//	declined FILE WORDS                       an update to it, at once
//	event LOGICALID WORDS                     is, or will be, among the events of the stack
//	output NAME -> VALUE
//	delete                                    the stack, which goes
//
// $Name, or ${Name}, stands for an output of the stack.
func TestPublicTemplates(t *testing.T) {
	need(t, "node")
	need(t, "python3")
	files, err := filepath.Glob(filepath.Join("testdata", "public", "*.txtar"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d templates, %v", len(files), err)
	}
	// A few share a cloud and its clock, one after another; several clouds go on at once.
	for few := range slices.Chunk(files, 8) {
		first := strings.TrimSuffix(filepath.Base(few[0]), ".txtar")
		t.Run("from "+first, func(t *testing.T) {
			t.Parallel()
			clock := clocktest.New(time.Now())
			_, c := newPackaged(t, clock)
			for _, file := range few {
				t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { playPublic(t, c, clock, file) })
			}
		})
	}
}

// playPublic brings one template up and follows its script.
func playPublic(t *testing.T, c *sandbox.Cloud, clock *clocktest.Clock, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := &publicStack{t: t, c: c, clock: clock, name: strings.TrimSuffix(filepath.Base(file), ".txtar"), files: map[string][]byte{}}
	for _, f := range archive.Files {
		p.files[f.Name] = f.Data
	}
	p.up()
	for line := range strings.Lines(string(p.files["script"])) {
		if line = strings.TrimSpace(line); line != "" {
			p.step(line)
		}
	}
}

// publicStack is a template that was brought up.
type publicStack struct {
	t       *testing.T
	c       *sandbox.Cloud
	clock   *clocktest.Clock
	name    string
	id      string // of the stack
	files   map[string][]byte
	given   []types.Parameter
	outputs map[string]string
	failed  string // why there is no stack
	with    http.Header
}

// codeFolder is a property that names a folder of code, as aws cloudformation package
// replaces it.
// https://docs.aws.amazon.com/cli/latest/reference/cloudformation/package.html
var codeFolder = regexp.MustCompile(`(?m)(CodeUri|ContentUri|Code|Content): (\.?[\w./-]+/)$`)

// packaged puts the template's folders of code into the local S3.
func (p *publicStack) packaged() string {
	return codeFolder.ReplaceAllStringFunc(string(p.files["template.yaml"]), func(found string) string {
		parts := codeFolder.FindStringSubmatch(found)
		prefix := strings.TrimPrefix(parts[2], "./")
		code := map[string][]byte{}
		for name, data := range p.files {
			if inner, ok := strings.CutPrefix(name, prefix); ok {
				code[inner] = data
			}
		}
		key := p.name + "/" + strings.ReplaceAll(prefix, "/", "-") + ".zip"
		p.rest(http.MethodPut, "s3", "/public-code/"+key, zipped(p.t, code))
		if strings.HasSuffix(parts[1], "Uri") {
			return parts[1] + ": s3://public-code/" + key
		}
		return parts[1] + ": {S3Bucket: public-code, S3Key: " + key + "}"
	})
}

// zipped is an archive of files, all of which may be run.
func zipped(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for name, data := range files {
		header := &zip.FileHeader{Name: name, Method: zip.Store}
		header.SetMode(0o755)
		w, err := archive.CreateHeader(header)
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// rest sends a signed request and gives the answer.
func (p *publicStack) rest(method, service, path string, body []byte, header ...string) string {
	p.t.Helper()
	_, text := get(p.t, p.c.Running().Endpoint+path, func(r *http.Request) {
		r.Method, r.Body, r.ContentLength = method, io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x/20260101/us-west-2/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
	})
	return text
}

// settled waits for the end of an operation and gives the status and the outputs.
func (p *publicStack) settled() types.StackStatus {
	p.t.Helper()
	for {
		out, err := stacksOf(p.c).DescribeStacks(p.t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String(p.id)})
		if err != nil {
			p.t.Fatal(err)
		}
		p.outputs = map[string]string{}
		for _, o := range out.Stacks[0].Outputs {
			p.outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
		}
		if status := out.Stacks[0].StackStatus; !strings.HasSuffix(string(status), "_IN_PROGRESS") {
			return status
		}
	}
}

// events are those of the stack, a line each, oldest first.
func (p *publicStack) events() string {
	p.t.Helper()
	out, err := stacksOf(p.c).DescribeStackEvents(p.t.Context(), &cloudformation.DescribeStackEventsInput{StackName: aws.String(p.id)})
	if err != nil {
		p.t.Fatal(err)
	}
	var lines strings.Builder
	for _, e := range slices.Backward(out.StackEvents) {
		fmt.Fprintln(&lines, aws.ToString(e.LogicalResourceId), e.ResourceStatus, aws.ToString(e.PhysicalResourceId), aws.ToString(e.ResourceStatusReason), aws.ToString(e.ResourceProperties))
	}
	return lines.String()
}

// expect waits for the end of an operation that comes to a status.
func (p *publicStack) expect(want types.StackStatus) {
	p.t.Helper()
	if status := p.settled(); status != want {
		p.t.Fatalf("%s is %s\n%s", p.name, status, p.events())
	}
}

// up makes the stack, as aws cloudformation deploy does.
func (p *publicStack) up() {
	p.t.Helper()
	ctx, client := p.t.Context(), stacksOf(p.c)
	p.rest(http.MethodPut, "s3", "/public-code", nil)
	for name, data := range p.files {
		if strings.HasSuffix(name, ".json") && !strings.Contains(name, "/") {
			p.rest(http.MethodPut, "s3", "/public-code/"+name, data) // which the template names there
		}
	}
	made, err := client.CreateStack(ctx, &cloudformation.CreateStackInput{
		StackName: aws.String(p.name), TemplateBody: aws.String(p.packaged()), Parameters: p.given,
		Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam, types.CapabilityCapabilityAutoExpand},
	})
	if err != nil {
		p.failed = err.Error()
		return
	}
	p.id = aws.ToString(made.StackId)
	if bytes.HasPrefix(p.files["script"], []byte("fails ")) {
		p.expect(types.StackStatusRollbackComplete)
		return
	}
	p.expect(types.StackStatusCreateComplete)
}

// outputName is $Name in a script.
var outputName = regexp.MustCompile(`\$\{?(\w+)\}?`)

// step does a line of the script.
func (p *publicStack) step(line string) {
	p.t.Helper()
	verb, rest, _ := strings.Cut(line, " ")
	if verb == "refused" {
		if !strings.Contains(p.failed, rest) {
			p.t.Errorf("refused for %q, want %q", p.failed, rest)
		}
		return
	}
	if p.failed != "" {
		p.t.Fatalf("%s: %s", line, p.failed)
	}
	rest, want, _ := strings.Cut(rest, " -> ")
	if p.stackStep(verb, rest, want, line) {
		return
	}
	rest = outputName.ReplaceAllStringFunc(rest, func(name string) string {
		value, ok := p.outputs[strings.Trim(name, "${}")]
		if !ok {
			p.t.Fatalf("%s: no output %s among %v", line, name, p.outputs)
		}
		return value
	})
	words := strings.SplitN(rest, " ", 3)
	third := ""
	if len(words) == 3 {
		third = words[2]
	}
	switch verb {
	case "http":
		got := ""
		ask := func() bool {
			status, body := p.ask(words[0], words[1], third)
			got = fmt.Sprint(status, " ", body)
			status0, text, _ := strings.Cut(want, " ")
			return strings.HasPrefix(got, status0+" ") && strings.Contains(got, text)
		}
		wait(p.t, ask, func() string { return line + ": " + got })
		p.with = nil
	case "with":
		name, value, _ := strings.Cut(rest, ": ")
		p.with = http.Header{name: {value}}
	case "ws", "say":
		address, text, _ := strings.Cut(rest, " ")
		conn, _, err := p.dial(address)
		if err != nil {
			p.t.Fatalf("%s: %v", line, err)
		}
		defer conn.CloseNow()
		ctx, cancel := context.WithTimeout(p.t.Context(), 4*time.Minute) // programs are started and load much
		defer cancel()
		if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			p.t.Fatal(err)
		}
		if verb == "say" {
			if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
				p.t.Errorf("%s: %v", line, err)
			}
			return
		}
		if _, got, err := conn.Read(ctx); err != nil || !strings.Contains(string(got), want) {
			p.t.Errorf("%s: %s %v", line, got, err)
		}
	case "closed":
		conn, resp, err := p.dial(rest)
		if err == nil {
			conn.CloseNow()
		}
		if resp == nil || fmt.Sprint(resp.StatusCode) != want {
			p.t.Errorf("%s: %v %v", line, resp, err)
		}
	case "aws":
		service, _, _ := strings.Cut(rest, " ")
		var in json.RawMessage = []byte(third)
		wait(p.t, func() bool { return strings.Contains(string(call(p.t, p.c, service, words[1], in)), want) }, func() string { return line })
	case "put":
		if got := p.rest(http.MethodPut, "s3", "/"+words[0]+"/"+words[1], []byte(third)); strings.Contains(got, "<Error>") {
			p.t.Fatalf("%s: %s", line, got)
		}
	case "publish":
		p.rest(http.MethodPost, "sns", "/", []byte("Action=Publish&Version=2010-03-31&TopicArn="+words[0]+"&Message="+strings.Join(words[1:], "+")), "Content-Type", "application/x-www-form-urlencoded")
	case "invoke":
		name, payload, _ := strings.Cut(rest, " ")
		if got := p.rest(http.MethodPost, "lambda", "/2015-03-31/functions/"+name+"/invocations", []byte(payload)); !strings.Contains(got, want) {
			p.t.Errorf("%s: %s", line, got)
		}
	case "logs":
		name, text, _ := strings.Cut(rest, " ")
		logged := func() string { return strings.Join(logLines(p.t, p.c, "/aws/lambda/"+name), "\n") }
		wait(p.t, func() bool { return strings.Contains(logged(), text) }, func() string { return line + ": " + logged() })
	case "forward":
		d, err := time.ParseDuration(rest)
		if err != nil {
			p.t.Fatal(err)
		}
		p.clock.Set(p.clock.Now().Add(d))
	default:
		p.t.Fatalf("%s: no such step", line)
	}
}

// stackStep does a step that is about the stack itself; false = it is not.
func (p *publicStack) stackStep(verb, rest, want, line string) bool {
	p.t.Helper()
	client := stacksOf(p.c)
	switch verb {
	case "fails":
		if !strings.Contains(p.events(), rest) {
			p.t.Errorf("%s:\n%s", line, p.events())
		}
	case "declined":
		file, words, _ := strings.Cut(rest, " ")
		_, err := client.UpdateStack(p.t.Context(), &cloudformation.UpdateStackInput{
			StackName: aws.String(p.name), TemplateBody: aws.String(string(p.files[file])), Capabilities: []types.Capability{types.CapabilityCapabilityAutoExpand},
		})
		if err == nil || !strings.Contains(err.Error(), words) {
			p.t.Errorf("%s: %v", line, err)
		}
	case "update":
		_, err := client.UpdateStack(p.t.Context(), &cloudformation.UpdateStackInput{
			StackName: aws.String(p.name), TemplateBody: aws.String(string(p.files[rest])), Parameters: p.given, Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam, types.CapabilityCapabilityAutoExpand},
		})
		if err != nil {
			p.t.Fatal(err)
		}
		p.settled()
	case "event":
		id, words, _ := strings.Cut(rest, " ")
		found := func() bool {
			for event := range strings.Lines(p.events()) {
				if strings.HasPrefix(event, id+" ") && strings.Contains(event, words) {
					return true
				}
			}
			return false
		}
		wait(p.t, found, func() string { return line + ":\n" + p.events() })
	case "output":
		if got := p.outputs[rest]; got != want {
			p.t.Errorf("%s: it is %q", line, got)
		}
	case "delete":
		if _, err := client.DeleteStack(p.t.Context(), &cloudformation.DeleteStackInput{StackName: aws.String(p.name)}); err != nil {
			p.t.Fatal(err)
		}
		p.expect(types.StackStatusDeleteComplete)
	default:
		return false
	}
	return true
}
