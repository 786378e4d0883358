package sam

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"

	"arc/cfn/registry"
)

// connectorLines has what a connector may join, one a line: the types of source
// and destination, what is made, whose policy it is, what depends on it, which
// permissions go together, and what each grants, in JSON with %{…} for the ends.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/reference-sam-connector.html
//
//go:embed connectors.txt
var connectorLines string

// profile is what a connector makes between two types.
type profile struct {
	kind        string // "AWS_IAM_ROLE_MANAGED_POLICY" and so on
	ofSource    bool   // the policy is the source's
	dependent   string // what waits for it
	together    []string
	permissions string // JSON
}

var profiles = sync.OnceValue(func() map[[2]string]profile {
	all := map[[2]string]profile{}
	for line := range strings.Lines(connectorLines) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) != 7 {
			continue
		}
		p := profile{kind: f[2], ofSource: f[3] == "source", dependent: f[4], permissions: f[6]}
		if f[5] != "-" {
			p.together = strings.Split(f[5], ";")
		}
		all[[2]string{f[0], f[1]}] = p
	}
	return all
})

// embeddedConnectors makes resources of the connectors that stand at others.
func (x *expander) embeddedConnectors() {
	for _, id := range sorted(x.resources) {
		r := asObject(x.resources[id])
		if r == nil || r["Connectors"] == nil {
			continue
		}
		path := "Resources." + id + ".Connectors"
		all, ok := r["Connectors"].(object)
		if !ok {
			x.fail(path, "write a map", "it is no map")
			continue
		}
		delete(r, "Connectors")
		for _, name := range sorted(all) {
			c := cloneObject(asObject(all[name]))
			p := asObject(c["Properties"])
			if p == nil || x.resources[id+name] != nil {
				x.fail(path+"."+name, "write Properties, and another name if there is a resource "+id+name, "the connector cannot be made")
				continue
			}
			source := object{"Id": id}
			for key, v := range asObject(p["SourceReference"]) {
				source[key] = v
			}
			delete(p, "SourceReference")
			p["Source"] = source
			c["Type"] = registry.ServerlessConnector
			x.resources[id+name] = c
		}
	}
}

// end is one end of a connector.
type end struct {
	id, typ                                     string
	arn, role, url, resourceID, name, qualifier any
}

// connector expands AWS::Serverless::Connector.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-connector.html
func (x *expander) connector(r object) {
	p := asObject(r["Properties"])
	destinations, several := p["Destination"].([]any)
	if !several {
		destinations = []any{p["Destination"]}
	}
	if len(destinations) == 0 {
		x.fail(x.property("Destination"), "name one", "the connector leads nowhere")
	}
	for i, d := range destinations {
		to, from := asObject(d), asObject(p["Source"])
		source, ok := x.end("Source", from, to)
		destination, ok2 := x.end("Destination", to, from)
		if !ok || !ok2 {
			continue
		}
		number := ""
		if several {
			number = "Destination" + strconv.Itoa(i)
		}
		x.connect(r, source, destination, number)
	}
	// Who waits for the connector waits for what is made of it.
	for _, other := range x.resources {
		m := asObject(other)
		on := m["DependsOn"]
		if text, ok := on.(string); ok {
			on = []any{text}
		}
		if list := asList(on); contains(list, x.id) {
			list = slices.DeleteFunc(slices.Clone(list), func(v any) bool { return v == any(x.id) })
			m["DependsOn"] = list
			for _, id := range sorted(x.made) {
				addDependency(m, id)
			}
		}
	}
}

// end reads one end of a connector, by its logical ID or property by property.
func (x *expander) end(which string, at, other object) (end, bool) {
	id := asText(at["Id"])
	if id == "" {
		typ := asText(at["Type"])
		if typ == "" {
			x.fail(x.property(which), "write Id, or Type with what is known of it", "this end of the connector is not named")
			return end{}, false
		}
		if plain, ok := plainTypes[typ]; ok {
			typ = plain
		}
		return end{"", typ, at["Arn"], at["RoleName"], at["QueueUrl"], at["ResourceId"], at["Name"], at["Qualifier"]}, true
	}
	r := asObject(x.resources[id])
	if r == nil {
		x.fail(x.property(which+".Id"), "name a resource of the template", "there is no resource %s", id)
		return end{}, false
	}
	p := asObject(r["Properties"])
	e := end{id: id, typ: asText(r["Type"]), arn: getAtt(id, "Arn")}
	var role any
	switch e.typ {
	case registry.LambdaFunction:
		role = p["Role"]
	case registry.StepFunctionsStateMachine:
		e.arn, e.name, role = ref(id), getAtt(id, "Name"), p["RoleArn"]
	case registry.AppSyncGraphQLApi:
		e.arn, e.resourceID = ref(id), getAtt(id, "ApiId")
	case registry.AppSyncDataSource:
		e.arn, role = ref(id), p["ServiceRoleArn"]
	case registry.EventsRule:
		for _, target := range asList(p["Targets"]) {
			t := asObject(target)
			if to := referred(t["Arn"]); to != "" && to == asText(other["Id"]) || other["Arn"] != nil && same(t["Arn"], other["Arn"]) {
				role = t["RoleArn"]
				break
			}
		}
	case registry.SQSQueue:
		e.url = ref(id)
	case registry.SNSTopic:
		e.arn = ref(id)
	case registry.ApiGatewayV2Api, registry.ApiGatewayRestApi:
		e.resourceID, e.qualifier = ref(id), "*"
	}
	if of := referred(role); of != "" {
		e.role = ref(of)
	}
	if at["Qualifier"] != nil {
		e.qualifier = at["Qualifier"]
	}
	return e, true
}

// plainTypes are the plain types of those that only SAM knows.
var plainTypes = map[string]string{
	registry.ServerlessFunction:     registry.LambdaFunction,
	registry.ServerlessStateMachine: registry.StepFunctionsStateMachine,
	registry.ServerlessApi:          registry.ApiGatewayRestApi,
	registry.ServerlessHttpApi:      registry.ApiGatewayV2Api,
	registry.ServerlessSimpleTable:  registry.DynamoDBTable,
}

// connect makes what lets one end use the other.
func (x *expander) connect(r object, source, destination end, number string) {
	known, ok := profiles()[[2]string{source.typ, destination.typ}]
	if !ok {
		x.fail(x.at, "write the policy itself", "SAM has no connector from %s to %s", source.typ, destination.typ)
		return
	}
	var grants object
	if err := json.Unmarshal([]byte(known.permissions), &grants); err != nil {
		x.fail(x.at, "report this", "the connector cannot be read: %v", err)
		return
	}
	var asked []string
	for _, v := range asList(asObject(r["Properties"])["Permissions"]) {
		asked = append(asked, asText(v))
	}
	slices.Sort(asked)
	asked = slices.Compact(asked)
	for _, name := range asked {
		if grants[name] == nil {
			x.fail(x.property("Permissions"), "write one of "+strings.Join(sorted(grants), ", "), "between these two there is no permission %q", name)
			return
		}
	}
	if len(asked) == 0 || known.together != nil && !slices.Contains(known.together, strings.Join(asked, "+")) {
		x.fail(x.property("Permissions"), "write "+strings.Join(append(known.together, sorted(grants)...), " or "), "the permissions do not go together")
		return
	}
	ends := object{
		"Source.Arn": source.arn, "Destination.Arn": destination.arn,
		"Source.ResourceId": source.resourceID, "Destination.ResourceId": destination.resourceID,
		"Source.Name": source.name, "Destination.Name": destination.name,
		"Source.Qualifier": source.qualifier, "Destination.Qualifier": destination.qualifier,
	}
	grants = asObject(x.withEnds(grants, ends))
	var statements []any
	for _, name := range sorted(grants) {
		if slices.Contains(asked, name) {
			statements = append(statements, asList(asObject(grants[name])["Statement"])...)
		}
	}
	document := object{"Version": "2012-10-17", "Statement": statements}
	owner := destination
	if known.ofSource {
		owner = source
	}
	attributes := ownAttributes(r)
	metadata := cloneObject(asObject(attributes["Metadata"]))
	metadata["aws:sam:connectors"] = object{x.id: object{
		"Source": object{"Type": x.writtenType(source)}, "Destination": object{"Type": x.writtenType(destination)},
	}}
	attributes["Metadata"] = metadata
	need := func(v any, what string) {
		if v == nil {
			x.fail(x.at, "name it, or refer to the resource by Id", "the %s of one end of the connector is not known", what)
		}
	}
	switch known.kind {
	case "AWS_IAM_ROLE_MANAGED_POLICY":
		need(owner.role, "role")
		id := x.id + "Policy" + number
		x.emit(id, registry.IAMManagedPolicy, object{"PolicyDocument": document, "Roles": []any{owner.role}}, attributes)
		x.waits(known.dependent, source, destination, id)
	case "AWS_SQS_QUEUE_POLICY":
		need(owner.url, "queue's URL")
		x.emit(x.id+"QueuePolicy"+number, registry.SQSQueuePolicy, object{"PolicyDocument": document, "Queues": []any{owner.url}}, attributes)
	case "AWS_SNS_TOPIC_POLICY":
		need(owner.arn, "topic's ARN")
		x.emit(x.id+"TopicPolicy"+number, registry.SNSTopicPolicy, object{"PolicyDocument": document, "Topics": []any{owner.arn}}, attributes)
	case "AWS_LAMBDA_PERMISSION":
		need(owner.arn, "function's ARN")
		for _, name := range asked {
			g := asObject(grants[name])
			permission := object{"FunctionName": owner.arn}
			pass(permission, g, "Action", "Principal", "SourceArn", "SourceAccount")
			x.emit(x.id+name+"LambdaPermission"+number, registry.LambdaPermission, permission, attributes)
		}
	}
}

// writtenType is the type that an end had before it was expanded.
func (x *expander) writtenType(e end) string {
	if typ, ok := x.types[e.id]; ok {
		return typ
	}
	return e.typ
}

// waits has what uses a right wait for it.
func (x *expander) waits(dependent string, source, destination end, id string) {
	switch dependent {
	case "SOURCE":
		if r := asObject(x.resources[source.id]); r != nil {
			addDependency(r, id)
		}
	case "DESTINATION_EVENT_SOURCE_MAPPING":
		var found []string
		for _, other := range sorted(x.resources) {
			r := asObject(x.resources[other])
			p := asObject(r["Properties"])
			if asText(r["Type"]) == registry.LambdaEventSourceMapping && source.id != "" && destination.id != "" &&
				referred(p["FunctionName"]) == destination.id && referred(p["EventSourceArn"]) == source.id {
				found = append(found, other)
			}
		}
		if len(found) == 1 {
			addDependency(asObject(x.resources[found[0]]), id)
		}
	}
}

// withEnds puts the ends of a connector in place of %{…}.
func (x *expander) withEnds(v any, ends object) any {
	switch v := v.(type) {
	case object:
		for key, e := range v {
			v[key] = x.withEnds(e, ends)
		}
		return v
	case []any:
		for i, e := range v {
			v[i] = x.withEnds(e, ends)
		}
		return v
	case string:
		variables := object{}
		for _, name := range sorted(ends) {
			call := "%{" + name + "}"
			if !strings.Contains(v, call) {
				continue
			}
			if ends[name] == nil {
				x.fail(x.at, "name it, or refer to the resource by Id", "%s of the connector is not known", name)
				return v
			}
			if v == call {
				return ends[name]
			}
			short := strings.ReplaceAll(name, ".", "")
			v = strings.ReplaceAll(v, call, "${"+short+"}")
			variables[short] = ends[name]
		}
		if strings.Contains(v, "${") {
			return sub(v, variables)
		}
		return v
	}
	return v
}
