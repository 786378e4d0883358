package cfn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestFunctions: a call of an intrinsic function, and its value or the words of
// its refusal. https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
func TestFunctions(t *testing.T) {
	scope := Scope{
		Ref: func(name string) (any, error) {
			if name == "AWS::Region" {
				return "us-west-2", nil
			}
			return nil, fmt.Errorf("there is no %s", name)
		},
		Import: func(name string) (any, error) {
			if name == "known" {
				return "exported", nil
			}
			return nil, fmt.Errorf("there is no export %s", name)
		},
		Mappings: map[string]any{"M": map[string]any{"a": map[string]any{"b": "mapped"}}},
		Conditions: map[string]any{
			"Yes": map[string]any{"Fn::Equals": []any{"a", "a"}}, "No": map[string]any{"Fn::Equals": []any{"a", "b"}},
			"Self": map[string]any{"Condition": "Self"},
		},
	}
	for in, want := range map[string]string{
		`{"Fn::Join": ["-", ["a", 1, true]]}`:                          `"a-1-true"`,
		`{"Fn::Join": ["", []]}`:                                       `""`,
		`{"Fn::Join": ["-", ["a", []]]}`:                               "element 1 is not a string",
		`{"Fn::Join": ["-"]}`:                                          "needs [delimiter, list]",
		`{"Fn::Join": ["-", ["a"], "b"]}`:                              "needs [delimiter, list]",
		`{"Fn::Join": [1, ["a"]]}`:                                     "needs [delimiter, list]",
		`{"Fn::Join": ["-", "a"]}`:                                     "needs [delimiter, list]",
		`{"Fn::Select": [0, ["a", "b"]]}`:                              `"a"`,
		`{"Fn::Select": ["1", ["a", "b"]]}`:                            `"b"`,
		`{"Fn::Select": [2, ["a", "b"]]}`:                              "outside a list of 2",
		`{"Fn::Select": [-1, ["a", "b"]]}`:                             "outside a list of 2",
		`{"Fn::Select": ["x", ["a"]]}`:                                 "needs [index, list]",
		`{"Fn::Select": [0, "a"]}`:                                     "needs [index, list]",
		`{"Fn::Select": [0]}`:                                          "needs [index, list]",
		`{"Fn::Split": [",", "a,b"]}`:                                  `["a","b"]`,
		`{"Fn::Split": ["", "a,b"]}`:                                   "needs [delimiter, string]",
		`{"Fn::Split": [",", 1]}`:                                      "needs [delimiter, string]",
		`{"Fn::Split": [","]}`:                                         "needs [delimiter, string]",
		`{"Fn::Base64": "ab"}`:                                         `"YWI="`,
		`{"Fn::Base64": ["a"]}`:                                        "needs a string",
		`{"Fn::Cidr": ["192.168.0.0/24", 2, 5]}`:                       `["192.168.0.0/27","192.168.0.32/27"]`,
		`{"Fn::Cidr": ["10.1.2.3/16", "2"]}`:                           `["10.1.0.0/24","10.1.1.0/24"]`,
		`{"Fn::Cidr": ["10.0.0.0/30", 4, 0]}`:                          `["10.0.0.0/32","10.0.0.1/32","10.0.0.2/32","10.0.0.3/32"]`,
		`{"Fn::Cidr": ["10.0.0.0/30", 5, 0]}`:                          "room for all blocks",
		`{"Fn::Cidr": ["1.2.255.0/23", 2, 8]}`:                         `["1.2.254.0/24","1.2.255.0/24"]`,
		`{"Fn::Cidr": ["10.0.0.0/24", 1, 8]}`:                          `["10.0.0.0/24"]`,
		`{"Fn::Cidr": ["10.0.0.0/24", 1, 9]}`:                          "room for all blocks",
		`{"Fn::Cidr": ["0.0.0.0/0", 1, 32]}`:                           `["0.0.0.0/0"]`,
		`{"Fn::Cidr": ["0.0.0.0/0", 1, 33]}`:                           "room for all blocks",
		`{"Fn::Cidr": ["10.0.0.0/24", 0, 4]}`:                          "room for all blocks",
		`{"Fn::Cidr": ["10.0.0.0/8", 257, 8]}`:                         "room for all blocks",
		`{"Fn::Cidr": ["10.0.0.0/24", 1, -1]}`:                         "room for all blocks",
		`{"Fn::Cidr": ["fd00::/64", 1, 8]}`:                            "room for all blocks",
		`{"Fn::Cidr": ["x", 1, 8]}`:                                    "room for all blocks",
		`{"Fn::Cidr": ["10.0.0.0/24", "x", 8]}`:                        "room for all blocks",
		`{"Fn::Cidr": ["10.0.0.0/24", 1, "x"]}`:                        "room for all blocks",
		`{"Fn::Cidr": ["10.0.0.0/24"]}`:                                "room for all blocks",
		`{"Fn::Cidr": ["10.0.0.0/24", 1, 8, 1]}`:                       "room for all blocks",
		`{"Fn::GetAZs": ""}`:                                           `["us-west-2a","us-west-2b","us-west-2c"]`,
		`{"Fn::GetAZs": "eu-west-1"}`:                                  `["eu-west-1a","eu-west-1b","eu-west-1c"]`,
		`{"Fn::ImportValue": "known"}`:                                 `"exported"`,
		`{"Fn::ImportValue": "other"}`:                                 "there is no export other",
		`{"Fn::ImportValue": []}`:                                      "no export can be looked up",
		`{"Fn::Length": ["a", "b"]}`:                                   `2`,
		`{"Fn::Length": "ab"}`:                                         "needs a list",
		`{"Fn::FindInMap": ["M", "a", "b"]}`:                           `"mapped"`,
		`{"Fn::FindInMap": ["M", "a", "c"]}`:                           `there is no "c"`,
		`{"Fn::FindInMap": ["M", "a"]}`:                                "needs [map",
		`{"Fn::FindInMap": ["M", "a", "b", {"DefaultValue": "d"}]}`:    `"mapped"`,
		`{"Fn::FindInMap": ["M", "x", "b", {"DefaultValue": "d"}]}`:    `"d"`,
		`{"Fn::FindInMap": ["M", "a", "b", {"DefaultValue": "d"}, 1]}`: "needs [map",
		`{"Fn::If": ["Yes", 1, 2]}`:                                    `1`,
		`{"Fn::If": ["No", 1, 2]}`:                                     `2`,
		`{"Fn::If": ["None", 1, 2]}`:                                   "there is no condition None",
		`{"Fn::If": ["Self", 1, 2]}`:                                   "refers to itself",
	} {
		checkFunction(t, scope, in, want)
	}
	for in, want := range map[string]string{
		`{"Fn::Equals": ["1", 1]}`:                                   "true",
		`{"Fn::Equals": [true, "true"]}`:                             "true",
		`{"Fn::Equals": ["1", []]}`:                                  "false",
		`{"Fn::Equals": [[1], [1]]}`:                                 "true",
		`{"Fn::Equals": ["a"]}`:                                      "needs two values",
		`{"Fn::Equals": [{"Ref": "X"}, "a"]}`:                        "there is no X",
		`{"Fn::Equals": ["a", {"Ref": "X"}]}`:                        "there is no X",
		`{"Fn::Not": [{"Condition": "No"}]}`:                         "true",
		`{"Fn::Not": [{"Condition": "Yes"}]}`:                        "false",
		`{"Fn::Not": []}`:                                            "needs one condition",
		`{"Fn::Not": [{"Condition": "None"}]}`:                       "there is no condition None",
		`{"Fn::Not": {"Condition": "No"}}`:                           "needs a list",
		`{"Fn::And": [{"Condition": "Yes"}, {"Condition": "Yes"}]}`:  "true",
		`{"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]}`:   "false",
		`{"Fn::And": [{"Condition": "No"}, {"Condition": "Yes"}]}`:   "false",
		`{"Fn::And": [{"Condition": "Yes"}, {"Condition": "None"}]}`: "there is no condition None",
		`{"Fn::Or": [{"Condition": "No"}, {"Condition": "Yes"}]}`:    "true",
		`{"Fn::Or": [{"Condition": "Yes"}, {"Condition": "None"}]}`:  "true", // the rest is not asked
		`{"Fn::Or": [{"Condition": "No"}, {"Condition": "No"}]}`:     "false",
		`{"Fn::Or": [{"Condition": "No"}, {"Condition": "None"}]}`:   "there is no condition None",
		`{"Fn::Xor": []}`:                                            "is not a condition function",
		`{}`:                                                         "needs one of Fn::And",
		`{"Fn::Or": [], "Fn::And": []}`:                              "needs one of Fn::And",
	} {
		scope.Conditions["C"] = decoded(t, in)
		got, err := EvalCondition("C", scope)
		text := fmt.Sprint(got)
		if err != nil {
			text = err.Error()
		}
		if err == nil && text != want || err != nil && !strings.Contains(text, want) {
			t.Errorf("%s is %s, want %s", in, text, want)
		}
	}
}

func checkFunction(t *testing.T, scope Scope, in, want string) {
	t.Helper()
	got, err := Eval(decoded(t, in), scope)
	if err != nil {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
		return
	}
	text, err := json.Marshal(got)
	if err != nil || string(text) != want {
		t.Errorf("%s is %s %v, want %s", in, text, err, want)
	}
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
