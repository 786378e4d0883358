package cloudwatch

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

func TestGetMetricData(t *testing.T) {
	at := time.Unix(1_800_000_000, 0) // a whole minute
	s := New()
	s.now = func() time.Time { return at }
	s.Invoked("f", false, false)
	s.Invoked("f", true, false)
	at = at.Add(2 * time.Minute)
	s.Invoked("f", true, false)
	s.Invoked("f", false, true)
	s.Invoked("other", true, false)
	ask := func(metric, function string, from, to int64, period int) string {
		t.Helper()
		body := fmt.Sprintf(`{"StartTime": %d, "EndTime": %d, "MetricDataQueries": [{"Id": "q", "MetricStat": {"Period": %d, "Stat": "Sum", "Metric": {"Namespace": "AWS/Lambda", "MetricName": %q, "Dimensions": [{"Name": "FunctionName", "Value": %q}]}}}]}`,
			1_800_000_000+from, 1_800_000_000+to, period, metric, function)
		out, err := s.Handle(t.Context(), "GetMetricData", []byte(body))
		if err != nil {
			return "refused"
		}
		b, _ := json.Marshal(out.(map[string]any)["MetricDataResults"].([]result)[0].Values)
		return string(b)
	}
	for _, c := range []struct {
		metric, function string
		from, to         int64
		period           int
		want             string
	}{
		{"Invocations", "f", 0, 600, 60, "[1,2]"},
		{"Errors", "f", 0, 600, 60, "[1,1]"},
		{"Errors", "f", 0, 600, 600, "[2]"},
		{"Throttles", "f", 0, 600, 60, "[1]"},
		{"Errors", "f", 60, 600, 60, "[1]"},
		{"Errors", "f", 0, 120, 60, "[1]"},
		{"Errors", "none", 0, 600, 60, "[]"},
		{"Errors", "f", 600, 0, 60, "refused"},
		{"Errors", "f", 0, 600, 7, "refused"},
	} {
		if got := ask(c.metric, c.function, c.from, c.to, c.period); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	at = at.Add(kept + time.Hour)
	s.Invoked("f", false, false)
	if n := len(s.counts[metric{"AWS/Lambda", "Invocations", "FunctionName", "f"}]); n != 1 {
		t.Errorf("%d minutes are kept", n)
	}
	if _, err := s.Handle(t.Context(), "PutMetricAlarm", []byte("{}")); err == nil {
		t.Error("an alarm was made")
	}
}
