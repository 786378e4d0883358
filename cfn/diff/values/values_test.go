package values

import (
	"encoding/json"
	"testing"
)

func value(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestEqual: what CloudFormation takes for the same, and what it does not.
func TestEqual(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{`true`, `"true"`, true},
		{`{}`, `{}`, true},
		{`{}`, `"a"`, false},
		{`{}`, `null`, false},
		{`{"a": 1}`, `{"b": 1}`, false},
		{`[]`, `{}`, false},
		{`["a", "b"]`, `["b", "a"]`, false},
		{`{"Fn::GetAtt": ["A", "Arn"]}`, `{"Fn::Sub": "${A.Arn}"}`, true},
		{`{"Fn::GetAtt": "A.Arn"}`, `{"Fn::GetAtt": ["A", "Arn"]}`, true},
		{`{"Fn::Join": ["-", ["a", {"Ref": "B"}]]}`, `{"Fn::Sub": "a-${B}"}`, true},
		{`{"Fn::Join": ["${B}", ["a", "b"]]}`, `{"Fn::Sub": "a${B}b"}`, false},
		{`{"Fn::Sub": ["a-${X}", {"X": {"Ref": "B"}}]}`, `{"Fn::Sub": "a-${B}"}`, true},
		{`{"Fn::Sub": ["a-${X}", {"X": {"Fn::ImportValue": "B"}}]}`, `{"Fn::Sub": "a-${X}"}`, false},
		{`{"Ref": "A"}`, `{"Ref": "B"}`, false},
	} {
		if got := Equal(value(t, c.a), value(t, c.b)); got != c.same {
			t.Errorf("%s and %s: equal is %t", c.a, c.b, got)
		}
		if got := Equal(value(t, c.b), value(t, c.a)); got != c.same {
			t.Errorf("%s and %s: equal is %t", c.b, c.a, got)
		}
	}
}

func TestPlainText(t *testing.T) {
	for in, want := range map[string]string{
		`null`: "", `"a"`: "a", `true`: "true", `{"Ref": "A"}`: "${A}",
		`{"Fn::Sub": ["${X}/b", {"X": {"Fn::ImportValue": "y"}}]}`:  "${X}/b",
		`{"Fn::GetAtt": ["A", "Arn"]}`:                              "${A.Arn}",
		`{"Fn::Join": [",", ["a", {"Fn::ImportValue": "y"}, "b"]]}`: `a,{"Fn::ImportValue":"y"},b`,
		`["a"]`: `["a"]`,
	} {
		if got := PlainText(value(t, in)); got != want {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
	}
}

// TestFingerprint: it is that of equal values, and of no others.
func TestFingerprint(t *testing.T) {
	all := []any{
		nil, "1", json.Number("1"), true, "true", "a", []any{"a"}, []any{"a", "b"}, []any{[]any{"a"}, "b"}, map[string]any{}, map[string]any{"a": "b"},
		map[string]any{"Ref": "A"}, map[string]any{"Fn::Sub": "${A}"}, "${A}", map[string]any{"Fn::GetAtt": []any{"A", "Arn"}},
		map[string]any{"Fn::GetAtt": "A.Arn"}, map[string]any{"Fn::Sub": "${A.Arn}"}, map[string]any{"Fn::If": []any{"a", "b", "c"}}, "{", "[a", map[string]any{"a": map[string]any{}},
	}
	for _, a := range all {
		for _, b := range all {
			if same := Fingerprint(a) == Fingerprint(b); same != Equal(a, b) {
				t.Errorf("%v and %v: %t", a, b, same)
			}
		}
	}
}
