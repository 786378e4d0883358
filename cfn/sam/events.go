package sam

import (
	"slices"
	"strings"

	"arc/cfn/registry"
)

// event is one entry of a function's Events.
type event struct {
	name       string // its key
	id         string // the function's logical ID and the key: what is made of it is called so
	path       string // in the template
	properties object
}

// events makes what invokes a function.
func (x *expander) events(p object, to target, r *role) {
	all, ok := p["Events"].(object)
	if !ok {
		if given(p["Events"]) {
			x.fail(x.property("Events"), "write a map of events", "Events is no map")
		}
		return
	}
	names := sorted(all)
	// The default route comes first: its permission holds for all others.
	path := func(name string) string {
		if path, ok := asObject(asObject(all[name])["Properties"])["Path"].(string); ok {
			return path
		}
		return name
	}
	slices.SortStableFunc(names, func(a, b string) int { return strings.Compare(path(a), path(b)) })
	for _, name := range names {
		e := event{name: name, id: to.function + name, path: x.property("Events." + name)}
		m, ok := all[name].(object)
		if !ok {
			x.fail(e.path, "write its Type and Properties", "the event is no map")
			continue
		}
		if m["Properties"] != nil {
			if e.properties, ok = m["Properties"].(object); !ok {
				x.fail(e.path+".Properties", "write a map", "it is no map")
				continue
			}
		}
		x.event(asText(m["Type"]), e, to, r)
	}
}

func (x *expander) event(typ string, e event, to target, r *role) {
	known, ok := eventProperties[typ]
	if !ok {
		x.fail(e.path+".Type", "write one of "+strings.Join(sorted(eventProperties), ", "), "there is no event of type %q", typ)
		return
	}
	if !x.eventHas(e, known) {
		return
	}
	if source, ok := pullSources[typ]; ok {
		x.pull(typ, source, e, to, r)
		return
	}
	switch typ {
	case "SNS":
		x.sns(e, to, r)
	case "Schedule":
		x.schedule(e, to)
	case "ScheduleV2":
		x.scheduleV2(e, to)
	case "EventBridgeRule", "CloudWatchEvent":
		x.rule(e, to)
	case "S3":
		x.s3(e, to)
	case "Cognito":
		x.cognito(e, to)
	case "CloudWatchLogs":
		x.logs(e, to)
	case "AlexaSkill":
		permission := x.permission(e.id+"Permission", to, "alexa-appkit.amazon.com")
		set(permission, "EventSourceToken", e.properties["SkillId"])
	case "IoTRule":
		x.iot(e, to)
	case "HttpApi":
		x.httpEvent(e, to)
	case "Api":
		x.apiEvent(e, to)
	}
}

// eventHas checks that an event has all that it needs and nothing that SAM does
// not know. Each known property is its name; with "!" at the end it is needed.
func (x *expander) eventHas(e event, known string) bool {
	before := len(x.problems)
	names := strings.Fields(known)
	for _, name := range names {
		if need, ok := strings.CutSuffix(name, "!"); ok && e.properties[need] == nil {
			x.fail(e.path+".Properties."+need, "write it", "the event needs it")
		}
	}
	for _, name := range sorted(e.properties) {
		if !slices.Contains(names, name) && !slices.Contains(names, name+"!") {
			x.fail(e.path+".Properties."+name, "write it as SAM spells it, or leave it out", "the event has no such property")
		}
	}
	return len(x.problems) == before
}

// permission lets a service invoke the target, and gives the properties.
func (x *expander) permission(id string, to target, service string) object {
	properties := object{"Action": "lambda:InvokeFunction", "FunctionName": to.name, "Principal": service}
	x.emit(id, registry.LambdaPermission, properties, to.attributes)
	return properties
}

// sns subscribes the function to a topic, through a queue if asked for.
func (x *expander) sns(e event, to target, r *role) {
	p := e.properties
	subscription := object{"TopicArn": p["Topic"]}
	pass(subscription, p, "Region", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy")
	through := p["SqsSubscription"]
	if !given(through) {
		subscription["Protocol"], subscription["Endpoint"] = "lambda", to.arn
		x.emit(e.id, registry.SNSSubscription, subscription, to.attributes)
		set(x.permission(e.id+"Permission", to, "sns.amazonaws.com"), "SourceArn", p["Topic"])
		return
	}
	var arn, url, batch any = getAtt(e.id+"Queue", "Arn"), ref(e.id + "Queue"), number(10)
	policyID := e.id + "QueuePolicy"
	switch q := through.(type) {
	case bool:
		properties := object{}
		topic := asObject(asObject(x.resources[referred(p["Topic"])])["Properties"])
		if fifo := x.known(topic["FifoTopic"]); given(fifo) {
			properties["FifoQueue"] = fifo
		}
		x.emit(e.id+"Queue", registry.SQSQueue, properties, to.attributes)
	case object:
		arn, url = q["QueueArn"], q["QueueUrl"]
		if !given(arn) || !given(url) {
			x.fail(e.path+".Properties.SqsSubscription", "write QueueArn and QueueUrl", "the queue is not named")
		}
		if given(q["BatchSize"]) {
			batch = q["BatchSize"]
		}
		if id := asText(q["QueuePolicyLogicalId"]); id != "" {
			policyID = id
		}
	default:
		x.fail(e.path+".Properties.SqsSubscription", "write true, or a map", "it is neither")
	}
	subscription["Protocol"], subscription["Endpoint"] = "sqs", arn
	x.emit(e.id, registry.SNSSubscription, subscription, to.attributes)
	x.emit(policyID, registry.SQSQueuePolicy, object{"Queues": []any{url}, "PolicyDocument": object{
		"Version": "2012-10-17",
		"Statement": []any{object{
			"Action": "sqs:SendMessage", "Effect": "Allow", "Principal": "*", "Resource": arn,
			"Condition": object{"ArnEquals": object{"aws:SourceArn": p["Topic"]}},
		}},
	}}, to.attributes)
	x.emit(e.id+"EventSourceMapping", registry.LambdaEventSourceMapping, object{
		"EventSourceArn": arn, "FunctionName": to.name, "BatchSize": batch, "Enabled": true,
	}, to.attributes)
	r.addManaged(managedARN("service-role/AWSLambdaSQSQueueExecutionRole"))
}

// schedule makes a rule of EventBridge that fires by the clock.
func (x *expander) schedule(e event, to target) {
	p := e.properties
	rule := object{"ScheduleExpression": p["Schedule"]}
	pass(rule, p, "Name", "Description")
	x.ruleFor(e, to, rule, nil)
}

// rule makes a rule of EventBridge that matches events.
func (x *expander) rule(e event, to target) {
	p := e.properties
	rule := object{}
	set(rule, "EventBusName", p["EventBusName"])
	set(rule, "EventPattern", p["Pattern"])
	set(rule, "Name", p["RuleName"])
	x.ruleFor(e, to, rule, asObject(p["Target"]))
}

func (x *expander) ruleFor(e event, to target, rule, targetOf object) {
	p := e.properties
	x.ruleState(e, rule)
	arn := getAtt(e.id, "Arn")
	id := asText(targetOf["Id"])
	if id == "" {
		id = targetID(e.id, "LambdaTarget")
	}
	entry := object{"Arn": to.arn, "Id": id}
	pass(entry, p, "Input", "InputPath", "RetryPolicy", "InputTransformer")
	if p["DeadLetterConfig"] != nil {
		entry["DeadLetterConfig"] = object{"Arn": x.ruleDeadLetters(e, arn, to.attributes)}
	}
	rule["Targets"] = []any{entry}
	x.emit(e.id, registry.EventsRule, rule, to.attributes)
	x.permission(e.id+"Permission", to, "events.amazonaws.com")["SourceArn"] = arn
}

// targetID is the name of a rule's target: at most 64 characters.
func targetID(id, suffix string) string {
	if len(id)+len(suffix) <= 64 {
		return id + suffix
	}
	return id[:64-len(suffix)] + suffix
}

func (x *expander) ruleState(e event, rule object) {
	p := e.properties
	if given(p["State"]) && p["Enabled"] != nil {
		x.fail(e.path+".Properties.Enabled", "leave one of State and Enabled out", "State is written, too")
	}
	if given(p["State"]) {
		rule["State"] = p["State"]
	}
	if p["Enabled"] != nil {
		rule["State"] = "DISABLED"
		if given(p["Enabled"]) {
			rule["State"] = "ENABLED"
		}
	}
}

// ruleDeadLetters gives the ARN of the queue for what a rule could not deliver,
// which SAM makes if asked for.
func (x *expander) ruleDeadLetters(e event, source any, attributes object) any {
	dead := asObject(e.properties["DeadLetterConfig"])
	arn, typ := dead["Arn"], dead["Type"]
	switch {
	case given(arn) && given(typ), !given(arn) && !given(typ):
		x.fail(e.path+".Properties.DeadLetterConfig", "write one of Arn and Type", "the queue is named twice or not at all")
	case given(arn):
		return arn
	case typ != any("SQS"):
		x.fail(e.path+".Properties.DeadLetterConfig.Type", "write SQS", "there are dead letters in queues only")
	}
	id := asText(dead["QueueLogicalId"])
	if id == "" {
		id = e.id + "Queue"
	}
	arn = getAtt(id, "Arn")
	x.emit(id, registry.SQSQueue, object{}, attributes)
	if source != nil {
		x.emit(e.id+"QueuePolicy", registry.SQSQueuePolicy, object{"Queues": []any{ref(id)}, "PolicyDocument": object{
			"Version": "2012-10-17",
			"Statement": []any{object{
				"Action": "sqs:SendMessage", "Effect": "Allow", "Principal": object{"Service": "events.amazonaws.com"}, "Resource": arn,
				"Condition": object{"ArnEquals": object{"aws:SourceArn": source}},
			}},
		}}, attributes)
	}
	return arn
}

// s3 has a bucket of the template notify the function.
func (x *expander) s3(e event, to target) {
	p := e.properties
	bucketID := asText(asObject(p["Bucket"])["Ref"])
	bucket := asObject(x.resources[bucketID])
	if bucketID == "" || bucket == nil {
		x.fail(e.path+".Properties.Bucket", "refer to a bucket of the template", "an S3 event needs a bucket of the same template")
		return
	}
	permission := e.id + "Permission"
	x.permission(permission, to, "s3.amazonaws.com")["SourceAccount"] = ref("AWS::AccountId")
	properties := asObject(bucket["Properties"])
	if properties == nil {
		properties = object{}
		bucket["Properties"] = properties
	}
	x.tagged = append(x.tagged, properties)
	if to.condition != nil {
		// DependsOn takes no condition; a tag that refers to the permission does.
		tag := object{"Key": "sam:ConditionalDependsOn:" + permission, "Value": object{"Fn::If": []any{to.condition, ref(permission), "no dependency"}}}
		properties["Tags"] = append(slices.Clone(asList(properties["Tags"])), tag)
	} else {
		addDependency(bucket, permission)
	}
	notifications := asObject(properties["NotificationConfiguration"])
	if notifications == nil {
		notifications = object{}
		properties["NotificationConfiguration"] = notifications
	}
	list := slices.Clone(asList(notifications["LambdaConfigurations"]))
	kinds, ok := p["Events"].([]any)
	if !ok {
		kinds = []any{p["Events"]}
	}
	for _, kind := range kinds {
		entry := object{"Function": to.arn, "Event": kind}
		set(entry, "Filter", p["Filter"])
		var v any = entry
		if to.condition != nil {
			v = conditional(to.condition, entry)
		}
		if !contains(list, v) {
			list = append(list, v)
		}
	}
	notifications["LambdaConfigurations"] = list
}

// cognito has a user pool of the template call the function.
func (x *expander) cognito(e event, to target) {
	p := e.properties
	poolID := asText(asObject(p["UserPool"])["Ref"])
	pool := asObject(x.resources[poolID])
	if poolID == "" || pool == nil {
		x.fail(e.path+".Properties.UserPool", "refer to a user pool of the template", "a Cognito event needs a user pool of the same template")
		return
	}
	x.permission(to.id+"CognitoPermission", to, "cognito-idp.amazonaws.com")["SourceArn"] = getAtt(poolID, "Arn")
	properties := asObject(pool["Properties"])
	if properties == nil {
		properties = object{}
		pool["Properties"] = properties
	}
	config := asObject(properties["LambdaConfig"])
	if config == nil {
		config = object{}
		properties["LambdaConfig"] = config
	}
	triggers, ok := p["Trigger"].([]any)
	if !ok {
		triggers = []any{p["Trigger"]}
	}
	for _, trigger := range triggers {
		name := asText(trigger)
		if config[name] != nil {
			x.fail(e.path+".Properties.Trigger", "leave one of them out", "the user pool has something for %s already", name)
			continue
		}
		config[name] = to.arn
	}
}

// logs subscribes the function to a log group.
func (x *expander) logs(e event, to target) {
	p := e.properties
	source := sub("arn:"+partition+":logs:${AWS::Region}:${AWS::AccountId}:log-group:${__LogGroupName__}:*", object{"__LogGroupName__": p["LogGroupName"]})
	permission := e.id + "Permission"
	x.permission(permission, to, "logs.amazonaws.com")["SourceArn"] = source
	properties := object{"DestinationArn": to.arn}
	pass(properties, p, "LogGroupName", "FilterPattern")
	attributes := cloneObject(to.attributes)
	attributes["DependsOn"] = []any{permission}
	x.emit(e.id, registry.LogsSubscriptionFilter, properties, attributes)
}

// iot makes a rule that gives messages of devices to the function.
func (x *expander) iot(e event, to target) {
	p := e.properties
	permission := x.permission(e.id+"Permission", to, "iot.amazonaws.com")
	permission["SourceArn"] = sub("arn:"+partition+":iot:${AWS::Region}:${AWS::AccountId}:rule/${RuleName}", object{"RuleName": ref(e.id)})
	permission["SourceAccount"] = sub("${AWS::AccountId}", nil)
	payload := object{"Sql": p["Sql"], "RuleDisabled": false, "Actions": []any{object{"Lambda": object{"FunctionArn": to.arn}}}}
	if given(p["AwsIotSqlVersion"]) {
		payload["AwsIotSqlVersion"] = p["AwsIotSqlVersion"]
	}
	x.emit(e.id, registry.IoTTopicRule, object{"TopicRulePayload": payload}, to.attributes)
}
