package sam

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"arc/manifest"
)

// odd are values that no property is ready for.
var odd = []any{nil, "x", json.Number("3"), true, []any{}, object{}, []any{"x"}, []any{nil}, object{"Ref": "x"}, object{"Fn::If": []any{"a"}}, object{"Fn::If": []any{"a", "b", nil}}, ""}

// TestNothingBreaksIt puts odd values in every place of every template, one at a
// time, and of a view: what cannot be expanded or carried over is a problem, never a
// panic. ARC_ALL=1 tries every value in every place.
func TestNothingBreaksIt(t *testing.T) {
	for name, c := range expandCases(t) {
		breaks(t, name, c.template, 1, func() { Expand(c.template) })
	}
	app, ok := compileApp(t, manifest.Load(os.DirFS("../../testdata/apps/notes"), manifest.Options{Region: "us-east-1"}))
	if !ok {
		t.Fatal("the app does not compile")
	}
	view := tree(t, app.view)
	breaks(t, "the view of notes", view, 4, func() {
		carried, _, err := Carry(app.plain, app.view, encode(view))
		if err != nil {
			return
		}
		for id, r := range asObject(asObject(tree(t, carried.Template))["Resources"]) {
			if asObject(r) == nil {
				t.Errorf("the resource %s is %s", id, compact(r))
			}
		}
	})
}

// breaks runs something for odd values in every place of a tree, or in every nth
// one.
func breaks(t *testing.T, name string, root any, nth int, run func()) {
	t.Helper()
	turn := 0
	places(root, "", func(path string, put func(any), was any) {
		turn++
		for i, v := range odd {
			if os.Getenv("ARC_ALL") == "" && ((turn+i)%len(odd) != 0 || turn%nth != 0) {
				continue
			}
			put(clone(v))
			func() {
				defer func() {
					if p := recover(); p != nil {
						t.Errorf("%s: %s = %s: %v", name, path, compact(v), p)
					}
				}()
				run()
			}()
		}
		put(was)
	})
}

// places visits every value of a tree.
func places(v any, path string, visit func(path string, put func(any), was any)) {
	switch v := v.(type) {
	case object:
		for _, key := range sorted(v) {
			if path == "" && key == "Transform" {
				continue
			}
			was := v[key]
			visit(path+"."+key, func(x any) { v[key] = x }, was)
			places(was, path+"."+key, visit)
		}
	case []any:
		for i, was := range v {
			at := fmt.Sprintf("%s.%d", path, i)
			visit(at, func(x any) { v[i] = x }, was)
			places(was, at, visit)
		}
	}
}

// FuzzExpand: no template breaks the expansion, and one that is plain is left as
// it is.
func FuzzExpand(f *testing.F) {
	for _, c := range expandCases(f) {
		f.Add(encode(c.template))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		root, err := decode(body)
		if err != nil {
			return
		}
		plain, problems := Expand(root)
		if !IsSAM(root) || IsSAM(plain) {
			return
		}
		if again, more := Expand(plain); len(more) > 0 || !same(any(again), any(plain)) {
			t.Errorf("expanded twice: %v %v", problems, more)
		}
	})
}

// FuzzCarry: no view breaks the way back, and what comes of it is a template.
func FuzzCarry(f *testing.F) {
	app, ok := compileApp(f, manifest.Load(os.DirFS("../../testdata/apps/notes"), manifest.Options{Region: "us-east-1"}))
	if !ok {
		f.Fatal("the app does not compile")
	}
	f.Add(app.view)
	f.Add([]byte(`{"Resources": {"Role": null, "HTTP": {"Type": "AWS::Serverless::HttpApi"}}}`))
	f.Fuzz(func(t *testing.T, after []byte) {
		carried, _, err := Carry(app.plain, app.view, after)
		if err != nil {
			return
		}
		if _, err := decode(carried.Template); err != nil {
			t.Error(err)
		}
	})
}
