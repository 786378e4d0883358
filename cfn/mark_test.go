package cfn

import "testing"

func TestMarks(t *testing.T) {
	for metadata, want := range map[string]string{
		"":                                      "",
		"{}":                                    "",
		`{"AWS::CloudFormation::Interface":{}}`: "",
		`{"arc":{"app":"shop","stage":"production"}}`:              "shop, production",
		`{"arc":{"app":"shop","stage":"staging","name":"blue"}}`:   "shop, staging (blue)",
		`{"arc":{"app":"shop","stage":"staging"},"other":["x",1]}`: "shop, staging",
		`{"arc":"shop"}`:         "error",
		`{"arc":{"app":"shop"}}`: "error",
		`{"arc":{"app":"",}}`:    "error",
		`[]`:                     "error",
	} {
		got := ""
		switch m, err := ReadMark(metadata); {
		case err != nil:
			got = "error"
		case m != nil:
			got = m.String()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", metadata, got, want)
		}
	}
}

// TestMarkOfATemplate: what a compiled template says of itself is what the
// options say.
func TestMarkOfATemplate(t *testing.T) {
	options := Options{Stage: "staging", Name: "blue"}
	if got := options.Mark("shop"); got != (Mark{"shop", "staging", "blue"}) {
		t.Errorf("%+v", got)
	}
	for text, want := range map[string]*Mark{
		`{"Resources": {}}`: nil,
		`{"Metadata": {"arc": {"app": "shop", "stage": "staging", "name": "blue"}}, "Resources": {}}`: {"shop", "staging", "blue"},
	} {
		doc, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		got, err := doc.Mark()
		if err != nil || (got == nil) != (want == nil) || got != nil && *got != *want {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	doc, err := Parse([]byte(`{"Metadata": {"arc": 1}, "Resources": {}}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := doc.Mark(); err == nil {
		t.Error("a mark that is none was read")
	}
}

// TestMadeBeforeMarks tells the stacks that arc and Architect made before there
// were marks from everybody else's.
func TestMadeBeforeMarks(t *testing.T) {
	lambda := func(kind string, variables map[string]any) map[string]ResourceDef {
		return map[string]ResourceDef{"GetIndexHTTPLambda": {Type: kind, Properties: map[string]any{"Environment": map[string]any{"Variables": variables}}}}
	}
	const exported = "Exported by architect/package@9.0.4 on 2024-05-01T10:00:00.000Z"
	shop := map[string]any{"ARC_APP_NAME": "shop", "ARC_ENV": "staging", "ARC_STACK_NAME": map[string]any{"Ref": "AWS::StackName"}}
	for name, c := range map[string]struct {
		doc  Document
		mark Mark
		want bool
	}{
		"arc":                  {Document{Description: "shop, staging"}, Mark{"shop", "staging", ""}, true},
		"arc, named":           {Document{Description: "shop, staging (blue)"}, Mark{"shop", "staging", "blue"}, true},
		"arc, another name":    {Document{Description: "shop-staging, production"}, Mark{"shop", "staging", "production"}, false},
		"Architect":            {Document{Description: exported, Resources: lambda("AWS::Serverless::Function", shop)}, Mark{"shop", "staging", ""}, true},
		"Architect, expanded":  {Document{Resources: lambda("AWS::Lambda::Function", shop)}, Mark{"shop", "staging", ""}, true},
		"Architect, other app": {Document{Description: exported, Resources: lambda("AWS::Serverless::Function", shop)}, Mark{"shop-staging", "production", ""}, false},
		"static files":         {Document{Description: exported}, Mark{"shop", "staging", ""}, true},
		"static, two readings": {Document{Description: exported}, Mark{"shop", "staging", "production"}, false},
		"a stranger's":         {Document{Description: "a topic", Resources: map[string]ResourceDef{"Topic": {Type: "AWS::SNS::Topic"}}}, Mark{"foreign", "staging", ""}, false},
		"a stranger's code":    {Document{Resources: lambda("AWS::Lambda::Function", map[string]any{"STAGE": "x"})}, Mark{"shop", "staging", ""}, false},
		"nothing":              {Document{}, Mark{"shop", "staging", ""}, false},
	} {
		if got := c.doc.MadeBefore(c.mark); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
