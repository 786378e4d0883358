package sam

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"arc/cfn/registry"
)

// stateMachine expands AWS::Serverless::StateMachine.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-statemachine.html
func (x *expander) stateMachine(r object) {
	p := asObject(r["Properties"])
	passed := passedAttributes(r)
	tags := append([]any{object{"Key": "stateMachine:createdBy", "Value": "SAM"}}, tagList(asObject(p["Tags"]))...)
	machine := object{"Tags": tags}
	substitutions := cloneObject(asObject(p["DefinitionSubstitutions"]))
	switch {
	case given(p["Definition"]) && given(p["DefinitionUri"]):
		x.fail(x.property("DefinitionUri"), "leave one of them out", "Definition is written, too")
	case given(p["Definition"]):
		definition := clone(p["Definition"])
		counter := 0
		definition = substituted(definition, substitutions, &counter)
		var lines []any
		for _, line := range strings.Split(indented(definition), "\n") {
			lines = append(lines, line)
		}
		machine["DefinitionString"] = object{"Fn::Join": []any{"\n", lines}}
	case given(p["DefinitionUri"]):
		place := asObject(x.location(p["DefinitionUri"], "DefinitionUri"))
		machine["DefinitionS3Location"] = p["DefinitionUri"]
		if place != nil {
			at := object{"Bucket": place["S3Bucket"], "Key": place["S3Key"]}
			set(at, "Version", place["S3ObjectVersion"])
			machine["DefinitionS3Location"] = at
		}
	default:
		x.fail(x.property("Definition"), "write Definition or DefinitionUri", "the state machine has no definition")
	}
	if len(substitutions) > 0 {
		machine["DefinitionSubstitutions"] = substitutions
	}
	switch {
	case given(p["Role"]) && given(p["Policies"]):
		x.fail(x.property("Policies"), "leave one of them out", "Role is written, too")
	case given(p["Role"]):
		machine["RoleArn"] = p["Role"]
	default:
		policies, ok := p["Policies"].([]any)
		if !ok && given(p["Policies"]) {
			policies = []any{p["Policies"]}
		}
		policies = slices.Clone(policies)
		if asObject(p["Tracing"])["Enabled"] == true {
			policies = append(policies, "AWSXrayWriteOnlyAccess")
		}
		role := x.roleWith(assumeRole("states.amazonaws.com"), policies, []any{}, nil)
		set(role.properties, "Path", p["RolePath"])
		set(role.properties, "PermissionsBoundary", p["PermissionsBoundary"])
		role.properties["Tags"] = clone(tags)
		x.emit(role.id, registry.IAMRole, role.properties, passed)
		machine["RoleArn"] = getAtt(role.id, "Arn")
	}
	set(machine, "StateMachineName", p["Name"])
	set(machine, "StateMachineType", p["Type"])
	set(machine, "LoggingConfiguration", p["Logging"])
	set(machine, "TracingConfiguration", p["Tracing"])
	x.emit(x.id, registry.StepFunctionsStateMachine, machine, ownAttributes(r))
	arn := any(ref(x.id))
	switch alias := asText(p["AutoPublishAlias"]); {
	case alias != "":
		attributes := cloneObject(passed)
		for _, key := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
			if attributes[key] == nil {
				attributes[key] = "Retain"
			}
		}
		x.emit(x.id+"Version", registry.StepFunctionsStateMachineVersion, object{
			"StateMachineArn": ref(x.id), "StateMachineRevisionId": getAtt(x.id, "StateMachineRevisionId"),
		}, attributes)
		preference := cloneObject(asObject(p["DeploymentPreference"]))
		if len(preference) == 0 {
			preference["Type"] = "ALL_AT_ONCE"
		}
		preference["StateMachineVersionArn"] = ref(x.id + "Version")
		x.emit(x.id+"Alias"+alias, registry.StepFunctionsStateMachineAlias, object{"Name": alias, "DeploymentPreference": preference}, passed)
		if given(p["UseAliasAsEventTarget"]) {
			arn = ref(x.id + "Alias" + alias)
		}
	case given(p["DeploymentPreference"]) || given(p["UseAliasAsEventTarget"]):
		x.fail(x.property("AutoPublishAlias"), "write it", "what is deployed gradually has an alias")
	}
	x.machineEvents(p, r, arn)
	x.propagate(p["Tags"], p["PropagateTags"])
}

// substituted takes calls of CloudFormation's functions out of a definition, which
// is text in the template, and puts them among its substitutions.
func substituted(v any, substitutions object, counter *int) any {
	replace := func(e any) any {
		if text := asText(e); intrinsic(e) || strings.HasPrefix(text, "{{resolve:") && strings.HasSuffix(text, "}}") {
			*counter++
			name := "definition_substitution_" + strconv.Itoa(*counter)
			substitutions[name] = e
			return "${" + name + "}"
		}
		return substituted(e, substitutions, counter)
	}
	switch v := v.(type) {
	case object:
		for _, key := range sorted(v) {
			v[key] = replace(v[key])
		}
	case []any:
		for i, e := range v {
			v[i] = replace(e)
		}
	}
	return v
}

// indented is JSON with four spaces, sorted keys and nothing but ASCII, as the
// translator writes definitions.
func indented(v any) string {
	var b strings.Builder
	indentInto(&b, v, "\n")
	return b.String()
}

func indentInto(b *strings.Builder, v any, line string) {
	inner := line + "    "
	switch v := v.(type) {
	case object:
		if len(v) == 0 {
			b.WriteString("{}")
			return
		}
		b.WriteByte('{')
		for i, key := range sorted(v) {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(inner)
			canonical(b, key)
			b.WriteString(": ")
			indentInto(b, v[key], inner)
		}
		b.WriteString(line + "}")
	case []any:
		if len(v) == 0 {
			b.WriteString("[]")
			return
		}
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(inner)
			indentInto(b, e, inner)
		}
		b.WriteString(line + "]")
	default:
		canonical(b, v)
	}
}

// machineEventProperties are what the events of state machines have.
var machineEventProperties = map[string]string{
	"Schedule":        "Schedule! Input Enabled State Name Description DeadLetterConfig RetryPolicy Target RoleArn",
	"ScheduleV2":      eventProperties["ScheduleV2"],
	"EventBridgeRule": "EventBusName RuleName Pattern Input InputPath DeadLetterConfig RetryPolicy State Target InputTransformer",
	"CloudWatchEvent": "EventBusName RuleName Pattern Input InputPath DeadLetterConfig RetryPolicy State Target InputTransformer",
	"Api":             "Path! Method! RestApiId! Stage Auth UnescapeMappingTemplate",
}

// machineEvents makes what starts a state machine.
func (x *expander) machineEvents(p, r object, arn any) {
	all := asObject(p["Events"])
	passed := passedAttributes(r)
	for _, name := range sorted(all) {
		m := asObject(all[name])
		e := event{name: name, id: x.id + name, path: x.property("Events." + name), properties: asObject(m["Properties"])}
		typ := asText(m["Type"])
		known, ok := machineEventProperties[typ]
		if !ok {
			x.fail(e.path+".Type", "write one of "+strings.Join(sorted(machineEventProperties), ", "), "there is no event of type %q for state machines", typ)
			continue
		}
		if !x.eventHas(e, known) {
			continue
		}
		start := func(role string) object {
			return object{"PolicyName": role + "StartExecutionPolicy", "PolicyDocument": object{"Statement": []any{
				object{"Action": "states:StartExecution", "Effect": "Allow", "Resource": arn},
			}}}
		}
		if typ == "ScheduleV2" {
			x.schedulerSchedule(e, arn, start(e.id), passed)
			continue
		}
		service := "events.amazonaws.com"
		if typ == "Api" {
			service = "apigateway.amazonaws.com"
		}
		role := e.properties["RoleArn"]
		if role == nil {
			properties := object{"AssumeRolePolicyDocument": assumeRole(service), "Policies": []any{start(e.id + "Role")}}
			if given(p["PermissionsBoundary"]) {
				properties["PermissionsBoundary"] = p["PermissionsBoundary"]
			}
			x.emit(e.id+"Role", registry.IAMRole, properties, passed)
			role = getAtt(e.id+"Role", "Arn")
		}
		if typ == "Api" {
			x.machineRoute(e, r, arn, role)
			continue
		}
		x.machineRule(e, arn, role, passed)
	}
}

func (x *expander) machineRule(e event, arn, role any, passed object) {
	p := e.properties
	rule := object{}
	set(rule, "ScheduleExpression", p["Schedule"])
	set(rule, "EventBusName", p["EventBusName"])
	set(rule, "EventPattern", p["Pattern"])
	set(rule, "Description", p["Description"])
	set(rule, "Name", p["Name"])
	set(rule, "Name", p["RuleName"])
	x.ruleState(e, rule)
	id := asText(asObject(p["Target"])["Id"])
	if id == "" {
		id = targetID(e.id, "StepFunctionsTarget")
	}
	entry := object{"Arn": arn, "Id": id, "RoleArn": role}
	pass(entry, p, "Input", "InputPath", "RetryPolicy", "InputTransformer")
	if p["DeadLetterConfig"] != nil {
		entry["DeadLetterConfig"] = object{"Arn": x.ruleDeadLetters(e, getAtt(e.id, "Arn"), passed)}
	}
	rule["Targets"] = []any{entry}
	x.emit(e.id, registry.EventsRule, rule, passed)
}

// machineRoute has a REST API start the state machine.
func (x *expander) machineRoute(e event, r object, arn, role any) {
	p := e.properties
	apiID := apiName(p["RestApiId"])
	api := asObject(asObject(x.resources[apiID])["Properties"])
	body := asObject(api["DefinitionBody"])
	if api[managedBody] != true || body == nil {
		return
	}
	path, method := asText(p["Path"]), methodName(asText(p["Method"]))
	paths := asObject(body["paths"])
	if hasIntegration(paths, path, method) {
		x.fail(e.path, "leave one of them out", "%s %s is there twice", p["Method"], path)
		return
	}
	if given(p["UnescapeMappingTemplate"]) {
		x.fail(e.path+".Properties.UnescapeMappingTemplate", "write DefinitionBody", "this mapping template is not expanded here")
	}
	if !x.operation(apiName(p["RestApiId"]), paths, path, method) {
		return
	}
	input, _ := json.Marshal("$util.escapeJavaScript($input.json('$'))")
	template := sub(`{"input": `+string(input)+`, "stateMachineArn": "${`+referred(arn)+`}"}`, nil)
	var uri any = sub("arn:${AWS::Partition}:apigateway:${AWS::Region}:states:action/StartExecution", nil)
	if r["Condition"] != nil {
		uri = conditional(r["Condition"], uri)
	}
	for _, item := range cases(paths[path]) {
		m := asObject(item)
		operation := asObject(m[method])
		operation[integrationKey] = object{
			"type": "aws", "httpMethod": "POST", "uri": uri, "credentials": role,
			"responses":        object{"200": object{"statusCode": "200"}, "400": object{"statusCode": "400"}},
			"requestTemplates": object{"application/json": template},
		}
		if operation["responses"] == nil {
			operation["responses"] = object{"200": object{"description": "OK"}, "400": object{"description": "Bad Request"}}
		}
		if r["Condition"] != nil {
			m[method] = conditional(r["Condition"], operation)
		}
	}
	if given(p["Auth"]) {
		stage, ok := api["StageName"].(string)
		if !ok {
			stage = "Stage"
		}
		x.restAuth(e, api, body, path, method, stage)
	}
}
