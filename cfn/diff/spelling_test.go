package diff_test

import (
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/cfn/diff/values"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestSpellings writes what an edit leaves as it was in another way that
// evaluates to the same, at random, and wants the same verdict of every case of
// testdata/templates.
func TestSpellings(t *testing.T) {
	files, err := filepath.Glob("testdata/templates/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	count := 0
	for i, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			before, err := cfn.Parse(ar.Files[0].Data)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.TrimSpace(string(ar.Files[2].Data))
			for seed := range uint64(4) {
				after, err := cfn.Parse(ar.Files[1].Data)
				if err != nil {
					t.Fatal(err)
				}
				if after.Transform != nil {
					return // who reads it is the macro
				}
				w := writer{rand.New(rand.NewPCG(uint64(i), seed)), &count}
				for id, r := range after.Resources {
					if old, ok := before.Resources[id]; ok && old.Type == r.Type {
						r.Properties, _ = w.respell(any(old.Properties), any(r.Properties)).(map[string]any)
						after.Resources[id] = r
					}
				}
				if after.Conditions = maps.Clone(after.Conditions); after.Conditions == nil {
					after.Conditions = map[string]any{}
				}
				after.Conditions["Always"] = map[string]any{"Fn::Equals": []any{"a", "a"}}
				if d := cmp.Diff(want, verdictOf(diff.Compose(before, after, diff.Options{}))); d != "" {
					t.Errorf("seed %d: -want +got\n%s", seed, d)
				}
			}
		})
	}
	if t.Logf("%d texts were written otherwise", count); count < 1500 {
		t.Error("too few")
	}
}

// writer chooses another spelling.
type writer struct {
	*rand.Rand
	count *int
}

// respell spells what is the same on both sides in another way.
func (w writer) respell(before, after any) any {
	switch after := after.(type) {
	case map[string]any:
		before, ok := before.(map[string]any)
		if after == nil || !ok || values.IsIntrinsic(after) || values.IsIntrinsic(before) {
			return after
		}
		out := map[string]any{}
		for _, k := range slices.Sorted(maps.Keys(after)) {
			out[k] = w.respell(before[k], after[k])
		}
		if w.IntN(3) == 0 {
			out["Absent"] = map[string]any{"Ref": "AWS::NoValue"}
		}
		return out
	case []any:
		before, ok := before.([]any)
		if !ok || len(before) != len(after) {
			return after
		}
		out := []any{}
		for i := range after {
			out = append(out, w.respell(before[i], after[i]))
		}
		if w.IntN(3) == 0 && values.Equal(any(before), any(after)) {
			out = slices.Insert(out, w.IntN(len(out)+1), any(map[string]any{"Ref": "AWS::NoValue"}))
		}
		return out
	case string:
		if before != any(after) {
			return after
		}
		*w.count++
		switch w.IntN(5) {
		case 0:
			return map[string]any{"Fn::Sub": strings.ReplaceAll(after, "${", "${!")}
		case 1:
			at := w.IntN(len(after) + 1)
			return map[string]any{"Fn::Join": []any{"", []any{after[:at], after[at:]}}}
		case 2:
			return map[string]any{"Fn::If": []any{"Always", after, "another"}}
		case 3:
			return map[string]any{"Fn::Sub": []any{"${x}", map[string]any{"x": after}}}
		}
	}
	return after
}
