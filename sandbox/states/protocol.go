package states

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"arc/sandbox/invoke"
	"arc/sandbox/states/asl"
)

// targets begin X-Amz-Target, of services with a JSON protocol.
var targets = map[string]string{
	"dynamodb": "DynamoDB_20120810", "sqs": "AmazonSQS", "events": "AWSEvents", "states": "AWSStepFunctions",
	"ssm": "AmazonSSM", "secretsmanager": "secretsmanager", "logs": "Logs_20140328",
}

// camel are the services whose members begin with a small letter on the wire; in
// state machines they do not.
var camel = map[string]bool{"states": true, "logs": true}

// restCall is a call of a REST protocol: method, path with {members}, and the member
// that is the body.
type restCall struct{ method, path, body string }

var restCalls = map[string]*restCall{
	"s3:getObject":     {http.MethodGet, "/{Bucket}/{Key}?versionId={VersionId}", ""},
	"s3:headObject":    {http.MethodHead, "/{Bucket}/{Key}?versionId={VersionId}", ""},
	"s3:putObject":     {http.MethodPut, "/{Bucket}/{Key}", "Body"},
	"s3:copyObject":    {http.MethodPut, "/{Bucket}/{Key}", ""},
	"s3:deleteObject":  {http.MethodDelete, "/{Bucket}/{Key}", ""},
	"s3:listObjectsV2": {http.MethodGet, "/{Bucket}?list-type=2&prefix={Prefix}&delimiter={Delimiter}&max-keys={MaxKeys}&continuation-token={ContinuationToken}", ""},
	"lambda:invoke":    {http.MethodPost, "/2015-03-31/functions/{FunctionName}/invocations?Qualifier={Qualifier}", "Payload"},
}

// restHeaders are members that are headers.
var restHeaders = map[string]string{
	"ContentType": "Content-Type", "CopySource": "X-Amz-Copy-Source", "InvocationType": "X-Amz-Invocation-Type", "CacheControl": "Cache-Control",
}

// requestFor makes the request of an action.
func requestFor(ctx context.Context, service, action string, given map[string]any) (*http.Request, *asl.Failure) {
	method, path, header, body := http.MethodPost, "/", http.Header{}, []byte(nil)
	switch {
	case targets[service] != "":
		value := any(given)
		if camel[service] {
			value = renamed(value, strings.ToLower)
		}
		body = []byte(asl.Encode(value))
		header.Set("X-Amz-Target", targets[service]+"."+upper(action))
		header.Set("Content-Type", "application/x-amz-json-1.0")
	case service == "sns":
		form := url.Values{"Action": {upper(action)}, "Version": {"2010-03-31"}}
		flatten(form, "", given)
		body = []byte(form.Encode())
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	default:
		call := restCalls[service+":"+action]
		method, path = call.method, filled(call.path, given)
		for member, name := range restHeaders {
			if value, ok := given[member]; ok {
				header.Set(name, plain(value))
			}
		}
		if value, ok := given[call.body]; ok && call.body != "" {
			body = []byte(plain(value))
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, bytes.NewReader(body))
	if err != nil {
		return nil, &asl.Failure{Name: asl.ErrRuntime, Cause: err.Error()}
	}
	r.Header = header
	return r, nil
}

// filled puts members into a path; parts of the query whose member is not given are
// left out.
func filled(path string, given map[string]any) string {
	path, query, _ := strings.Cut(path, "?")
	for name, value := range given {
		escaped := url.PathEscape(plain(value))
		if name == "Key" {
			escaped = strings.ReplaceAll(escaped, "%2F", "/")
		}
		path = strings.ReplaceAll(path, "{"+name+"}", escaped)
	}
	var parts []string
	for part := range strings.SplitSeq(query, "&") {
		key, member, isMember := strings.Cut(part, "={")
		if !isMember {
			parts = append(parts, part)
		} else if value, ok := given[strings.TrimSuffix(member, "}")]; ok {
			parts = append(parts, key+"="+url.QueryEscape(plain(value)))
		}
	}
	if all := strings.Join(parts, "&"); all != "" {
		path += "?" + all
	}
	return path
}

// flatten writes members as Query protocols have them.
func flatten(form url.Values, prefix string, v any) {
	switch v := v.(type) {
	case map[string]any:
		if strings.HasSuffix(prefix, "Attributes.") { // a map
			i := 0
			for name, value := range v {
				i++
				entry := fmt.Sprintf("%sentry.%d.", prefix, i)
				form.Set(entry+"Name", name)
				flatten(form, entry+"Value.", value)
			}
			return
		}
		for name, value := range v {
			flatten(form, prefix+name+".", value)
		}
	case []any:
		for i, value := range v {
			flatten(form, fmt.Sprintf("%smember.%d.", prefix, i+1), value)
		}
	default:
		form.Set(strings.TrimSuffix(prefix, "."), plain(v))
	}
}

// renamed changes the first letter of all members.
func renamed(v any, to func(string) string) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			if name != "" {
				name = to(name[:1]) + name[1:]
			}
			out[name] = renamed(value, to)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = renamed(v[i], to)
		}
		return out
	}
	return v
}

// answerOf is what a service answered, as state machines see it.
func answerOf(service, action string, said invoke.Answer) map[string]any {
	switch {
	case targets[service] != "":
		v, _ := asl.Decode(said.Body) // our own services answer in JSON
		if camel[service] {
			v = renamed(v, strings.ToUpper)
		}
		if out, ok := v.(map[string]any); ok {
			return out
		}
		return map[string]any{}
	case service == "lambda":
		return map[string]any{"StatusCode": json.Number(fmt.Sprint(said.Status)), "Payload": string(said.Body), "ExecutedVersion": said.Header.Get("X-Amz-Executed-Version")}
	}
	out := map[string]any{}
	if service == "s3" {
		for name, header := range map[string]string{"ETag": "ETag", "ContentType": "Content-Type", "LastModified": "Last-Modified", "VersionId": "X-Amz-Version-Id"} {
			if value := said.Header.Get(header); value != "" {
				out[name] = value
			}
		}
		if action == "getObject" {
			out["Body"], out["ContentLength"] = string(said.Body), json.Number(fmt.Sprint(len(said.Body)))
			return out
		}
	}
	if tree, ok := xmlValue(said.Body).(map[string]any); ok {
		for name, value := range tree {
			if inner, ok := value.(map[string]any); ok && strings.HasSuffix(name, "Result") {
				return inner
			}
			out[name] = value
		}
	}
	delete(out, "ResponseMetadata")
	return out
}

// element is any XML.
type element struct {
	XMLName xml.Name
	Inner   []element `xml:",any"`
	Text    string    `xml:",chardata"`
}

// xmlValue is what the root of an XML document holds: an object, lists where an
// element is called member or comes again.
func xmlValue(data []byte) any {
	var root element
	if err := xml.Unmarshal(data, &root); err != nil {
		return nil
	}
	return root.value()
}

func (e element) value() any {
	if len(e.Inner) == 0 {
		return strings.TrimSpace(e.Text)
	}
	if e.Inner[0].XMLName.Local == "member" {
		list := []any{}
		for _, inner := range e.Inner {
			list = append(list, inner.value())
		}
		return list
	}
	out := map[string]any{}
	for _, inner := range e.Inner {
		name, value := inner.XMLName.Local, inner.value()
		switch old := out[name].(type) {
		case nil:
			if name == "Contents" || name == "CommonPrefixes" {
				value = []any{value}
			}
			out[name] = value
		case []any:
			out[name] = append(old, value)
		default:
			out[name] = []any{old, value}
		}
	}
	return out
}

// sdkNames are the services in the names of errors of optimized integrations, and in
// their causes.
var sdkNames = map[string][3]string{
	"dynamodb": {"DynamoDB", "AmazonDynamoDBv2", "AmazonDynamoDBException"}, "sqs": {"SQS", "AmazonSQS", "AmazonSQSException"},
	"sns": {"SNS", "AmazonSNS", "AmazonSNSException"}, "events": {"EventBridge", "AmazonCloudWatchEvents", "AmazonCloudWatchEventsException"},
	"states": {"StepFunctions", "AWSStepFunctions", "AWSStepFunctionsException"}, "lambda": {"Lambda", "AWSLambda", "AWSLambdaException"},
}

// sdk2Names are those of SDK integrations.
var sdk2Names = map[string]string{
	"dynamodb": "DynamoDb", "sqs": "Sqs", "sns": "Sns", "s3": "S3", "lambda": "Lambda", "sfn": "Sfn", "eventbridge": "EventBridge",
	"ssm": "Ssm", "secretsmanager": "SecretsManager", "cloudwatchlogs": "CloudWatchLogs",
}

// general are codes for which SDKs have no exception of their own.
var general = map[string]bool{
	"ValidationException": true, "ValidationError": true, "AccessDeniedException": true, "AccessDenied": true, "MissingParameter": true, "InvalidParameterValue": true,
	"UnknownOperationException": true, "InternalFailure": true, "AuthorizationError": true, "SerializationException": true,
}

// refused is how a service's error fails a task.
func refused(r resource, service string, said invoke.Answer) *asl.Failure {
	code, message := errorOf(said)
	name := code
	if !strings.HasSuffix(name, "Exception") {
		name += "Exception"
	}
	id := said.Header.Get("X-Amzn-Requestid")
	if r.sdk {
		called := sdk2Names[r.service]
		if general[code] {
			name = called + "Exception"
		}
		return &asl.Failure{Name: called + "." + name, Cause: fmt.Sprintf("%s (Service: %s, Status Code: %d, Request ID: %s)", message, called, said.Status, id)}
	}
	names := sdkNames[service]
	if general[code] {
		name = names[2]
	}
	return &asl.Failure{Name: names[0] + "." + name, Cause: fmt.Sprintf("%s (Service: %s; Status Code: %d; Error Code: %s; Request ID: %s; Proxy: null)", message, names[1], said.Status, code, id)}
}

// errorOf reads an error in any protocol.
func errorOf(said invoke.Answer) (code, message string) {
	if v, err := asl.Decode(said.Body); err == nil {
		m, _ := v.(map[string]any)
		code, _ = m["__type"].(string)
		for _, name := range []string{"message", "Message"} {
			if text, ok := m[name].(string); ok {
				message = text
			}
		}
	} else if tree, ok := xmlValue(said.Body).(map[string]any); ok {
		if inner, ok := tree["Error"].(map[string]any); ok {
			tree = inner
		}
		code, _ = tree["Code"].(string)
		message, _ = tree["Message"].(string)
	}
	if code == "" {
		code = said.Header.Get("X-Amzn-Errortype")
	}
	if code == "" && said.Status == http.StatusNotFound {
		code = "NoSuchKey" // of HEAD, which has no body
	}
	code = code[strings.LastIndexByte(code, '#')+1:]
	code, _, _ = strings.Cut(code, ":")
	return code, message
}
