package sandbox_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFunctionURLStreams reads what a function of Node writes while it still runs:
// the second part is written when the first one has come here.
func TestFunctionURLStreams(t *testing.T) {
	need(t, "node")
	p := newProject(t)
	c := p.start()
	code, err := json.Marshal(`
const { existsSync } = require('node:fs')
const { Readable, pipeline } = require('node:stream')
exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  switch (event.rawPath) {
    case '/slow':
      stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { 'X-A': 'b' }, cookies: [ 'c=1', 'd=2' ] })
      stream.write('first ' + typeof context.getRemainingTimeInMillis() + '\n')
      while (!existsSync(event.queryStringParameters.until)) await new Promise((done) => setTimeout(done, 10))
      stream.write('second\n')
      stream.end()
      break
    case '/pipe':
      stream.setContentType('text/x')
      pipeline(Readable.from([ 'a', 'ü', 'b'.repeat(100000) ]), stream, () => {})
      break
    case '/open':
      stream.write('open')
      break
    case '/throw':
      throw new Error('no')
    case '/breaks':
      stream.write('part')
      throw new Error('half-way')
  }
})
`)
	if err != nil {
		t.Fatal(err)
	}
	url := strings.TrimSuffix(p.deployTemplate(c, "Streams", `{
  "Resources": {
    "Fn": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "nodejs22.x", "Handler": "index.handler", "Timeout": 29, "Role": "arn:aws:iam::123456789012:role/r", "Code": {"ZipFile": `+string(code)+`}}},
    "Url": {"Type": "AWS::Lambda::Url", "Properties": {"TargetFunctionArn": {"Fn::GetAtt": ["Fn", "Arn"]}, "AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM"}},
    "Allow": {"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": {"Ref": "Fn"}, "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"}},
    "AllowToo": {"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": {"Ref": "Fn"}, "Action": "lambda:InvokeFunction", "Principal": "*", "InvokedViaFunctionUrl": true}}
  },
  "Outputs": {"URL": {"Value": {"Fn::GetAtt": ["Url", "FunctionUrl"]}}}
}`), "/")
	for range 2 { // the worker is used again
		until := filepath.Join(t.TempDir(), "until")
		resp, err := http.Get(url + "/slow?until=" + until)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(resp.Body)
		first, _ := lines.ReadString('\n')
		if err := os.WriteFile(until, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		second, _ := lines.ReadString('\n')
		resp.Body.Close()
		if resp.StatusCode != 201 || resp.Header.Get("X-A") != "b" || len(resp.Header["Set-Cookie"]) != 2 || first != "first number\n" || second != "second\n" {
			t.Errorf("%d %v %q %q", resp.StatusCode, resp.Header, first, second)
		}
		for path, want := range map[string]string{
			"/pipe": "200 text/x aü" + strings.Repeat("b", 100000), "/open": "200 application/octet-stream open", "/nothing": "200 application/octet-stream ",
			"/throw": `502 application/json {"Message":"Internal Server Error"}`, "/breaks": "200 application/octet-stream part",
		} {
			resp, err := http.Get(url + path)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if got := resp.Status[:3] + " " + resp.Header.Get("Content-Type") + " " + string(body); got != want {
				t.Errorf("%s: %.200s", path, got)
			}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if log := strings.Join(p.lines, "\n"); !strings.Contains(log, "broken off") || !strings.Contains(log, "half-way") {
		t.Errorf("the log does not say what broke:\n%s", log)
	}
}

// A URL for everybody takes two permissions, and the log names the one that is missing.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
func TestFunctionURLPermissions(t *testing.T) {
	need(t, "node")
	p := newProject(t)
	c := p.start()
	const first = `"Allow": {"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": {"Ref": "Fn"}, "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"}}`
	const second = `"AllowToo": {"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": {"Ref": "Fn"}, "Action": "lambda:InvokeFunction", "Principal": "*", "InvokedViaFunctionUrl": true}}`
	for name, test := range map[string]struct {
		permissions string
		status      int
		says        string
	}{
		"Both": {first + ", " + second, 200, "200"}, "First": {first, 403, "there is no AWS::Lambda::Permission with the Action lambda:InvokeFunction, the FunctionName First-Fn-"},
		"Second": {second, 403, "there is no AWS::Lambda::Permission with the Action lambda:InvokeFunctionUrl, the FunctionName Second-Fn-"},
	} {
		url := p.deployTemplate(c, name, `{"Resources": {
  "Fn": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "nodejs22.x", "Handler": "index.handler", "Role": "arn:aws:iam::123456789012:role/r", "Code": {"ZipFile": "exports.handler = async () => 'in'"}}},
  "Url": {"Type": "AWS::Lambda::Url", "Properties": {"TargetFunctionArn": {"Fn::GetAtt": ["Fn", "Arn"]}, "AuthType": "NONE"}},
  `+test.permissions+`}, "Outputs": {"URL": {"Value": {"Fn::GetAtt": ["Url", "FunctionUrl"]}}}}`)
		status, body := get(t, url, func(*http.Request) {})
		p.mu.Lock()
		log := strings.Join(p.lines, "\n")
		p.mu.Unlock()
		if status != test.status || !strings.Contains(log, test.says) {
			t.Errorf("%s: %d %s\n%s", name, status, body, log)
		}
	}
}
