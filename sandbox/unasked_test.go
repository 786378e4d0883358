package sandbox_test

import (
	"net/http"
	"strings"
	"testing"

	"arc/sandbox"
)

// unaskedTemplate has policies that let nobody in, or none.
const unaskedTemplate = `Resources:
  F: {Type: AWS::Lambda::Function, Properties: {Runtime: nodejs22.x, Handler: index.handler, Role: 'arn:aws:iam::000000000000:role/r', Code: {ZipFile: "exports.handler = async e => ({ statusCode: 200, body: 'hello ' + e.requestContext.stage })"}}}
  Url: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !Ref F, AuthType: NONE}}
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: shut, Policy: {Version: '2012-10-17', Statement: [{Effect: Deny, Principal: '*', Action: 'execute-api:Invoke', Resource: '*'}]}}}
  Get: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, AuthorizationType: NONE, Integration: {Type: AWS_PROXY, IntegrationHttpMethod: POST, Uri: !Sub 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations'}}}
  Deployment: {Type: AWS::ApiGateway::Deployment, DependsOn: Get, Properties: {RestApiId: !Ref Api}}
  Stage: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: dev}}
  Jobs: {Type: AWS::SQS::Queue, Properties: {QueueName: jobs}}
  News: {Type: AWS::SNS::Topic, Properties: {TopicName: news, Subscription: [{Protocol: sqs, Endpoint: !GetAtt Jobs.Arn}, {Protocol: lambda, Endpoint: !GetAtt F.Arn}]}}
NOTIFIED
Outputs: {Url: {Value: !GetAtt Url.FunctionUrl}, Jobs: {Value: !Ref Jobs}}
`

// TestUnasked starts a cloud that asks nobody for rights: no policy of a resource,
// either; one that asks keeps everybody out.
func TestUnasked(t *testing.T) {
	need(t, "node")
	for _, unasked := range []bool{true, false} {
		p := newProject(t)
		opts := p.options()
		opts.NoRights = unasked
		c, err := sandbox.Start(opts)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		notified := "" // which is asked when the bucket is made
		if unasked {
			notified = "  Files: {Type: AWS::S3::Bucket, Properties: {BucketName: files, NotificationConfiguration: {LambdaConfigurations: [{Event: 's3:ObjectCreated:*', Function: !GetAtt F.Arn}], TopicConfigurations: [{Event: 's3:ObjectRemoved:*', Topic: !Ref News}]}}}"
		}
		s := &publicStack{t: t, c: c, name: "Shut", files: map[string][]byte{"template.yaml": []byte(strings.Replace(unaskedTemplate, "NOTIFIED", notified, 1))}}
		s.up()
		status, got := p.askREST()
		if (status == http.StatusOK && got == "hello dev") != unasked || !unasked && status != http.StatusForbidden {
			t.Errorf("nobody asked: %t: the API: %d %s", unasked, status, got)
		}
		if status, got := get(t, s.outputs["Url"], nil); (status == http.StatusOK) != unasked || !unasked && status != http.StatusForbidden {
			t.Errorf("nobody asked: %t: the function's URL: %d %s", unasked, status, got)
		}
		s.rest(http.MethodPost, "sns", "/", []byte("Action=Publish&Version=2010-03-31&Message=hello&TopicArn=arn:aws:sns:us-west-2:000000000000:news"), "Content-Type", "application/x-www-form-urlencoded")
		if !unasked {
			p.says("it needs a QueuePolicy with")
			continue
		}
		if got := s.rest(http.MethodPost, "sqs", "/", []byte(`{"QueueUrl":"`+s.outputs["Jobs"]+`","WaitTimeSeconds":20}`), "X-Amz-Target", "AmazonSQS.ReceiveMessage", "Content-Type", "application/x-amz-json-1.0"); !strings.Contains(got, "hello") && !strings.Contains(got, "s3:TestEvent") {
			t.Errorf("the queue: %s", got)
		}
		p.mu.Lock()
		for _, line := range p.lines {
			if strings.Contains(line, "Permission") || strings.Contains(line, "policy") {
				t.Errorf("says %s", line)
			}
		}
		p.mu.Unlock()
	}
}
