package logs

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Kind is what an event of a function's log is.
type Kind string

// The kinds of events. Those that Lambda itself writes are told apart from what
// a function prints.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
const (
	Print  Kind = "print"
	Init   Kind = "init"   // an environment begins
	Start  Kind = "start"  // an invocation begins
	End    Kind = "end"    // and ends
	Report Kind = "report" // what it took
)

// Line is an event of a function's log, read.
type Line struct {
	Kind      Kind
	RequestID string // "" = of none that is known
	Level     string // "INFO", "ERROR" and the like; "" = none
	Text      string // what is to be read, without what the other fields say
	Fields    []Field
	Report    Usage
}

// Field is a further member of a JSON log event.
type Field struct{ Name, Value string }

// Usage is what an invocation took.
type Usage struct {
	Duration, Init time.Duration // Init = 0: the environment was there
	Used, Size     int           // MB
	Status         string        // "" = it went well
}

var (
	// Node's and Python's own lines: a time, a request and a level.
	nodeLine = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\d{4}-\d\d-\d\dT[\d:.]+Z\t([0-9a-f-]{36}|undefined)\t([A-Z]+)\t`)
	})
	pythonLine = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\[([A-Z]+)\]\t\d{4}-\d\d-\d\dT[\d:.]+Z\t([0-9a-f-]{36})?\t`)
	})
	rubyLine = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[A-Z], \[\d{4}-\d\d-\d\dT[\d:.]+ #\d+\] +([A-Z]+) -- ([0-9a-f-]{36})?: `)
	})
	// The local cloud's lines begin with their request.
	localLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) `) })
	timedOut  = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\d{4}-\d\d-\d\dT[\d:.]+Z ([0-9a-f-]{36}) (Task timed out after .*)`)
	})
)

// ReadLine reads an event as Lambda and its runtimes write it, in text and in
// JSON.
func ReadLine(message string) Line {
	message = strings.TrimRight(message, "\r\n")
	if strings.HasPrefix(message, "{") {
		if l, ok := readJSON(message); ok {
			return l
		}
	}
	for prefix, kind := range map[string]Kind{"START RequestId: ": Start, "END RequestId: ": End, "REPORT RequestId: ": Report} {
		rest, ok := strings.CutPrefix(message, prefix)
		if !ok {
			continue
		}
		id, rest, _ := strings.Cut(strings.ReplaceAll(rest, " Version:", "\tVersion:"), "\t")
		l := Line{Kind: kind, RequestID: strings.TrimSpace(id), Text: message}
		if kind == Report {
			l.Report = readReport(rest)
		}
		return l
	}
	if strings.HasPrefix(message, "INIT_START ") {
		return Line{Kind: Init, Text: message}
	}
	if m := nodeLine().FindStringSubmatch(message); m != nil {
		l := Line{Kind: Print, RequestID: m[1], Level: m[2], Text: message[len(m[0]):]}
		if l.RequestID == "undefined" {
			l.RequestID = ""
		}
		return unfold(l)
	}
	if m := pythonLine().FindStringSubmatch(message); m != nil {
		return unfold(Line{Kind: Print, RequestID: m[2], Level: m[1], Text: message[len(m[0]):]})
	}
	if m := rubyLine().FindStringSubmatch(message); m != nil {
		return unfold(Line{Kind: Print, RequestID: m[2], Level: m[1], Text: message[len(m[0]):]})
	}
	if m := timedOut().FindStringSubmatch(message); m != nil {
		return Line{Kind: Print, RequestID: m[1], Level: "ERROR", Text: m[2]}
	}
	request := ""
	if m := localLine().FindStringSubmatch(message); m != nil {
		request, message = m[1], message[len(m[0]):]
		if strings.HasPrefix(message, "{") {
			return unfold(Line{Kind: Print, RequestID: request, Text: message})
		}
	}
	level := ""
	if rest, ok := strings.CutPrefix(message, "[ERROR] "); ok { // Python's own word of a failure
		level, message = "ERROR", rest
	}
	return Line{Kind: Print, RequestID: request, Level: level, Text: message}
}

// unfold reads JSON that a program logged as text behind a runtime's own words.
func unfold(l Line) Line {
	if !strings.HasPrefix(l.Text, "{") {
		return l
	}
	inner, ok := readJSON(l.Text)
	if !ok || inner.Kind != Print {
		return l
	}
	inner.RequestID = firstOf(inner.RequestID, l.RequestID)
	inner.Level = firstOf(inner.Level, l.Level)
	return inner
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// readReport reads the fields of a REPORT line.
func readReport(text string) Usage {
	var u Usage
	for part := range strings.SplitSeq(text, "\t") {
		name, value, _ := strings.Cut(part, ": ")
		number, unit, _ := strings.Cut(strings.TrimSpace(value), " ")
		switch strings.TrimSpace(name) {
		case "Duration":
			u.Duration = milliseconds(number)
		case "Init Duration", "Restore Duration":
			u.Init = milliseconds(number)
		case "Memory Size":
			u.Size, _ = strconv.Atoi(number)
		case "Max Memory Used":
			u.Used, _ = strconv.Atoi(number)
		case "Status":
			u.Status = strings.TrimSpace(number + " " + unit)
		}
	}
	return u
}

func milliseconds(number string) time.Duration {
	ms, err := strconv.ParseFloat(number, 64)
	if err != nil || !(ms >= 0 && ms <= 1e9) { // NaN is neither
		return 0
	}
	return time.Duration(ms * float64(time.Millisecond))
}

// readJSON reads an event that is a JSON object: of Lambda's JSON format, of the
// platform, or of a program's own.
func readJSON(text string) (Line, bool) {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &members) != nil {
		return Line{}, false
	}
	word := func(names ...string) string {
		for _, name := range names {
			var s string
			if raw, ok := members[name]; ok && json.Unmarshal(raw, &s) == nil {
				delete(members, name)
				return s
			}
		}
		return ""
	}
	var kind string
	if raw, ok := members["type"]; ok && json.Unmarshal(raw, &kind) == nil && strings.HasPrefix(kind, "platform.") && members["record"] != nil {
		return readPlatform(kind, members["record"], text), true
	}
	l := Line{Kind: Print}
	l.Level = strings.ToUpper(firstOf(word("level", "severity", "levelname"), level(members)))
	l.RequestID = word("requestId", "AWSRequestId", "aws_request_id", "awsRequestId", "function_request_id", "reqId")
	for _, name := range []string{"timestamp", "time", "@timestamp"} {
		delete(members, name) // the event's own is told
	}
	if stack := trace(members); stack != "" {
		l.Text = stack
		if l.Level == "" {
			l.Level = "ERROR"
		}
	} else {
		l.Text = word("message", "msg")
	}
	for name, raw := range members {
		value := string(raw)
		var s string
		if json.Unmarshal(raw, &s) == nil {
			value = s
		}
		l.Fields = append(l.Fields, Field{name, value})
	}
	slices.SortFunc(l.Fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return l, true
}

// level reads pino's and bunyan's numbers.
func level(members map[string]json.RawMessage) string {
	var n int
	if raw, ok := members["level"]; !ok || json.Unmarshal(raw, &n) != nil {
		return ""
	}
	name, ok := map[int]string{10: "TRACE", 20: "DEBUG", 30: "INFO", 40: "WARN", 50: "ERROR", 60: "FATAL"}[n]
	if ok {
		delete(members, "level")
	}
	return name
}

// trace reads an error as the runtimes write it.
func trace(members map[string]json.RawMessage) string {
	var kind, message string
	if json.Unmarshal(members["errorType"], &kind) != nil || json.Unmarshal(members["errorMessage"], &message) != nil {
		return ""
	}
	var lines []string
	if json.Unmarshal(members["stackTrace"], &lines) != nil && json.Unmarshal(members["stack"], &lines) != nil {
		lines = nil
	}
	for _, name := range []string{"errorType", "errorMessage", "stackTrace", "stack", "message"} {
		delete(members, name)
	}
	head := kind + ": " + message
	if len(lines) > 0 && strings.HasPrefix(lines[0], kind) { // Node's stack begins with it
		return strings.Join(lines, "\n")
	}
	return strings.Join(append([]string{head}, lines...), "\n")
}

// readPlatform reads what Lambda itself writes in JSON.
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
func readPlatform(kind string, record json.RawMessage, text string) Line {
	var r struct {
		RequestID, Status string
		Metrics           struct {
			DurationMs, InitDurationMs, RestoreDurationMs float64
			MemorySizeMB, MaxMemoryUsedMB                 int
		}
	}
	json.Unmarshal(record, &r) // what it does not tell is not known
	l := Line{RequestID: r.RequestID, Text: text}
	switch kind {
	case "platform.initStart":
		l.Kind = Init
	case "platform.start":
		l.Kind = Start
	case "platform.report":
		l.Kind = Report
		m := r.Metrics
		l.Report = Usage{
			Duration: milliseconds(strconv.FormatFloat(m.DurationMs, 'f', -1, 64)),
			Init:     milliseconds(strconv.FormatFloat(m.InitDurationMs+m.RestoreDurationMs, 'f', -1, 64)),
			Used:     m.MaxMemoryUsedMB, Size: m.MemorySizeMB, Status: r.Status,
		}
		if l.Report.Status == "success" {
			l.Report.Status = ""
		}
	case "platform.runtimeDone", "platform.initRuntimeDone", "platform.initReport", "platform.restoreStart", "platform.restoreRuntimeDone", "platform.restoreReport":
		l.Kind = End
	default:
		l.Kind = Print
	}
	return l
}

// Joiner gives lines that name no request that of their environment: one runs
// one at a time, and has a stream of its own.
type Joiner struct{ running map[[2]string]string }

// Join reads an event. Events of a stream come in their order.
func (j *Joiner) Join(e Event) Line {
	l := ReadLine(e.Message)
	if j.running == nil {
		j.running = map[[2]string]string{}
	}
	of := [2]string{e.Group, e.Stream}
	switch l.Kind {
	case Start:
		j.running[of] = l.RequestID
	case Report:
		delete(j.running, of)
	case Print:
		if l.RequestID == "" {
			l.RequestID = j.running[of]
		}
	}
	return l
}
