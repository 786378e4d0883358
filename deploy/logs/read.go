package logs

import (
	"context"
	"iter"
)

// API is what is asked of CloudWatch Logs.
type API interface {
	Filter(ctx context.Context, group string, from, to int64, pattern, token string) (page []Event, next string, err error)
	Live(ctx context.Context, arns []string, pattern string) (Session, error)
}

// maxTries bounds pages in a row that hold nothing and yet say that there is more.
const maxTries = 1000

// Read gives the events of groups from one millisecond up to another, merged
// into the order of their times. It holds a page of each group.
func Read(ctx context.Context, api API, groups []string, from, to int64, pattern string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		type source struct {
			next func() (Event, error, bool)
			head Event
		}
		var sources []*source
		for _, group := range groups {
			next, stop := iter.Pull2(pages(ctx, api, group, from, to, pattern))
			defer stop()
			one := &source{next: next}
			head, err, ok := next()
			if err != nil {
				yield(Event{}, err)
				return
			}
			if ok {
				one.head = head
				sources = append(sources, one)
			}
		}
		for len(sources) > 0 {
			first := 0
			for i, s := range sources {
				if s.head.At < sources[first].head.At {
					first = i
				}
			}
			if !yield(sources[first].head, nil) {
				return
			}
			head, err, ok := sources[first].next()
			switch {
			case err != nil:
				yield(Event{}, err)
				return
			case ok:
				sources[first].head = head
			default:
				sources = append(sources[:first], sources[first+1:]...)
			}
		}
	}
}

// pages gives the events of one group.
func pages(ctx context.Context, api API, group string, from, to int64, pattern string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		token, empty := "", 0
		for {
			page, next, err := api.Filter(ctx, group, from, to, pattern, token)
			if err != nil {
				yield(Event{}, err)
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			// A page may be empty though there is more behind it.
			if empty++; len(page) > 0 {
				empty = 0
			}
			if next == "" || next == token || empty == maxTries {
				return
			}
			token = next
		}
	}
}
