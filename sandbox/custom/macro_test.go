package custom

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

// What a macro's function is asked, and what may become of it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros-author.html
func TestMacro(t *testing.T) {
	var asked map[string]any
	var payload, failed, ran string
	var may, run error
	var function string
	d := New(Options{
		Account: "123456789012",
		May: func(_ context.Context, arn string) error {
			function = arn
			return may
		},
		Run: func(_ context.Context, name string, event []byte) (invoke.Result, error) {
			ran, asked = name, map[string]any{}
			if err := json.Unmarshal(event, &asked); err != nil {
				return invoke.Result{}, err
			}
			id, _ := asked["requestId"].(string)
			return invoke.Result{Payload: []byte(strings.ReplaceAll(payload, "{request}", id)), Failed: failed}, run
		},
		Called: func(name string) string { return "function " + name },
	})
	macro := d.Registrations()["AWS::CloudFormation::Macro"].Provider
	made := func(name, function string) stack.Request {
		return stack.Request{Stack: stack.Ref{Region: "us-east-1"}, PhysicalID: name, Properties: map[string]any{"Name": name, "FunctionName": function}}
	}
	if r, err := macro.Create(t.Context(), made("Upper", "upper")); err != nil || r.PhysicalID != "Upper" {
		t.Fatal(r, err)
	}
	if _, err := macro.Create(t.Context(), made("Upper", "other")); err == nil || err.Error() != "Upper already exists" {
		t.Error(err)
	}
	for _, step := range []func(context.Context, stack.Request) (stack.Resource, error){macro.Create, macro.Update} {
		if _, err := step(t.Context(), made("", "other")); err == nil {
			t.Error("a macro without a name is made")
		}
	}
	call := stack.MacroCall{Name: "Upper", Region: "us-east-1", Fragment: map[string]any{"A": "a"}, Params: map[string]any{"P": "p"}, Values: map[string]any{"V": "v"}}
	for _, c := range []struct {
		name, payload, failed string
		may, run              error
		want                  string // or the fragment
	}{
		{"well", `{"requestId":"{request}","status":"success","fragment":{"A":1.50}}`, "", nil, nil, `{"A":1.50}`},
		{"well, in capitals", `{"requestId":"{request}","status":"SUCCESS","fragment":[]}`, "", nil, nil, `[]`},
		{"it refuses", `{"requestId":"{request}","status":"failed","errorMessage":"no"}`, "", nil, nil, "Transform 123456789012::Upper failed with: no"},
		{"it refuses without a word", `{"requestId":"{request}","status":"failed"}`, "", nil, nil, "Transform 123456789012::Upper failed without an error message."},
		{"no fragment", `{"requestId":"{request}","status":"success"}`, "", nil, nil, "Received malformed response from transform 123456789012::Upper (it needs"},
		{"names in another case", `{"RequestId":"{request}","status":"success","fragment":{}}`, "", nil, nil, "Received malformed response"},
		{"a fragment in another case", `{"requestId":"{request}","status":"success","Fragment":{}}`, "", nil, nil, "Received malformed response"},
		{"a status in another case", `{"requestId":"{request}","Status":"success","fragment":{}}`, "", nil, nil, "Received malformed response"},
		{"null for a fragment", `{"requestId":"{request}","status":"success","fragment":null}`, "", nil, nil, "Received malformed response"},
		{"no status", `{"requestId":"{request}","fragment":{}}`, "", nil, nil, "Received malformed response"},
		{"another request", `{"requestId":"x","status":"success","fragment":{}}`, "", nil, nil, "Received malformed response"},
		{"no JSON", `{"requestId":"{request}","status":"failed",`, "", nil, nil, "Received malformed response"},
		{"it throws", `{"errorMessage":"no"}`, "Unhandled", nil, nil, `Received malformed response from transform 123456789012::Upper (function upper failed: {"errorMessage":"no"})`},
		{"it cannot be run", ``, "", nil, errors.New("no such function"), "Transform 123456789012::Upper failed with: no such function"},
		{"who makes the stack may not", ``, "", errors.New("denied"), nil, "denied"},
	} {
		payload, failed, may, run, asked = c.payload, c.failed, c.may, c.run, nil
		out, err := d.Expand(t.Context(), call)
		got := ""
		if err == nil {
			text, _ := json.Marshal(out)
			got = string(text)
		} else {
			got = err.Error()
		}
		if !strings.HasPrefix(got, c.want) || (err == nil) != strings.HasPrefix(c.name, "well") || (asked == nil) != (may != nil) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	payload, failed, may, run = `{"requestId":"{request}","status":"success","fragment":{}}`, "", nil, nil
	call.Name = "123456789012::Upper"
	if _, err := d.Expand(t.Context(), call); err != nil || ran != "upper" || function != "arn:aws:lambda:us-east-1:123456789012:function:upper" {
		t.Errorf("%v: %s %s", err, ran, function)
	}
	delete(asked, "requestId")
	if got, _ := json.Marshal(asked); string(got) != `{"accountId":"123456789012","fragment":{"A":"a"},"params":{"P":"p"},"region":"us-east-1","templateParameterValues":{"V":"v"},"transformId":"123456789012::Upper"}` {
		t.Errorf("%s", got)
	}
	const arn = "arn:aws:lambda:us-east-1:123456789012:function:lower"
	if r, err := macro.Update(t.Context(), made("Upper", arn)); err != nil || r.PhysicalID != "Upper" {
		t.Error(r, err)
	}
	if _, err := d.Expand(t.Context(), call); err != nil || ran != arn || function != arn {
		t.Errorf("%v: %s %s", err, ran, function)
	}
	elsewhere := call
	elsewhere.Region = "eu-west-1"
	if _, err := d.Expand(t.Context(), elsewhere); !errors.Is(err, stack.ErrNoMacro) {
		t.Errorf("in another region: %v", err)
	}
	if err := macro.Delete(t.Context(), made("Upper", arn)); err != nil {
		t.Error(err)
	}
	if _, err := d.Expand(t.Context(), call); !errors.Is(err, stack.ErrNoMacro) {
		t.Errorf("of one that is gone: %v", err)
	}
}
