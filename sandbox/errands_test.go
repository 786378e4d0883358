package sandbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// says waits until the log has a text.
func (p *project) says(text string) {
	p.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		p.mu.Lock()
		log := strings.Join(p.lines, "\n")
		p.mu.Unlock()
		if strings.Contains(log, text) {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("the log has no %q:\n%s", text, log)
		}
	}
}

// errandsTemplate is a function with a role, a queue, a table with a stream and a
// topic. TRUST is who may take the role, STATEMENTS what it may, MORE further
// properties of the function, and THING one more resource.
const errandsTemplate = `{"Resources": {
  "Role": {"Type": "AWS::IAM::Role", "Properties": {
    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "TRUST"}, "Action": "sts:AssumeRole"}},
    "Policies": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
      {"Effect": "Allow", "Action": ["STATEMENTS"], "Resource": "*"}]}}]}},
  "Fn": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "nodejs24.x", "Handler": "index.handler", "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Code": {"ZipFile": "exports.handler = async () => {}"}MORE}},
  "Jobs": {"Type": "AWS::SQS::Queue"},
  "Shut": {"Type": "AWS::SQS::Queue"},
  "News": {"Type": "AWS::SNS::Topic"NAMED},
  "Notes": {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "StreamSpecification": {"StreamViewType": "NEW_IMAGE"}}},
  "Thing": THING
}}`

// TestErrands refuses what a role lacks where AWS refuses it, in its words: when
// what needs the right is made.
func TestErrands(t *testing.T) {
	t.Parallel()
	need(t, "node")
	p := newProject(t)
	c := p.start()
	const (
		queue    = `{"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"FunctionName": {"Ref": "Fn"}, "EventSourceArn": {"Fn::GetAtt": ["Jobs", "Arn"]}}}`
		stream   = `{"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"FunctionName": {"Ref": "Fn"}, "EventSourceArn": {"Fn::GetAtt": ["Notes", "StreamArn"]}, "StartingPosition": "LATEST"}}`
		handOn   = `{"Type": "AWS::Lambda::EventInvokeConfig", "Properties": {"FunctionName": {"Ref": "Fn"}, "Qualifier": "$LATEST", "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["Jobs", "Arn"]}}, "OnSuccess": {"Destination": {"Ref": "News"}}}}}`
		schedule = `{"Type": "AWS::Scheduler::Schedule", "Properties": {"ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": {"Arn": {"Fn::GetAtt": ["Fn", "Arn"]}, "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}}}`
		nothing  = `{"Type": "AWS::SQS::Queue"}`
		lambda   = "lambda.amazonaws.com"
		letters  = `, "DeadLetterConfig": {"TargetArn": {"Fn::GetAtt": ["Jobs", "Arn"]}}`
		topic    = `, "DeadLetterConfig": {"TargetArn": {"Ref": "News"}}`
		own      = `, "Role": "arn:aws:iam::000000000000:role/of-elsewhere", "Description": "x"`
	)
	both := `lambda.amazonaws.com", "scheduler.amazonaws.com`
	for i, test := range []struct {
		name, trust, may, more, thing string
		want                          string // "" = it is made
	}{
		{"a queue that may be read", lambda, `sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes`, "", queue, ""},
		{"a queue that may not", lambda, "logs:*", "", queue, "The provided execution role does not have permissions to call ReceiveMessage on SQS"},
		{"a queue whose messages stay", lambda, "sqs:ReceiveMessage", "", queue, "The provided execution role does not have permissions to call DeleteMessage on SQS"},
		{"a queue of nobody's attributes", lambda, `sqs:ReceiveMessage", "sqs:DeleteMessage`, "", queue, "The provided execution role does not have permissions to call GetQueueAttributes on SQS"},
		{"a stream that may be read", lambda, `dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream`, "", stream, ""},
		{"a stream that may not", lambda, `dynamodb:GetRecords", "dynamodb:GetShardIterator`, "", stream, "Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM."},
		{"destinations", lambda, `sqs:SendMessage", "sns:Publish`, "", handOn, ""},
		{"a destination too many", lambda, "sqs:SendMessage", "", handOn, "The function's execution role does not have permissions to call Publish on arn:aws:sns:us-west-2:000000000000:Errand"},
		{"dead letters", lambda, "sqs:SendMessage", letters, nothing, ""},
		{"dead letters that it may not send", lambda, "logs:*", letters, nothing, "The provided execution role does not have permissions to call SendMessage on SQS"},
		{"dead letters for a topic", lambda, "logs:*", topic, nothing, "The provided execution role does not have permissions to call Publish on SNS"},
		{"a role for another service", "ec2.amazonaws.com", "*", "", nothing, "The role defined for the function cannot be assumed by Lambda."},
		{"a schedule", both, "*", "", schedule, ""},
		{"a schedule whose role is for Lambda", lambda, "*", "", schedule, "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."},
		{"a role that is not here", lambda, "logs:*", own, queue, ""},
	} {
		template := strings.NewReplacer("TRUST", test.trust, "STATEMENTS", test.may, "MORE", test.more, "THING", test.thing, "NAMED", "").Replace(errandsTemplate)
		if test.more == own {
			template = strings.Replace(template, `"Role": {"Fn::GetAtt": ["Role", "Arn"]}, `, "", 1)
		}
		if strings.Contains(test.trust, ",") {
			template = strings.Replace(template, `"Service": "`+test.trust+`"`, `"Service": ["`+test.trust+`"]`, 1)
		}
		got := p.refusal(c, fmt.Sprintf("Errand%d", i), template)
		if (test.want == "") != strings.HasPrefix(got, "CREATE_COMPLETE") || !strings.Contains(got, test.want) {
			t.Errorf("%s: %s, want %q", test.name, got, test.want)
		}
	}
	for _, line := range []string{
		"function Fn: denied: sqs:ReceiveMessage", `needs {"Effect":"Allow","Action":"sqs:ReceiveMessage","Resource":"arn:aws:sqs:us-west-2:000000000000:Errand1-Jobs-`,
		`may not be taken by scheduler.amazonaws.com:`, `"Principal":{"Service":"scheduler.amazonaws.com"},"Action":"sts:AssumeRole"}`,
	} {
		p.says(line)
	}
}

// TestHandedOn has the log say what is missing where a service may not hand on what
// it has: the policy of a queue, or the right of the role that it goes by.
func TestHandedOn(t *testing.T) {
	p := newProject(t)
	c := p.start()
	template := strings.NewReplacer("TRUST", "events.amazonaws.com", "STATEMENTS", "logs:*", `"Fn": {`, `"Sub": {"Type": "AWS::SNS::Subscription", "Properties": {"TopicArn": {"Ref": "News"}, "Protocol": "sqs", "Endpoint": {"Fn::GetAtt": ["Shut", "Arn"]}}},
  "Rule": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": ["shop"]}, "Targets": [{"Id": "a", "Arn": {"Fn::GetAtt": ["Jobs", "Arn"]}, "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}, {"Id": "b", "Arn": {"Fn::GetAtt": ["Shut", "Arn"]}}]}},
  "Unused": {`, `AWS::Lambda::Function", "Properties": {"Runtime": "nodejs24.x", "Handler": "index.handler", "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Code": {"ZipFile": "exports.handler = async () => {}"}MORE}`, `AWS::SQS::Queue"`, "THING", `{"Type": "AWS::SQS::Queue"}`, "NAMED", `, "Properties": {"TopicName": "news"}`).Replace(errandsTemplate)
	if got := p.refusal(c, "Hands", template); !strings.HasPrefix(got, "CREATE_COMPLETE") {
		t.Fatal(got)
	}
	ask := func(service, target, body string) {
		t.Helper()
		req, err := http.NewRequest(http.MethodPost, c.Running().Endpoint, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/us-west-2/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if target != "" {
			req.Header.Set("X-Amz-Target", target)
			req.Header.Set("Content-Type", "application/x-amz-json-1.1")
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Fatalf("%s: %s", body, resp.Status)
		}
	}
	ask("sns", "", "Action=Publish&Message=x&TopicArn="+"arn:aws:sns:us-west-2:000000000000:news")
	ask("events", "AWSEvents.PutEvents", `{"Entries":[{"Source":"shop","DetailType":"x","Detail":"{}"}]}`)
	for _, line := range []string{
		"rule Hands-Rule-", "is not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:us-west-2:000000000000:Hands-Jobs-",
		`needs {"Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:us-west-2:000000000000:Hands-Jobs-`,
		`a QueuePolicy with {"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage",`,
		`a QueuePolicy with {"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage",`,
	} {
		p.says(line)
	}
}
