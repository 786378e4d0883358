package source

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

var pragmas = []string{"http", "ws", "events", "queues", "scheduled", "tables-streams"}

// nasty is a name that would end any string, comment, template or tag.
const nasty = "get /:a'\"`${1}#{2}</code><script>\\\nimport x\r*/ \"\"\""

// Every first handler is valid in its language, whatever the name.
func TestBoilerplateIsValid(t *testing.T) {
	check := map[string][]string{
		".mjs": {"node", "--check"},
		".cjs": {"node", "--check"},
		".py":  {"python3", "-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())"},
		".rb":  {"ruby", "-c"},
		".ts":  {"deno", "check"},
	}
	for ext, command := range check {
		t.Run(ext, func(t *testing.T) {
			if command[0] == "ruby" || command[0] == "deno" {
				if _, err := exec.LookPath(command[0]); err != nil {
					t.Skipf("%s is not installed", command[0])
				}
			}
			program := tool(t, command[0])
			for _, pragma := range pragmas {
				body, err := BoilerplateFile("handler"+ext, pragma, nasty, "", true)
				if err != nil {
					t.Fatal(err)
				}
				name := filepath.Join(t.TempDir(), "handler"+ext)
				if err := os.WriteFile(name, body, 0o666); err != nil {
					t.Fatal(err)
				}
				args := append(append([]string{}, command[1:]...), name)
				if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
					t.Errorf("@%s: %v: %s", pragma, err, out)
				}
				if strings.Contains(string(body), "<script>") || strings.Contains(string(body), "__") {
					t.Errorf("@%s: not filled in well:\n%s", pragma, body)
				}
			}
		})
	}
}

// The handlers answer real events.
func TestBoilerplateRuns(t *testing.T) {
	events := map[string]string{
		"http":           `{}`,
		"ws":             `{"requestContext":{"connectionId":"abc="},"body":"hello"}`,
		"events":         `{"Records":[{"Sns":{"Message":"hello"}}]}`,
		"queues":         `{"Records":[{"body":"hello"}]}`,
		"scheduled":      `{"detail":"hello"}`,
		"tables-streams": `{"Records":[{"eventName":"INSERT","dynamodb":{"Keys":"hello"}}]}`,
	}
	node, python := tool(t, "node"), tool(t, "python3")
	for _, pragma := range pragmas {
		for _, runtime := range []string{"nodejs22.x", "python3.13"} {
			t.Run(pragma+" "+runtime, func(t *testing.T) {
				file, body, err := Boilerplate(pragma, "get /", runtime, false)
				if err != nil {
					t.Fatal(err)
				}
				dir := t.TempDir()
				if err := os.WriteFile(filepath.Join(dir, file), body, 0o666); err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command(node, "--input-type=module", "-e", fmt.Sprintf(
					"import { handler } from '%s/%s'; const out = await handler(%s); console.log(out?.statusCode, out?.body)", dir, file, events[pragma]))
				if runtime == "python3.13" {
					cmd = exec.Command(python, "-Bc", fmt.Sprintf(
						"import importlib, json; out = importlib.import_module('lambda').handler(json.loads('%s'), None) or {}; print(out.get('statusCode'), out.get('body'))", events[pragma]))
					cmd.Env = append(os.Environ(), "PYTHONPATH="+dir)
				}
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				said := string(out)
				if pragma == "http" {
					if !strings.Contains(said, "200 <!doctype html>") || !strings.Contains(said, "<code>"+file+"</code>") {
						t.Errorf("got %s", said)
					}
				} else if !strings.Contains(said, "hello") || strings.Contains(said, "200") != (pragma == "ws") {
					t.Errorf("got %s", said)
				}
			})
		}
	}
}

// In an app with @ws the page at / and the default action make an echo.
func TestBoilerplateEcho(t *testing.T) {
	python := tool(t, "python3")
	for _, runtime := range []string{"nodejs22.x", "python3.13", "ruby3.4"} {
		for pragma, name := range map[string]string{"http": "get /", "ws": "default"} {
			file, body, err := Boilerplate(pragma, name, runtime, true)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(body), "ARC_WSS_URL") {
				t.Errorf("%s %s: does not ask where the socket is:\n%s", runtime, pragma, body)
			}
			if path.Ext(file) == ".py" {
				cmd := exec.Command(python, "-c", "import sys; compile(sys.stdin.read(), 'x', 'exec')")
				cmd.Stdin = bytes.NewReader(body)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%s: %v %s", pragma, err, out)
				}
			}
		}
	}
	if _, body, _ := Boilerplate("http", "get /", "nodejs22.x", false); strings.Contains(string(body), "WebSocket") {
		t.Error("the page of an app without @ws talks to a socket")
	}
	// Deno's Lambda has no SDK: its action logs, as every other does.
	if _, body, err := Boilerplate("ws", "default", "deno", true); err != nil || strings.Contains(string(body), "ARC_WSS_URL") {
		t.Errorf("deno: %v %s", err, body)
	}
}

func TestBoilerplateUnknownRuntime(t *testing.T) {
	_, _, err := Boilerplate("http", "get /", "java21", false)
	if err == nil || !strings.Contains(err.Error(), "java21") {
		t.Errorf("got %v", err)
	}
}
