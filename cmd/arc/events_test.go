package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"arc/deploy"
	"arc/deploy/why"
)

// eventSchema is docs/events.schema.json, to be read before a test goes elsewhere.
func eventSchema() (*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	return compiler.Compile("../../docs/events.schema.json")
}

// eventKinds holds every line of a text to the schema of events and gives their
// kinds.
func eventKinds(schema *jsonschema.Schema, text string) ([]string, error) {
	var kinds []string
	for line := range strings.Lines(text) {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(line)))
		if err != nil {
			return nil, fmt.Errorf("%q is no event: %w", line, err)
		}
		if err := schema.Validate(v); err != nil {
			return nil, fmt.Errorf("%s%w", line, err)
		}
		kinds = append(kinds, v.(map[string]any)["event"].(string))
	}
	return kinds, nil
}

// events FILE KIND... holds a file to the schema of events: each kind is there,
// and the last one ends it, unless that is "-".
func events(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: events file kind...")
	}
	schema, err := eventSchema()
	ts.Check(err)
	kinds, err := eventKinds(schema, ts.ReadFile(args[0]))
	ts.Check(err)
	for _, want := range args[1:] {
		if want == "-" {
			return
		}
		if !strings.Contains(" "+strings.Join(kinds, " ")+" ", " "+want+" ") {
			ts.Fatalf("there is no event %q, but %q", want, kinds)
		}
	}
	if last := kinds[len(kinds)-1]; last != args[len(args)-1] {
		ts.Fatalf("the last event is %q", last)
	}
}

// TestEventsOfMistakes: with --json stdout has nothing but events, whatever goes
// wrong, and however early.
func TestEventsOfMistakes(t *testing.T) {
	schema, err := eventSchema()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"deploy", "--json", "--bogus"}, "unknown flag --bogus"},
		{[]string{"deploy", "--json", "production"}, "takes no argument"},
		{[]string{"deploy", "--detach", "--json"}, "--detach is for the local cloud"},
		{[]string{"deploy", "-json"}, "no manifest"},
		{[]string{"deploy", "--json=true", "--direct"}, "which functions"},
		{[]string{"destroy", "--json", "--app", "x/y"}, "not the name of an app"},
		{[]string{"create", "--json", "--detach"}, "--detach is for the local cloud"},
		{[]string{"sandbox", "--json", "--detach"}, "do not go together"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			code, stdout, stderr := invoke(t, c.args...)
			kinds, err := eventKinds(schema, stdout)
			if err != nil || code != 1 || len(kinds) == 0 || kinds[len(kinds)-1] != "error" {
				t.Fatalf("exit code %d, %q, %v\n%s%s", code, kinds, err, stdout, stderr)
			}
			var e event
			lines := strings.Split(strings.TrimSpace(stdout), "\n")
			if err := json.Unmarshal([]byte(lines[len(lines)-1]), &e); err != nil || !strings.Contains(e.Text, c.want) || e.Exit != 1 || e.Hint == "" {
				t.Errorf("%+v %v", e, err)
			}
			if !strings.Contains(stderr, c.want) {
				t.Errorf("stderr: %s", stderr)
			}
		})
	}
}

// TestEventsOfFailures: what CloudFormation could not do is an event with the
// resource, its line and the cause, and the exit code is there as well.
func TestEventsOfFailures(t *testing.T) {
	schema, err := eventSchema()
	if err != nil {
		t.Fatal(err)
	}
	cause, _ := why.First([]why.Event{{StackID: "s", StackName: "ShopStaging", LogicalID: "FramesBucket", Type: "AWS::S3::Bucket", Status: "CREATE_FAILED", Reason: "frames already exists"}})
	for name, c := range map[string]struct {
		err  error
		want event
	}{
		"failed": {
			&deploy.FailedError{StackName: "ShopStaging", Status: "ROLLBACK_COMPLETE", LogicalID: "FramesBucket", Type: "AWS::S3::Bucket", Reason: "frames already exists", Origin: "src/app.arc:7:3", Cause: cause},
			event{Exit: 1, Stack: "ShopStaging", Status: "ROLLBACK_COMPLETE", LogicalID: "FramesBucket", Type: "AWS::S3::Bucket", Reason: "frames already exists", Code: "bucket-taken", File: "src/app.arc", Line: 7, Col: 3},
		},
		"goes on":          {&deploy.GoesOnError{StackName: "ShopStaging", Err: errors.New("expired")}, event{Exit: 4}},
		"deletion goes on": {&deploy.InterruptedError{StackName: "ShopStaging", Executing: true, Deleting: true}, event{Exit: 4}},
		"not begun":        {&deploy.InterruptedError{StackName: "ShopStaging", Deleting: true}, event{Exit: 1}},
		"mistakes":         {exitCode(1), event{Exit: 1}},
		"dangerous":        {exitCode(3), event{Exit: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			s := &session{stdout: &out, stderr: io.Discard, env: func(string) string { return "" }, events: &eventWriter{to: &out}}
			if code := s.report(c.err); code != c.want.Exit {
				t.Errorf("exit code %d", code)
			}
			if kinds, err := eventKinds(schema, out.String()); err != nil || !slices.Equal(kinds, []string{"error"}) {
				t.Fatalf("%q %v", kinds, err)
			}
			var got event
			if err := json.Unmarshal(out.Bytes(), &got); err != nil || got.Text == "" {
				t.Errorf("%+v %v", got, err)
			}
			got.Kind, got.Time, got.Text, got.Hint = "", time.Time{}, "", ""
			if got != c.want {
				t.Errorf("%+v\nwant %+v", got, c.want)
			}
		})
	}
}
