package restapi_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"arc/sandbox/gateway/documented"
	"arc/sandbox/invoke"
)

var restURL = flag.String("rest", "", "play the tables of REST APIs against this URL, a stage's")

// TestDocumented plays the tables of docs/rest.md against their template, here with
// functions of Go that do as those in it, or against the URL of the flag.
func TestDocumented(t *testing.T) {
	cases, err := documented.Read(filepath.Join("..", "..", "docs", "rest.md"))
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) < 100 {
		t.Errorf("the tables have %d rows", len(cases))
	}
	to := documented.Target{HTTP: *restURL}
	if to.HTTP == "" {
		c := newCloud(t, documentedFunctions())
		template, err := os.ReadFile(filepath.Join("documented", "template.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		c.apply(string(template))
		to.HTTP = c.url("Api", "dev")
	}
	for _, c := range cases {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		if err := c.Play(ctx, to); err != nil {
			t.Errorf("docs/rest.md:%d: %s: %v\n%s", c.Line, c.Says, err, c.Page)
		}
		cancel()
	}
}

func result(v any) (invoke.Result, error) {
	payload, err := json.Marshal(v)
	return invoke.Result{Payload: payload}, err
}

func thrown(message string) (invoke.Result, error) {
	out, err := result(props{"errorType": "Error", "errorMessage": message, "trace": []string{}})
	out.Failed = "Unhandled"
	return out, err
}

// documentedFunctions do what those of the template do.
func documentedFunctions() functions {
	told := func(payload []byte) (invoke.Result, error) {
		var e struct{ Throw string }
		if json.Unmarshal(payload, &e) == nil && e.Throw != "" {
			return thrown(e.Throw)
		}
		return invoke.Result{Payload: payload}, nil
	}
	return functions{
		"Echo": func(_ context.Context, event []byte) (invoke.Result, error) {
			return result(props{"statusCode": 200, "body": string(event)})
		},
		"Told": func(_ context.Context, event []byte) (invoke.Result, error) {
			var e struct {
				Body            string
				IsBase64Encoded bool
			}
			if err := json.Unmarshal(event, &e); err != nil {
				return invoke.Result{}, err
			}
			body := []byte(e.Body)
			if e.IsBase64Encoded {
				body, _ = base64.StdEncoding.DecodeString(e.Body)
			}
			return told(body)
		},
		"Mirror": func(_ context.Context, event []byte) (invoke.Result, error) { return told(event) },
		"Slow": func(ctx context.Context, _ []byte) (invoke.Result, error) {
			<-ctx.Done()
			return invoke.Result{}, ctx.Err()
		},
		"Guard": guard,
	}
}

// guard does what the template's authorizer does.
func guard(_ context.Context, event []byte) (invoke.Result, error) {
	var e struct {
		AuthorizationToken, MethodArn string
		Headers                       map[string]string
	}
	if err := json.Unmarshal(event, &e); err != nil {
		return invoke.Result{}, err
	}
	auth := e.AuthorizationToken
	for name, value := range e.Headers {
		if strings.EqualFold(name, "auth") {
			auth = value
		}
	}
	effect, resource := "Allow", e.MethodArn
	context := props{"text": "x", "number": 1, "yes": true, "asked": string(event)}
	switch auth {
	case "unauthorized":
		return thrown("Unauthorized")
	case "throw":
		return thrown("broken")
	case "junk":
		return result(props{})
	case "object":
		context = props{"list": []int{1}}
	case "deny":
		effect = "Deny"
	case "nothing":
		resource += "/other"
	}
	return result(props{"principalId": "me", "context": context, "usageIdentifierKey": "documented-rest-api-key",
		"policyDocument": props{"Version": "2012-10-17", "Statement": []props{{"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}}}})
}
