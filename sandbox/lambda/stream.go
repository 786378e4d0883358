package lambda

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

// streamSettings are what an event source mapping says of a stream alone.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
type streamSettings struct {
	bisect             bool
	retries, maxAge    *int // nil and -1 = until the records expire
	parallel, tumbling int
	onFailure          string // ARN; "" = what is given up is lost
}

const (
	// defaultStreamBatch is how many records a batch has at most, unless it is said.
	defaultStreamBatch = 100
	// kept is how long a stream holds a record.
	kept = 24 * time.Hour
	// mostStreamBack is the longest wait between tries. AWS does not tell its own;
	// who has mended a function should not have to wait long.
	mostStreamBack = 10 * time.Second
)

// isTableStream reports whether an ARN is that of a table's stream.
func isTableStream(arn string) bool {
	parts := strings.SplitN(arn, ":", 6)
	return len(parts) == 6 && parts[2] == "dynamodb" && strings.Contains(parts[5], "/stream/")
}

// checkStream refuses what Lambda refuses of a table's stream.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
func checkStream(position string, size, window int, stream streamSettings) error {
	invalid := func(format string, args ...any) error {
		return &stack.Error{Code: "InvalidParameterValueException", Message: fmt.Sprintf(format, args...)}
	}
	retries, age := -1, -1
	if stream.retries != nil {
		retries = *stream.retries
	}
	if stream.maxAge != nil {
		age = *stream.maxAge
	}
	switch {
	case position == "":
		return invalid("1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.")
	case position != "TRIM_HORIZON" && position != "LATEST":
		return invalid("Unsupported starting position for DynamoDB event source: %s", position)
	case size < 0 || size > 10_000:
		return invalid("BatchSize %d: a stream's is 1 to 10,000", size)
	case window < 0 || window > 300:
		return invalid("MaximumBatchingWindowInSeconds %d: must be 0 to 300", window)
	case retries < -1 || retries > 10_000:
		return invalid("MaximumRetryAttempts %d: must be -1 to 10,000", retries)
	case age != -1 && (age < 60 || age > 604_800):
		return invalid("MaximumRecordAgeInSeconds %d: must be -1, or 60 to 604,800", age)
	case stream.parallel < 0 || stream.parallel > 10:
		return invalid("ParallelizationFactor %d: must be 1 to 10", stream.parallel)
	case stream.tumbling < 0 || stream.tumbling > 900:
		return invalid("TumblingWindowInSeconds %d: must be 0 to 900", stream.tumbling)
	}
	return nil
}

// latest is where a mapping begins that wants what comes after it was made. A
// stream that does not exist is refused; begun is false where nothing is known
// of it yet.
func (s *Service) latest(ctx context.Context, arn, position string) (at string, begun bool, err error) {
	if s.options.Streams == nil || !isTableStream(arn) {
		return "", false, nil
	}
	at, err = s.options.Streams.Latest(ctx, arn)
	var api *stack.Error
	if errors.As(err, &api) && api.Code == "ResourceNotFoundException" {
		return "", false, &stack.Error{Code: "InvalidParameterValueException", Message: "Stream not found: " + arn}
	}
	return at, err == nil && position == "LATEST", nil
}

// note says what of a mapping is not done here.
func (s streamSettings) note() string {
	if s.tumbling > 0 {
		return "the local cloud gives a function no state of tumbling windows"
	}
	return ""
}

// follower gives the records of a table's stream, or of a part of its items, to a
// function, one batch at a time and in order, as Lambda does with a shard.
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
type follower struct {
	service *Service
	source  EventSource
	streams invoke.Streams
	clock   invoke.Clock
	ctx     context.Context
	at      string // the position behind all that is done
	lanes   *lanes // of which this is one; nil = it reads the stream itself
	lane    int
}

// follow starts reading a stream for a mapping. The caller holds the service's
// lock.
func (s *Service) follow(source EventSource) {
	if s.options.Streams == nil || source.Disabled || !isTableStream(source.Source) || s.closed {
		return
	}
	f := &follower{service: s, source: source, streams: s.options.Streams, clock: s.options.Clock}
	if f.clock == nil {
		f.clock = invoke.SystemClock{}
	}
	var stop context.CancelFunc
	f.ctx, stop = context.WithCancel(s.ending)
	s.resources.pollers[source.ID] = stop
	before := s.followers[source.key]
	done := make(chan struct{})
	s.followers[source.key] = done
	s.polling.Go(func() {
		defer close(done)
		if before != nil {
			<-before // its last batch may be under way
		}
		f.run()
	})
}

func (f *follower) run() {
	if !f.begin() {
		return
	}
	if f.source.stream.parallel > 1 {
		f.runLanes()
		return
	}
	said := ""
	for f.ctx.Err() == nil {
		batch, position, err := f.collect()
		switch {
		case f.ctx.Err() != nil:
			return
		case err != nil:
			if !f.unreadable(err, &said) {
				return
			}
			continue
		}
		said = ""
		if len(batch) > 0 && !f.handle(batch) {
			return
		}
		f.done(position)
	}
}

// unreadable waits for a stream that is gone, or whose program is being started again,
// and says so once; false = the mapping ends.
func (f *follower) unreadable(err error, said *string) bool {
	if *said != err.Error() {
		*said = err.Error()
		f.say("cannot be read: "+*said, nil)
	}
	return f.wait(time.Second)
}

// size is how many records a batch has at most.
func (f *follower) size() int {
	if f.source.BatchSize == 0 {
		return defaultStreamBatch
	}
	return f.source.BatchSize
}

// begin finds where to read on: where an earlier run was, else as the mapping
// says.
func (f *follower) begin() bool {
	f.service.mu.Lock()
	at, there := f.service.places[f.source.key]
	f.service.mu.Unlock()
	if f.at = at; there {
		return true
	}
	if f.source.StartingPosition != "LATEST" {
		return true
	}
	for {
		at, err := f.streams.Latest(f.ctx, f.source.Source)
		if err == nil {
			f.keep(at)
			return true
		}
		f.say("cannot be read: "+err.Error(), nil)
		if !f.wait(time.Second) {
			return false
		}
	}
}

// done moves on.
func (f *follower) done(position string) {
	if f.lanes != nil {
		f.lanes.done(f.lane, position)
		return
	}
	if position != f.at {
		f.keep(position)
	}
}

func (f *follower) keep(position string) {
	f.at = position
	f.service.mu.Lock()
	_, there := f.service.resources.sources[f.source.ID]
	if there {
		f.service.places[f.source.key] = position
	}
	f.service.mu.Unlock()
	if !there {
		return // the mapping was deleted, and what was kept of it
	}
	if err := f.service.positions.Put(f.source.key, position); err != nil {
		f.say("is read on from here in this run only: "+err.Error(), nil)
	}
}

// wait lets time pass; false = the mapping ends.
func (f *follower) wait(d time.Duration) bool {
	select {
	case <-f.clock.After(d):
		return true
	case <-f.ctx.Done():
		return false
	}
}

// collect takes a batch: what is there, or, with a window, what comes within it
// until the batch is full. What the filter leaves out counts as done.
func (f *follower) collect() (batch []invoke.Record, position string, err error) {
	size := f.size()
	position = f.at
	window := time.Duration(f.source.BatchingWindow) * time.Second
	wait, bytes := pollWait, 0
	var until time.Time
	for {
		records, next, err := f.streams.Read(f.ctx, f.source.Source, position, size-len(batch), wait)
		if err != nil {
			return nil, position, err
		}
		for _, r := range records {
			if !f.source.filter.matches(r.JSON) {
				position = r.Position
				continue
			}
			if bytes+len(r.JSON) > batchBytes && len(batch) > 0 {
				return batch, position, nil
			}
			batch, bytes, position = append(batch, r), bytes+len(r.JSON)+1, r.Position
		}
		position = next
		if len(batch) == 0 || len(batch) >= size || window == 0 {
			return batch, position, nil
		}
		now := f.clock.Now()
		if until.IsZero() {
			until = now.Add(window)
		}
		if wait = min(until.Sub(now), pollWait); wait <= 0 {
			return batch, position, nil
		}
	}
}

// say tells of records of the stream.
func (f *follower) say(text string, batch []invoke.Record) {
	table, _, _ := strings.Cut(f.source.Source[strings.Index(f.source.Source, ":table/")+1:], "/stream/")
	f.service.options.Tell.Or()(activity.Event{
		Kind: activity.Delivery, Function: f.service.called(f.source.Function), Resource: "stream of " + strings.Replace(table, "/", " ", 1), Text: text, Messages: sequences(batch),
	})
}

func sequences(batch []invoke.Record) []string {
	out := make([]string, len(batch))
	for i, r := range batch {
		out[i] = r.Sequence
	}
	return out
}

// tried is what came of the tries of a batch.
type tried struct {
	requestID string
	result    invoke.Result
	tries     int
}

// handle gives a batch to the function until it is done or given up; false = the
// local cloud, or the mapping, ends before that.
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
func (f *follower) handle(batch []invoke.Record) bool {
	settings, back := f.source.stream, firstBack
	o := tried{}
	for {
		if batch = f.young(batch, o); len(batch) == 0 {
			return true
		}
		result, err := f.invoke(batch)
		switch {
		case f.ctx.Err() != nil && (err != nil || result.Failed != ""), errors.Is(err, invoke.ErrClosed):
			return false
		case err != nil:
			f.say(fmt.Sprintf("not delivered (%v); tried again in %s", err, back), batch)
			if !f.wait(back) {
				return false
			}
			back = min(2*back, mostStreamBack)
			continue
		}
		o = tried{result.RequestID, result, o.tries + 1}
		done, why := f.outcome(batch, result)
		if done > 0 {
			f.done(batch[done-1].Position)
			batch = batch[done:]
		}
		switch {
		case why == "":
			return true
		case settings.retries != nil && *settings.retries >= 0 && o.tries > *settings.retries && (!settings.bisect || len(batch) == 1):
			f.giveUp(batch, o, "RetryAttemptsExhausted", why)
			return true
		case settings.bisect && len(batch) > 1 && done == 0:
			f.say("failed ("+why+"); split in two, as the event source says", batch)
			half := len(batch) / 2
			if !f.handle(batch[:half]) {
				return false
			}
			f.done(batch[half-1].Position)
			return f.handle(batch[half:])
		}
		behind := "it"
		if f.lanes != nil {
			behind = "it of the same items"
		}
		f.say(fmt.Sprintf("failed (%s); tried again in %s, and nothing behind %s before", why, back, behind), batch)
		if !f.wait(back) {
			return false
		}
		back = min(2*back, mostStreamBack)
	}
}

func (f *follower) invoke(batch []invoke.Record) (invoke.Result, error) {
	var event struct{ Records []json.RawMessage }
	for _, r := range batch {
		event.Records = append(event.Records, r.JSON)
	}
	data, err := json.Marshal(event)
	if err != nil {
		return invoke.Result{}, err
	}
	return f.service.Invoke(context.WithoutCancel(f.ctx), f.source.Called, data)
}

// outcome says how many records of a batch are done, and why the next is not;
// "" = all are.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
func (f *follower) outcome(batch []invoke.Record, result invoke.Result) (done int, why string) {
	if result.Failed != "" {
		return 0, result.Failed + ": " + reasonOf(result)
	}
	if !f.source.ReportsFailures {
		return len(batch), ""
	}
	failed, whole := failures(result.Payload, sequences(batch))
	if whole != "" {
		return 0, whole
	}
	for i, r := range batch {
		if failed[r.Sequence] {
			return i, "reported as failed by the function"
		}
	}
	return len(batch), ""
}

// young gives up the records of a batch that are too old.
func (f *follower) young(batch []invoke.Record, o tried) []invoke.Record {
	limit := kept
	if age := f.source.stream.maxAge; age != nil && *age >= 0 {
		limit = min(limit, time.Duration(*age)*time.Second)
	}
	old := 0
	for old < len(batch) && f.clock.Now().Sub(batch[old].Created) > limit {
		old++
	}
	if old > 0 {
		f.giveUp(batch[:old], o, "RecordAgeExceeded", fmt.Sprintf("older than %s", limit))
	}
	return batch[old:]
}

// giveUp goes on without records, and hands a description of them on.
func (f *follower) giveUp(batch []invoke.Record, o tried, condition, why string) {
	f.done(batch[len(batch)-1].Position)
	to := f.source.stream.onFailure
	if to == "" {
		f.say(fmt.Sprintf("given up after %d tries (%s) and lost: the event source has no destination for failures", o.tries, why), batch)
		return
	}
	f.say(fmt.Sprintf("given up after %d tries (%s) and handed on", o.tries, why), batch)
	arn := f.service.arn(f.source.Function)
	err := errors.New("the local cloud cannot hand on to it")
	if f.service.options.Send != nil {
		err = f.service.options.Send(context.WithoutCancel(f.ctx), to, invoke.Message{
			Body: f.description(batch, o, condition, arn), Principal: "lambda.amazonaws.com", Source: arn, Role: f.service.roleOf(f.source.Function), Session: f.source.Function,
		})
	}
	if err != nil {
		f.say(fmt.Sprintf("is not in %s: %v", to, err), batch)
	}
}

// description tells a destination of records that were given up; the records
// themselves are not in it.
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
func (f *follower) description(batch []invoke.Record, o tried, condition, arn string) []byte {
	const form = "2006-01-02T15:04:05Z"
	first, last := batch[0], batch[len(batch)-1]
	out := map[string]any{
		"requestContext": map[string]any{
			"requestId": o.requestID, "functionArn": arn, "condition": condition, "approximateInvokeCount": o.tries,
		},
		"version": "1.0", "timestamp": f.clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		"DDBStreamBatchInfo": map[string]any{
			"shardId": first.Shard, "startSequenceNumber": first.Sequence, "endSequenceNumber": last.Sequence,
			"approximateArrivalOfFirstRecord": first.Created.Format(form), "approximateArrivalOfLastRecord": last.Created.Format(form),
			"batchSize": len(batch), "streamArn": f.source.Source,
		},
	}
	if o.tries > 0 {
		response := map[string]any{"statusCode": 200, "executedVersion": cmp.Or(o.result.Version, latest)}
		if o.result.Failed != "" {
			response["functionError"] = o.result.Failed
		}
		out["responseContext"] = response
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil // there is nothing in it that cannot be spelled
	}
	return data
}
