package lambda

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"arc/sandbox/stack"
)

func (s *Service) createEventSource(ctx context.Context, req stack.Request) (stack.Resource, error) {
	if !req.Restored {
		req.PhysicalID = newRequestID()
	}
	return s.putEventSource(ctx, req)
}

func (s *Service) updateEventSource(ctx context.Context, req stack.Request) (stack.Resource, error) {
	return s.putEventSource(ctx, req)
}

// foreignSources are the properties of sources that are recorded only: Kafka, MQ and
// DocumentDB. Streams of Kinesis have none of their own.
var foreignSources = []string{"AmazonManagedKafkaEventSourceConfig", "DocumentDBEventSourceConfig", "Queues", "SelfManagedEventSource", "SelfManagedKafkaEventSourceConfig", "SourceAccessConfigurations", "Topics"}

func (s *Service) putEventSource(ctx context.Context, req stack.Request) (stack.Resource, error) {
	var p struct {
		FunctionName, EventSourceArn, StartingPosition string
		BatchSize, MaximumBatchingWindowInSeconds      int
		Enabled                                        *bool
		FunctionResponseTypes                          []string
		FilterCriteria                                 *filterCriteria
		ScalingConfig                                  struct{ MaximumConcurrency *int }
		BisectBatchOnFunctionError                     bool
		MaximumRecordAgeInSeconds                      *int
		MaximumRetryAttempts                           *int
		ParallelizationFactor                          int
		TumblingWindowInSeconds                        int
		DestinationConfig                              struct {
			OnFailure *struct {
				Destination string `cfn:"required"`
			}
		}
	}
	err := stack.Read(req.Properties, &p, append(slices.Clip(foreignSources), "KmsKeyArn", "LoggingConfig", "MetricsConfig", "ProvisionedPollerConfig", "StartingPositionTimestamp", "Tags")...)
	if err != nil {
		return stack.Resource{}, err
	}
	filter, err := readFilter(p.FilterCriteria)
	if err != nil {
		return stack.Resource{}, err
	}
	most := 0
	if n := p.ScalingConfig.MaximumConcurrency; n != nil {
		if most = *n; most < 2 || most > 1000 {
			return stack.Resource{}, fmt.Errorf("property ScalingConfig.MaximumConcurrency: %d: must be 2 to 1000", most)
		}
	}
	stream := streamSettings{
		bisect: p.BisectBatchOnFunctionError, maxAge: p.MaximumRecordAgeInSeconds, retries: p.MaximumRetryAttempts,
		parallel: p.ParallelizationFactor, tumbling: p.TumblingWindowInSeconds,
	}
	if to := p.DestinationConfig.OnFailure; to != nil {
		stream.onFailure = to.Destination
	}
	if isTableStream(p.EventSourceArn) {
		if err := checkStream(p.StartingPosition, p.BatchSize, p.MaximumBatchingWindowInSeconds, stream); err != nil {
			return stack.Resource{}, err
		}
	}
	if !req.Whole() {
		s.mu.Lock()
		f, err := s.owner(p.FunctionName)
		s.mu.Unlock()
		if err != nil {
			return stack.Resource{}, err
		}
		if err := s.mayRead(ctx, f.Function, p.EventSourceArn); err != nil {
			return stack.Resource{}, err
		}
	}
	latest, begun, err := s.latest(ctx, p.EventSourceArn, p.StartingPosition)
	if err != nil {
		return stack.Resource{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.owner(p.FunctionName)
	if err != nil {
		return stack.Resource{}, err
	}
	if isQueue(p.EventSourceArn) {
		if err := s.checkQueue(f, p.EventSourceArn, p.BatchSize, p.MaximumBatchingWindowInSeconds); err != nil {
			return stack.Resource{}, err
		}
	}
	key := req.Stack.Name + "/" + req.LogicalID + " " + p.EventSourceArn
	if begun {
		if _, there := s.places[key]; !there {
			s.places[key] = latest
		}
	}
	source := EventSource{
		ID: req.PhysicalID, Function: f.Name, Called: withQualifier(f.Name, p.FunctionName), Source: p.EventSourceArn,
		BatchSize: p.BatchSize, BatchingWindow: p.MaximumBatchingWindowInSeconds,
		Disabled: p.Enabled != nil && !*p.Enabled, StartingPosition: p.StartingPosition,
		ReportsFailures: slices.Contains(p.FunctionResponseTypes, "ReportBatchItemFailures"), MaximumConcurrency: most, filter: filter,
		stream: stream,
	}
	note := ""
	switch {
	case isTableStream(source.Source):
		source.key, note = key, stream.note()
	case !isQueue(source.Source):
		note = "recorded only: nothing comes from this source, which the local cloud does not run"
	}
	s.resources.sources[req.PhysicalID] = source
	s.unpoll(req.PhysicalID)
	s.poll(source)
	s.follow(source)
	arn := strings.Replace(f.ARN, ":function:"+f.Name, ":event-source-mapping:"+req.PhysicalID, 1)
	return stack.Resource{PhysicalID: req.PhysicalID, Attributes: map[string]any{"Id": req.PhysicalID, "EventSourceMappingArn": arn}, Note: note}, nil
}

func (s *Service) deleteEventSource(_ context.Context, req stack.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	source := s.resources.sources[req.PhysicalID]
	delete(s.resources.sources, req.PhysicalID)
	s.unpoll(req.PhysicalID)
	if _, there := s.places[source.key]; !there {
		return nil
	}
	delete(s.places, source.key)
	return s.positions.Delete(source.key)
}

// checkQueue refuses what Lambda refuses of a queue as an event source.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
func (s *Service) checkQueue(f *function, arn string, size, window int) error {
	if s.options.Queues == nil {
		return nil
	}
	queue, ok := s.options.Queues.Queue(arn)
	switch {
	case !ok:
		return invalid("Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.")
	case queue.Visibility < time.Duration(f.Timeout)*time.Second:
		return invalid("Queue visibility timeout: %d seconds is less than Function timeout: %d seconds", int(queue.Visibility.Seconds()), f.Timeout)
	case size < 0 || size > 10_000 || queue.FIFO && size > 10:
		return invalid("BatchSize %d: a standard queue's is 1 to 10,000, and a FIFO queue's 1 to 10", size)
	case window < 0 || window > 300:
		return invalid("MaximumBatchingWindowInSeconds %d: must be 0 to 300", window)
	case queue.FIFO && window > 0:
		return invalid("Batching window is not supported for FIFO queues")
	case size > 10 && window == 0:
		return invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
	}
	return nil
}
