package cfn

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func tree(t *testing.T, text string) map[string]any {
	t.Helper()
	v, err := Tree([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	root, _ := v.(map[string]any)
	return root
}

func given(name string) (any, error) {
	switch name {
	case "Names":
		return []any{"a-1", "b"}, nil
	case "Keep":
		return "Retain", nil
	case "Location":
		return "s3://b/part.json", nil
	}
	return nil, fmt.Errorf("no parameter %s", name)
}

// TestExtendLanguage: loops in each section, within each other, and over what
// functions make; and policies that are computed.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach-examples.html
func TestExtendLanguage(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"a list": {
			`Resources: {"Fn::ForEach::T": [N, [x, y], {"Topic${N}": {Type: T, Properties: {Name: "${N}.fifo", Other: {Ref: N}, Whole: {Ref: Topicx}}}}]}`,
			`{"Resources": {"Topicx": {"Type": "T", "Properties": {"Name": "x.fifo", "Other": "x", "Whole": {"Ref": "Topicx"}}}, "Topicy": {"Type": "T", "Properties": {"Name": "y.fifo", "Other": "y", "Whole": {"Ref": "Topicx"}}}}}`,
		},
		"a parameter, by its letters": {
			`Resources: {"Fn::ForEach::T": [N, {Ref: Names}, {"T&{N}": {Type: "${N}"}}]}`,
			`{"Resources": {"Ta1": {"Type": "a-1"}, "Tb": {"Type": "b"}}}`,
		},
		"a list with a parameter in it": {
			`Outputs: {"Fn::ForEach::T": [N, [z, {Ref: Names}, 7], {"T&{N}": {Value: "${N}"}}]}`,
			`{"Outputs": {"Tz": {"Value": "z"}, "Ta1": {"Value": "a-1"}, "Tb": {"Value": "b"}, "T7": {"Value": "7"}}}`,
		},
		"a loop in a loop": {
			`Resources: {"Fn::ForEach::A": [A, [x, y], {"Fn::ForEach::B": [B, [1, 2], {"T${A}${B}": {Type: T}}]}]}`,
			`{"Resources": {"Tx1": {"Type": "T"}, "Tx2": {"Type": "T"}, "Ty1": {"Type": "T"}, "Ty2": {"Type": "T"}}}`,
		},
		"a loop of properties, beside others": {
			`Resources: {R: {Type: T, Properties: {Own: 1, List: [{"Fn::ForEach::P": [P, [a, b], {"${P}": "is ${P}"}]}], "Fn::ForEach::P": [P, [c], {"${P}": true}]}}}`,
			`{"Resources": {"R": {"Type": "T", "Properties": {"Own": 1, "List": [{"a": "is a", "b": "is b"}], "c": true}}}}`,
		},
		"conditions": {
			`Conditions: {"Fn::ForEach::C": [N, [a], {"Is${N}": {"Fn::Equals": [{Ref: Stage}, {Ref: N}]}}]}`,
			`{"Conditions": {"Isa": {"Fn::Equals": [{"Ref": "Stage"}, "a"]}}}`,
		},
		"policies": {
			`Resources: {R: {Type: T, DeletionPolicy: {Ref: Keep}, UpdateReplacePolicy: {"Fn::FindInMap": [M, a, b]}}, S: {Type: T, DeletionPolicy: Delete}}
Mappings: {M: {a: {b: Snapshot}}}`,
			`{"Mappings": {"M": {"a": {"b": "Snapshot"}}}, "Resources": {"R": {"Type": "T", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Snapshot"}, "S": {"Type": "T", "DeletionPolicy": "Delete"}}}`,
		},
		"what is no loop": {
			`{"Description": "Fn::ForEach::x", "Resources": {"R": {"Type": "T", "Properties": {"Text": "${N} &{N}"}}}}`,
			`{"Description": "Fn::ForEach::x", "Resources": {"R": {"Type": "T", "Properties": {"Text": "${N} &{N}"}}}}`,
		},
	} {
		in := tree(t, c.in)
		before, _ := json.Marshal(in)
		got, err := ExtendLanguage(in, given)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if after, _ := json.Marshal(in); name != "policies" && string(after) != string(before) {
			t.Errorf("%s: the template itself was changed: %s", name, after)
		}
		var a, b any
		text, _ := json.Marshal(got)
		json.Unmarshal(text, &a)
		json.Unmarshal([]byte(c.want), &b)
		if diff := cmp.Diff(b, a); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestExtendLanguageRefuses: each mistake with its path.
func TestExtendLanguageRefuses(t *testing.T) {
	const form = "Resources.Fn::ForEach::T: needs [identifier, collection, {key: value}]"
	long := make([]string, 150)
	for i := range long {
		long[i] = fmt.Sprintf("x%d", i)
	}
	items, _ := json.Marshal(long)
	for in, want := range map[string]string{
		`Resources: {"Fn::ForEach::T": x}`:                                                                                         form,
		`Resources: {"Fn::ForEach::T": [N, [x]]}`:                                                                                  form,
		`Resources: {"Fn::ForEach::T": [N, [x], {}, {}]}`:                                                                          form,
		`Resources: {"Fn::ForEach::T": ["", [x], {}]}`:                                                                             form,
		`Resources: {"Fn::ForEach::T": [[N], [x], {}]}`:                                                                            form,
		`Resources: {"Fn::ForEach::T": [N, [x], text]}`:                                                                            form,
		`Resources: {"Fn::ForEach::T": [N, x, {}]}`:                                                                                "Resources.Fn::ForEach::T: the collection must be a list",
		`Resources: {"Fn::ForEach::T": [N, [{a: b}], {}]}`:                                                                         "Resources.Fn::ForEach::T: the collection must be a list of texts",
		`Resources: {"Fn::ForEach::T": [N, [[[x]]], {}]}`:                                                                          "Resources.Fn::ForEach::T: the collection must be a list of texts",
		`Resources: {"Fn::ForEach::T": [N, {Ref: None}, {}]}`:                                                                      "Resources.Fn::ForEach::T: Ref: no parameter None",
		`Resources: {"Fn::ForEach::T": [N, [x, y], {Same: {}}]}`:                                                                   "Resources.Fn::ForEach::T: Same is made twice: the key must hold ${N} or &{N}",
		`Resources: {Tx: {}, "Fn::ForEach::T": [N, [x], {"T${N}": {}}]}`:                                                           "Resources: Tx is made twice",
		`Resources: {R: {Properties: {L: [{"Fn::ForEach::T": [N]}]}}}`:                                                             "Resources.R.Properties.L.0.Fn::ForEach::T: needs [identifier, collection, {key: value}]",
		`Resources: {"Fn::ForEach::T": [N, [x], {"Fn::ForEach::U": [N]}]}`:                                                         "Resources.Fn::ForEach::T.Fn::ForEach::U: needs [identifier, collection, {key: value}]",
		`Resources: {R: {DeletionPolicy: {Ref: None}}}`:                                                                            "Resources.R.DeletionPolicy: Ref: no parameter None",
		`Resources: {R: {UpdateReplacePolicy: {Ref: Names}}}`:                                                                      "Resources.R.UpdateReplacePolicy: must come out as text",
		fmt.Sprintf(`{"Resources": {"Fn::ForEach::T": ["N", %s, {"Fn::ForEach::U": ["M", %s, {"${N}${M}": {}}]}]}}`, items, items): "Resources.Fn::ForEach::T.Fn::ForEach::U: the loops of the template repeat more than 20000 times",
	} {
		if _, err := ExtendLanguage(tree(t, in), given); err == nil || err.Error() != want {
			t.Errorf("%.200s: %v\nwant %s", in, err, want)
		}
	}
	half, _ := json.Marshal(long[:140])
	most := fmt.Sprintf(`{"Resources": {"Fn::ForEach::T": ["N", %s, {"Fn::ForEach::U": ["M", %s, {"${N}y${M}": {}}]}]}}`, half, half)
	if got, err := ExtendLanguage(tree(t, most), given); err != nil || len(got["Resources"].(map[string]any)) != 140*140 {
		t.Errorf("19,740 repetitions: %v", err)
	}
}

// TestIncluded: a file takes the place of what asks for it, or joins what stands
// beside.
func TestIncluded(t *testing.T) {
	files := map[string]any{
		"s3://b/part.json": map[string]any{"b": map[string]any{"y": 2}, "c": 3},
		"s3://b/list.json": []any{1, 2},
	}
	fetch := func(location string) (any, error) {
		if file, ok := files[location]; ok {
			return file, nil
		}
		return nil, errors.New("no such file")
	}
	for name, c := range map[string]struct{ in, want, wrong string }{
		"alone":       {`P: {"Fn::Transform": {Name: "AWS::Include", Parameters: {Location: "s3://b/list.json"}}}`, `{"P": [1, 2]}`, ""},
		"beside":      {`P: {a: 1, b: {x: 1}, "Fn::Transform": {Name: "AWS::Include", Parameters: {Location: {Ref: Location}}}}`, `{"P": {"a": 1, "b": {"x": 1, "y": 2}, "c": 3}}`, ""},
		"over a text": {`P: {b: text, "Fn::Transform": {Name: "AWS::Include", Parameters: {Location: "s3://b/part.json"}}}`, `{"P": {"b": {"y": 2}, "c": 3}}`, ""},
		"in a list":   {`P: [{"Fn::Transform": {Name: "AWS::Include", Parameters: {Location: "s3://b/list.json"}}}, 1]`, `{"P": [[1, 2], 1]}`, ""},
		"another one": {`P: {"Fn::Transform": {Name: Mine, Parameters: {Location: "s3://b/list.json"}}}`, `{"P": {"Fn::Transform": {"Name": "Mine", "Parameters": {"Location": "s3://b/list.json"}}}}`, ""},
		"a list beside": {`P: {a: 1, "Fn::Transform": {Name: "AWS::Include", Parameters: {Location: "s3://b/list.json"}}}`, "",
			"AWS::Include: the file must hold an object here"},
		"no file":     {`P: [{"Fn::Transform": {Name: "AWS::Include", Parameters: {Location: "s3://b/none"}}}]`, "", "AWS::Include: s3://b/none: no such file"},
		"no location": {`P: {a: {"Fn::Transform": {Name: "AWS::Include"}}}`, "", "AWS::Include: Location must be the address of a file in S3"},
		"a list for a location": {`P: {"Fn::Transform": {Name: "AWS::Include", Parameters: {Location: {Ref: Names}}}}`, "",
			"AWS::Include: Location must be the address of a file in S3"},
		"no parameter": {`P: {"Fn::Transform": {Name: "AWS::Include", Parameters: {Location: {Ref: None}}}}`, "", "AWS::Include: Location: Ref: no parameter None"},
	} {
		got, err := Included(map[string]any(tree(t, c.in)), given, fetch)
		if c.wrong != "" {
			if err == nil || err.Error() != c.wrong {
				t.Errorf("%s: %v\nwant %s", name, err, c.wrong)
			}
			continue
		}
		text, _ := json.Marshal(got)
		var a, b any
		json.Unmarshal(text, &a)
		json.Unmarshal([]byte(c.want), &b)
		if diff := cmp.Diff(b, a); diff != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

func TestTransforms(t *testing.T) {
	for in, want := range map[string]string{
		`{}`:                           "",
		`Transform: A`:                 "A",
		`Transform: [A, B]`:            "A B",
		`Transform: {Name: A}`:         "A",
		`Transform: [{Name: A}, B, 7]`: "A B",
	} {
		var names []string
		for _, call := range Transforms(tree(t, in)) {
			names = append(names, fmt.Sprint(call["Name"]))
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}
