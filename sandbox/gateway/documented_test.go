package gateway_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"arc/sandbox/gateway"
	"arc/sandbox/gateway/documented"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

var (
	httpURL   = flag.String("http", "", "play the tables of HTTP APIs against this URL")
	socketURL = flag.String("ws", "", "play the tables of WebSocket APIs against this URL")
)

// TestDocumented plays the tables of docs/http.md and docs/websockets.md against
// their template, here with functions of Go that do as those in it, or against the
// URLs of the flags.
func TestDocumented(t *testing.T) {
	to := documented.Target{HTTP: *httpURL, Socket: *socketURL}
	if to.HTTP == "" && to.Socket == "" {
		to = documentedHere(t)
	}
	if key := os.Getenv("AWS_ACCESS_KEY_ID"); key != "" && *socketURL != "" {
		to.Sign = func(r *http.Request, body []byte) error {
			sum := sha256.Sum256(body)
			credentials := aws.Credentials{AccessKeyID: key, SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN")}
			return v4.NewSigner().SignHTTP(r.Context(), credentials, r, hex.EncodeToString(sum[:]), "execute-api", os.Getenv("AWS_REGION"), time.Now())
		}
	}
	total := 0
	for page, url := range map[string]string{"http.md": to.HTTP, "websockets.md": to.Socket} {
		cases, err := documented.Read(filepath.Join("..", "..", "docs", page))
		if err != nil {
			t.Fatal(err)
		}
		total += len(cases)
		if url == "" {
			continue
		}
		for _, c := range cases {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			if err := c.Play(ctx, to); err != nil {
				t.Errorf("docs/%s:%d: %s: %v\n%s", page, c.Line, c.Says, err, c.Page)
			}
			cancel()
		}
	}
	if total < 200 {
		t.Errorf("the tables have %d rows", total)
	}
}

// documentedHere makes the template's stack.
func documentedHere(t *testing.T) documented.Target {
	c := newCloud(t, gateway.Options{Invoker: documentedFunctions()})
	types := c.Registrations()
	for _, name := range []string{"AWS::Lambda::Function", "AWS::Lambda::Permission", "AWS::IAM::Role"} {
		types[name] = stack.Registration{Provider: fakeLambda{}}
	}
	e := stack.New(stack.Options{Account: "123456789012", Region: "us-east-1", Registrations: types})
	t.Cleanup(e.Close)
	template, err := os.ReadFile(filepath.Join("documented", "template.json"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := e.Apply(ctx, "Documented", template, nil, nil); err != nil {
		t.Fatal(err)
	}
	out := e.Outputs("Documented")
	return documented.Target{HTTP: out["Http"], Socket: out["Socket"]}
}

// documentedFunctions do what those of the template do.
func documentedFunctions() functions {
	thrown := invoke.Result{Payload: []byte(`{"errorType":"Error","errorMessage":"no"}`), Failed: "Unhandled"}
	result := func(v any) (invoke.Result, error) {
		payload, err := json.Marshal(v)
		return invoke.Result{Payload: payload}, err
	}
	return functions{
		"Echo": func(_ context.Context, event []byte) (invoke.Result, error) {
			return result(props{"statusCode": 200, "headers": props{"Content-Type": "application/json"}, "body": string(event)})
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
			if bytes.Contains(body, []byte(`"throw"`)) {
				var told struct{ Throw string }
				if err := json.Unmarshal(body, &told); err != nil {
					return invoke.Result{}, err
				}
				payload, err := json.Marshal(map[string]string{"errorType": "Error", "errorMessage": told.Throw})
				return invoke.Result{Payload: payload, Failed: "Unhandled"}, err
			}
			return invoke.Result{Payload: body}, nil
		},
		"Guard": func(_ context.Context, event []byte) (invoke.Result, error) {
			var e struct{ Headers map[string]string }
			if err := json.Unmarshal(event, &e); err != nil {
				return invoke.Result{}, err
			}
			context := props{"text": "x", "number": 1}
			effect := "Deny"
			switch e.Headers["auth"] {
			case "simple":
				return result(props{"isAuthorized": true, "context": context})
			case "simple-no":
				return result(props{"isAuthorized": false})
			case "junk":
				return result(props{})
			case "yes":
				effect = "Allow"
			}
			return result(props{"principalId": "me", "context": context, "policyDocument": props{"Statement": []props{{"Effect": effect, "Action": "execute-api:Invoke", "Resource": "*"}}}})
		},
		"Connect": func(_ context.Context, event []byte) (invoke.Result, error) {
			var e struct{ QueryStringParameters map[string]string }
			if err := json.Unmarshal(event, &e); err != nil {
				return invoke.Result{}, err
			}
			q := maps.Clone(e.QueryStringParameters)
			if q == nil {
				q = map[string]string{}
			}
			switch {
			case q["throw"] != "":
				return thrown, nil
			case q["nothing"] != "":
				return result(nil)
			case q["path"] == "":
				if q["status"] == "" {
					q["status"] = "200"
				}
				headers := props{}
				if q["protocol"] != "" {
					headers["Sec-WebSocket-Protocol"] = q["protocol"]
				}
				return result(props{"statusCode": json.Number(q["status"]), "headers": headers})
			}
			got, there := documented.Lookup(event, q["path"])
			if q["is"] == "-" && !there || there && (q["is"] == "*" || q["is"] == got) {
				return result(props{"statusCode": 200})
			}
			return result(props{"statusCode": 400})
		},
	}
}

// TestDocumentedNotices plays rows that are wrong: each is told.
func TestDocumentedNotices(t *testing.T) {
	to := documentedHere(t)
	file := filepath.Join(t.TempDir(), "page.md")
	for _, steps := range []string{
		"`GET /echo` `404`", "`GET /echo` `is x`", "`GET /echo` `has nothing like it`", "`GET /echo` `< X-None: *`", "`GET /echo` `< Apigw-Requestid: -`", "`GET /echo` `empty`",
		"`GET /echo` `version = 1.0`", "`GET /echo` `version = -`", "`GET /echo` `nothing = *`", "`GET /echo` `odd`", "`> A: b` `200`", "`dial ?a=1` `403`", "`dial ?a=1` `send x` `recv` `is y`",
		"`dial ?a=1` `frames 1 32769` `closed 1000`", "`dial ?a=1` `send x` `recv` `get at /nope` `200`", "`dial ^/nope` `101`",
	} {
		if err := os.WriteFile(file, []byte("| a | "+steps+" | [x](https://example.com) |\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		cases, err := documented.Read(file)
		if err != nil || len(cases) != 1 {
			t.Fatal(steps, cases, err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		if err := cases[0].Play(ctx, to); err == nil {
			t.Errorf("%s: nothing is told", steps)
		}
		cancel()
	}
	if err := os.WriteFile(file, []byte("| a | `GET /echo` | [x](https://example.com) |\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := documented.Read(file); err == nil || !strings.Contains(fmt.Sprint(err), "nothing expected") {
		t.Errorf("a row that expects nothing: %v", err)
	}
}
