package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"arc/manifest"
)

// eventFor is what arc invoke gives a function: what was given, put into a
// record where its pragma's functions get records, or an event of its pragma.
func eventFor(fn *manifest.Function, given []byte) ([]byte, error) {
	if given != nil && !json.Valid(given) {
		return nil, errors.New("is not JSON")
	}
	var records struct{ Records []json.RawMessage }
	if given != nil && (!isMessage(fn) || json.Unmarshal(given, &records) == nil && records.Records != nil) {
		return given, nil
	}
	message := strings.TrimSpace(string(given))
	if given == nil {
		message = "{}"
	}
	return json.Marshal(pragmaEvent(fn, message, time.Now().UTC()))
}

// pragmaEvent is an event in the form that functions of the pragma get.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func pragmaEvent(fn *manifest.Function, message string, now time.Time) any {
	id := rand.Text()
	switch fn.Pragma {
	case "scheduled":
		return map[string]any{
			"version": "0", "id": id, "detail-type": "Scheduled Event", "source": "aws.scheduler", "time": now.Format(time.RFC3339),
			"resources": []string{}, "detail": "{}",
		}
	case "events":
		return map[string]any{"Records": []any{map[string]any{
			"EventSource": "aws:sns", "EventVersion": "1.0",
			"Sns": map[string]any{"Type": "Notification", "MessageId": id, "Message": message, "Timestamp": now.Format("2006-01-02T15:04:05.000Z"), "MessageAttributes": map[string]any{}},
		}}}
	case "queues":
		return map[string]any{"Records": []any{map[string]any{
			"eventSource": "aws:sqs", "messageId": id, "receiptHandle": id, "body": message, "messageAttributes": map[string]any{},
			"attributes": map[string]string{"ApproximateReceiveCount": "1"},
		}}}
	case "tables-streams":
		return map[string]any{"Records": []any{}}
	case "ws":
		return map[string]any{"isBase64Encoded": false, "body": "{}", "requestContext": map[string]any{"routeKey": fn.Name, "connectionId": id, "eventType": "MESSAGE", "requestId": id}}
	}
	method, path, _ := strings.Cut(fn.Name, " ")
	method = strings.ToUpper(method)
	return map[string]any{
		"version": "2.0", "routeKey": method + " " + path, "rawPath": path, "rawQueryString": "", "headers": map[string]string{}, "isBase64Encoded": false,
		"requestContext": map[string]any{"http": map[string]string{"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"}, "requestId": id, "stage": "$default"},
	}
}
