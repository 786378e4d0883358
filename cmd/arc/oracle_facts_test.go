package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"arc/cfn"
	"arc/cfn/registry"
)

// kept are the types of which an existing stack may lose none.
var kept = []string{"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage", "AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue"}

// replaced lists what an update from one template to the other would remove or
// replace of the kept types.
func replaced(from, to *cfn.Document) []string {
	var lines []string
	for id, old := range from.Resources {
		if !slices.Contains(kept, old.Type) {
			continue
		}
		now, ok := to.Resources[id]
		if !ok || now.Type != old.Type {
			lines = append(lines, fmt.Sprintf("%s %s is removed", old.Type, id))
			continue
		}
		for property := range allKeys(old.Properties, now.Properties) {
			a, b := resolvedText(old.Properties[property]), resolvedText(now.Properties[property])
			if a != b && registry.UpdateOf(old.Type, property) == registry.Replacement {
				lines = append(lines, fmt.Sprintf("%s %s is replaced: %s %s → %s", old.Type, id, property, a, b))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func allKeys(a, b map[string]any) map[string]bool {
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	return keys
}

// resolvedText writes a value with its intrinsics resolved alike for both templates.
func resolvedText(v any) string {
	if v == nil {
		return ""
	}
	resolved, err := cfn.Eval(v, cfn.Scope{
		Ref: func(name string) (any, error) {
			if known, ok := map[string]string{"AWS::Region": "REGION", "AWS::AccountId": "ACCOUNT", "AWS::Partition": "aws", "AWS::StackName": "STACK", "AWS::URLSuffix": "amazonaws.com"}[name]; ok {
				return known, nil
			}
			if fn, ok := strings.CutSuffix(name, "Aliaslive"); ok {
				return "<" + fn + ".Arn>:live", nil
			}
			return "<" + name + ">", nil
		},
		GetAtt: func(resource, attribute string) (any, error) {
			switch {
			case resource == "HTTP" && attribute == "ApiEndpoint":
				return "https://<HTTP>.execute-api.REGION.amazonaws.com", nil
			case resource == "WS" && attribute == "ApiEndpoint":
				return "wss://<WS>.execute-api.REGION.amazonaws.com", nil
			}
			return "<" + resource + "." + attribute + ">", nil
		},
	})
	if err != nil {
		return err.Error()
	}
	if s, ok := resolved.(string); ok {
		return s
	}
	text, err := json.Marshal(resolved)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// differences lists the facts that are not the same, one line each.
func differences(theirs, ours map[string]string) []string {
	var lines []string
	for key := range theirs {
		if ours[key] != theirs[key] {
			lines = append(lines, fmt.Sprintf("%s: %s → %s", key, theirs[key], ours[key]))
		}
	}
	for key := range ours {
		if _, ok := theirs[key]; !ok {
			lines = append(lines, fmt.Sprintf("%s:  → %s", key, ours[key]))
		}
	}
	slices.Sort(lines)
	return lines
}

// factsOf writes down what a template says that a user of the app can notice.
func factsOf(doc *cfn.Document) map[string]string {
	facts := map[string]string{}
	for id, r := range doc.Resources {
		switch r.Type {
		case "AWS::Lambda::Function":
			functionFacts(facts, id, r)
		case "AWS::ApiGatewayV2::Api":
			apiFacts(facts, id, r)
		case "AWS::SSM::Parameter":
			facts["parameter "+resolvedText(r.Properties["Name"])] = resolvedText(r.Properties["Value"])
		case "AWS::Lambda::Permission":
			facts["invoke "+resolvedText(r.Properties["FunctionName"])+" by "+resolvedText(r.Properties["Principal"])] = resolvedText(r.Properties["SourceArn"])
		case "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::Logs::LogGroup":
			facts[r.Type+" "+id] = "there"
			rightsFacts(facts, id, r)
		default:
			for property := range r.Properties {
				facts[r.Type+" "+id+" "+property] = resolvedText(r.Properties[property])
			}
			if len(r.Properties) == 0 {
				facts[r.Type+" "+id] = "there"
			}
		}
	}
	for name, value := range doc.Conditions {
		facts["condition "+name] = resolvedText(value)
	}
	for name, value := range doc.Mappings {
		facts["mapping "+name] = resolvedText(value)
	}
	for name, out := range doc.Outputs {
		facts["output "+name] = resolvedText(out.Value)
	}
	return facts
}

// rightsFacts are what a role allows beside what Architect, or arc, gives every
// app: least privilege is tested by itself.
func rightsFacts(facts map[string]string, id string, r cfn.ResourceDef) {
	policies, _ := r.Properties["Policies"].([]any)
	for _, p := range policies {
		policy, _ := p.(map[string]any)
		if name := resolvedText(policy["PolicyName"]); !strings.HasPrefix(name, "Arc") {
			facts["policy "+name+" of "+id] = resolvedText(policy["PolicyDocument"])
		}
	}
	managed, _ := r.Properties["ManagedPolicyArns"].([]any)
	for _, arn := range managed {
		if name := resolvedText(arn); !strings.HasSuffix(name, "/AWSLambdaBasicExecutionRole") {
			facts["policy "+name+" of "+id] = "there"
		}
	}
}

func functionFacts(facts map[string]string, id string, r cfn.ResourceDef) {
	for property, v := range r.Properties {
		key := "function " + id + " " + property
		switch property {
		case "Environment":
			variables, _ := v.(map[string]any)["Variables"].(map[string]any)
			for name, value := range variables {
				facts["function "+id+" variable "+name] = strings.Trim(resolvedText(value), `"`)
			}
		case "Code":
			// Ours lies below the stage's folder, which no fact of the code's is.
			facts[key] = strings.TrimPrefix(resolvedText(v.(map[string]any)["S3Key"]), "staging/")
		case "Role":
			facts[key] = "its own"
			if text := resolvedText(v); strings.Contains(text, "<Role>") || text == "<Role.Arn>" {
				facts[key] = "the shared one"
			}
		case "Tags":
		default:
			facts[key] = resolvedText(v)
		}
	}
}

func apiFacts(facts map[string]string, id string, r cfn.ResourceDef) {
	for property, v := range r.Properties {
		if property != "Body" {
			facts["api "+id+" "+property] = resolvedText(v)
		}
	}
	body, _ := r.Properties["Body"].(map[string]any)
	paths, _ := body["paths"].(map[string]any)
	for path, methods := range paths {
		for method, operation := range methods.(map[string]any) {
			i, _ := operation.(map[string]any)["x-amazon-apigateway-integration"].(map[string]any)
			for property, v := range i {
				facts["route "+strings.TrimPrefix(method, "x-amazon-apigateway-")+" "+path+" "+property] = resolvedText(v)
			}
		}
	}
}

// allowance is one pattern of docs/differences.md: a line of differences, with
// * for any text.
type allowance struct {
	text string
	*regexp.Regexp
}

type allowances []allowance

func (as allowances) match(line string) string {
	for _, a := range as {
		if a.MatchString(line) {
			return a.text
		}
	}
	return ""
}

// allowedDifferences reads the comments <!-- allow: … --> of docs/differences.md.
func allowedDifferences(t *testing.T) allowances {
	doc, err := os.ReadFile("../../docs/differences.md")
	if err != nil {
		t.Fatal(err)
	}
	var list allowances
	for _, m := range regexp.MustCompile(`<!-- allow: (.*?) -->`).FindAllSubmatch(doc, -1) {
		text := string(m[1])
		if text == "none" { // shows in no template's facts
			continue
		}
		pattern := strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, `.*`)
		list = append(list, allowance{text, regexp.MustCompile("(?s)^" + pattern + "$")})
	}
	return list
}
