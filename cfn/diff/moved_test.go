package diff_test

import (
	"strings"
	"testing"
	"time"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/cfn/diff/face"
)

// TestCodeThatOnlyMoves: the deploys of each trust write below a folder of their
// own, which gave every zip another key once.
func TestCodeThatOnlyMoves(t *testing.T) {
	one, other := strings.Repeat("a1", 32)+".zip", strings.Repeat("b2", 32)+".zip"
	of := func(key string) *cfn.Document {
		doc, err := cfn.Parse([]byte(`{"Parameters":{"B":{"Type":"String"}},"Resources":{"F":{"Type":"AWS::Lambda::Function","Properties":{"Code":{"S3Bucket":{"Ref":"B"},"S3Key":"` + key + `"}}}}}`))
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	for _, c := range []struct{ before, after, want string }{
		{one, "staging/" + one, "the same code, moved to staging/ in the bucket"},
		{"staging/" + one, "production/" + one, "the same code, moved to production/ in the bucket"},
		{one, "staging/" + other, "code changes"},
		{"index.zip", "staging/index.zip", "code changes"}, // no hash: it may be anything
	} {
		review := diff.Compose(of(c.before), of(c.after), diff.Options{Now: time.Unix(0, 0).UTC()})
		var text strings.Builder
		if err := face.Text(&text, review, face.TextOptions{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text.String(), c.want) || review.Verdict == diff.Dangerous {
			t.Errorf("%s → %s: %s\n%s", c.before, c.after, review.Verdict, text.String())
		}
	}
}
