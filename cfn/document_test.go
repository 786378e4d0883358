package cfn

import (
	"errors"
	"strings"
	"testing"
)

// TestParseGiven: a file that somebody names as a template is one, or AWS's answer
// with one inside, and nothing else.
func TestParseGiven(t *testing.T) {
	const template = `{"Resources": {"A": {"Type": "AWS::SNS::Topic"}}}`
	for in, want := range map[string]string{
		template: "",
		"Resources:\n  A: {Type: AWS::SNS::Topic}\n":                          "",
		`{"TemplateBody": ` + template + `, "StagesAvailable": ["Original"]}`: "",
		`{"TemplateBody": "Resources:\n  A: {Type: AWS::SNS::Topic}\n"}`:      "",
		`{"TemplateBody": {}}`:                    ErrNoResources.Error(),
		`{"TemplateBody": "a: b"}`:                ErrNoResources.Error(),
		`{"TemplateBody": 7}`:                     ErrNoResources.Error(),
		`{"TemplateBody": "- a"}`:                 "TemplateBody: ",
		`{}`:                                      ErrNoResources.Error(),
		`{"Resources": {}}`:                       ErrNoResources.Error(),
		"Resources:\n":                            ErrNoResources.Error(),
		`{"name": "package", "version": "1.0.0"}`: ErrNoResources.Error(),
	} {
		doc, err := ParseGiven([]byte(in))
		switch {
		case want == "":
			if err != nil || doc.Resources["A"].Type != "AWS::SNS::Topic" {
				t.Errorf("%s: %v", in, err)
			}
		case err == nil || !strings.HasPrefix(err.Error(), want):
			t.Errorf("%s: %v\nwant %s", in, err, want)
		case want == ErrNoResources.Error() && !errors.Is(err, ErrNoResources):
			t.Errorf("%s: %v is another error", in, err)
		}
	}
}
