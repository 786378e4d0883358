package cfn

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/awslabs/goformation/v7/cloudformation/iam"
	"github.com/awslabs/goformation/v7/cloudformation/lambda"
	"github.com/awslabs/goformation/v7/cloudformation/s3"
	"github.com/google/go-cmp/cmp"
)

func function() *lambda.Function {
	return &lambda.Function{
		Code: &lambda.Function_Code{S3Bucket: new(Ref("Bucket")), S3Key: new("a.zip")},
		Role: GetAtt("Role", "Arn"),
	}
}

func role(document any) *iam.Role {
	return &iam.Role{AssumeRolePolicyDocument: document}
}

// TestTemplateJSON pins the whole form of a template: order, indent, nesting
// of intrinsics, and strings that other printers mangle.
func TestTemplateJSON(t *testing.T) {
	fn := function()
	fn.Environment = &lambda.Function_Environment{Variables: map[string]string{
		"BASE64": "eyJSZWYiOiJCdWNrZXQifQ==", // not an intrinsic, only looks like one
		"HTML":   `<a href="&">`,
		"JOINED": Sub("${AWS::Region}-${Bucket}/*-x"),
	}}
	fn.AWSCloudFormationDependsOn = []string{"Bucket"}
	template := &Template{
		Description: "a & b",
		Parameters:  map[string]Parameter{"Secret": {Type: "String", NoEcho: true}},
		Resources: map[string]Resource{
			"Bucket":   &s3.Bucket{AWSCloudFormationDeletionPolicy: "Retain"},
			"Function": fn,
			"Sized":    Patched{function(), map[string]any{"MemorySize": Ref("Secret"), "Layers": []string{}}},
			"Role":     role(map[string]any{"Resource": map[string]any{"Fn::GetAtt": []string{"Bucket", "Arn"}}}),
		},
		Outputs: map[string]Output{"Arn": {Value: GetAtt("Function", "Arn")}},
	}
	got, err := template.JSON()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "AWSTemplateFormatVersion": "2010-09-09",
  "Description": "a & b",
  "Parameters": {
    "Secret": {
      "Type": "String",
      "NoEcho": true
    }
  },
  "Resources": {
    "Bucket": {
      "Type": "AWS::S3::Bucket",
      "Properties": {},
      "DeletionPolicy": "Retain"
    },
    "Function": {
      "Type": "AWS::Lambda::Function",
      "Properties": {
        "Code": {
          "S3Bucket": {
            "Ref": "Bucket"
          },
          "S3Key": "a.zip"
        },
        "Environment": {
          "Variables": {
            "BASE64": "eyJSZWYiOiJCdWNrZXQifQ==",
            "HTML": "<a href=\"&\">",
            "JOINED": {
              "Fn::Sub": "${AWS::Region}-${Bucket}/*-x"
            }
          }
        },
        "Role": {
          "Fn::GetAtt": [
            "Role",
            "Arn"
          ]
        }
      },
      "DependsOn": [
        "Bucket"
      ]
    },
    "Role": {
      "Type": "AWS::IAM::Role",
      "Properties": {
        "AssumeRolePolicyDocument": {
          "Resource": {
            "Fn::GetAtt": [
              "Bucket",
              "Arn"
            ]
          }
        }
      }
    },
    "Sized": {
      "Type": "AWS::Lambda::Function",
      "Properties": {
        "Code": {
          "S3Bucket": {
            "Ref": "Bucket"
          },
          "S3Key": "a.zip"
        },
        "Layers": [],
        "MemorySize": {
          "Ref": "Secret"
        },
        "Role": {
          "Fn::GetAtt": [
            "Role",
            "Arn"
          ]
        }
      }
    }
  },
  "Outputs": {
    "Arn": {
      "Value": {
        "Fn::GetAtt": [
          "Function",
          "Arn"
        ]
      }
    }
  }
}
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	if !json.Valid(got) {
		t.Error("not JSON")
	}
}

// TestTemplateRefuses shows each mistake that CloudFormation would find only
// minutes into a deploy.
func TestTemplateRefuses(t *testing.T) {
	document := func(v any) map[string]Resource { return map[string]Resource{"Role": role(v)} }
	depends := role("x")
	depends.AWSCloudFormationDependsOn = []string{"Gone"}
	for _, test := range []struct {
		name string
		Template
		want string
	}{
		{"null", Template{Resources: map[string]Resource{"F": &lambda.Function{Role: "x"}}},
			"Resources.F.Properties.Code: the value is missing (null)"},
		{"null in a list", Template{Resources: document([]any{1, nil})},
			"Resources.Role.Properties.AssumeRolePolicyDocument.1: the value is missing (null)"},
		{"ref", Template{Resources: document(Ref("Gone"))},
			"Resources.Role.Properties.AssumeRolePolicyDocument.Ref: there is no Gone in the template"},
		{"literal ref", Template{Resources: document(map[string]any{"Ref": "Gone"})},
			"Resources.Role.Properties.AssumeRolePolicyDocument.Ref: there is no Gone in the template"},
		{"getatt", Template{Resources: document(GetAtt("Gone", "Arn"))},
			"Resources.Role.Properties.AssumeRolePolicyDocument.Fn::GetAtt: there is no Gone in the template"},
		{"getatt of a parameter", Template{Resources: document(GetAtt("P", "Arn")), Parameters: map[string]Parameter{"P": {Type: "String"}}},
			"Resources.Role.Properties.AssumeRolePolicyDocument.Fn::GetAtt: P is not a resource"},
		{"sub", Template{Resources: document(Sub("${!Kept} ${AWS::Region} ${Gone.Arn}"))},
			"Resources.Role.Properties.AssumeRolePolicyDocument.Fn::Sub: there is no Gone in the template"},
		{"sub with its own variables", Template{Resources: document(map[string]any{"Fn::Sub": []any{"${own} ${Gone}", map[string]any{"own": 1}}})},
			"Resources.Role.Properties.AssumeRolePolicyDocument.Fn::Sub: there is no Gone in the template"},
		{"dependency", Template{Resources: map[string]Resource{"Role": depends}},
			"Resources.Role.DependsOn: there is no Gone in the template"},
		{"output", Template{Outputs: map[string]Output{"O": {Value: Ref("Gone")}}},
			"Outputs.O.Value.Ref: there is no Gone in the template"},
		{"secret", Template{Parameters: map[string]Parameter{"P": {Type: "String", NoEcho: true, Default: new("hunter2")}}},
			"Parameters: P is NoEcho and has a default, which would print the secret: pass it to the deploy instead"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.JSON()
			if err == nil {
				t.Fatalf("no error; printed\n%s", got)
			}
			if err.Error() != test.want {
				t.Errorf("got  %s\nwant %s", err, test.want)
			}
		})
	}
}

// TestGoformationParent keeps goformation's parent package out: it links the
// structs of every AWS service.
func TestGoformationParent(t *testing.T) {
	out, err := exec.Command("go", "list", "-e", "-deps", "arc/cmd/arc", "arc/cfn").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, dep := range strings.Fields(string(out)) {
		if dep == "github.com/awslabs/goformation/v7/cloudformation" || dep == "github.com/awslabs/goformation/v7" {
			t.Errorf("%s is imported; import the package of the service below it", dep)
		}
	}
}
