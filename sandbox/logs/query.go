package logs

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Queries of Logs Insights in their simplest form: fields, filter with like, sort
// by time, limit, each at most once but for filter. Everything else is refused by
// its name.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html

// maxQueries is how many answers are kept to be fetched.
const maxQueries = 100

// query is what a query asks for.
type query struct {
	fields  []string
	filters []func(line) bool
	sorted  bool
	rising  bool
	limit   int
}

// result is the answer of a query: rows of fields, and how many lines were looked at.
type result struct {
	id      string
	rows    [][]field
	scanned int
	bytes   int
	matched int
}

type field struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// startQuery answers StartQuery: the query is done when it returns.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html
func (s *Store) startQuery(in request) (any, error) {
	names := in.LogGroupNames
	for _, name := range append(in.LogGroupIdentifiers, in.LogGroupName) {
		if _, after, ok := strings.Cut(name, ":log-group:"); ok {
			name = strings.TrimSuffix(after, ":*")
		}
		if name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, &stack.Error{Code: "InvalidParameterException", Message: "a query needs logGroupName, logGroupNames or logGroupIdentifiers"}
	}
	q, err := parseQuery(in.QueryString)
	if err != nil {
		return nil, &stack.Error{Code: "MalformedQueryException", Message: err.Error()}
	}
	if in.Limit > 0 {
		q.limit = in.Limit
	}
	r := result{id: wire.NewRequestID(), rows: [][]field{}}
	var found []line
	for _, name := range names {
		g, err := s.group(name)
		if err != nil {
			return nil, err
		}
		for l := range g.all() {
			at := l.at.Unix()
			if in.StartTime != nil && at < *in.StartTime || in.EndTime != nil && at > *in.EndTime {
				continue
			}
			r.scanned++
			r.bytes += len(l.message)
			if !slices.ContainsFunc(q.filters, func(holds func(line) bool) bool { return !holds(l) }) {
				found = append(found, l)
			}
		}
	}
	r.matched = len(found)
	slices.SortStableFunc(found, func(a, b line) int {
		c := cmp.Or(a.at.Compare(b.at), cmp.Compare(a.number, b.number))
		if q.rising {
			return c
		}
		return -c
	})
	for _, l := range found[:min(len(found), q.limit)] {
		var row []field
		for _, name := range q.fields {
			row = append(row, field{name, valueOf(l, name)})
		}
		r.rows = append(r.rows, append(row, field{"@ptr", fmt.Sprintf("%056d", l.number)}))
	}
	s.queries = append(s.queries, r)
	if len(s.queries) > maxQueries {
		s.queries = s.queries[1:]
	}
	return map[string]string{"queryId": r.id}, nil
}

// getQueryResults answers GetQueryResults.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetQueryResults.html
func (s *Store) getQueryResults(in request) (any, error) {
	i := slices.IndexFunc(s.queries, func(r result) bool { return r.id == in.QueryID })
	if i < 0 {
		return nil, &stack.Error{Code: "ResourceNotFoundException", Message: "The specified query does not exist."}
	}
	r := s.queries[i]
	return map[string]any{
		"status": "Complete", "results": r.rows,
		"statistics": map[string]float64{"recordsMatched": float64(r.matched), "recordsScanned": float64(r.scanned), "bytesScanned": float64(r.bytes)},
	}, nil
}

func valueOf(l line, name string) string {
	switch name {
	case "@timestamp":
		return l.at.UTC().Format("2006-01-02 15:04:05.000")
	case "@ingestionTime":
		return l.at.UTC().Format("2006-01-02 15:04:05.000")
	case "@logStream":
		return l.stream
	}
	return l.message
}

// parseQuery reads a query.
func parseQuery(text string) (query, error) {
	q := query{fields: []string{"@timestamp", "@message"}, limit: 10_000}
	for _, command := range commands(text) {
		name, rest, _ := strings.Cut(command, " ")
		rest = strings.TrimSpace(rest)
		var err error
		switch name {
		case "fields", "display":
			q.fields = nil
			for _, f := range strings.Split(rest, ",") {
				f = strings.TrimSpace(f)
				if !slices.Contains([]string{"@timestamp", "@message", "@logStream", "@ingestionTime"}, f) {
					return q, fmt.Errorf("the local cloud's Logs Insights know the fields @timestamp, @message, @logStream and @ingestionTime, not %q", f)
				}
				q.fields = append(q.fields, f)
			}
		case "filter":
			err = q.filter(rest)
		case "sort":
			by, order, _ := strings.Cut(rest, " ")
			if by != "@timestamp" {
				return q, fmt.Errorf("the local cloud's Logs Insights sort by @timestamp alone, not by %q", by)
			}
			q.sorted, q.rising = true, strings.TrimSpace(order) == "asc"
		case "limit":
			q.limit, err = strconv.Atoi(rest)
			if err == nil && (q.limit < 1 || q.limit > 10_000) {
				err = fmt.Errorf("limit: %d: must be 1 to 10000", q.limit)
			}
		default:
			err = fmt.Errorf("the local cloud's Logs Insights know fields, filter, sort and limit, not %q", name)
		}
		if err != nil {
			return q, err
		}
	}
	return q, nil
}

// commands takes a query apart at the pipes outside of quotes and slashes.
func commands(text string) (out []string) {
	var open rune
	start := 0
	add := func(part string) {
		if part = strings.TrimSpace(part); part != "" && !strings.HasPrefix(part, "#") {
			out = append(out, part)
		}
	}
	for i, r := range text {
		switch {
		case open != 0:
			if r == open && text[i-1] != '\\' {
				open = 0
			}
		case r == '"' || r == '\'' || r == '/':
			open = r
		case r == '|':
			add(text[start:i])
			start = i + 1
		}
	}
	add(text[start:])
	return out
}

// filter reads "@message like /ERROR/", "@message like 'ERROR'", "not like", and
// conditions that "and" joins.
func (q *query) filter(text string) error {
	for _, part := range strings.Split(text, " and ") {
		words := strings.Fields(part)
		wrong := fmt.Errorf("the local cloud's Logs Insights filter by FIELD like /EXPRESSION/ or 'TEXT', and by not like, not by %q", part)
		if len(words) < 3 || words[0] != "@message" && words[0] != "@logStream" {
			return wrong
		}
		holds, rest := true, strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(part), words[0]))
		if after, ok := strings.CutPrefix(rest, "not "); ok {
			holds, rest = false, strings.TrimSpace(after)
		}
		what, ok := strings.CutPrefix(rest, "like ")
		what = strings.TrimSpace(what)
		if !ok || len(what) < 2 || what[0] != what[len(what)-1] || !strings.ContainsAny(what[:1], `/"'`) {
			return wrong
		}
		inner := what[1 : len(what)-1]
		if what[0] != '/' {
			inner = regexp.QuoteMeta(inner)
		}
		expression, err := regexp.Compile(inner)
		if err != nil {
			return fmt.Errorf("filter: %w", err)
		}
		of := words[0]
		q.filters = append(q.filters, func(l line) bool { return expression.MatchString(valueOf(l, of)) == holds })
	}
	return nil
}
