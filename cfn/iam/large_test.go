package iam

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// largePolicy is one as an organization gives its deployment role: statements of
// many services, each with its own actions, resources and conditions, a few that
// name what is not meant, and denials of what nobody may touch.
func largePolicy(n, variant int) Policy {
	services := []string{"ec2", "s3", "lambda", "dynamodb", "sqs", "sns", "iam", "logs", "events", "ssm", "kms", "rds", "ecs", "ecr", "apigateway", "cloudfront", "cloudwatch", "states", "secretsmanager"}
	verbs := []string{"Create*", "Delete*", "Describe*", "Get*", "List*", "Put*", "Update*", "TagResource", "UntagResource", "*Policy", "Start*", "Stop*"}
	var statements []any
	for i := range n {
		service := services[i%len(services)]
		var actions, resources []any
		for j := range 3 + i%7 {
			actions = append(actions, service+":"+verbs[(i*5+j*3)%len(verbs)])
		}
		for j := range 1 + i%3 {
			resources = append(resources, fmt.Sprintf("arn:aws:%s:*:${AWS::AccountId}:%s/team-%d-*/%d", service, []string{"table", "function", "role", "topic"}[(i+j)%4], i%11, j))
		}
		if i%9 == 0 {
			resources = []any{"*"}
		}
		s := map[string]any{"Effect": "Allow", "Action": actions, "Resource": resources}
		switch i % 8 {
		case 2:
			s["Condition"] = map[string]any{"StringEquals": map[string]any{"aws:RequestedRegion": []any{"eu-west-1", "eu-central-1"}, fmt.Sprintf("aws:ResourceTag/team%d", i%5): fmt.Sprint("t", i)}}
		case 5:
			s["Condition"] = map[string]any{"StringLike": map[string]any{"iam:PassedToService": fmt.Sprintf("%s.amazonaws.com", service)}, "Bool": map[string]any{"aws:MultiFactorAuthPresent": "true"}}
		case 7:
			s["Effect"] = "Deny"
			s["Condition"] = map[string]any{"StringNotEquals": map[string]any{"aws:PrincipalOrgID": "o-1"}}
		}
		if i%19 == 18 {
			delete(s, "Action")
			s["NotAction"] = actions
		}
		if variant > 0 && i%variant == 0 {
			s["Action"] = append(actions, service+":Restore*")
			delete(s, "NotAction")
		}
		statements = append(statements, s)
	}
	text, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	return Read(string(text))
}

// wideActions is a management role of many services on everything, a statement a
// service and condition.
func wideActions(n, variant int) Policy {
	verbs := []string{"Create*", "Delete*", "Describe*", "Get*", "List*", "Put*", "Update*"}
	var statements []any
	for i := range n {
		var actions []any
		for j := range 2 + i%3 {
			actions = append(actions, fmt.Sprintf("%s:%s", []string{"ec2", "s3", "lambda", "dynamodb", "sqs", "sns", "iam", "logs", "events", "ssm"}[i%10], verbs[(i/10+j)%len(verbs)]))
		}
		s := map[string]any{"Effect": "Allow", "Action": actions, "Resource": "*"}
		if i%4 > 0 {
			s["Condition"] = map[string]any{"StringEquals": map[string]any{"aws:RequestedRegion": fmt.Sprint("eu-west-", i%3), "aws:PrincipalTag/team": fmt.Sprint("t", i%7)}}
		}
		if i%5 == 4 {
			s["Resource"] = []any{fmt.Sprintf("arn:aws:s3:::b%d-*", i%3), "arn:aws:iam::*:role/*"}
		}
		if i%12 == 7 {
			s["Effect"] = "Deny"
		}
		if variant > 0 && i%variant == 0 {
			delete(s, "Condition")
		}
		statements = append(statements, s)
	}
	text, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	return Read(string(text))
}

// ownResources is one whose statements have two kinds of actions each, on resources
// of their own.
func ownResources(n, variant int) Policy {
	services := []string{"ec2", "s3", "lambda", "dynamodb", "sqs", "sns", "iam", "logs", "events", "ssm", "kms", "rds", "ecs", "ecr", "cloudwatch"}
	verbs := []string{"Create*", "Delete*", "Describe*", "Get*", "List*", "Put*", "Update*"}
	var statements []any
	for i := range n {
		service := services[i%len(services)]
		s := map[string]any{
			"Effect": "Allow", "Action": []any{service + ":" + verbs[i%7], service + ":" + verbs[(i+3)%7]}, "Resource": fmt.Sprintf("arn:aws:%s:*:*:team%d/*", service, i%20),
		}
		if i%3 == 0 {
			s["Condition"] = map[string]any{"StringEquals": map[string]any{"aws:PrincipalTag/team": fmt.Sprint("t", i%9)}}
		}
		if variant > 0 && i%variant == 0 {
			s["Resource"] = "*"
		}
		statements = append(statements, s)
	}
	text, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	return Read(string(text))
}

// longLists is one whose statements name their actions one by one.
func longLists(n, variant int) Policy {
	var statements []any
	for i := range n {
		var actions []any
		for j := range 20 {
			actions = append(actions, fmt.Sprintf("%s:%s%s", []string{"ec2", "s3", "lambda", "dynamodb", "iam", "logs", "events", "ssm"}[i%8],
				[]string{"Create", "Delete", "Describe", "Get", "List", "Put", "Update"}[j%7], []string{"Table", "Function", "Role", "Topic", "Bucket", "Stack", "Key", "Alias", "Rule"}[(i/8+j)%9]))
		}
		s := map[string]any{"Effect": "Allow", "Action": actions, "Resource": []any{fmt.Sprintf("arn:aws:iam::*:role/team%d-*", i%13), fmt.Sprintf("arn:aws:s3:::team%d-*/*", i%7)}}
		if i%5 == 0 {
			s["Condition"] = map[string]any{"StringLike": map[string]any{"aws:PrincipalTag/team": fmt.Sprint("t", i%7)}}
		}
		if variant > 0 && i%variant == 0 {
			s["Action"] = append(actions, "iam:PassRole")
		}
		statements = append(statements, s)
	}
	text, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	return Read(string(text))
}

// TestLargePolicies compares policies of 76 statements, as organizations give their
// roles for deploys, in a moment; what there is too much of to try is not sure.
func TestLargePolicies(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(n, variant int) Policy
	}{{"large", largePolicy}, {"wide", wideActions}, {"own", ownResources}, {"long", longLists}} {
		for _, variant := range []int{0, 1, 5, 40, 75} {
			before, after := c.make(76, 0), c.make(76, variant)
			if variant == 0 {
				before = Policy{}
			}
			began := time.Now()
			r := Compare(before, after)
			t.Log(c.name, variant, r.Verdict, r.Sure, len(r.Added), len(r.Removed), time.Since(began))
			if !r.Widens() && c.name != "wide" {
				t.Errorf("%s %d: %s", c.name, variant, r.Verdict)
			}
			if took := time.Since(began); took > 20*time.Second { // one, on a machine that does nothing else
				t.Errorf("%s %d took %s", c.name, variant, took)
			}
		}
	}
}
