package why

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestEvents: in streams of events the first cause is found, and recognised.
// Each names where its words were seen.
func TestEvents(t *testing.T) {
	files, err := filepath.Glob("../../testdata/events/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 60 {
		t.Errorf("%d streams", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			want, events := readStream(t, file)
			cause, failed := First(events)
			if got := summary(cause); got != want || !failed {
				t.Errorf("%s (failed: %v)\nwant %s\n%+v", got, failed, want, cause)
			}
			if cause == nil {
				return
			}
			for c := cause; c != nil; c = c.Blocked {
				if c.Code == "" || c.Says == "" || c.Remedy == "" || strings.Contains(c.Says+c.Remedy, "$1") || strings.HasSuffix(c.Says, ".") {
					t.Errorf("%q, %q", c.Says, c.Remedy)
				}
			}
		})
	}
}

func readStream(t *testing.T, file string) (want string, events []Event) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ar := txtar.Parse(data)
	if !strings.Contains(string(ar.Comment), "https://") {
		t.Error("it does not say where its words were seen")
	}
	for _, f := range ar.Files {
		switch f.Name {
		case "want":
			want = strings.TrimSpace(string(f.Data))
		case "events.json":
			if events, err = Read(f.Data); err != nil {
				t.Fatal(err)
			}
		}
	}
	return want, events
}

func summary(c *Cause) string {
	if c == nil {
		return "no cause"
	}
	path := c.Path
	if path == "" {
		path = "-"
	}
	text := fmt.Sprintf("%s %s", path, c.Code)
	if c.Blocked != nil {
		text += fmt.Sprintf("\nblocked %s %s", c.Blocked.Path, c.Blocked.Code)
	}
	return text
}

// TestRules: at least 60 causes are known, each rule's words are whole, and no
// rule hides behind another of the same code and type.
func TestRules(t *testing.T) {
	codes := map[string]bool{}
	for i, r := range rules {
		codes[r.code] = true
		if r.what == "" || r.remedy == "" || strings.HasSuffix(r.what, ".") || strings.HasSuffix(r.remedy, ".") {
			t.Errorf("%s: %q, %q", r.code, r.what, r.remedy)
		}
		for n := 1; n < 9; n++ {
			if strings.Contains(r.what+r.remedy, fmt.Sprint("$", n)) && compiled()[i].NumSubexp() < n {
				t.Errorf("%s: there is no $%d", r.code, n)
			}
		}
	}
	if len(codes) < 60 {
		t.Errorf("%d causes are known", len(codes))
	}
}

// TestNothingFailed: of an operation that went well there is no cause, whatever
// the one before it did.
func TestNothingFailed(t *testing.T) {
	events, err := Read([]byte(`[
		{"StackId": "s", "StackName": "s", "LogicalResourceId": "s", "PhysicalResourceId": "s", "ResourceType": "AWS::CloudFormation::Stack", "ResourceStatus": "UPDATE_COMPLETE", "Timestamp": "2024-05-02T10:00:05Z"},
		{"StackId": "s", "StackName": "s", "LogicalResourceId": "A", "ResourceType": "AWS::SNS::Topic", "ResourceStatus": "UPDATE_IN_PROGRESS", "ResourceStatusReason": "Resource template validation failed for resource A as the template has invalid properties", "Timestamp": "2024-05-02T10:00:02Z"},
		{"StackId": "s", "StackName": "s", "LogicalResourceId": "s", "PhysicalResourceId": "s", "ResourceType": "AWS::CloudFormation::Stack", "ResourceStatus": "UPDATE_IN_PROGRESS", "ResourceStatusReason": "User Initiated", "Timestamp": "2024-05-02T10:00:00Z"},
		{"StackId": "s", "StackName": "s", "LogicalResourceId": "s", "PhysicalResourceId": "s", "ResourceType": "AWS::CloudFormation::Stack", "ResourceStatus": "UPDATE_ROLLBACK_COMPLETE", "Timestamp": "2024-05-01T10:00:09Z"},
		{"StackId": "s", "StackName": "s", "LogicalResourceId": "A", "ResourceType": "AWS::SNS::Topic", "ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": "Internal Failure", "Timestamp": "2024-05-01T10:00:02Z"},
		{"StackId": "s", "StackName": "s", "LogicalResourceId": "s", "PhysicalResourceId": "s", "ResourceType": "AWS::CloudFormation::Stack", "ResourceStatus": "UPDATE_IN_PROGRESS", "Timestamp": "2024-05-01T10:00:00Z"}]`))
	if err != nil {
		t.Fatal(err)
	}
	if cause, failed := First(events); cause != nil || failed {
		t.Errorf("%+v %v", cause, failed)
	}
	if _, err := Read([]byte(" ")); err == nil {
		t.Error("an empty file is read")
	}
	if _, err := Read([]byte(`{"Stacks": []}`)); err == nil {
		t.Error("another answer of AWS is read")
	}
}

// FuzzFirst: whatever is saved, it is read or refused.
func FuzzFirst(f *testing.F) {
	f.Add([]byte(`{"StackEvents": [{"StackId": "s", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "Resource handler returned message: \"x\""}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if events, err := Read(data); err == nil {
			First(events)
		}
	})
}

// TestFailedWithoutACause: that an operation failed is seen of how it ended, where no
// event tells why.
func TestFailedWithoutACause(t *testing.T) {
	for ended, want := range map[string]bool{
		"CREATE_FAILED": true, "UPDATE_FAILED": true, "DELETE_FAILED": true, "ROLLBACK_COMPLETE": true, "UPDATE_ROLLBACK_COMPLETE": true,
		"CREATE_COMPLETE": false, "UPDATE_COMPLETE": false, "DELETE_COMPLETE": false, "UPDATE_IN_PROGRESS": false,
	} {
		own := func(n int, status string) Event {
			return Event{EventID: fmt.Sprint(n), StackID: "arn:s", PhysicalID: "arn:s", StackName: "S", LogicalID: "S", Type: "AWS::CloudFormation::Stack", Status: status, Timestamp: time.Unix(int64(n), 0)}
		}
		cause, failed := First([]Event{own(1, "UPDATE_IN_PROGRESS"), own(2, ended)})
		if failed != want || cause != nil {
			t.Errorf("%s: failed %v, cause %+v", ended, failed, cause)
		}
	}
}
