package ingress

import (
	"net/http"
	"reflect"
	"testing"
)

// TestProtocol says which action is called, beside what mappings have said.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-integration-types.html
func TestProtocol(t *testing.T) {
	for _, c := range []struct {
		service, action string
		given, want     http.Header
	}{
		{"dynamodb", "PutItem", http.Header{}, http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amz-Target": {"DynamoDB_20120810.PutItem"}}},
		{"dynamodb", "", http.Header{}, http.Header{"Content-Type": {"application/x-amz-json-1.0"}}},
		{"events", "PutEvents", http.Header{"Content-Type": {"own"}}, http.Header{"Content-Type": {"own"}, "X-Amz-Target": {"AWSEvents.PutEvents"}}},
		{"events", "PutEvents", http.Header{}, http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"AWSEvents.PutEvents"}}},
		{"logs", "PutLogEvents", http.Header{"X-Amz-Target": {"Own.Action"}}, http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"Own.Action"}}},
		{"secretsmanager", "GetSecretValue", http.Header{}, http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"secretsmanager.GetSecretValue"}}},
		{"ssm", "GetParameter", http.Header{}, http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"AmazonSSM.GetParameter"}}},
		{"states", "StartExecution", http.Header{}, http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amz-Target": {"AWSStepFunctions.StartExecution"}}},
		{"sqs", "SendMessage", http.Header{"Content-Type": {"application/json"}}, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}},
		{"sns", "Publish", http.Header{}, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}},
		{"s3", "GetObject", http.Header{}, http.Header{}},
	} {
		p, known := ProtocolOf(c.service)
		if p.Head(c.given, c.action); !known || !reflect.DeepEqual(c.given, c.want) {
			t.Errorf("%s: %t %v, want %v", c.service, known, c.given, c.want)
		}
	}
	if sqs, _ := ProtocolOf("sqs"); sqs.Version != "2012-11-05" {
		t.Errorf("%+v", sqs)
	}
	if _, known := ProtocolOf("kinesis"); known {
		t.Error("Kinesis is known")
	}
}
