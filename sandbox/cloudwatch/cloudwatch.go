// Package cloudwatch is CloudWatch's metrics on this machine: what is counted of
// functions, by the minute, to be read through the API.
package cloudwatch

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"arc/sandbox/journal"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// kept is how long counts are kept; nothing here asks for older ones.
const kept = 3 * time.Hour

// Store keeps the counts of one account in one region, in memory.
type Store struct {
	now func() time.Time

	mu     sync.Mutex
	counts map[metric]map[int64]int // by the minute
}

// metric is what is counted, and of which function.
type metric struct{ namespace, name, dimension, value string }

// New makes an empty store.
func New() *Store { return &Store{now: time.Now, counts: map[metric]map[int64]int{}} }

// Invoked counts an invocation of a function. One that was throttled is no
// invocation.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
func (s *Store) Invoked(function string, failed, throttled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if throttled {
		s.count(function, "Throttles", 1)
		return
	}
	s.count(function, "Invocations", 1)
	errors := 0
	if failed {
		errors = 1
	}
	s.count(function, "Errors", errors)
}

func (s *Store) count(function, name string, n int) {
	m := metric{"AWS/Lambda", name, "FunctionName", function}
	minute := s.now().Unix() / 60
	if s.counts[m] == nil {
		s.counts[m] = map[int64]int{}
	}
	if _, ok := s.counts[m][minute]; !ok {
		for old := range s.counts[m] {
			if old < minute-int64(kept/time.Minute) {
				delete(s.counts[m], old)
			}
		}
	}
	s.counts[m][minute] += n
}

// Endpoint is where clients find the store.
func (s *Store) Endpoint() wire.Endpoint {
	return wire.Endpoint{Service: "monitoring", Variable: "CLOUDWATCH", Targets: []string{"GraniteServiceVersion20100801"}, Handler: wire.JSON("CloudWatch", s)}
}

// Registrations: no resource types are the store's.
func (s *Store) Registrations() map[string]stack.Registration { return nil }

// Restore has nothing to do: counts end with the process.
func (s *Store) Restore(*journal.Log) error { return nil }

// Close has nothing to do.
func (s *Store) Close(context.Context) error { return nil }

type query struct {
	ID         string `json:"Id"`
	Expression string
	MetricStat struct {
		Period int64
		Stat   string
		Metric struct {
			Namespace, MetricName string
			Dimensions            []struct{ Name, Value string }
		}
	}
}

type result struct {
	ID         string `json:"Id"`
	Label      string
	Timestamps []float64 // seconds
	Values     []float64
	StatusCode string
}

// Handle answers one operation of the API.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
func (s *Store) Handle(_ context.Context, operation string, body []byte) (any, error) {
	if operation != "GetMetricData" {
		return nil, &stack.Error{Code: "UnknownOperationException", Message: fmt.Sprintf("the local cloud's CloudWatch does not run %s", operation)}
	}
	var in struct {
		MetricDataQueries  []query
		StartTime, EndTime float64 // seconds
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, &stack.Error{Code: "SerializationException", Message: "the request's JSON cannot be read: " + err.Error()}
	}
	if n := len(in.MetricDataQueries); n == 0 || n > 500 || in.EndTime <= in.StartTime {
		return nil, &stack.Error{Code: "ValidationError", Message: fmt.Sprintf("GetMetricData takes 1 to 500 queries of a time that ends after it begins, and these are %d", n)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	results := []result{}
	for _, q := range in.MetricDataQueries {
		m := q.MetricStat
		if q.Expression != "" || m.Stat != "Sum" || m.Period <= 0 || m.Period%60 != 0 || len(m.Metric.Dimensions) != 1 {
			return nil, &stack.Error{Code: "ValidationError", Message: fmt.Sprintf("the local cloud's CloudWatch adds up the figures of one dimension by whole minutes, and query %s asks for something else", q.ID)}
		}
		counts := s.counts[metric{m.Metric.Namespace, m.Metric.MetricName, m.Metric.Dimensions[0].Name, m.Metric.Dimensions[0].Value}]
		results = append(results, sum(q, counts, in.StartTime, in.EndTime))
	}
	return map[string]any{"MetricDataResults": results, "Messages": []any{}}, nil
}

// sum adds up the minutes of each period, the newest first, as AWS does.
func sum(q query, counts map[int64]int, from, to float64) result {
	r := result{ID: q.ID, Label: q.MetricStat.Metric.MetricName, Timestamps: []float64{}, Values: []float64{}, StatusCode: "Complete"}
	period := q.MetricStat.Period
	first := int64(math.Floor(from)) / period * period
	sums := map[int64]float64{}
	for minute, n := range counts {
		at := minute * 60
		if at < first || float64(at) >= to {
			continue
		}
		sums[at/period*period] += float64(n)
	}
	var starts []int64
	for at := range sums {
		starts = append(starts, at)
	}
	slices.Sort(starts)
	slices.Reverse(starts)
	for _, at := range starts {
		r.Timestamps, r.Values = append(r.Timestamps, float64(at)), append(r.Values, sums[at])
	}
	return r
}
