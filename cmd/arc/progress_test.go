package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"arc/deploy"
)

// screenOf is what a terminal shows after text was written to it: the status
// line is written over itself.
func screenOf(text string) string {
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		if i := strings.LastIndex(line, clearLine); i >= 0 {
			line = line[i+len(clearLine):]
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// slowDeploy tells the steps of a deploy of three resources that takes 93 seconds,
// as CloudFormation would. seen looks at what is shown after each.
func slowDeploy(v *view, seen func(moment string)) {
	step := func(after time.Duration, s deploy.Step) {
		time.Sleep(after)
		synctest.Wait()
		s.Time = time.Now()
		v.step(s)
	}
	event := func(after time.Duration, id, status string, took time.Duration, reason string) {
		typ := "AWS::Lambda::Function"
		if id == "ShopStaging" {
			typ = "AWS::CloudFormation::Stack"
		}
		step(after, deploy.Step{Kind: "event", LogicalID: id, Type: typ, Status: status, Took: took, Reason: reason, Message: "not this"})
	}
	step(0, deploy.Step{Kind: "upload", Message: "uploaded src/http/get-index (1.2 KB)"})
	for id, status := range map[string]string{"GetIndexHTTPLambda": "Modify", "NotesTable": "Add", "OldQueue": "Remove"} {
		step(0, deploy.Step{Kind: "change-set", LogicalID: id, Type: "AWS::X::Y", Status: status, Message: "will " + strings.ToLower(status) + " " + id})
	}
	step(0, deploy.Step{Kind: "expected", Took: 70 * time.Second})
	event(time.Second, "ShopStaging", "UPDATE_IN_PROGRESS", 0, "User Initiated")
	event(time.Second, "GetIndexHTTPLambda", "UPDATE_IN_PROGRESS", 0, "")
	event(0, "NotesTable", "CREATE_IN_PROGRESS", 0, "")
	time.Sleep(1500 * time.Millisecond)
	synctest.Wait()
	seen("at work")
	event(0, "GetIndexHTTPLambda", "UPDATE_COMPLETE", 1500*time.Millisecond, "")
	event(65*time.Second, "NotesTable", "CREATE_COMPLETE", 67*time.Second, "")
	event(0, "ShopStaging", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", 0, "")
	event(0, "OldQueue", "DELETE_IN_PROGRESS", 0, "")
	time.Sleep(20 * time.Second)
	synctest.Wait()
	seen("longer than the last time")
	event(0, "OldQueue", "DELETE_COMPLETE", 20*time.Second, "")
	event(4*time.Second, "ShopStaging", "UPDATE_COMPLETE", 93*time.Second, "")
}

// TestProgress shows one list and, on a terminal, one line below it that says how
// long it has been, how long it took the last time, and what is at work.
func TestProgress(t *testing.T) {
	for name, terminal := range map[string]bool{"terminal": true, "plain": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				s := &session{stderr: &out, env: func(string) string { return "" }}
				if terminal {
					s.live = &live{width: func() int { return 60 }}
				}
				var shown strings.Builder
				v := s.follow()
				slowDeploy(v, func(moment string) {
					v.mu.Lock()
					defer v.mu.Unlock()
					fmt.Fprintf(&shown, "-- %s --\n%s\n", moment, screenOf(out.String()))
				})
				v.close()
				s.note("deployed")
				fmt.Fprintf(&shown, "-- done --\n%s", screenOf(out.String()))
				golden := "../../testdata/progress/" + name + ".txt"
				if *update {
					if err := os.WriteFile(golden, []byte(shown.String()), 0o666); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), shown.String()); diff != "" {
					t.Error(diff)
				}
				if terminal && strings.Contains(strings.ReplaceAll(out.String(), clearLine, ""), "\r") {
					t.Error("a carriage return that clears nothing")
				}
				if !terminal && strings.ContainsAny(out.String(), "\r\x1b") {
					t.Errorf("%q is not plain", out.String())
				}
				for line := range strings.Lines(screenOf(out.String())) {
					if len(strings.TrimRight(line, "\n")) > 80 {
						t.Errorf("wider than 80 columns: %s", line)
					}
				}
			})
		})
	}
}

// TestProgressOfAFailure: the first failure is explained at once, and it is said
// that the stack turns back.
func TestProgressOfAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		s := &session{stderr: &out, env: func(string) string { return "" }, live: &live{width: func() int { return 200 }}}
		v := s.follow()
		for _, e := range []deploy.Step{
			{LogicalID: "FramesBucket", Type: "AWS::S3::Bucket", Status: "CREATE_FAILED", Reason: "frames already exists"},
			{LogicalID: "Role", Type: "AWS::IAM::Role", Status: "CREATE_FAILED", Reason: "Resource creation cancelled"},
			{LogicalID: "ShopStaging", Type: "AWS::CloudFormation::Stack", Status: "ROLLBACK_IN_PROGRESS", Reason: "The following resource(s) failed"},
			{LogicalID: "Notes", Type: "AWS::SQS::Queue", Status: "DELETE_IN_PROGRESS"},
		} {
			e.Kind = "event"
			v.step(e)
		}
		time.Sleep(61 * time.Second)
		synctest.Wait()
		v.mu.Lock()
		shown := screenOf(out.String())
		v.mu.Unlock()
		v.close()
		for _, want := range []string{"  failed   FramesBucket: frames already exists\n    ", "failed   Role", "undoing  ShopStaging", "1:01, going back to what was before, at work: Notes"} {
			if !strings.Contains(shown, want) {
				t.Errorf("%q is not in\n%s", want, shown)
			}
		}
		if strings.Count(shown, "\n    ") != 1 {
			t.Errorf("one failure is explained:\n%s", shown)
		}
	})
}

// TestQuietProgress: who asked for quiet sees no status line either.
func TestQuietProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		s := &session{stderr: &out, env: func(string) string { return "" }, live: &live{width: func() int { return 80 }}, muted: true}
		v := s.follow()
		slowDeploy(v, func(string) {})
		v.close()
		if out.Len() > 0 {
			t.Errorf("%q", out.String())
		}
	})
}

// TestQuickProgress: what takes no second is a list alone.
func TestQuickProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		s := &session{stderr: &out, env: func(string) string { return "" }, live: &live{width: func() int { return 80 }}}
		v := s.follow()
		v.step(deploy.Step{Kind: "expected", Took: 2 * time.Second})
		for _, status := range []string{"UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"} {
			time.Sleep(400 * time.Millisecond)
			v.step(deploy.Step{Kind: "event", LogicalID: "Role", Type: "AWS::IAM::Role", Status: status})
		}
		v.close()
		if got := out.String(); got != "  changed  Role\n" {
			t.Errorf("%q", got)
		}
	})
}
