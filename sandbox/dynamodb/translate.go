package dynamodb

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
)

// translate puts a request into dynoxide's terms: where a table may be named by
// its ARN, by its name, and other ARNs of ours by its own. Only the members that
// name resources are looked at; items stay as they are, byte by byte.
func (s *Service) translate(ctx context.Context, body []byte) []byte {
	if !bytes.Contains(body, []byte(s.own(ctx))) {
		return body
	}
	var request map[string]json.RawMessage
	if json.Unmarshal(body, &request) != nil {
		return body // dynoxide says what is wrong with it
	}
	changed := s.rename(ctx, request, "TableName")
	for _, name := range []string{"ResourceArn", "StreamArn"} {
		var arn string
		if json.Unmarshal(request[name], &arn) == nil && strings.HasPrefix(arn, s.own(ctx)) {
			request[name], _ = json.Marshal(theirs + strings.TrimPrefix(arn, s.own(ctx)))
			changed = true
		}
	}
	var byTable map[string]json.RawMessage
	if json.Unmarshal(request["RequestItems"], &byTable) == nil {
		named := map[string]json.RawMessage{}
		for name, items := range byTable {
			named[s.tableName(ctx, name)] = items
		}
		request["RequestItems"], _ = json.Marshal(named)
		changed = true
	}
	var steps []map[string]map[string]json.RawMessage
	if json.Unmarshal(request["TransactItems"], &steps) == nil && steps != nil {
		for _, step := range steps {
			for _, action := range step {
				s.rename(ctx, action, "TableName")
			}
		}
		request["TransactItems"], _ = json.Marshal(steps)
		changed = true
	}
	if !changed {
		return body
	}
	out, err := json.Marshal(request)
	if err != nil {
		return body
	}
	return out
}

// rename gives a member that names a table the table's name.
func (s *Service) rename(ctx context.Context, members map[string]json.RawMessage, member string) bool {
	var name string
	if json.Unmarshal(members[member], &name) != nil || s.tableName(ctx, name) == name {
		return false
	}
	members[member], _ = json.Marshal(s.tableName(ctx, name))
	return true
}

// tableName is the name in a table's ARN; a name stays what it is.
func (s *Service) tableName(ctx context.Context, called string) string {
	if name, ok := strings.CutPrefix(called, s.own(ctx)+"table/"); ok {
		return name
	}
	return called
}
