package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"arc/sandbox/gateway"
	"arc/sandbox/invoke"
)

// TestServices has an HTTP API call services: each subtype is one action, whose
// parameters come of the request; what has no value is left out.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html
func TestServices(t *testing.T) {
	var asked string
	refused := false
	c := newCloud(t, gateway.Options{
		Errand: func(_ context.Context, e invoke.Errand) error {
			if e.Service != "apigateway.amazonaws.com" || e.Role != "arn:aws:iam::123456789012:role/api" || e.Action != "" {
				return fmt.Errorf("an errand of %+v", e)
			}
			if refused {
				return errors.New("the role does not trust it")
			}
			return nil
		},
		Call: func(as invoke.Session, r *http.Request) invoke.Answer {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			text := string(body)
			if form, err := url.ParseQuery(text); err == nil && r.Header.Get("X-Amz-Target") == "" {
				text = form.Encode()
			}
			asked = strings.TrimSpace(fmt.Sprint(as.Service, " ", as.Region, " ", r.Header.Get("X-Amz-Target"), " ", r.Header.Get("Content-Type"), " ", text))
			if !strings.HasPrefix(as.For, "arn:aws:execute-api:us-east-1:123456789012:") || as.Role != "arn:aws:iam::123456789012:role/api" {
				t.Errorf("called as %+v", as)
			}
			status := 200
			if strings.Contains(text, "wrong") {
				status = 400
			}
			return invoke.Answer{Status: status, Header: http.Header{"Content-Type": {"text/plain"}}, Body: []byte("said")}
		},
	})
	made := c.create("Api", "H", props{"Name": "h", "ProtocolType": "HTTP"})
	api, endpoint := made.PhysicalID, made.Attributes["ApiEndpoint"].(string)
	c.create("Stage", "S", props{"ApiId": api, "StageName": "$default", "AutoDeploy": true})
	const form, json0, json1 = "application/x-www-form-urlencoded", "application/x-amz-json-1.0", "application/x-amz-json-1.1"
	for n, test := range []struct {
		subtype    string
		parameters props
		body, want string
		status     int
	}{
		{"SQS-SendMessage", props{"QueueUrl": "q", "MessageBody": "$request.body.text", "DelaySeconds": "$request.querystring.none", "MessageAttributes": `{"b":{"DataType":"String","StringValue":"2"},"a":{"DataType":"String","StringValue":"1"}}`}, `{"text":"hi"}`,
			"sqs us-east-1  " + form + " Action=SendMessage&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=1&MessageAttribute.2.Name=b&MessageAttribute.2.Value.DataType=String&MessageAttribute.2.Value.StringValue=2&MessageBody=hi&QueueUrl=q&Version=2012-11-05", 200},
		{"SQS-ReceiveMessage", props{"QueueUrl": "q", "AttributeNames": "All,SentTimestamp", "MessageAttributeNames": `["x"]`, "Region": "eu-west-1"}, "",
			"sqs eu-west-1  " + form + " Action=ReceiveMessage&AttributeName.1=All&AttributeName.2=SentTimestamp&MessageAttributeName.1=x&QueueUrl=q&Version=2012-11-05", 200},
		{"SQS-DeleteMessage", props{"QueueUrl": "q", "ReceiptHandle": "wrong"}, "", "sqs us-east-1  " + form + " Action=DeleteMessage&QueueUrl=q&ReceiptHandle=wrong&Version=2012-11-05", 400},
		{"EventBridge-PutEvents", props{"Detail": "$request.body", "DetailType": "t", "Source": "s", "Resources": "arn:1,arn:2"}, `{"a":1}`,
			"events us-east-1 AWSEvents.PutEvents " + json1 + ` {"Entries":[{"Detail":"{\"a\":1}","DetailType":"t","Resources":["arn:1","arn:2"],"Source":"s"}]}`, 200},
		{"StepFunctions-StartExecution", props{"StateMachineArn": "arn:m", "Input": "$request.body"}, `{}`, "states us-east-1 AWSStepFunctions.StartExecution " + json0 + ` {"input":"{}","stateMachineArn":"arn:m"}`, 200},
		{"StepFunctions-StopExecution", props{"ExecutionArn": "arn:e", "Cause": "c", "Error": "e"}, "", "states us-east-1 AWSStepFunctions.StopExecution " + json0 + ` {"cause":"c","error":"e","executionArn":"arn:e"}`, 200},
	} {
		id := fmt.Sprint("I", n)
		integration := c.create("Integration", id, props{"ApiId": api, "IntegrationType": "AWS_PROXY", "IntegrationSubtype": test.subtype, "PayloadFormatVersion": "1.0",
			"CredentialsArn": "arn:aws:iam::123456789012:role/api", "RequestParameters": test.parameters}).PhysicalID
		path := fmt.Sprint("/", n)
		c.create("Route", "R"+id, props{"ApiId": api, "RouteKey": "POST " + path, "Target": "integrations/" + integration})
		asked = ""
		if status, said := call(t, "POST", endpoint+path, test.body); status != test.status || said != "said" || asked != test.want {
			t.Errorf("%s: %d %s, asked\n%s, want\n%s", test.subtype, status, said, asked, test.want)
		}
	}
	refused, asked = true, ""
	if status, _ := call(t, "POST", endpoint+"/0", `{"text":"x"}`); status != 500 || asked != "" {
		t.Errorf("without the role: %d %s", status, asked)
	}
	if log := c.log(); !strings.Contains(log, "the role does not trust it") || !strings.Contains(log, "SQS-DeleteMessage answered 400: said") {
		t.Errorf("the log has\n%s", log)
	}
}
