package lambda_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"arc/sandbox/lambda"
)

// TestOutputFlood prints more than a pipe holds; nothing is lost.
func TestOutputFlood(t *testing.T) {
	need(t, "node")
	s := newService(t, lambda.Options{})
	s.Put(function(t, "fn", `
-- index.mjs --
export const handler = async () => {
  for (let i = 0; i < 20000; i++) console.log('line ' + i + ' ' + 'x'.repeat(20))
  console.error('y'.repeat(200_000))
}
`))
	s.invoke("fn", "{}")
	lines := s.log()
	if len(lines) != 20000+4 {
		t.Fatalf("%d lines, want 20000 and a long one in four pieces", len(lines))
	}
	for i, line := range lines[:20000] {
		if want := fmt.Sprintf("@http get /fn | line %d %s", i, strings.Repeat("x", 20)); line != want {
			t.Fatalf("line %d is %q", i, line)
		}
	}
}

// TestEnvironment says who wins, and that the developer's own variables stay out.
func TestEnvironment(t *testing.T) {
	need(t, "node")
	t.Setenv("DEVELOPERS_SECRET", "never seen")
	s := newService(t, lambda.Options{Env: func(lambda.Function) map[string]string {
		return map[string]string{"ARC_SANDBOX": "{}", "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "local", "TZ": "cloud"}
	}})
	fn := function(t, "fn", "-- index.mjs --\nexport const handler = async () => process.env")
	fn.Env = map[string]string{"MINE": "1", "AWS_ACCESS_KEY_ID": "mine", "TZ": "Europe/Oslo", "AWS_LAMBDA_FUNCTION_NAME": "other", "PATH": "/nowhere"}
	s.Put(fn)
	var env map[string]string
	if err := json.Unmarshal([]byte(s.invoke("fn", "{}")), &env); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"MINE": "1", "AWS_ACCESS_KEY_ID": "mine", "TZ": "Europe/Oslo", "ARC_SANDBOX": "{}", "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-west-2",
		"AWS_LAMBDA_FUNCTION_NAME": "fn", "PATH": os.Getenv("PATH"), "DEVELOPERS_SECRET": "", "USER": "",
	} {
		if env[name] != want {
			t.Errorf("%s is %q, want %q", name, env[name], want)
		}
	}
	if env["HOME"] == os.Getenv("HOME") || env["HOME"] == "" {
		t.Errorf("HOME is %q", env["HOME"])
	}
}
