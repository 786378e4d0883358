package logs

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

const request = "8f507cfc-1234-4567-89ab-cdef01234567"

// TestReadLine reads what Lambda's documentation shows of its log formats, and
// what the loggers that people use print.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
func TestReadLine(t *testing.T) {
	for message, want := range map[string]Line{
		"START RequestId: " + request + " Version: $LATEST\n": {Kind: Start, RequestID: request},
		"END RequestId: " + request + "\n":                    {Kind: End, RequestID: request},
		"REPORT RequestId: " + request + "\tDuration: 79.67 ms\tBilled Duration: 80 ms\tMemory Size: 128 MB\tMax Memory Used: 73 MB\tInit Duration: 139.25 ms\t\n": {Kind: Report, RequestID: request,
			Report: Usage{Duration: 79670 * time.Microsecond, Init: 139250 * time.Microsecond, Used: 73, Size: 128}},
		"REPORT RequestId: " + request + "\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tStatus: timeout": {Kind: Report, RequestID: request,
			Report: Usage{Duration: 3 * time.Second, Used: 30, Size: 128, Status: "timeout"}},
		"INIT_START Runtime Version: nodejs:20.v8\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:x\n": {Kind: Init},
		"2026-11-29T10:11:12.123Z\t" + request + "\tINFO\thello\tworld\n":                                      {Kind: Print, RequestID: request, Level: "INFO", Text: "hello\tworld"},
		"2026-11-29T10:11:12.123Z\tundefined\tWARN\tat the top\n":                                              {Kind: Print, Level: "WARN", Text: "at the top"},
		"[WARNING]\t2026-11-29T10:11:12.123Z\t" + request + "\tcareful\n":                                      {Kind: Print, RequestID: request, Level: "WARNING", Text: "careful"},
		"[ERROR] KeyError: 'id'\nTraceback (most recent call last):":                                           {Kind: Print, Level: "ERROR", Text: "KeyError: 'id'\nTraceback (most recent call last):"},
		"I, [2026-11-29T10:11:12.123456 #8]  INFO -- " + request + ": ruby":                                    {Kind: Print, RequestID: request, Level: "INFO", Text: "ruby"},
		"2026-11-29T10:11:12.123Z " + request + " Task timed out after 3.00 seconds\n\n":                       {Kind: Print, RequestID: request, Level: "ERROR", Text: "Task timed out after 3.00 seconds"},
		request + " hello": {Kind: Print, RequestID: request, Text: "hello"},
		request + ` {"level":"info","message":"paid","order":7}`: {Kind: Print, RequestID: request, Level: "INFO", Text: "paid", Fields: []Field{{"order", "7"}}},
		"plain words": {Kind: Print, Text: "plain words"},
		"{not json":   {Kind: Print, Text: "{not json"},
		`{"timestamp":"2026-11-29T10:11:12.123Z","level":"INFO","requestId":"` + request + `","message":"hello"}`: {Kind: Print, RequestID: request, Level: "INFO", Text: "hello"},
		`{"timestamp":"2026-11-29T10:11:12.123Z","level":"ERROR","requestId":"` + request + `","errorType":"TypeError","errorMessage":"x is not a function","stackTrace":["TypeError: x is not a function","    at handler (file:///var/task/index.mjs:2:3)"]}`: {
			Kind: Print, RequestID: request, Level: "ERROR", Text: "TypeError: x is not a function\n    at handler (file:///var/task/index.mjs:2:3)"},
		`{"errorMessage":"'id'","errorType":"KeyError","requestId":"` + request + `","stackTrace":["  File \"/var/task/lambda.py\", line 2, in handler\n"]}`: {
			Kind: Print, RequestID: request, Level: "ERROR", Text: "KeyError: 'id'\n  File \"/var/task/lambda.py\", line 2, in handler\n"},
		`{"level":30,"time":1764411072123,"pid":8,"msg":"pino","user":{"id":7}}`: {
			Kind: Print, Level: "INFO", Text: "pino", Fields: []Field{{"pid", "8"}, {"user", `{"id":7}`}}},
		"2026-11-29T10:11:12.123Z\t" + request + "\tINFO\t" + `{"level":"warn","message":"powertools","service":"shop"}`: {
			Kind: Print, RequestID: request, Level: "WARN", Text: "powertools", Fields: []Field{{"service", "shop"}}},
		`{"time":"2026-11-29T10:11:12.123Z","type":"platform.start","record":{"requestId":"` + request + `","version":"$LATEST"}}`: {Kind: Start, RequestID: request},
		`{"time":"2026-11-29T10:11:12.123Z","type":"platform.runtimeDone","record":{"requestId":"` + request + `"}}`:               {Kind: End, RequestID: request},
		`{"type":"platform.initRuntimeDone","record":{"requestId":"` + request + `"}}`:                                             {Kind: End, RequestID: request},
		`{"type":"platform.initReport","record":{"requestId":"` + request + `"}}`:                                                  {Kind: End, RequestID: request},
		`{"type":"platform.restoreStart","record":{"requestId":"` + request + `"}}`:                                                {Kind: End, RequestID: request},
		`{"type":"platform.restoreRuntimeDone","record":{"requestId":"` + request + `"}}`:                                          {Kind: End, RequestID: request},
		`{"type":"platform.restoreReport","record":{"requestId":"` + request + `"}}`:                                               {Kind: End, RequestID: request},
		`{"time":"2026-11-29T10:11:12.123Z","type":"platform.initStart","record":{"initializationType":"on-demand"}}`:              {Kind: Init},
		`{"time":"2026-11-29T10:11:12.123Z","type":"platform.report","record":{"requestId":"` + request + `","metrics":{"durationMs":12.34,"billedDurationMs":13,"memorySizeMB":128,"maxMemoryUsedMB":70,"initDurationMs":100.5},"status":"success"}}`: {
			Kind: Report, RequestID: request, Report: Usage{Duration: 12340 * time.Microsecond, Init: 100500 * time.Microsecond, Used: 70, Size: 128}},
		`{"type":"platform.sold","record":"a program's own words"}`: {Kind: Print, Text: `{"type":"platform.sold","record":"a program's own words"}`},
	} {
		got := ReadLine(message)
		if got.Kind != Print {
			if got.Text != strings.TrimRight(message, "\n") {
				t.Errorf("%q loses its text", message)
			}
			got.Text = ""
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q\ngot  %+v\nwant %+v", message, got, want)
		}
	}
}

// TestJoin gives lines without a request that of their environment.
func TestJoin(t *testing.T) {
	var j Joiner
	var got []string
	for _, e := range []Event{
		{Stream: "1", Message: "INIT_START Runtime Version: x"},
		{Stream: "1", Message: "before any"},
		{Stream: "1", Message: "START RequestId: one Version: 1"},
		{Stream: "2", Message: "START RequestId: two Version: 1"},
		{Stream: "1", Message: "of one"},
		{Stream: "2", Message: "of two"},
		{Stream: "1", Message: "END RequestId: one"},
		{Stream: "1", Message: "after the end"},
		{Stream: "1", Message: "REPORT RequestId: one\tDuration: 1 ms"},
		{Stream: "1", Message: "between"},
	} {
		got = append(got, j.Join(e).RequestID)
	}
	if want := []string{"", "", "one", "two", "one", "two", "one", "one", "one", ""}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}

func FuzzReadLine(f *testing.F) {
	for _, seed := range []string{"START RequestId: x", "REPORT RequestId: \tDuration: NaN ms\tInit Duration: -1 ms", `{"type":"platform.report","record":{}}`, `{"level":1e400}`, "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		if l := ReadLine(message); l.Kind == "" || l.Report.Duration < 0 {
			t.Errorf("%q: %+v", message, l)
		}
	})
}
