package main

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"arc/deploy/logs"
)

// widestLabel is how many columns a function's name takes at most, and shownID
// how much of a request's ID is enough to tell it from others.
const (
	widestLabel = 24
	shownID     = 8
)

// logView prints events of functions.
type logView struct {
	s       *session
	of      map[string]functionLog // by log group
	width   int
	raw     bool
	json    bool
	zone    *time.Location
	joiner  logs.Joiner
	day     string
	printed int
}

// groups are the log groups of the functions, sorted.
func (v *logView) groups() []string {
	var all []string
	for group := range v.of {
		all = append(all, group)
	}
	slices.Sort(all)
	return all
}

// print prints events.
func (v *logView) print(events []logs.Event) error {
	for _, e := range events {
		line := v.joiner.Join(e)
		text := ""
		switch {
		case v.json:
			text = v.object(e, line)
		case v.raw:
			text = plainText(strings.TrimRight(e.Message, "\r\n"), "") + "\n"
		case line.Kind == logs.Print || line.Kind == logs.Report:
			text = v.text(e, line)
		default:
			continue
		}
		v.printed++
		if _, err := fmt.Fprint(v.s.stdout, text); err != nil {
			return err
		}
	}
	return nil
}

// text is an event for people.
func (v *logView) text(e logs.Event, line logs.Line) string {
	at, out := time.UnixMilli(e.At).In(v.zone), ""
	if day := at.Format(time.DateOnly); day != v.day {
		v.day = day
		out = v.s.paint(bold, day) + "\n"
	}
	label := []rune(v.of[e.Group].label)
	if len(label) > widestLabel {
		label = append(label[:widestLabel-1], '…')
	}
	id := line.RequestID[:min(shownID, len(line.RequestID))]
	head := fmt.Sprintf("%s %s %-*s ", at.Format("15:04:05.000"), v.s.paint(labelColor(string(label)), fmt.Sprintf("%-*s", v.width, string(label))), shownID, plainText(id, ""))
	if line.Kind == logs.Report {
		return out + head + v.s.paint(dim, took(line.Report)) + "\n"
	}
	indent := "\n" + strings.Repeat(" ", len("15:04:05.000")+1+v.width+1+shownID+1)
	text := plainText(line.Text, indent)
	for _, f := range line.Fields {
		if text != "" {
			text += indent
		}
		text += v.s.paint(dim, plainText(f.Name, "")+":") + " " + plainText(f.Value, indent+"  ")
	}
	switch line.Level {
	case "", "INFO":
	case "ERROR", "FATAL", "CRITICAL":
		text = v.s.paint(red, line.Level+" "+text)
	case "WARN", "WARNING":
		text = v.s.paint(yellow, line.Level+" "+text)
	default:
		text = plainText(line.Level, "") + " " + text
	}
	return out + head + text + "\n"
}

// took says what a request took.
func took(u logs.Usage) string {
	text := "took " + duration(u.Duration)
	if u.Used > 0 {
		text += fmt.Sprintf(", %d of %d MB", u.Used, u.Size)
	}
	if u.Init > 0 {
		text += ", " + duration(u.Init) + " to start"
	}
	if u.Status != "" {
		text += ", and ended with " + plainText(u.Status, "")
	}
	return text
}

// object is an event as JSON.
func (v *logView) object(e logs.Event, line logs.Line) string {
	type usage struct {
		DurationMs   float64 `json:"durationMs"`
		InitMs       float64 `json:"initMs,omitempty"`
		MemoryUsedMB int     `json:"memoryUsedMB,omitempty"`
		MemorySizeMB int     `json:"memorySizeMB,omitempty"`
		Status       string  `json:"status,omitempty"`
	}
	of := v.of[e.Group]
	shown := struct {
		Time      string            `json:"time"`
		Function  string            `json:"function"`
		LogicalID string            `json:"logicalId"`
		Stream    string            `json:"stream"`
		RequestID string            `json:"requestId,omitempty"`
		Kind      logs.Kind         `json:"kind"`
		Level     string            `json:"level,omitempty"`
		Message   string            `json:"message"`
		Fields    map[string]string `json:"fields,omitempty"`
		Report    *usage            `json:"report,omitempty"`
	}{
		Time: time.UnixMilli(e.At).UTC().Format("2006-01-02T15:04:05.000Z"), Function: of.label, LogicalID: of.LogicalID,
		Stream: e.Stream, RequestID: line.RequestID, Kind: line.Kind, Level: line.Level, Message: line.Text,
	}
	for _, f := range line.Fields {
		if shown.Fields == nil {
			shown.Fields = map[string]string{}
		}
		shown.Fields[f.Name] = f.Value
	}
	if line.Kind == logs.Report {
		ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
		shown.Report = &usage{ms(line.Report.Duration), ms(line.Report.Init), line.Report.Used, line.Report.Size, line.Report.Status}
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(shown); err != nil {
		return ""
	}
	return b.String()
}

// plainText keeps what a program printed from steering the terminal; lines after
// the first begin with indent.
func plainText(text, indent string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	text = printable(strings.TrimRight(text, "\n"), '\n', '\t')
	if indent == "" {
		return text
	}
	return strings.ReplaceAll(text, "\n", indent)
}

// labelColor gives each function a colour, always the same one.
func labelColor(label string) string {
	colors := []string{"36", "35", "34", "32", "94", "95", "96", "92"}
	h := fnv.New32a()
	h.Write([]byte(label))
	return colors[int(h.Sum32())%len(colors)]
}
