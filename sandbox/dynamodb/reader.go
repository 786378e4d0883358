package dynamodb

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"arc/sandbox/invoke"
)

// look is how often a stream is looked at when nobody writes: items that expire
// make records, too, and a database of somebody else's is not heard of.
const look = time.Second

// A position is the name of a shard and, behind a blank, the sequence number of
// the last record that was read; or, behind a blank and latestMark, an iterator.
// Both are in the program's own terms.
const latestMark = "="

// Latest is the position behind everything that is in a stream.
func (s *Service) Latest(ctx context.Context, arn string) (string, error) {
	of, err := s.stream(ctx, arn)
	if err != nil {
		return "", err
	}
	d, err := s.describe(ctx, of)
	if err != nil || len(d.Shards) == 0 {
		return "", err
	}
	last := d.Shards[len(d.Shards)-1]
	if end := last.SequenceNumberRange.EndingSequenceNumber; end != "" {
		return last.ShardId + " " + end, nil
	}
	if s.options.URL == "" {
		return "", nil // it is empty
	}
	var out struct{ ShardIterator string }
	err = s.call(ctx, "GetShardIterator", map[string]any{"StreamArn": of.theirs, "ShardId": last.ShardId, "ShardIteratorType": "LATEST"}, &out)
	return last.ShardId + " " + latestMark + out.ShardIterator, err
}

// Read gives records behind a position, and waits for them.
func (s *Service) Read(ctx context.Context, arn, after string, most int, wait time.Duration) ([]invoke.Record, string, error) {
	until := time.Now().Add(wait)
	for {
		s.mu.Lock()
		more := s.more
		s.mu.Unlock()
		records, position, err := s.readOnce(ctx, arn, after, most)
		left := time.Until(until)
		if err != nil || len(records) > 0 || left <= 0 {
			return records, position, err
		}
		if position != after {
			after = position // there may be more behind what is no record of ours
			continue
		}
		select {
		case <-ctx.Done():
			return nil, position, context.Cause(ctx)
		case <-more:
		case <-time.After(min(left, look)):
		}
	}
}

func (s *Service) readOnce(ctx context.Context, arn, after string, most int) ([]invoke.Record, string, error) {
	of, err := s.stream(ctx, arn)
	if err != nil {
		return nil, after, err
	}
	d, err := s.describe(ctx, of)
	if err != nil || len(d.Shards) == 0 {
		return nil, after, err
	}
	name, number, _ := strings.Cut(after, " ")
	at := max(slices.IndexFunc(d.Shards, func(one shard) bool { return one.ShardId == name }), 0)
	if d.Shards[at].ShardId != name {
		number = "" // the shard is gone: what it held has expired
	}
	for ; ; at, number = at+1, "" {
		name := d.Shards[at].ShardId
		iterator, isIterator := strings.CutPrefix(number, latestMark)
		if !isIterator {
			ask := map[string]any{"StreamArn": of.theirs, "ShardId": name, "ShardIteratorType": "TRIM_HORIZON"}
			if number != "" {
				ask["ShardIteratorType"], ask["SequenceNumber"] = "AFTER_SEQUENCE_NUMBER", number
			}
			var out struct{ ShardIterator string }
			if err := s.call(ctx, "GetShardIterator", ask, &out); err != nil {
				return nil, after, err
			}
			iterator = out.ShardIterator
		}
		limit := min(most, 1000) // of GetRecords
		records, next, err := s.records(ctx, of, iterator, &limit)
		if err != nil {
			return nil, after, err
		}
		read := make([]invoke.Record, 0, len(records))
		for _, r := range records {
			one, err := s.forFunctions(of, name, r)
			if err != nil {
				return nil, after, err
			}
			read = append(read, one)
		}
		switch {
		case len(read) > 0:
			return read, read[len(read)-1].Position, nil
		case next == "" && at+1 < len(d.Shards):
			continue // the shard is closed, and read
		case isIterator && next != "":
			return nil, name + " " + latestMark + next, nil
		case s.options.URL == "":
			return nil, s.behind(after, name, next), nil
		}
		return nil, after, nil
	}
}

// behind is the position that an iterator of dynoxide's stands at: what was
// read may have held nothing that is a record on AWS.
func (s *Service) behind(after, shard, iterator string) string {
	var at struct {
		Position json.Number `json:"position"`
	}
	if decodeIterator(iterator, &at) != nil || at.Position == "" || at.Position == "0" {
		return after
	}
	return shard + " " + at.Position.String()
}

// forFunctions is a record as Lambda gives it to functions.
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
func (s *Service) forFunctions(of stream, shard string, r record) (invoke.Record, error) {
	r.EventSourceARN = of.arn
	name := shard
	if s.options.URL == "" {
		name = shardOf(of.table)
	}
	out := struct {
		record
		UserIdentity any `json:"userIdentity,omitempty"`
	}{record: r}
	if id := r.UserIdentity; id != nil {
		out.UserIdentity = map[string]string{"principalId": id.PrincipalId, "type": id.Type}
	}
	data, err := json.Marshal(out)
	if err != nil {
		return invoke.Record{}, fmt.Errorf("record %s: %w", r.Change.SequenceNumber, err)
	}
	return invoke.Record{Position: shard + " " + r.raw, Sequence: r.Change.SequenceNumber, Shard: name, Created: createdAt(r), JSON: data}, nil
}

// decodeIterator reads what dynoxide writes into an iterator: base64 of JSON.
func decodeIterator(iterator string, into any) error {
	text, err := base64.StdEncoding.DecodeString(iterator)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}
