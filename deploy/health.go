package deploy

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"arc/deploy/signed"
)

// Health is how functions did in a time.
type Health struct {
	Invocations, Errors, Throttles int
	Failing                        []string // names of functions with errors or throttles, as they were given
}

// metricsAtOnce is what one call is asked: three figures of a function, of the
// 500 that a request takes.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
const metricsAtOnce = 150

// Metrics calls CloudWatch.
type Metrics struct{ client signed.Client }

func newMetrics(cfg aws.Config) *Metrics {
	return &Metrics{client: signed.Client{Config: cfg, ID: "CloudWatch", Name: "monitoring", Target: "GraniteServiceVersion20100801", Version: "1.0"}}
}

// Health adds up the figures that Lambda keeps of functions between two times.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
func (m *Metrics) Health(ctx context.Context, functions []string, from, to time.Time) (Health, error) {
	var h Health
	for at := 0; at < len(functions); at += metricsAtOnce {
		some := functions[at:min(at+metricsAtOnce, len(functions))]
		sums, err := m.sums(ctx, some, from, to)
		if err != nil {
			return h, err
		}
		for i, name := range some {
			h.Invocations += sums[fmt.Sprint("invocations", i)]
			errors, throttles := sums[fmt.Sprint("errors", i)], sums[fmt.Sprint("throttles", i)]
			h.Errors += errors
			h.Throttles += throttles
			if errors+throttles > 0 {
				h.Failing = append(h.Failing, name)
			}
		}
	}
	return h, nil
}

// sums asks for the three figures of each function, by the names of the queries.
func (m *Metrics) sums(ctx context.Context, functions []string, from, to time.Time) (map[string]int, error) {
	var queries []any
	for i, name := range functions {
		for id, metric := range map[string]string{"invocations": "Invocations", "errors": "Errors", "throttles": "Throttles"} {
			queries = append(queries, map[string]any{"Id": fmt.Sprint(id, i), "MetricStat": map[string]any{
				"Period": 60, "Stat": "Sum",
				"Metric": map[string]any{"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": []any{map[string]string{"Name": "FunctionName", "Value": name}}},
			}})
		}
	}
	sums := map[string]int{}
	in := map[string]any{"MetricDataQueries": queries, "StartTime": from.Unix(), "EndTime": to.Unix()}
	for {
		var page struct {
			MetricDataResults []struct {
				ID     string `json:"Id"`
				Values []float64
			}
			NextToken string
		}
		if err := m.client.Call(ctx, "GetMetricData", in, &page); err != nil {
			return nil, err
		}
		for _, r := range page.MetricDataResults {
			for _, v := range r.Values {
				sums[r.ID] += int(v)
			}
		}
		if page.NextToken == "" {
			return sums, nil
		}
		in["NextToken"] = page.NextToken
	}
}
