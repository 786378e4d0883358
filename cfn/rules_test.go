package cfn

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rules are what CloudFormation or AWS refuses, or what this project promises,
// and cfn-lint does not see. Each is asked of every resource of every golden
// template.
var rules = []struct {
	name  string
	types []string // nil = all
	check func(r ResourceDef) error
}{
	{"a schedule has a valid expression and a role", []string{"AWS::Scheduler::Schedule"}, func(r ResourceDef) error {
		expression, _ := r.Properties["ScheduleExpression"].(string)
		if !regexp.MustCompile(`^(rate\([1-9]\d* (minute|hour|day)s?\)|cron\(\S+( \S+){5}\))$`).MatchString(expression) {
			return fmt.Errorf("expression %q", expression)
		}
		target, _ := r.Properties["Target"].(map[string]any)
		if !isAttribute(target["RoleArn"], "Arn") {
			return fmt.Errorf("target role %v", target["RoleArn"])
		}
		return nil
	}},
	{"a WebSocket API selects routes", []string{"AWS::ApiGatewayV2::Api"}, func(r ResourceDef) error {
		if r.Properties["Body"] != nil {
			return nil
		}
		if r.Properties["ProtocolType"] != "WEBSOCKET" || r.Properties["RouteSelectionExpression"] != "$request.body.action" {
			return fmt.Errorf("%v, %v", r.Properties["ProtocolType"], r.Properties["RouteSelectionExpression"])
		}
		return nil
	}},
	{"a route has a key and an integration", []string{"AWS::ApiGatewayV2::Route"}, func(r ResourceDef) error {
		key, _ := r.Properties["RouteKey"].(string)
		if key == "" || strings.HasPrefix(key, "$") && !slices.Contains([]string{"$connect", "$default", "$disconnect"}, key) {
			return fmt.Errorf("key %q", key)
		}
		if target, _ := json.Marshal(r.Properties["Target"]); !strings.Contains(string(target), "integrations/${") {
			return fmt.Errorf("target %s", target)
		}
		return nil
	}},
	{"a mapping of a stream says where to start", []string{"AWS::Lambda::EventSourceMapping"}, func(r ResourceDef) error {
		if isAttribute(r.Properties["EventSourceArn"], "StreamArn") && r.Properties["StartingPosition"] == nil {
			return fmt.Errorf("no StartingPosition")
		}
		return nil
	}},
	{"a distribution has origins", []string{"AWS::CloudFront::Distribution"}, func(r ResourceDef) error {
		config, _ := r.Properties["DistributionConfig"].(map[string]any)
		if origins, _ := config["Origins"].([]any); len(origins) == 0 {
			return fmt.Errorf("no Origins")
		}
		return nil
	}},
	{"a function's role is an ARN", []string{"AWS::Lambda::Function"}, func(r ResourceDef) error {
		if !isAttribute(r.Properties["Role"], "Arn") && !strings.HasPrefix(fmt.Sprint(refOf(r.Properties["Role"])), "Role") {
			return fmt.Errorf("%v", r.Properties["Role"])
		}
		return nil
	}},
	{"a permission is for one service and one source", []string{"AWS::Lambda::Permission"}, func(r ResourceDef) error {
		principal, _ := r.Properties["Principal"].(string)
		if !strings.HasSuffix(principal, ".amazonaws.com") || r.Properties["SourceArn"] == nil {
			return fmt.Errorf("principal %q, source %v", principal, r.Properties["SourceArn"])
		}
		return nil
	}},
	{"a policy has a version, exact actions and no * resource", nil, func(r ResourceDef) error {
		return eachPolicy(r.Properties, func(document map[string]any) error {
			if document["Version"] != "2012-10-17" {
				return fmt.Errorf("version %v", document["Version"])
			}
			for _, s := range document["Statement"].([]any) {
				if text, _ := json.Marshal(s); regexp.MustCompile(`"(\*|[a-z0-9-]+:\*)"|"Principal":"`).Match(text) {
					return fmt.Errorf("%s", text)
				}
			}
			return nil
		})
	}},
	{"no ARN or address names a partition, account or AWS domain", nil, func(r ResourceDef) error {
		text, _ := json.Marshal(r.Properties)
		// Layers and policies that the user names are the user's.
		text = regexp.MustCompile(`"arn:aws:(lambda:[a-z0-9-]+:\d+:layer|iam::\d+:policy|kms:)[^"]*"`).ReplaceAll(text, nil)
		if found := regexp.MustCompile(`arn:aws:|\d{12}|amazonaws\.com/|\.amazonaws\.com"[^,]*Fn`).Find(text); found != nil {
			return fmt.Errorf("%s in %s", found, text)
		}
		return nil
	}},
	{"what holds data has both policies, and replacement keeps it", []string{"AWS::DynamoDB::Table", "AWS::S3::Bucket"}, func(r ResourceDef) error {
		if r.UpdateReplacePolicy != "Retain" || r.DeletionPolicy == "" {
			return fmt.Errorf("%q, %q", r.DeletionPolicy, r.UpdateReplacePolicy)
		}
		return nil
	}},
	{"a bucket is private and encrypted", []string{"AWS::S3::Bucket"}, func(r ResourceDef) error {
		block, _ := r.Properties["PublicAccessBlockConfiguration"].(map[string]any)
		for _, key := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
			if block[key] != true {
				return fmt.Errorf("%s is %v", key, block[key])
			}
		}
		if r.Properties["BucketEncryption"] == nil || r.Properties["WebsiteConfiguration"] != nil {
			return fmt.Errorf("encryption %v, web site %v", r.Properties["BucketEncryption"], r.Properties["WebsiteConfiguration"])
		}
		return nil
	}},
	{"a function writes to a log group of its own", []string{"AWS::Lambda::Function"}, func(r ResourceDef) error {
		if r.Properties["LoggingConfig"] == nil {
			return fmt.Errorf("no LoggingConfig")
		}
		return nil
	}},
}

// TestRules asks every rule of every golden template.
func TestRules(t *testing.T) {
	asked := map[string]bool{}
	for name, template := range goldenTemplates(t) {
		doc, err := Parse(template)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if doc.Transform != nil {
			t.Errorf("%s: has a Transform", name)
		}
		for id, r := range doc.Resources {
			for _, rule := range rules {
				if rule.types != nil && !slices.Contains(rule.types, r.Type) {
					continue
				}
				asked[rule.name] = true
				if err := rule.check(r); err != nil {
					t.Errorf("%s: %s: %s: %v", name, id, rule.name, err)
				}
			}
		}
	}
	for _, rule := range rules {
		if !asked[rule.name] {
			t.Errorf("no golden template has a resource for the rule %q", rule.name)
		}
	}
}

// isAttribute reports whether v is a GetAtt of the attribute.
func isAttribute(v any, attribute string) bool {
	m, _ := v.(map[string]any)
	arg, _ := m["Fn::GetAtt"].([]any)
	return len(arg) == 2 && (arg[1] == attribute || strings.HasSuffix(fmt.Sprint(arg[1]), attribute))
}

func refOf(v any) any {
	m, _ := v.(map[string]any)
	return m["Ref"]
}

// eachPolicy visits the policy documents anywhere inside v.
func eachPolicy(v any, visit func(map[string]any) error) error {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			if err := eachPolicy(x, visit); err != nil {
				return err
			}
		}
	case map[string]any:
		if v["Statement"] != nil {
			return visit(v)
		}
		for _, x := range v {
			if err := eachPolicy(x, visit); err != nil {
				return err
			}
		}
	}
	return nil
}
