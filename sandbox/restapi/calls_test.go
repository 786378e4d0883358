package restapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"arc/sandbox/invoke"
	"arc/sandbox/restapi"
	"arc/sandbox/stack"
)

// play is one archive of testdata/calls against one cloud. Its sections, in order:
//
//   - "template…": the stack gets these resources, with <NAME> for the URI of a
//     function, a deployment of its own and the stage dev
//   - "answer SERVICE": what a service answers from now on
//   - all others are named for people: a request, "===", and what must come back. READ
//     asks the API that tells of REST APIs; {NAME} is a physical ID.
//
// An answer is a status, headers (Log and Called are what was told, and what a
// service was sent), and the body: its text, of which … stands for any, or for READ
// JSON of which all must be there ("*" = anything, "-" = nothing).
type play struct {
	*cloud
	answers map[string]invoke.Answer
	called  string
	applied int
	echo    string
	control *httptest.Server
	ids     *strings.Replacer
}

// TestCalls plays the archives. Each names the pages that say what must come back.
func TestCalls(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "calls", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := &play{answers: map[string]invoke.Answer{}, echo: echo(t)}
			p.cloud = newCloud(t, documentedFunctions(), func(o *restapi.Options) {
				o.Call = p.service
				o.Object = func(bucket, key string) ([]byte, error) {
					for _, f := range archive.Files {
						if f.Name == "object "+bucket+"/"+key {
							return f.Data, nil
						}
					}
					return nil, fmt.Errorf("there is no object %s in %s", key, bucket)
				}
			})
			p.control = httptest.NewServer(p.Endpoint().Handler)
			defer p.control.Close()
			for _, f := range archive.Files {
				kind, rest, _ := strings.Cut(f.Name, " ")
				switch {
				case kind == "template":
					p.deploy(t, string(f.Data))
				case kind == "answer":
					status, header, body := p.read(t, string(f.Data))
					p.answers[rest] = invoke.Answer{Status: status, Header: http.Header(header), Body: []byte(body)}
				case kind != "object":
					t.Run(f.Name, func(t *testing.T) { p.play(t, string(f.Data)) })
				}
			}
		})
	}
}

// service stands for the services, each of which is a room of its own.
func (p *play) service(who invoke.Session, r *http.Request) invoke.Answer {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Error(err)
	}
	p.called = strings.Join(slices.DeleteFunc([]string{
		who.Service, who.Region, r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), r.Header.Get("X-Amz-Target"), r.Header.Get("X-Own"), string(body),
	}, func(s string) bool { return s == "" }), " ")
	return p.answers[who.Service]
}

var (
	functionURI = regexp.MustCompile(`<(\w+)>`)
	parts       = regexp.MustCompile(`(?m)^(\w+):\s+\{?\s*Type: AWS::ApiGateway::(?:Method|GatewayResponse)`)
)

func (p *play) deploy(t *testing.T, resources string) {
	t.Helper()
	p.applied++
	resources = functionURI.ReplaceAllString(resources, "!Sub 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/$${$1.Arn}/invocations'")
	resources = strings.ReplaceAll(resources, "ECHO", p.echo)
	if !strings.Contains(resources, "AWS::ApiGateway::Deployment") {
		var after []string
		for _, found := range parts.FindAllStringSubmatch(resources, -1) {
			after = append(after, found[1])
		}
		resources += fmt.Sprintf("\nD%d: {Type: AWS::ApiGateway::Deployment, DependsOn: [%s], Properties: {RestApiId: !Ref Api}}\n", p.applied, strings.Join(after, ", ")) +
			fmt.Sprintf("S: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, DeploymentId: !Ref D%d, StageName: dev, Variables: {color: red, host: '%s'}}}\n", p.applied, p.echo)
	}
	functions := ""
	for _, name := range []string{"Echo", "Told", "Mirror", "Slow", "Guard"} {
		functions += "  " + name + ": {Type: AWS::Lambda::Function, Properties: {}}\n"
	}
	p.apply("Resources:\n" + functions + indented(resources) + "Outputs: {Root: {Value: !GetAtt Api.RootResourceId}}\n")
	described, err := p.engine.DescribeStackResources(context.Background(), stack.DescribeStackResourcesInput{StackName: "Demo"})
	if err != nil {
		t.Fatal(err)
	}
	pairs := []string{"{Root}", p.engine.Outputs("Demo")["Root"]}
	for _, r := range described.StackResources {
		pairs = append(pairs, "{"+r.LogicalResourceID+"}", r.PhysicalResourceID)
	}
	p.ids = strings.NewReplacer(pairs...)
}

// read splits lines of headers from the body, which follows an empty line.
func (p *play) read(t *testing.T, text string) (status int, header textproto.MIMEHeader, body string) {
	t.Helper()
	first, rest, _ := strings.Cut(text, "\n")
	if _, err := fmt.Sscan(first, &status); err != nil {
		t.Fatalf("%q is no status", first)
	}
	header, body = headed(t, rest)
	return status, header, body
}

func headed(t *testing.T, text string) (textproto.MIMEHeader, string) {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	if strings.HasPrefix(text, "\n") {
		head, body = "", text[1:]
	}
	header, err := textproto.NewReader(bufio.NewReader(strings.NewReader(strings.TrimSpace(head) + "\n\n"))).ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	return header, strings.TrimSuffix(body, "\n")
}

func (p *play) play(t *testing.T, text string) {
	sent, want, ok := strings.Cut(p.ids.Replace(text), "===\n")
	if !ok {
		t.Fatal("no ===")
	}
	first, rest, _ := strings.Cut(sent, "\n")
	verb, path, _ := strings.Cut(first, " ")
	header, body := headed(t, rest)
	address := p.url("", "dev"+path)
	reads := verb == "READ"
	if reads {
		verb, address = "GET", p.control.URL+path
	}
	var given []string
	for name, values := range header {
		for _, value := range values {
			given = append(given, name, value)
		}
	}
	p.called = ""
	resp, got := p.ask(verb, address, body, given...)
	status, expected, like := p.read(t, want)
	if resp.StatusCode != status {
		t.Errorf("%d, want %d\n%s", resp.StatusCode, status, got)
	}
	for name, values := range expected {
		switch name {
		case "Log":
			if !strings.Contains(p.log(), values[0]) {
				t.Errorf("the log lacks %q:\n%s", values[0], p.log())
			}
		case "Called":
			if p.called != values[0] {
				t.Errorf("the service got\n%s, want\n%s", p.called, values[0])
			}
		default:
			if found := resp.Header.Values(name); values[0] != "" && !slices.Equal(found, values) || values[0] == "" && found != nil {
				t.Errorf("%s: %q, want %q", name, found, values)
			}
		}
	}
	switch {
	case reads:
		var is, be any
		if err := json.Unmarshal([]byte(got), &is); err != nil {
			t.Fatalf("%v\n%s", err, got)
		}
		if err := json.Unmarshal([]byte(like), &be); err != nil {
			t.Fatalf("%v\n%s", err, like)
		}
		if why := lacks(is, be, ""); why != "" {
			t.Errorf("%s\n%s", why, got)
		}
	case !fits(got, like):
		t.Errorf("%s, want\n%s\n%s", got, like, p.log())
	}
}

// fits reports whether a text is another one, in which … stands for any.
func fits(text, like string) bool {
	pieces := strings.Split(like, "…")
	for i, piece := range pieces {
		at := strings.Index(text, piece)
		if i == len(pieces)-1 && i > 0 {
			at = len(text) - len(piece)
		}
		if at < 0 || i == 0 && at > 0 || text[at:at+len(piece)] != piece {
			return false
		}
		text = text[at+len(piece):]
	}
	return text == ""
}

// lacks says what of be is not in is. The order of a list does not count.
func lacks(is, be any, at string) string {
	switch be := be.(type) {
	case map[string]any:
		object, ok := is.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %v", at, is)
		}
		for name, value := range be {
			found, there := object[name]
			if value == "-" {
				if there {
					return at + "." + name + " is there"
				}
			} else if !there {
				return at + "." + name + " is missing"
			} else if why := lacks(found, value, at+"."+name); why != "" {
				return why
			}
		}
	case []any:
		list, ok := is.([]any)
		if !ok || len(list) != len(be) {
			return fmt.Sprintf("%s is %v", at, is)
		}
		for _, value := range be {
			if !slices.ContainsFunc(list, func(one any) bool { return lacks(one, value, "") == "" }) {
				return fmt.Sprintf("%s lacks %v", at, value)
			}
		}
	default:
		if be != "*" && is != be {
			return fmt.Sprintf("%s is %v, want %v", at, is, be)
		}
	}
	return ""
}
