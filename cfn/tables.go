package cfn

import (
	"arc/manifest"

	"github.com/awslabs/goformation/v7/cloudformation/dynamodb"
)

// tables compiles @tables, with the indexes of @tables-indexes and the streams
// that functions read.
func (c *compiler) tables() {
	items := make([]naming, len(c.app.Tables))
	for i, t := range c.app.Tables {
		items[i] = naming{base: logicalName(t.Name), key: t.Name, pos: t.Pos}
	}
	c.tableIDs = map[string]string{}
	for i, name := range c.names("tables", items) {
		t := c.app.Tables[i]
		id := c.add(name+"Table", t.Pos, c.table(t))
		c.tableIDs[t.Name] = id
		c.discoverable(name+"Param", t.Pos, "tables/"+t.Name, Ref(id))
		c.tableRights(t, id)
	}
}

func (c *compiler) table(t manifest.Table) *dynamodb.Table {
	table := &dynamodb.Table{
		AttributeDefinitions:                 attributes(t),
		BillingMode:                          new("PAY_PER_REQUEST"),
		GlobalSecondaryIndexes:               indexes(t),
		KeySchema:                            keySchema(t.PartitionKey, t.SortKey),
		AWSCloudFormationDeletionPolicy:      c.onDelete(),
		AWSCloudFormationUpdateReplacePolicy: "Retain",
	}
	if t.Encrypt {
		table.SSESpecification = &dynamodb.Table_SSESpecification{SSEEnabled: true}
		if t.KMSKey != "" {
			table.SSESpecification.SSEType, table.SSESpecification.KMSMasterKeyId = new("KMS"), new(t.KMSKey)
		}
	}
	if t.PITR {
		table.PointInTimeRecoverySpecification = &dynamodb.Table_PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: new(true)}
	}
	if t.TTL != "" {
		table.TimeToLiveSpecification = &dynamodb.Table_TimeToLiveSpecification{AttributeName: new(t.TTL), Enabled: true}
	}
	if c.hasStream(t) {
		table.StreamSpecification = &dynamodb.Table_StreamSpecification{StreamViewType: "NEW_AND_OLD_IMAGES"}
	}
	return table
}

// attributes declares the key attributes of a table and its indexes, each
// once, and no others: DynamoDB refuses what no key uses.
func attributes(t manifest.Table) []dynamodb.Table_AttributeDefinition {
	var list []dynamodb.Table_AttributeDefinition
	seen := map[string]bool{}
	add := func(k *manifest.Key) {
		if k == nil || seen[k.Name] {
			return
		}
		seen[k.Name] = true
		typ := "S"
		if k.Type == "Number" {
			typ = "N"
		}
		list = append(list, dynamodb.Table_AttributeDefinition{AttributeName: k.Name, AttributeType: typ})
	}
	add(&t.PartitionKey)
	add(t.SortKey)
	for i := range t.Indexes {
		add(&t.Indexes[i].PartitionKey)
		add(t.Indexes[i].SortKey)
	}
	return list
}

func keySchema(partition manifest.Key, sort *manifest.Key) []dynamodb.Table_KeySchema {
	keys := []dynamodb.Table_KeySchema{{AttributeName: partition.Name, KeyType: "HASH"}}
	if sort != nil {
		keys = append(keys, dynamodb.Table_KeySchema{AttributeName: sort.Name, KeyType: "RANGE"})
	}
	return keys
}

// What reading and writing items takes. Neither lets a function change or
// delete the table itself.
var (
	readItems = []string{
		"dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:DescribeTable", "dynamodb:GetItem",
		"dynamodb:PartiQLSelect", "dynamodb:Query", "dynamodb:Scan",
	}
	writeItems = []string{
		"dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PartiQLDelete", "dynamodb:PartiQLInsert",
		"dynamodb:PartiQLUpdate", "dynamodb:PutItem", "dynamodb:UpdateItem",
	}
)

func (c *compiler) tableRights(t manifest.Table, id string) {
	read := right{kind: "tables", name: t.Name, action: "read", id: id, actions: readItems, resources: []string{GetAtt(id, "Arn")}}
	c.rights = append(c.rights, read,
		right{kind: "tables", name: t.Name, action: "write", id: id, actions: writeItems, resources: []string{GetAtt(id, "Arn")}})
	if len(t.Indexes) > 0 {
		read.actions = []string{"dynamodb:PartiQLSelect", "dynamodb:Query", "dynamodb:Scan"}
		read.resources = []string{Sub("${" + id + ".Arn}/index/*")}
		c.rights = append(c.rights, read)
	}
}
