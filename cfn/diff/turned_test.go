package diff_test

import (
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/cfn/diff/values"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// askable gives a template parameters and conditions of its own, for more to be added.
func askable(doc *cfn.Document) {
	doc.Conditions, doc.Parameters = maps.Clone(doc.Conditions), maps.Clone(doc.Parameters)
	if doc.Conditions == nil {
		doc.Conditions = map[string]any{}
	}
	if doc.Parameters == nil {
		doc.Parameters = map[string]cfn.ParameterDef{}
	}
}

// TestTurnedConditions puts what an edit leaves as it was below a condition that
// nobody can decide, and asks that condition the other way round in the new template
// (Fn::Not, and the branches change places): the verdict is that of the same
// condition on both sides, for every case of testdata/templates.
func TestTurnedConditions(t *testing.T) {
	files, err := filepath.Glob("testdata/templates/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	turned := 0
	for i, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		before, plain, after := parse(t, ar.Files[0].Data), parse(t, ar.Files[1].Data), parse(t, ar.Files[1].Data)
		if after.Transform != nil {
			continue
		}
		w := conditioner{rand.New(rand.NewPCG(uint64(i), 7)), &turned}
		for _, doc := range []*cfn.Document{before, plain, after} {
			askable(doc)
			doc.Parameters["TurnedBy"] = cfn.ParameterDef{Type: "String"}
			doc.Conditions["Turned"] = map[string]any{"Fn::Equals": []any{map[string]any{"Ref": "TurnedBy"}, "a"}}
		}
		after.Conditions["Turned"] = map[string]any{"Fn::Not": []any{after.Conditions["Turned"]}}
		for _, id := range slices.Sorted(maps.Keys(after.Resources)) {
			r := after.Resources[id]
			old, ok := before.Resources[id]
			if !ok || old.Type != r.Type {
				continue
			}
			was, same, is := w.below(any(old.Properties), any(r.Properties))
			old.Properties, _ = was.(map[string]any)
			before.Resources[id] = old
			r.Properties, _ = same.(map[string]any)
			plain.Resources[id] = r
			r.Properties, _ = is.(map[string]any)
			after.Resources[id] = r
		}
		want := verdictOf(diff.Compose(before, plain, diff.Options{}))
		if d := cmp.Diff(want, verdictOf(diff.Compose(before, after, diff.Options{}))); d != "" {
			t.Errorf("%s: -want +got\n%s", file, d)
		}
	}
	if turned < 60 {
		t.Errorf("%d conditions were turned over only", turned)
	}
}

// conditioner puts values below a condition.
type conditioner struct {
	*rand.Rand
	count *int
}

// below gives both sides of a value, and the second one with the condition turned
// over, with some of the texts that they share below a condition.
func (w conditioner) below(before, after any) (was, same, is any) {
	switch b := before.(type) {
	case map[string]any:
		a, ok := after.(map[string]any)
		if !ok || b == nil || values.IsIntrinsic(b) || values.IsIntrinsic(a) {
			return before, after, after
		}
		outB, outS, outA := maps.Clone(b), maps.Clone(a), maps.Clone(a)
		for _, k := range values.KeysOfBoth(b, a) {
			if _, has := a[k]; !has || b[k] == nil {
				continue
			}
			outB[k], outS[k], outA[k] = w.below(b[k], a[k])
		}
		return outB, outS, outA
	case string:
		if before != after || w.IntN(2) > 0 {
			return before, after, after
		}
		*w.count++
		other := any(map[string]any{"Ref": "AWS::NoValue"})
		asked := map[string]any{"Fn::If": []any{"Turned", before, other}}
		return asked, asked, map[string]any{"Fn::If": []any{"Turned", other, before}}
	}
	return before, after, after
}
