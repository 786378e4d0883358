package deploy

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"arc/cfn"
	"arc/deploy/s3"
)

// TestRecord keeps who deployed what, beside the code, and nothing of it in the
// stack.
func TestRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		d := demo("aaaa", "s3cr3t", nil)
		d.Source = Source{Commit: "0123abc", Dirty: true, Arc: "1.2.3"}
		mustDeploy(t, cloud, d)
		clients := cloud.clients()
		stack, err := clients.Describe(t.Context(), "DemoStaging")
		if err != nil {
			t.Fatal(err)
		}
		rec, err := clients.LastDeploy(t.Context(), "demo", stack)
		if err != nil || rec == nil {
			t.Fatalf("%+v %v", rec, err)
		}
		if rec.Commit != "0123abc" || !rec.Dirty || rec.Arc != "1.2.3" || !strings.HasPrefix(rec.By, "arn:aws:") || len(rec.Template) != 64 ||
			!slices.Equal(rec.Keys, []string{"aaaa.zip"}) || time.Since(rec.At) > time.Minute || rec.Seconds <= 0 {
			t.Errorf("%+v", rec)
		}
		for _, told := range []string{string(stack.Template), strings.Join(tagsOf(stack), " ")} {
			if strings.Contains(told, "0123abc") {
				t.Errorf("the stack tells of the commit: %s", told)
			}
		}
		first := *rec

		// The same again changes nothing, and is no deploy.
		time.Sleep(time.Hour)
		mustDeploy(t, cloud, d)
		if rec, err = clients.LastDeploy(t.Context(), "demo", stack); err != nil || !rec.At.Equal(first.At) {
			t.Errorf("%+v %v", rec, err)
		}
		next := demo("bbbb", "s3cr3t", nil)
		mustDeploy(t, cloud, next)
		if rec, err = clients.LastDeploy(t.Context(), "demo", stack); err != nil || rec.At.Equal(first.At) || rec.Commit != "" || rec.Keys[0] != "bbbb.zip" {
			t.Errorf("%+v %v", rec, err)
		}
		// Another app's words are not believed, nor what is no record.
		bucket := s3.Bucket{Name: stack.Parameters[cfn.ArtifactBucketParameter], Owner: ourAccount}
		for _, body := range []string{`{"App": "other", "Stack": "DemoStaging"}`, `{"App": "demo", "Stack": "DemoProduction"}`, "nonsense"} {
			if err := clients.Uploads.PutObject(t.Context(), bucket, s3.Put{Key: RecordKey("DemoStaging"), Body: strings.NewReader(body)}); err != nil {
				t.Fatal(err)
			}
			if rec, err := clients.LastDeploy(t.Context(), "demo", stack); err != nil || rec != nil {
				t.Errorf("%s: %+v %v", body, rec, err)
			}
		}
	})
}

func tagsOf(s Stack) (all []string) {
	for name, value := range s.Tags {
		all = append(all, name+"="+value)
	}
	return all
}

// TestAppStacks finds the stacks of one app by their marks, and by the names
// that Architect gives.
func TestAppStacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
		other := demoWithFiles(nil)
		other.StackName = "DemoStagingPr7"
		mustDeploy(t, cloud, other)
		all, err := cloud.clients().AppStacks(t.Context(), "demo")
		if err != nil || len(all) != 2 || all[0].Name != "DemoStaging" || all[1].Name != "DemoStagingPr7" || !all[0].Marked || all[0].Mark.Stage != "staging" || all[0].Changed.IsZero() {
			t.Errorf("%+v %v", all, err)
		}
		if none, err := cloud.clients().AppStacks(t.Context(), "dem"); err != nil || len(none) != 0 {
			t.Errorf("%+v %v", none, err)
		}
	})
}
