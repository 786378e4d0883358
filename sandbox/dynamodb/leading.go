package dynamodb

import (
	"context"
	"strings"
)

// PartitionKey is the attribute by which a table is divided, by its name or ARN;
// "" = there is no such table.
func (s *Service) PartitionKey(table string) string {
	name := table[strings.LastIndexByte(table, '/')+1:]
	var described struct {
		Table struct {
			KeySchema []struct{ AttributeName, KeyType string }
		}
	}
	if s.call(context.Background(), "DescribeTable", map[string]string{"TableName": name}, &described) != nil {
		return ""
	}
	for _, key := range described.Table.KeySchema {
		if key.KeyType == "HASH" {
			return key.AttributeName
		}
	}
	return ""
}
