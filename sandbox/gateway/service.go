package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
)

// Integrations of HTTP APIs with services of AWS: each calls one action, whose
// parameters RequestParameters fills from the request.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html

// subtype is an action that HTTP APIs can call.
type subtype struct {
	service, action    string
	required, optional []string
	run                bool // the local cloud has it
}

var subtypes = map[string]subtype{
	"EventBridge-PutEvents": {"events", "PutEvents", []string{"Detail", "DetailType", "Source"}, []string{"Time", "EventBusName", "Resources", "TraceHeader"}, true},
	"SQS-SendMessage": {"sqs", "SendMessage", []string{"QueueUrl", "MessageBody"},
		[]string{"DelaySeconds", "MessageAttributes", "MessageDeduplicationId", "MessageGroupId", "MessageSystemAttributes"}, true},
	"SQS-ReceiveMessage": {"sqs", "ReceiveMessage", []string{"QueueUrl"},
		[]string{"AttributeNames", "MaxNumberOfMessages", "MessageAttributeNames", "ReceiveRequestAttemptId", "VisibilityTimeout", "WaitTimeSeconds"}, true},
	"SQS-DeleteMessage":                {"sqs", "DeleteMessage", []string{"ReceiptHandle", "QueueUrl"}, nil, true},
	"SQS-PurgeQueue":                   {"sqs", "PurgeQueue", []string{"QueueUrl"}, nil, true},
	"StepFunctions-StartExecution":     {"states", "StartExecution", []string{"StateMachineArn"}, []string{"Name", "Input"}, true},
	"StepFunctions-StartSyncExecution": {"states", "StartSyncExecution", []string{"StateMachineArn"}, []string{"Name", "Input", "TraceHeader"}, true},
	"StepFunctions-StopExecution":      {"states", "StopExecution", []string{"ExecutionArn"}, []string{"Cause", "Error"}, true},
	"AppConfig-GetConfiguration":       {"appconfig", "GetConfiguration", nil, nil, false},
	"Kinesis-PutRecord":                {"kinesis", "PutRecord", nil, nil, false},
}

// checkSubtype finds a subtype that the local cloud runs.
func checkSubtype(p *problems, name string) subtype {
	s, known := subtypes[name]
	switch {
	case !known:
		p.fail("IntegrationSubtype", "%q is none of %s", name, strings.Join(slices.Sorted(maps.Keys(subtypes)), ", "))
	case !s.run:
		p.fail("IntegrationSubtype", "%s: not emulated by the local cloud, which does not run %s: put a function before it, or leave the route out of the local stack with a Condition", name, s.service)
	}
	return s
}

// serve reads an integration with a service.
func (i *integration) serve(p *problems, protocol, name, role string, parameters map[string]string) {
	s := checkSubtype(p, name)
	switch {
	case protocol != protocolHTTP || i.kind != "AWS_PROXY":
		p.fail("IntegrationSubtype", "is for the AWS_PROXY integrations of HTTP APIs")
	case i.payload != "1.0":
		p.fail("PayloadFormatVersion", "an integration with a service requires 1.0, not %q", i.payload)
	case role == "":
		p.fail("CredentialsArn", "is required: a service is called in the name of a role, which apigateway.amazonaws.com may take")
	}
	if p.err != nil {
		return
	}
	for _, required := range s.required {
		if _, given := parameters[required]; !given {
			p.fail("RequestParameters", "%s is required for %s", required, name)
		}
	}
	for _, given := range slices.Sorted(maps.Keys(parameters)) {
		if given != "Region" && !slices.Contains(s.required, given) && !slices.Contains(s.optional, given) {
			p.fail("RequestParameters", "%s is none of %s", given, name)
		}
	}
	i.subtype, i.role, i.given = name, role, parameters
}

// callService calls the action, and gives its answer as it is.
func (g *Gateway) callService(w http.ResponseWriter, c *call) (why string) {
	i := c.route.integration
	s := subtypes[i.subtype]
	source := c.api.source(c.stage.name, strings.ReplaceAll(c.route.key, " ", ""))
	if g.options.Call == nil {
		return g.fail(w, c, failure{status: http.StatusInternalServerError, why: "there are no services to call here"})
	}
	errand := invoke.Errand{Service: "apigateway.amazonaws.com", Role: i.role, Session: ingress.SessionName, For: source, Called: "API " + c.api.logical}
	if err := g.options.Errand.Ask(c.request.Context(), errand); err != nil {
		return g.fail(w, c, failure{status: http.StatusInternalServerError, why: err.Error()})
	}
	values := map[string]string{}
	for name, expression := range i.given {
		if text, ok := c.surroundings().text(expression); ok {
			values[name] = text
		}
	}
	region := values["Region"]
	if region == "" {
		region = c.api.stack.Region
	}
	delete(values, "Region")
	protocol, _ := ingress.ProtocolOf(s.service)
	r, err := http.NewRequestWithContext(c.request.Context(), http.MethodPost, "http://localhost/", strings.NewReader(s.body(values, protocol)))
	if err != nil {
		return g.fail(w, c, failure{status: http.StatusInternalServerError, why: err.Error()})
	}
	protocol.Head(r.Header, s.action)
	said := g.options.Call(invoke.Session{Role: i.role, Name: ingress.SessionName, For: source, Called: "API " + c.api.logical, Region: region, Service: s.service}, r)
	out := response{status: said.Status, header: http.Header{}, body: said.Body}
	if kind := said.Header.Get("Content-Type"); kind != "" {
		out.header.Set("Content-Type", kind)
	}
	out.status = c.mapResponse(out.status, out.header, out.body)
	if c.stage.cors != nil {
		c.stage.cors.apply(out.header, c.request)
	}
	out.write(w, c.request)
	if said.Status >= 400 {
		return fmt.Sprintf("%s answered %d: %.300s", i.subtype, said.Status, bytes.TrimSpace(said.Body))
	}
	return ""
}

// body is the call that the service gets.
func (s subtype) body(values map[string]string, protocol ingress.Protocol) string {
	switch s.service {
	case "sqs":
		form := url.Values{"Action": {s.action}, "Version": {protocol.Version}}
		for name, value := range values {
			attributes(form, name, value)
		}
		return form.Encode()
	case "events":
		entry := map[string]any{}
		for name, value := range values {
			entry[name] = value
		}
		if list, ok := values["Resources"]; ok {
			entry["Resources"] = listOf(list)
		}
		return encoded(map[string]any{"Entries": []any{entry}})
	}
	members := map[string]any{}
	for name, value := range values {
		members[strings.ToLower(name[:1])+name[1:]] = value
	}
	return encoded(members)
}

// attributes adds a parameter to a form of SQS: those that are JSON are taken apart.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func attributes(form url.Values, name, value string) {
	single := strings.TrimSuffix(name, "s")
	switch name {
	case "MessageAttributes", "MessageSystemAttributes":
		var all map[string]map[string]string
		if json.Unmarshal([]byte(value), &all) != nil {
			return
		}
		for n, attribute := range slices.Sorted(maps.Keys(all)) {
			at := single + "." + strconv.Itoa(n+1)
			form.Set(at+".Name", attribute)
			for member, text := range all[attribute] {
				form.Set(at+".Value."+member, text)
			}
		}
	case "AttributeNames", "MessageAttributeNames":
		for n, one := range listOf(value) {
			form.Set(single+"."+strconv.Itoa(n+1), one)
		}
	default:
		form.Set(name, value)
	}
}

// listOf reads a list: JSON, or text with commas.
func listOf(text string) []string {
	var list []string
	if json.Unmarshal([]byte(text), &list) == nil {
		return list
	}
	return strings.Split(text, ",")
}

func encoded(v any) string {
	text, err := ingress.Encode(v)
	if err != nil {
		return "{}" // texts and lists of them: cannot fail
	}
	return string(text)
}
