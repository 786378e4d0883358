// Package tables reads and writes the items of DynamoDB tables, whole tables at
// a time, as fixtures need it.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB.html
package tables

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"arc/deploy/signed"
)

// Item is an item by attribute, each value in DynamoDB's own JSON ({"S":"a"}).
type Item map[string]json.RawMessage

// Client calls the API.
type Client struct{ client signed.Client }

// New makes a client of the configuration's region and rights.
func New(cfg aws.Config) *Client {
	return &Client{client: signed.Client{Config: cfg, ID: "DynamoDB", Name: "dynamodb", Target: "DynamoDB_20120810", Version: "1.0"}}
}

// Names lists the tables, sorted.
func (c *Client) Names(ctx context.Context) (names []string, err error) {
	in := map[string]any{}
	for {
		var page struct {
			TableNames             []string
			LastEvaluatedTableName string
		}
		if err := c.client.Call(ctx, "ListTables", in, &page); err != nil {
			return nil, err
		}
		names = append(names, page.TableNames...)
		if page.LastEvaluatedTableName == "" {
			slices.Sort(names)
			return names, nil
		}
		in["ExclusiveStartTableName"] = page.LastEvaluatedTableName
	}
}

// Count counts a table's items.
func (c *Client) Count(ctx context.Context, table string) (n int, err error) {
	err = c.scan(ctx, map[string]any{"TableName": table, "Select": "COUNT"}, func(count int, _ []Item) error {
		n += count
		return nil
	})
	return n, err
}

// Items gives a table's items, a page at a time.
func (c *Client) Items(ctx context.Context, table string, page func([]Item) error) error {
	return c.scan(ctx, map[string]any{"TableName": table}, func(_ int, items []Item) error { return page(items) })
}

func (c *Client) scan(ctx context.Context, in map[string]any, page func(count int, items []Item) error) error {
	for {
		var out struct {
			Count            int
			Items            []Item
			LastEvaluatedKey map[string]any
		}
		if err := c.client.Call(ctx, "Scan", in, &out); err != nil {
			return err
		}
		if err := page(out.Count, out.Items); err != nil {
			return err
		}
		if out.LastEvaluatedKey == nil {
			return nil
		}
		in["ExclusiveStartKey"] = out.LastEvaluatedKey
	}
}

// maxBatch is how many items one BatchWriteItem takes.
const maxBatch = 25

// Put writes items, in place of those with the same keys.
func (c *Client) Put(ctx context.Context, table string, items []Item) error {
	return c.write(ctx, table, items, func(item Item) any { return map[string]any{"PutRequest": map[string]any{"Item": item}} })
}

// Empty deletes all items of a table and returns how many there were.
func (c *Client) Empty(ctx context.Context, table string) (n int, err error) {
	var described struct {
		Table struct {
			KeySchema []struct{ AttributeName string }
		}
	}
	if err := c.client.Call(ctx, "DescribeTable", map[string]any{"TableName": table}, &described); err != nil {
		return 0, err
	}
	err = c.Items(ctx, table, func(items []Item) error {
		n += len(items)
		return c.write(ctx, table, items, func(item Item) any {
			key := Item{}
			for _, k := range described.Table.KeySchema {
				key[k.AttributeName] = item[k.AttributeName]
			}
			return map[string]any{"DeleteRequest": map[string]any{"Key": key}}
		})
	})
	return n, err
}

func (c *Client) write(ctx context.Context, table string, items []Item, request func(Item) any) error {
	for part := range slices.Chunk(items, maxBatch) {
		left := []any{}
		for _, item := range part {
			left = append(left, request(item))
		}
		for len(left) > 0 {
			var out struct{ UnprocessedItems map[string][]any }
			if err := c.client.Call(ctx, "BatchWriteItem", map[string]any{"RequestItems": map[string]any{table: left}}, &out); err != nil {
				return err
			}
			left = out.UnprocessedItems[table]
		}
	}
	return nil
}

// Plain is an item in plain JSON values: what is a set becomes a list, and
// bytes stay base64.
func Plain(item Item) (map[string]any, error) {
	out := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(item)) {
		value, err := plain(item[name])
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", name, err)
		}
		out[name] = value
	}
	return out, nil
}

func plain(data json.RawMessage) (any, error) {
	var v struct {
		S, B       *string
		N          *json.Number
		BOOL       *bool
		NULL       *bool
		SS, NS, BS []string
		L          []json.RawMessage
		M          Item
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, err
	}
	switch {
	case v.S != nil:
		return *v.S, nil
	case v.N != nil:
		return *v.N, nil
	case v.BOOL != nil:
		return *v.BOOL, nil
	case v.B != nil:
		return *v.B, nil
	case v.M != nil:
		return Plain(v.M)
	case v.L != nil:
		list := make([]any, len(v.L))
		for i, el := range v.L {
			var err error
			if list[i], err = plain(el); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	for _, set := range [][]string{v.SS, v.NS, v.BS} {
		if set != nil {
			return set, nil
		}
	}
	return nil, nil
}
