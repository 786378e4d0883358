package logs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"arc/sandbox/stack"
)

// maxEvents is how many lines an answer holds.
const maxEvents = 10_000

type shownEvent struct {
	Timestamp     int64  `json:"timestamp"`
	Message       string `json:"message"`
	IngestionTime int64  `json:"ingestionTime"`
	LogStreamName string `json:"logStreamName,omitempty"`
	EventID       string `json:"eventId,omitempty"`
}

// within reports whether a line lies in the time that a request asks for.
func (in request) within(l line) bool {
	at := l.at.UnixMilli()
	return (in.StartTime == nil || at >= *in.StartTime) && (in.EndTime == nil || at < *in.EndTime)
}

// filterLogEvents finds lines of any stream, oldest first. A token is the
// number of the line to go on with, so that a client can follow a group.
func (s *Store) filterLogEvents(in request) (any, error) {
	g, err := s.group(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	if err := knownPattern(in.FilterPattern); err != nil {
		return nil, err
	}
	from, err := number(in.NextToken, "", 0)
	if err != nil {
		return nil, err
	}
	out := struct {
		Events             []shownEvent `json:"events"`
		SearchedLogStreams []struct{}   `json:"searchedLogStreams"`
		NextToken          string       `json:"nextToken,omitempty"`
	}{Events: []shownEvent{}, SearchedLogStreams: []struct{}{}}
	limit := maxEvents
	if in.Limit > 0 {
		limit = min(limit, in.Limit)
	}
	for l := range g.from(from) {
		if !in.within(l) || !matches(in.FilterPattern, l.message) ||
			len(in.LogStreamNames) > 0 && !slices.Contains(in.LogStreamNames, l.stream) ||
			!strings.HasPrefix(l.stream, in.LogStreamNamePrefix) {
			continue
		}
		if len(out.Events) == limit {
			out.NextToken = strconv.Itoa(l.number)
			break
		}
		ev := show(l)
		ev.LogStreamName, ev.EventID = l.stream, fmt.Sprintf("%056d", l.number)
		out.Events = append(out.Events, ev)
	}
	return out, nil
}

// matches knows filter patterns that are plain words: each must be there, and
// one with "-" in front must not. Quotes hold words together.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
func matches(pattern, message string) bool {
	for _, word := range words(pattern) {
		if without, ok := strings.CutPrefix(word, "-"); ok {
			if strings.Contains(message, without) {
				return false
			}
		} else if !strings.Contains(message, word) {
			return false
		}
	}
	return true
}

// knownPattern refuses patterns that would have to be read in another way.
func knownPattern(pattern string) error {
	if pattern = strings.TrimSpace(pattern); pattern != "" && strings.Contains("{[%?", pattern[:1]) {
		return &stack.Error{Code: "InvalidParameterException", Message: fmt.Sprintf("the local cloud's CloudWatch Logs know filter patterns of plain words only, and %q is another", pattern)}
	}
	return nil
}

func words(pattern string) []string {
	var out []string
	for i, part := range strings.Split(pattern, `"`) {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}

// getLogEvents reads one stream forwards or backwards. As on AWS there is
// always a token, and the end is where it does not change.
func (s *Store) getLogEvents(in request) (any, error) {
	g, err := s.group(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	if g.streams[in.LogStreamName] == nil {
		return nil, errNoStream
	}
	var lines []line
	for l := range g.all() {
		if l.stream == in.LogStreamName && in.within(l) {
			lines = append(lines, l)
		}
	}
	limit := maxEvents
	if in.Limit > 0 {
		limit = min(limit, in.Limit)
	}
	lines, err = pageOf(lines, in, limit, g.next)
	if err != nil {
		return nil, err
	}
	out := struct {
		Events            []shownEvent `json:"events"`
		NextForwardToken  string       `json:"nextForwardToken"`
		NextBackwardToken string       `json:"nextBackwardToken"`
	}{[]shownEvent{}, in.NextToken, in.NextToken}
	for _, l := range lines {
		out.Events = append(out.Events, show(l))
	}
	if len(lines) > 0 {
		out.NextForwardToken, out.NextBackwardToken = fmt.Sprint("f/", lines[len(lines)-1].number+1), fmt.Sprint("b/", lines[0].number)
	} else if in.NextToken == "" {
		out.NextForwardToken, out.NextBackwardToken = fmt.Sprint("f/", g.next), "b/0"
	}
	return out, nil
}

// pageOf takes the lines that a token asks for: those from a number on, or
// those before one.
func pageOf(lines []line, in request, limit, end int) ([]line, error) {
	if strings.HasPrefix(in.NextToken, "f/") || in.NextToken == "" && in.StartFromHead {
		from, err := number(in.NextToken, "f/", 0)
		lines = slices.DeleteFunc(lines, func(l line) bool { return l.number < from })
		return lines[:min(limit, len(lines))], err
	}
	before, err := number(in.NextToken, "b/", end)
	lines = slices.DeleteFunc(lines, func(l line) bool { return l.number >= before })
	return lines[max(0, len(lines)-limit):], err
}

func number(token, prefix string, otherwise int) (int, error) {
	if token == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(strings.TrimPrefix(token, prefix))
	if err != nil || n < 0 {
		return 0, errToken
	}
	return n, nil
}

func show(l line) shownEvent {
	return shownEvent{Timestamp: l.at.UnixMilli(), Message: l.message, IngestionTime: l.at.UnixMilli()}
}
