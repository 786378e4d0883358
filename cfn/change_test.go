package cfn

import (
	"encoding/json"
	"slices"
	"testing"
	"testing/fstest"

	"arc/manifest"
	"arc/manifest/syntax"

	"github.com/google/go-cmp/cmp"
)

const changedApp = "@app\nchanged\n\n@http\nget /\nget /second\n"

// compileChanged compiles a small app whose template is changed.
func compileChanged(t *testing.T, change func(root map[string]any)) (*Stack, syntax.Diagnostics, map[string]any) {
	t.Helper()
	handler := &fstest.MapFile{Data: []byte("export const handler = async () => {}\n")}
	app := manifest.Load(fstest.MapFS{"app.arc": {Data: []byte(changedApp)}, "src/http/get-index/index.mjs": handler, "src/http/get-second/index.mjs": handler}, manifest.Options{}).App
	stack, ds := Compile(app, Options{Stage: "staging", Env: []string{"MINE"}, Change: func(template []byte, functions []Function) (Changed, syntax.Diagnostics) {
		root, err := readTree(template)
		if err != nil || len(functions) != 3 { // one is for the static files
			t.Fatalf("%d functions: %v", len(functions), err)
		}
		change(root)
		text, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		return Changed{Template: text, Origin: func(string) syntax.Pos { return syntax.Pos{File: "app.arc", Line: 7, Col: 1} }}, nil
	}})
	if ds.HasErrors() {
		return stack, ds, nil
	}
	text, err := stack.Template.JSON()
	if err != nil {
		t.Fatal(err)
	}
	root, err := readTree(text)
	if err != nil {
		t.Fatal(err)
	}
	return stack, ds, root
}

func under(root map[string]any, section string) map[string]any {
	m, _ := root[section].(map[string]any)
	return m
}

// TestChange: what somebody else makes of the template is in it, in every section,
// spelled as the rest, and what leaves it leaves the list of functions.
func TestChange(t *testing.T) {
	stack, ds, root := compileChanged(t, func(root map[string]any) {
		resources := under(root, "Resources")
		delete(resources, "GetSecondHTTPLambda")
		delete(resources, "GetSecondHTTPLambdaHTTPEventPermission")
		delete(under(under(under(under(resources, "HTTP"), "Properties"), "Body"), "paths"), "/second")
		resources["Topic"] = map[string]any{"Type": "AWS::SNS::Topic", "DependsOn": "Queue", "Properties": map[string]any{
			"A": map[string]any{"Fn::GetAtt": "Queue.Arn"}, "B": map[string]any{"Fn::GetAtt": "Queue"}, "C": map[string]any{"Fn::GetAtt": "Queue.Arn", "D": 1},
			"E": []any{map[string]any{"Fn::GetAtt": "Queue.Deep.Name"}}, "F": map[string]any{"DependsOn": "Queue"},
		}}
		resources["Queue"] = map[string]any{"Type": "AWS::SQS::Queue"}
		delete(under(root, "Parameters"), "EnvMINE")
		for _, id := range []string{"GetIndexHTTPLambda", "GetCatchallHTTPLambda"} {
			delete(under(under(under(under(resources, id), "Properties"), "Environment"), "Variables"), "MINE")
		}
		under(root, "Parameters")["Given"] = map[string]any{"Type": "String", "NoEcho": true, "MinLength": 3}
		delete(under(root, "Outputs"), "API")
		outputs := under(root, "Outputs")
		outputs["Where"] = map[string]any{"Value": map[string]any{"Fn::GetAtt": "Queue.Arn"}, "Export": map[string]any{"Name": "where"}}
		root["Outputs"] = outputs
		root["Mappings"] = map[string]any{"M": map[string]any{"a": map[string]any{"b": "c"}}}
		root["Conditions"] = map[string]any{"C": map[string]any{"Fn::Equals": []any{"a", "b"}}}
		root["Rules"] = map[string]any{}
	})
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	want := map[string]any{
		"Type": "AWS::SNS::Topic", "DependsOn": []any{"Queue"}, "Properties": map[string]any{
			"A": map[string]any{"Fn::GetAtt": []any{"Queue", "Arn"}}, "B": map[string]any{"Fn::GetAtt": "Queue"}, "C": map[string]any{"Fn::GetAtt": "Queue.Arn", "D": json.Number("1")},
			"E": []any{map[string]any{"Fn::GetAtt": []any{"Queue", "Deep.Name"}}}, "F": map[string]any{"DependsOn": "Queue"},
		},
	}
	resources := under(root, "Resources")
	if diff := cmp.Diff(any(want), resources["Topic"]); diff != "" {
		t.Error(diff)
	}
	if resources["GetSecondHTTPLambda"] != nil || slices.ContainsFunc(stack.Functions, func(f Function) bool { return f.LogicalID == "GetSecondHTTPLambda" }) || len(stack.Functions) != 2 {
		t.Errorf("what was taken out is there: %+v", stack.Functions)
	}
	if diff := cmp.Diff(any(map[string]any{"Type": "String", "NoEcho": true, "MinLength": json.Number("3")}), under(root, "Parameters")["Given"]); diff != "" {
		t.Error(diff)
	}
	if p := stack.Template.Parameters["Given"]; !p.NoEcho || p.Type != "String" {
		t.Errorf("%+v", p)
	}
	if under(root, "Parameters")["EnvMINE"] != nil || under(root, "Outputs")["API"] != nil {
		t.Error("a parameter or an output that was taken out is there")
	}
	if diff := cmp.Diff(any(map[string]any{"Value": map[string]any{"Fn::GetAtt": []any{"Queue", "Arn"}}, "Export": map[string]any{"Name": "where"}}), under(root, "Outputs")["Where"]); diff != "" {
		t.Error(diff)
	}
	if under(root, "Mappings")["M"] == nil || under(root, "Conditions")["C"] == nil || root["Rules"] != nil {
		t.Errorf("sections: %v %v %v", root["Mappings"], root["Conditions"], root["Rules"])
	}
	if at := stack.Origins["Topic"]; at.Line != 7 {
		t.Errorf("Topic is from %s", at)
	}
	if at := stack.Origins["GetIndexHTTPLambda"]; at.Line != 5 {
		t.Errorf("what was not changed is from %s", at)
	}
}

// TestChangeRefuses: what is no resource is told where its maker is named.
func TestChangeRefuses(t *testing.T) {
	_, ds, _ := compileChanged(t, func(root map[string]any) {
		under(root, "Resources")["Odd"] = map[string]any{"Properties": map[string]any{}}
		under(root, "Resources")["Odder"] = "text"
	})
	if len(ds) != 2 || ds[0].Code != "plugin-template" || ds[0].Pos.Line != 7 || ds[0].Message != "plugins made Odd a resource without a type" {
		t.Errorf("%+v", ds)
	}
	// Whatever stays as it was stays ours.
	_, ds, root := compileChanged(t, func(map[string]any) {})
	_, _, plain := compileChanged(t, func(root map[string]any) { root["Description"] = root["Description"] })
	if ds.HasErrors() || cmp.Diff(plain, root) != "" {
		t.Error(ds, cmp.Diff(plain, root))
	}
}
