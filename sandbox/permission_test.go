package sandbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestGatewayNeedsPermission has a foreign template's routes answer 500, as on
// AWS, where their function's policy does not let the API in, and the log say
// what is missing.
func TestGatewayNeedsPermission(t *testing.T) {
	t.Parallel()
	need(t, "node")
	p := newProject(t)
	c := p.start()
	const allow = `{"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": {"Ref": "Hello"}, "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com"}}`
	const begin = `"SourceArn": {"Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/`
	for i, test := range []struct {
		name, key string         // of the route
		policy    string         // properties of the Permission, beside its function and principal; "" = there is none
		requests  map[string]int // "METHOD /path" → status
	}{
		{"nobody", "$default", "", map[string]int{"GET /": 500}},
		{"anybody", "$default", `"Action": "lambda:InvokeFunction"`, map[string]int{"GET /": 200}},
		{"another action", "$default", `"Action": "lambda:GetFunction"`, map[string]int{"GET /": 500}},
		{"by URL alone", "$default", `"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": true`, map[string]int{"GET /": 500}},
		{"another API", "$default", `"Action": "lambda:InvokeFunction", "SourceArn": {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:abcdefghij/*"}`, map[string]int{"GET /": 500}},
		{"another account", "$default", `"Action": "lambda:InvokeFunction", "SourceAccount": "111111111111"`, map[string]int{"GET /": 500}},
		{"$default", "$default", `"Action": "lambda:InvokeFunction", ` + begin + `$default/$default"}`, map[string]int{"GET /a": 200, "POST /": 200}},
		{"another stage", "$default", `"Action": "lambda:InvokeFunction", ` + begin + `prod/*"}`, map[string]int{"GET /": 500}},
		{"a star for a variable", "GET /a/{id}", `"Action": "lambda:InvokeFunction", ` + begin + `*/GET/a/*"}`, map[string]int{"GET /a/1": 200}},
		{"the variable itself", "GET /a/{id}", `"Action": "lambda:InvokeFunction", ` + begin + `*/*/a/{id}"}`, map[string]int{"GET /a/1": 200}},
		{"one method of any", "ANY /a", `"Action": "lambda:InvokeFunction", ` + begin + `*/GET/a"}`, map[string]int{"GET /a": 200, "POST /a": 500}},
		{"another path", "GET /a", `"Action": "lambda:InvokeFunction", ` + begin + `*/GET/b"}`, map[string]int{"GET /a": 500}},
	} {
		permission := `{"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": {"Ref": "Hello"}, "Principal": "apigateway.amazonaws.com", ` + test.policy + `}}`
		if test.policy == "" {
			permission = `{"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": {"Ref": "Hello"}, "Principal": "sns.amazonaws.com", "Action": "lambda:InvokeFunction"}}`
		}
		template := strings.NewReplacer(allow, permission, `"$default", "Target"`, `"`+test.key+`", "Target"`).Replace(helloTemplate)
		url := p.deployTemplate(c, fmt.Sprint("Stack", i), template)
		for request, want := range test.requests {
			method, path, _ := strings.Cut(request, " ")
			if status, body := get(t, url+path, func(r *http.Request) { r.Method = method }); status != want {
				t.Errorf("%s: %s: %d %s, want %d", test.name, request, status, body, want)
			}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if log := strings.Join(p.lines, "\n"); !strings.Contains(log, "there is no AWS::Lambda::Permission with the Action lambda:InvokeFunction, the FunctionName Stack0-Hello-") {
		t.Error("the log does not say which permission is missing:\n" + log)
	}
}
