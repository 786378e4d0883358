package dynamodb

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"arc/sandbox/stack"
)

// What clients see of streams has AWS's form; dynoxide's is shorter. A stream's
// label is a time with milliseconds, its one shard has a name of 37 characters,
// sequence numbers have 21 digits, and an iterator begins with the stream's ARN.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB_Streams.html

// streaming are the operations of DynamoDB Streams.
var streaming = map[string]bool{"ListStreams": true, "DescribeStream": true, "GetShardIterator": true, "GetRecords": true}

type described struct {
	StreamArn, StreamLabel, StreamStatus, StreamViewType, TableName string

	CreationRequestDateTime json.Number
	KeySchema               []key
	Shards                  []shard
	LastEvaluatedShardId    string `json:",omitempty"` //nolint:staticcheck // the member's name
}

type shard struct {
	ShardId             string //nolint:staticcheck // the member's name
	ParentShardId       string `json:",omitempty"` //nolint:staticcheck // the member's name
	SequenceNumberRange struct {
		StartingSequenceNumber string `json:",omitempty"`
		EndingSequenceNumber   string `json:",omitempty"`
	}
}

// record is one of a stream. Its names are those of the wire.
type record struct {
	EventID        string    `json:"eventID"`
	EventName      string    `json:"eventName"`
	EventVersion   string    `json:"eventVersion"`
	EventSource    string    `json:"eventSource"`
	AWSRegion      string    `json:"awsRegion"`
	Change         change    `json:"dynamodb"`
	UserIdentity   *identity `json:"userIdentity,omitempty"`
	EventSourceARN string    `json:"eventSourceARN,omitempty"` // functions are told of it, clients are not

	raw string // the sequence number as the program knows it
}

type change struct {
	Created        json.Number     `json:"ApproximateCreationDateTime"`
	Keys           json.RawMessage `json:",omitempty"`
	NewImage       json.RawMessage `json:",omitempty"`
	OldImage       json.RawMessage `json:",omitempty"`
	SequenceNumber string
	SizeBytes      int64
	StreamViewType string
}

// identity is who made a change; only that DynamoDB did is told.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
type identity struct{ PrincipalId, Type string } //nolint:staticcheck // the member's name

// anyLabel finds labels in answers about tables.
var anyLabel = regexp.MustCompile(`("LatestStreamLabel":"|"LatestStreamArn":"[^"]*/stream/)(\d+)\.(\d{9})"`)

// relabel gives the streams of an answer the labels of AWS.
func relabel(answer []byte) []byte {
	return anyLabel.ReplaceAllFunc(answer, func(found []byte) []byte {
		m := anyLabel.FindSubmatch(found)
		return append(append(m[1], labelOf(string(m[2])+"."+string(m[3]))...), '"')
	})
}

// labelOf is AWS's label for one of dynoxide: seconds and nanoseconds.
func labelOf(theirs string) string {
	seconds, nanos, _ := strings.Cut(theirs, ".")
	s, err := strconv.ParseInt(seconds, 10, 64)
	n, err2 := strconv.ParseInt(nanos, 10, 64)
	if err != nil || err2 != nil {
		return theirs
	}
	return time.Unix(s, n).UTC().Format(labelForm)
}

const labelForm = "2006-01-02T15:04:05.000"

// shardOf is the name of a table's one shard.
func shardOf(table string) string {
	h := fnv.New32a()
	h.Write([]byte(table))
	return fmt.Sprintf("shardId-%020d-%08x", 1, h.Sum32())
}

// firstNumber is in front of dynoxide's numbers, which begin with 1: a sequence
// number has at least 21 digits.
const firstNumber = "1"

func numberOf(theirs string) string {
	if theirs == "" {
		return ""
	}
	return firstNumber + strings.Repeat("0", max(20-len(theirs), 0)) + theirs
}

func theirNumber(ours string) string {
	if len(ours) == 21 && strings.HasPrefix(ours, firstNumber) {
		if n := strings.TrimLeft(ours[1:], "0"); n != "" {
			return n
		}
		return "0"
	}
	return ours
}

// stream is one that exists, in both terms.
type stream struct {
	arn, theirs, table string
	began              time.Time // to the second: what is older belongs to an earlier stream of the table
	keys               []key
}

func noStream(arn string) error {
	return &stack.Error{Code: "ResourceNotFoundException", Message: "Requested resource not found: Stream: " + arn + " not found"}
}

// stream finds the stream with an ARN of ours. It is gone when its table has
// another, or none: what a stream held is not kept after its end.
func (s *Service) stream(ctx context.Context, arn string) (stream, error) {
	if s.options.URL != "" {
		return stream{arn: arn, theirs: arn}, nil
	}
	ctx = in(ctx, arn)
	rest, _ := strings.CutPrefix(arn, s.own(ctx)+"table/")
	name, label, ok := strings.Cut(rest, "/stream/")
	if !ok {
		return stream{}, &stack.Error{Code: "ValidationException", Message: "Invalid StreamArn: " + arn}
	}
	var d description
	err := s.call(ctx, "DescribeTable", map[string]string{"TableName": name}, &d)
	if isCode(err, "ResourceNotFoundException") || err == nil && d.Table.LatestStreamArn != arn {
		return stream{}, noStream(arn)
	}
	if err != nil {
		return stream{}, err
	}
	out := stream{arn: arn, theirs: theirs + "table/" + name + "/stream/" + label, table: name, keys: d.Table.KeySchema}
	if began, err := time.Parse(labelForm, label); err == nil {
		out.began = began.Truncate(time.Second)
	}
	return out, nil
}

func (s *Service) describe(ctx context.Context, of stream) (described, error) {
	var out struct{ StreamDescription described }
	err := s.call(ctx, "DescribeStream", map[string]any{"StreamArn": of.theirs}, &out)
	return out.StreamDescription, err
}

// answerStream answers one operation of DynamoDB Streams in AWS's form.
func (s *Service) answerStream(ctx context.Context, operation string, body []byte) (any, error) {
	var in struct {
		StreamArn, ShardId, ShardIteratorType, SequenceNumber, ShardIterator, TableName string //nolint:staticcheck // members' names
		ExclusiveStartStreamArn, ExclusiveStartShardId                                  string //nolint:staticcheck // members' names
		Limit                                                                           *int
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, &stack.Error{Code: "SerializationException", Message: err.Error()}
	}
	switch operation {
	case "ListStreams":
		return s.listStreams(ctx, s.tableName(ctx, in.TableName), in.ExclusiveStartStreamArn, in.Limit)
	case "DescribeStream":
		of, err := s.stream(ctx, in.StreamArn)
		if err != nil {
			return nil, err
		}
		d, err := s.describe(ctx, of)
		if err != nil {
			return nil, err
		}
		d.StreamArn, d.StreamLabel, d.KeySchema = of.arn, labelOf(d.StreamLabel), of.keys
		for i := range d.Shards {
			one := &d.Shards[i]
			one.ShardId = shardOf(of.table)
			// An open shard has no end.
			one.SequenceNumberRange.StartingSequenceNumber, one.SequenceNumberRange.EndingSequenceNumber = numberOf(one.SequenceNumberRange.StartingSequenceNumber), ""
		}
		if in.ExclusiveStartShardId == shardOf(of.table) {
			d.Shards = []shard{}
		}
		return map[string]any{"StreamDescription": d}, nil
	case "GetShardIterator":
		of, err := s.stream(ctx, in.StreamArn)
		if err != nil {
			return nil, err
		}
		d, err := s.describe(ctx, of)
		if err != nil {
			return nil, err
		}
		if in.ShardId != shardOf(of.table) || len(d.Shards) == 0 {
			return nil, &stack.Error{Code: "ResourceNotFoundException", Message: "Requested resource not found: Shard does not exist"}
		}
		ask := map[string]any{"StreamArn": of.theirs, "ShardId": d.Shards[0].ShardId, "ShardIteratorType": in.ShardIteratorType}
		if in.SequenceNumber != "" {
			ask["SequenceNumber"] = theirNumber(in.SequenceNumber)
		}
		var out struct{ ShardIterator string }
		if err := s.call(ctx, "GetShardIterator", ask, &out); err != nil {
			return nil, err
		}
		return map[string]any{"ShardIterator": of.arn + iteratorMark + out.ShardIterator}, nil
	}
	arn, iterator, ok := strings.Cut(in.ShardIterator, iteratorMark)
	if !ok {
		return nil, &stack.Error{Code: "ValidationException", Message: "Invalid ShardIterator"}
	}
	of, err := s.stream(ctx, arn)
	if err != nil {
		return nil, err
	}
	records, next, err := s.records(ctx, of, iterator, in.Limit)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Records": records, "NextShardIterator": of.arn + iteratorMark + next}, nil
}

// iteratorMark is between the ARN of a stream and the rest of an iterator.
const iteratorMark = "|1|"

func (s *Service) listStreams(ctx context.Context, table, after string, limit *int) (any, error) {
	type listed struct{ StreamArn, TableName, StreamLabel string }
	ask := map[string]any{}
	if table != "" {
		ask["TableName"] = table
	}
	streams := []listed{}
	for {
		var page struct {
			Streams                []listed
			LastEvaluatedStreamArn string
		}
		if err := s.call(ctx, "ListStreams", ask, &page); err != nil {
			return nil, err
		}
		for _, one := range page.Streams {
			theirLabel := one.StreamLabel
			one.StreamLabel = labelOf(theirLabel)
			one.StreamArn = strings.TrimSuffix(one.StreamArn, theirLabel) + one.StreamLabel
			streams = append(streams, one)
		}
		if page.LastEvaluatedStreamArn == "" || len(page.Streams) == 0 {
			break
		}
		ask["ExclusiveStartStreamArn"] = strings.Replace(page.LastEvaluatedStreamArn, s.own(ctx), theirs, 1)
	}
	slices.SortFunc(streams, func(a, b listed) int { return strings.Compare(a.StreamArn, b.StreamArn) })
	streams = slices.DeleteFunc(streams, func(one listed) bool { return one.StreamArn <= after })
	answer := map[string]any{"Streams": streams}
	most := 100
	if limit != nil {
		if *limit < 1 || *limit > 100 {
			return nil, &stack.Error{Code: "ValidationException", Message: fmt.Sprintf("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value between 1 and 100", *limit)}
		}
		most = *limit
	}
	if len(streams) > most {
		answer["Streams"], answer["LastEvaluatedStreamArn"] = streams[:most], streams[most-1].StreamArn
	}
	return answer, nil
}

// records reads on from an iterator of the program's, and puts what it gives
// into AWS's form. A write that changes nothing makes no record on AWS.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
func (s *Service) records(ctx context.Context, of stream, iterator string, limit *int) (records []record, next string, err error) {
	ask := map[string]any{"ShardIterator": iterator}
	if limit != nil {
		ask["Limit"] = *limit
	}
	var out struct {
		Records           []record
		NextShardIterator string
	}
	if err := s.call(ctx, "GetRecords", ask, &out); err != nil {
		return nil, "", err
	}
	records = []record{}
	for _, r := range out.Records {
		r.raw = r.Change.SequenceNumber
		if s.options.URL == "" {
			if createdAt(r).Before(of.began) || r.EventName == "MODIFY" && sameItem(r.Change.OldImage, r.Change.NewImage) {
				continue
			}
			r.Change.SequenceNumber = numberOf(r.raw)
			sum := md5.Sum([]byte(of.arn + r.raw))
			r.EventID, r.AWSRegion = hex.EncodeToString(sum[:]), strings.Split(of.arn+"::::", ":")[3]
		}
		records = append(records, r)
	}
	return records, out.NextShardIterator, nil
}

func createdAt(r record) time.Time {
	seconds, err := r.Change.Created.Float64()
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(seconds * 1000)).UTC()
}

// sameItem reports whether two images are there and equal.
func sameItem(a, b json.RawMessage) bool {
	var x, y any
	return len(a) > 0 && len(b) > 0 && json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// writing are the operations after which a stream may hold more.
var writing = map[string]bool{
	"PutItem": true, "UpdateItem": true, "DeleteItem": true, "BatchWriteItem": true, "TransactWriteItems": true,
	"ExecuteStatement": true, "BatchExecuteStatement": true, "ExecuteTransaction": true,
}

// wrote wakes who waits for records.
func (s *Service) wrote(operation string) {
	if !writing[operation] {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.more)
	s.more = make(chan struct{})
}

// serveStream writes the answer to an operation of DynamoDB Streams.
func (s *Service) serveStream(w http.ResponseWriter, r *http.Request, operation string, body []byte) {
	answer, err := s.answerStream(r.Context(), operation, body)
	if err != nil {
		fail(w, err)
		return
	}
	reply(w, answer)
}
