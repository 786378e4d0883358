package sandbox_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"arc/cfn/registry"
	"arc/sandbox/rights"
	"arc/sandbox/stack"
)

// The request of a custom resource is sent in the name of whoever makes the stack.
func TestCustomResourcesAsk(t *testing.T) {
	c := newProject(t).start()
	nobody := rights.With(t.Context(), rights.Caller{ARN: "arn:aws:iam::000000000000:user/nobody"})
	for token, action := range map[string]string{
		"arn:aws:lambda:us-west-2:000000000000:function:maker": "lambda:InvokeFunction",
		"arn:aws:sns:us-west-2:000000000000:requests":          "sns:Publish",
	} {
		for _, kind := range []string{"Custom::Thing", registry.CloudFormationCustomResource} {
			for _, step := range []string{"Create", "Update", "Delete"} {
				req := stack.Request{Stack: stack.Ref{Name: "Shop"}, LogicalID: "It", Type: kind, Properties: map[string]any{"ServiceToken": token}}
				if err := c.MayHandle(nobody, step, req, ""); err == nil || !strings.Contains(err.Error(), "is not authorized to perform: "+action+" on resource: "+token) {
					t.Errorf("%s of a %s: %v", step, kind, err)
				}
			}
		}
	}
}

// TestEveryTypeAsks has whoever may do nothing make, change and delete a resource of
// each type that runs here: each is refused, but what AWS does in nobody's name.
func TestEveryTypeAsks(t *testing.T) {
	c := newProject(t).start()
	nobody := rights.With(t.Context(), rights.Caller{ARN: "arn:aws:iam::000000000000:user/nobody"})
	anything := map[string]any{}
	for _, name := range []string{
		"ApiId", "RestApiId", "ResourceId", "ParentId", "HttpMethod", "StageName", "ResponseType", "BasePath", "IntegrationId", "RouteId", "DomainName", "UsagePlanId", "KeyId", "FunctionName", "TargetFunctionArn", "Bucket", "TopicArn", "Queue", "SecretId",
		"AliasName", "Value", "Description", "Target", "Tags", "PolicyDocument", "RetentionInDays", "BucketEncryption",
	} {
		anything[name] = "it"
	}
	anything["RoutingConfiguration"] = []any{map[string]any{"StateMachineVersionArn": "it"}}
	anything["StateMachineArn"] = "it"
	for _, name := range []string{"Topics", "Queues", "Roles"} {
		anything[name] = []any{"it"}
	}
	types := c.Types()
	if len(types) < 50 {
		t.Fatalf("only %d types", len(types))
	}
	for _, kind := range slices.Sorted(maps.Keys(types)) {
		handler, known := registry.HandlerOf(kind)
		switch {
		case !strings.HasPrefix(kind, "AWS::") || types[kind].Refused != "":
			continue
		case kind == "AWS::CDK::Metadata", kind == "AWS::CloudFormation::WaitConditionHandle", kind == "AWS::CloudFormation::Macro":
			continue // nothing is made
		case !known:
			t.Errorf("cfn/registry/schemas/handlers.txt says nothing of %s", kind)
		}
		req := stack.Request{Stack: stack.Ref{Name: "Shop"}, LogicalID: "It", Token: "ABC", Type: kind, Properties: anything}
		for step, actions := range map[string][]string{"Create": handler.Create, "Update": handler.Update, "Delete": handler.Delete} {
			if len(actions) == 0 || step == "Update" && (kind == registry.LambdaVersion || kind == "AWS::StepFunctions::StateMachineVersion") {
				continue // AWS calls nothing that changes it
			}
			if step == "Delete" && kind == "AWS::ApiGateway::Account" {
				// The schema names apigateway:PATCH, the page says that the role stays.
				// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-account.html
				continue
			}
			if req.PhysicalID = ""; step != "Create" {
				req.PhysicalID = "it"
			}
			if err := c.MayHandle(nobody, step, req, ""); err == nil || !strings.Contains(err.Error(), "is not authorized to perform: ") {
				t.Errorf("%s: nobody may %s one: %v", kind, step, err)
			}
		}
	}
}
