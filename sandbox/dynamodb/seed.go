package dynamodb

import (
	"context"
	"encoding/json"
	"fmt"
)

// maxBatch is how many items one BatchWriteItem takes.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
const maxBatch = 25

// Seed puts items into a table that holds none, and returns how many: 0 when
// there are items already. Items are plain JSON, numbers as json.Number.
func (s *Service) Seed(ctx context.Context, table string, items []map[string]any) (int, error) {
	var there struct{ Count int }
	if err := s.call(ctx, "Scan", map[string]any{"TableName": table, "Limit": 1}, &there); err != nil {
		return 0, err
	}
	if there.Count > 0 {
		return 0, nil
	}
	for from := 0; from < len(items); from += maxBatch {
		var puts []any
		for i, item := range items[from:min(from+maxBatch, len(items))] {
			value, err := attributeValue(item)
			if err != nil {
				return from, fmt.Errorf("row %d: %w", from+i+1, err)
			}
			puts = append(puts, map[string]any{"PutRequest": map[string]any{"Item": value["M"]}})
		}
		var out struct{ UnprocessedItems map[string]any }
		if err := s.call(ctx, "BatchWriteItem", map[string]any{"RequestItems": map[string]any{table: puts}}, &out); err != nil {
			return from, fmt.Errorf("rows %d to %d: %w", from+1, from+len(puts), err)
		}
		if len(out.UnprocessedItems) > 0 {
			return from, fmt.Errorf("rows %d to %d: not all were taken", from+1, from+len(puts))
		}
	}
	return len(items), nil
}

// attributeValue spells a JSON value as DynamoDB does.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
func attributeValue(value any) (map[string]any, error) {
	switch v := value.(type) {
	case nil:
		return map[string]any{"NULL": true}, nil
	case string:
		return map[string]any{"S": v}, nil
	case bool:
		return map[string]any{"BOOL": v}, nil
	case json.Number:
		return map[string]any{"N": v.String()}, nil
	case []any:
		list := make([]any, len(v))
		for i, el := range v {
			spelled, err := attributeValue(el)
			if err != nil {
				return nil, err
			}
			list[i] = spelled
		}
		return map[string]any{"L": list}, nil
	case map[string]any:
		m := map[string]any{}
		for name, el := range v {
			spelled, err := attributeValue(el)
			if err != nil {
				return nil, err
			}
			m[name] = spelled
		}
		return map[string]any{"M": m}, nil
	}
	return nil, fmt.Errorf("a %T is no value of DynamoDB", value)
}
