package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// waits is a stack whose state machine waits between two calls of a function.
const waits = `{"Resources":{
 "Role":{"Type":"AWS::IAM::Role","Properties":{"AssumeRolePolicyDocument":{"Statement":{"Effect":"Allow","Principal":{"Service":["lambda.amazonaws.com","states.amazonaws.com"]},"Action":"sts:AssumeRole"}},
  "Policies":[{"PolicyName":"all","PolicyDocument":{"Statement":{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*"}}}]}},
 "Add":{"Type":"AWS::Lambda::Function","Properties":{"Handler":"index.handler","Runtime":"nodejs22.x","Role":{"Fn::GetAtt":["Role","Arn"]},"Code":{"ZipFile":"exports.handler = async e => ({n: e.n + 1})"}}},
 "Machine":{"Type":"AWS::StepFunctions::StateMachine","Properties":{"StateMachineName":"waits","RoleArn":{"Fn::GetAtt":["Role","Arn"]},"DefinitionSubstitutions":{"Add":{"Fn::GetAtt":["Add","Arn"]}},
  "DefinitionString":"{\"StartAt\":\"One\",\"States\":{\"One\":{\"Type\":\"Task\",\"Resource\":\"${Add}\",\"Next\":\"W\"},\"W\":{\"Type\":\"Wait\",\"Seconds\":6,\"Next\":\"Two\"},\"Two\":{\"Type\":\"Task\",\"Resource\":\"${Add}\",\"End\":true}}}"}}}}`

// TestStatesGoOn kills arc deploy --local while an execution of a state machine waits:
// after a new start it goes on, with the function of the stack that has come back.
func TestStatesGoOn(t *testing.T) {
	t.Parallel()
	lookTool(t, "node")
	dir := filepath.Join(t.TempDir(), "app")
	for name, text := range map[string]string{"app.arc": "@app\nwaits\n@http\nget /\n", "src/http/get-index/index.js": "exports.handler = async () => 'ok'\n"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	arc, endpoint := buildArc(t), ""
	start := func() *process {
		p := startArc(t, arc, dir, "deploy", "--local")
		p.url(t, "HTTP")
		endpoint = regexp.MustCompile(`local cloud at (\S+)`).FindStringSubmatch(p.stderr.String())[1]
		return p
	}
	ask := func(service, target, kind string, body []byte) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/us-west-2/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
		r.Header.Set("Content-Type", kind)
		if target != "" {
			r.Header.Set("X-Amz-Target", target)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	stacks := func(form url.Values) string {
		form.Set("Version", "2010-05-15")
		form.Set("StackName", "waits")
		return ask("cloudformation", "", "application/x-www-form-urlencoded", []byte(form.Encode()))
	}
	states := func(operation string, in map[string]string) string {
		body, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		return ask("states", "AWSStepFunctions."+operation, "application/x-amz-json-1.0", body)
	}
	until := func(words string, say func() string) {
		t.Helper()
		got := ""
		for began := time.Now(); time.Since(began) < 90*time.Second; time.Sleep(20 * time.Millisecond) {
			if got = say(); strings.Contains(got, words) {
				return
			}
		}
		t.Fatalf("is %s, want %s", got, words)
	}

	p := start()
	region := regexp.MustCompile(`arn:aws:cloudformation:([a-z0-9-]+):`).FindStringSubmatch(stacks(url.Values{"Action": {"CreateStack"}, "TemplateBody": {waits}, "Capabilities.member.1": {"CAPABILITY_IAM"}}))
	if region == nil {
		t.Fatal("the stack is not made")
	}
	until("<StackStatus>CREATE_COMPLETE", func() string { return stacks(url.Values{"Action": {"DescribeStacks"}}) })
	arn := "arn:aws:states:" + region[1] + ":000000000000:"
	execution := map[string]string{"executionArn": arn + "execution:waits:one"}
	states("StartExecution", map[string]string{"stateMachineArn": arn + "stateMachine:waits", "name": "one", "input": `{"n":1}`})
	until("WaitStateEntered", func() string { return states("GetExecutionHistory", execution) })
	if err := p.kill(); err != nil {
		t.Fatal(err)
	}

	start()
	until(`"output":"{\"n\":3}"`, func() string { return states("DescribeExecution", execution) })
	if history := states("GetExecutionHistory", execution); strings.Count(history, `"type":"LambdaFunctionSucceeded"`) != 2 || strings.Count(history, `"type":"WaitStateEntered"`) != 1 {
		t.Errorf("history %s", history)
	}
}
