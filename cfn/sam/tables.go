package sam

import (
	"strings"

	"arc/cfn/registry"
)

// simpleTable expands AWS::Serverless::SimpleTable.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-simpletable.html
func (x *expander) simpleTable(r object) {
	p := asObject(r["Properties"])
	key := object{"AttributeName": "id", "AttributeType": "S"}
	if primary := asObject(p["PrimaryKey"]); len(primary) > 0 {
		typ, ok := map[string]string{"String": "S", "Number": "N", "Binary": "B"}[asText(primary["Type"])]
		if primary["Name"] == nil || !ok {
			x.fail(x.property("PrimaryKey"), "write Name, and Type: String, Number or Binary", "the key of the table is not complete")
		}
		key = object{"AttributeName": primary["Name"], "AttributeType": typ}
	}
	table := object{
		"AttributeDefinitions": []any{key},
		"KeySchema":            []any{object{"AttributeName": key["AttributeName"], "KeyType": "HASH"}},
	}
	for _, name := range []string{"PointInTimeRecoverySpecification", "ProvisionedThroughput", "SSESpecification", "TableName"} {
		if given(p[name]) {
			table[name] = p[name]
		}
	}
	if table["ProvisionedThroughput"] == nil {
		table["BillingMode"] = "PAY_PER_REQUEST"
	}
	if tags := asObject(p["Tags"]); len(tags) > 0 {
		table["Tags"] = tagList(tags)
	}
	x.emit(x.id, registry.DynamoDBTable, table, ownAttributes(r))
}

// layerVersion expands AWS::Serverless::LayerVersion. Its logical ID ends in a hash
// of what it says, for a published layer never changes.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-layerversion.html
func (x *expander) layerVersion(r object) {
	p := asObject(r["Properties"])
	for _, key := range []string{"LayerName", "LicenseInfo", "Description", "RetentionPolicy"} {
		if p[key] != nil {
			p[key] = x.known(p[key])
		}
	}
	attributes := passedAttributes(r)
	if attributes["DeletionPolicy"] == nil {
		attributes["DeletionPolicy"] = "Retain"
	}
	switch policy := asText(p["RetentionPolicy"]); {
	case p["RetentionPolicy"] == nil:
	case strings.EqualFold(policy, "Retain"):
		attributes["DeletionPolicy"] = "Retain"
	case strings.EqualFold(policy, "Delete"):
		attributes["DeletionPolicy"] = "Delete"
	default:
		x.fail(x.property("RetentionPolicy"), "write Retain or Delete", "it is neither")
	}
	if given(r["DependsOn"]) {
		attributes["DependsOn"] = r["DependsOn"]
	}
	layer := object{"LayerName": p["LayerName"], "Content": x.location(p["ContentUri"], "ContentUri")}
	if !given(p["LayerName"]) {
		layer["LayerName"] = x.id
	}
	pass(layer, p, "Description", "CompatibleArchitectures", "CompatibleRuntimes", "LicenseInfo")
	for _, a := range asList(p["CompatibleArchitectures"]) {
		if text, ok := a.(string); ok && text != "arm64" && text != "x86_64" {
			x.fail(x.property("CompatibleArchitectures"), "write arm64 or x86_64", "%q is neither", text)
		}
	}
	hashed := object{"Type": registry.ServerlessLayerVersion, "Properties": p}
	pass(hashed, r, "Condition", "UpdatePolicy", "DependsOn")
	id := x.id + hashOf(object{x.id: hashed})
	x.renamed[x.id] = id
	x.emit(id, registry.LambdaLayerVersion, layer, attributes)
}

// application expands AWS::Serverless::Application with a template of its own. One
// from the application repository has a template that only AWS knows.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-application.html
func (x *expander) application(r object) {
	p := asObject(r["Properties"])
	url, ok := p["Location"].(string)
	if !ok {
		x.fail(x.property("Location"), "write the place of its template", "the template of an application of the repository is not known here")
		return
	}
	stack := object{"TemplateURL": url, "Tags": x.createdBySAM(p["Tags"])}
	pass(stack, p, "Parameters", "NotificationARNs", "TimeoutInMinutes")
	attributes := passedAttributes(r)
	if given(r["DependsOn"]) {
		attributes["DependsOn"] = r["DependsOn"]
	}
	x.emit(x.id, registry.CloudFormationStack, stack, attributes)
}
