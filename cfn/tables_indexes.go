package cfn

import (
	"arc/manifest"

	"github.com/awslabs/goformation/v7/cloudformation/dynamodb"
)

// indexes compiles the @tables-indexes of one table.
func indexes(t manifest.Table) []dynamodb.Table_GlobalSecondaryIndex {
	var list []dynamodb.Table_GlobalSecondaryIndex
	for _, ix := range t.Indexes {
		list = append(list, dynamodb.Table_GlobalSecondaryIndex{
			IndexName:  ix.Name,
			KeySchema:  keySchema(ix.PartitionKey, ix.SortKey),
			Projection: &dynamodb.Table_Projection{ProjectionType: new(ix.Projection), NonKeyAttributes: ix.Attributes},
		})
	}
	return list
}
