package logs

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"arc/sandbox/stack"
)

// Handle answers one operation of the API ("GetLogEvents") with the JSON of
// its request. What it returns is printed as JSON.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html
func (s *Store) Handle(ctx context.Context, operation string, body []byte) (any, error) {
	op, known := operations[operation]
	if !known {
		return nil, &stack.Error{Code: "UnknownOperationException", Message: fmt.Sprintf("the local cloud's CloudWatch Logs do not run %s", operation)}
	}
	var in request
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, &stack.Error{Code: "SerializationException", Message: "the request's JSON cannot be read: " + err.Error()}
	}
	in.region = stack.RegionIn(ctx, s.region)
	s.mu.Lock()
	defer s.mu.Unlock()
	return op(s, in)
}

// request has the members of all operations; each uses some.
type request struct {
	LogGroupName, LogStreamName             string
	LogGroupNamePrefix, LogStreamNamePrefix string
	LogGroupNamePattern                     string
	LogStreamNames                          []string
	RetentionInDays                         int
	StartTime, EndTime                      *int64 // milliseconds
	StartFromHead                           bool
	FilterPattern                           string
	NextToken                               string
	Limit                                   int
	OrderBy                                 string
	Descending                              bool
	LogEvents                               []struct {
		Timestamp int64
		Message   string
	}
	QueryString                        string
	QueryID                            string
	LogGroupNames, LogGroupIdentifiers []string

	region string // that the request is for
}

// The operations hold the store's lock.
var operations = map[string]func(*Store, request) (any, error){
	"CreateLogGroup":        (*Store).createLogGroup,
	"CreateLogStream":       (*Store).createLogStream,
	"DeleteLogGroup":        (*Store).deleteLogGroup,
	"DeleteLogStream":       (*Store).deleteLogStream,
	"DescribeLogGroups":     (*Store).describeLogGroups,
	"DescribeLogStreams":    (*Store).describeLogStreams,
	"FilterLogEvents":       (*Store).filterLogEvents,
	"GetLogEvents":          (*Store).getLogEvents,
	"GetQueryResults":       (*Store).getQueryResults,
	"PutLogEvents":          (*Store).putLogEvents,
	"StartQuery":            (*Store).startQuery,
	"PutRetentionPolicy":    (*Store).putRetentionPolicy,
	"DeleteRetentionPolicy": (*Store).putRetentionPolicy,
}

var (
	errNoGroup  = &stack.Error{Code: "ResourceNotFoundException", Message: "The specified log group does not exist."}
	errNoStream = &stack.Error{Code: "ResourceNotFoundException", Message: "The specified log stream does not exist."}
)

func (s *Store) group(name string) (*group, error) {
	if g := s.groups[name]; g != nil {
		return g, nil
	}
	return nil, errNoGroup
}

func (s *Store) createLogGroup(in request) (any, error) {
	if s.groups[in.LogGroupName] != nil {
		return nil, &stack.Error{Code: "ResourceAlreadyExistsException", Message: "The specified log group already exists"}
	}
	s.groups[in.LogGroupName] = newGroup(0)
	return struct{}{}, nil
}

func (s *Store) createLogStream(in request) (any, error) {
	g, err := s.group(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	if g.streams[in.LogStreamName] != nil {
		return nil, &stack.Error{Code: "ResourceAlreadyExistsException", Message: "The specified log stream already exists"}
	}
	g.streams[in.LogStreamName] = &stream{created: time.Now().UTC()}
	return struct{}{}, nil
}

func (s *Store) deleteLogGroup(in request) (any, error) {
	if _, err := s.group(in.LogGroupName); err != nil {
		return nil, err
	}
	s.forget(in.LogGroupName)
	return struct{}{}, nil
}

// deleteLogStream deletes a stream with its lines.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogStream.html
func (s *Store) deleteLogStream(in request) (any, error) {
	g, err := s.group(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	if g.streams[in.LogStreamName] == nil {
		return nil, errNoStream
	}
	delete(g.streams, in.LogStreamName)
	rest := slices.Collect(g.all())
	rest = slices.DeleteFunc(rest, func(l line) bool { return l.stream == in.LogStreamName })
	s.count(g, -g.bytes)
	g.sealed, g.lines, g.open = nil, nil, 0
	for _, l := range rest {
		s.put(g, l)
	}
	return struct{}{}, nil
}

func (s *Store) putRetentionPolicy(in request) (any, error) {
	g, err := s.group(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	g.retention = in.RetentionInDays
	return struct{}{}, nil
}

func (s *Store) putLogEvents(in request) (any, error) {
	g, err := s.group(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	if g.streams[in.LogStreamName] == nil {
		return nil, errNoStream
	}
	for _, ev := range in.LogEvents {
		s.append(g, in.LogStreamName, time.UnixMilli(ev.Timestamp).UTC(), ev.Message)
	}
	return struct {
		NextSequenceToken string `json:"nextSequenceToken"`
	}{strconv.Itoa(g.next)}, nil
}

type shownGroup struct {
	Arn               string `json:"arn"`
	LogGroupName      string `json:"logGroupName"`
	CreationTime      int64  `json:"creationTime"`
	RetentionInDays   int    `json:"retentionInDays,omitempty"`
	MetricFilterCount int    `json:"metricFilterCount"`
	StoredBytes       int    `json:"storedBytes"`
}

func (s *Store) describeLogGroups(in request) (any, error) {
	shown := []shownGroup{}
	for _, name := range slices.Sorted(maps.Keys(s.groups)) {
		if strings.HasPrefix(name, in.LogGroupNamePrefix) && strings.Contains(name, in.LogGroupNamePattern) {
			g := s.groups[name]
			shown = append(shown, shownGroup{Arn: s.arn(in.region, name) + ":*", LogGroupName: name, CreationTime: g.created.UnixMilli(), RetentionInDays: g.retention})
		}
	}
	shown, next, err := cut(shown, in)
	return struct {
		LogGroups []shownGroup `json:"logGroups"`
		NextToken string       `json:"nextToken,omitempty"`
	}{shown, next}, err
}

type shownStream struct {
	Arn                 string `json:"arn"`
	LogStreamName       string `json:"logStreamName"`
	CreationTime        int64  `json:"creationTime"`
	FirstEventTimestamp int64  `json:"firstEventTimestamp,omitempty"`
	LastEventTimestamp  int64  `json:"lastEventTimestamp,omitempty"`
	LastIngestionTime   int64  `json:"lastIngestionTime,omitempty"`
}

func (s *Store) describeLogStreams(in request) (any, error) {
	g, err := s.group(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	shown := []shownStream{}
	for _, name := range slices.Sorted(maps.Keys(g.streams)) {
		if !strings.HasPrefix(name, in.LogStreamNamePrefix) {
			continue
		}
		st := g.streams[name]
		one := shownStream{Arn: s.arn(in.region, in.LogGroupName) + ":log-stream:" + name, LogStreamName: name, CreationTime: st.created.UnixMilli()}
		if !st.last.IsZero() {
			one.FirstEventTimestamp, one.LastEventTimestamp, one.LastIngestionTime = st.first.UnixMilli(), st.last.UnixMilli(), st.last.UnixMilli()
		}
		shown = append(shown, one)
	}
	if in.OrderBy == "LastEventTime" {
		slices.SortStableFunc(shown, func(a, b shownStream) int { return int(a.LastEventTimestamp - b.LastEventTimestamp) })
	}
	if in.Descending {
		slices.Reverse(shown)
	}
	shown, next, err := cut(shown, in)
	return struct {
		LogStreams []shownStream `json:"logStreams"`
		NextToken  string        `json:"nextToken,omitempty"`
	}{shown, next}, err
}

// cut takes the page of a list that a request asks for.
func cut[T any](list []T, in request) ([]T, string, error) {
	size, from := 50, 0
	if in.Limit > 0 && in.Limit < size {
		size = in.Limit
	}
	if in.NextToken != "" {
		var err error
		if from, err = strconv.Atoi(in.NextToken); err != nil || from < 0 || from > len(list) {
			return nil, "", errToken
		}
	}
	if from+size >= len(list) {
		return list[from:], "", nil
	}
	return list[from : from+size], strconv.Itoa(from + size), nil
}

var errToken = &stack.Error{Code: "InvalidParameterException", Message: "The specified nextToken is invalid."}
