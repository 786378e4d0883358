package states

import (
	"context"
	"sync"

	"arc/sandbox/invoke"
	"arc/sandbox/states/asl"
)

// maxItemsAtOnce is how many items of a distributed map run at a time here; on AWS
// they are 10,000.
const maxItemsAtOnce = 100

// distribute runs the items of a map as executions of their own.
// https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
func (f *frame) distribute(ctx context.Context, s *asl.State, input any) (any, *asl.Failure) {
	var given []any
	var failure *asl.Failure
	if s.Reader == nil {
		if given, failure = f.items(s, input); failure != nil {
			return nil, failure
		}
	}
	if f.at.Run == "" {
		f.add("MapStateStarted", "mapStateStarted", map[string]any{"length": len(given)})
	}
	limits, failure := f.limits(s, input)
	if failure != nil {
		return nil, failure
	}
	f.x.s.mu.Lock()
	run := f.x.s.mapRuns[f.at.Run]
	f.x.s.mu.Unlock()
	if run == nil {
		run = f.x.newMapRun(s, s.Label, limits.most, limits.count, limits.percentage)
		f.add("MapRunStarted", "mapRunStarted", map[string]any{"mapRunArn": run.ARN})
	} else {
		f.resumed(run)
	}
	f.at.Run, f.at.Prev = run.ARN, f.prev
	f.save()
	output, failure := f.mapRun(ctx, s, input, run, given, limits)
	switch {
	case context.Cause(ctx) == errClosing:
		return nil, cut
	case ctx.Err() != nil:
		f.x.endMapRun(run, aborted)
		f.add("MapRunAborted", "", nil)
		return nil, cut
	case failure != nil:
		f.x.endMapRun(run, failed)
		details := map[string]any{"error": failure.Name}
		if failure.Cause != "" {
			details["cause"] = failure.Cause
		}
		f.add("MapRunFailed", "mapRunFailed", details)
		return nil, failure
	}
	f.x.endMapRun(run, succeeded)
	f.x.add(f.x.add(f.prev, "MapRunSucceeded", "", nil), "MapStateSucceeded", "", nil)
	return output, nil
}

// limits are the numbers that a distributed map goes by.
type limits struct {
	most, count              int
	percentage               float64
	items, perBatch, inBytes int // 0 = as many as there are
}

func (f *frame) limits(s *asl.State, input any) (l limits, failure *asl.Failure) {
	if l.most, failure = f.limit(s, "MaxConcurrency", s.MaxConcurrency, s.MaxConcurrencyPath, input); failure != nil {
		return l, failure
	}
	if l.count, l.percentage, failure = f.threshold(s, input); failure != nil {
		return l, failure
	}
	if r := s.Reader; r != nil {
		if l.items, failure = f.limit(s, "MaxItems", r.MaxItems, r.MaxItemsPath, input); failure != nil {
			return l, failure
		}
	}
	if b := s.Batcher; b != nil {
		if l.perBatch, failure = f.limit(s, "MaxItemsPerBatch", b.MaxItems, b.MaxItemsPath, input); failure != nil {
			return l, failure
		}
		l.inBytes, failure = f.limit(s, "MaxInputBytesPerBatch", b.MaxBytes, b.MaxBytesPath, input)
	}
	return l, failure
}

// batch is what one execution of a map run gets: an item, or several.
type batch struct {
	input any
	items int
}

// mapRun runs all items of a map run, and gives what has come of them.
func (f *frame) mapRun(ctx context.Context, s *asl.State, input any, run *mapRun, items []any, l limits) (any, *asl.Failure) {
	x := f.x
	who := x.session()
	// https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
	errand := invoke.Errand{Service: principal, Role: who.Role, Session: who.Name, For: who.For, Called: who.Called, Action: "states:StartExecution", Resource: x.Machine.ARN}
	if err := x.s.options.Permit.Ask(ctx, errand); err != nil {
		return nil, &asl.Failure{Name: asl.ErrPermissions, Cause: err.Error()}
	}
	if s.Reader != nil {
		var failure *asl.Failure
		if items, failure = f.read(ctx, s, input, l.items); failure != nil {
			return nil, failure
		}
	}
	inputs, failure := f.selected(s, input, items)
	if failure != nil {
		return nil, failure
	}
	batches, failure := f.batches(s, input, inputs, l)
	if failure != nil {
		return nil, failure
	}
	x.s.mu.Lock()
	run.Items, run.Executions = counts{Pending: len(items), Total: len(items)}, counts{Pending: len(batches), Total: len(batches)}
	x.s.mu.Unlock()
	results, failure := f.runItems(ctx, s, run, batches, len(items), l)
	if failure != nil || ctx.Err() != nil {
		return nil, failure
	}
	return f.written(ctx, s, input, run, results)
}

// batches gathers items.
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html
func (f *frame) batches(s *asl.State, input any, items []any, l limits) (list []batch, failure *asl.Failure) {
	b := s.Batcher
	if b == nil {
		for _, item := range items {
			list = append(list, batch{item, 1})
		}
		return list, nil
	}
	var shared any
	switch {
	case b.InputQuery != nil:
		if shared, failure = b.InputQuery.Eval("ItemBatcher/BatchInput", f.asked(s, input, told{}), f.x); failure != nil {
			return nil, f.unevaluated(s, failure)
		}
	case b.Input != nil:
		if shared, failure = f.filled(s, b.Input, input); failure != nil {
			return nil, failure
		}
	}
	most := maxPayload
	if l.inBytes > 0 {
		most = min(most, l.inBytes)
	}
	gathered := func(items []any) map[string]any {
		out := map[string]any{"Items": items}
		if shared != nil {
			out["BatchInput"] = shared
		}
		return out
	}
	empty := len(asl.Encode(gathered([]any{})))
	var now []any
	size := empty
	for _, item := range items {
		n := len(asl.Encode(item)) + 1
		if len(now) > 0 && (l.perBatch > 0 && len(now) >= l.perBatch || size+n > most) {
			list, now, size = append(list, batch{gathered(now), len(now)}), nil, empty
		}
		now, size = append(now, item), size+n
	}
	if len(now) > 0 {
		list = append(list, batch{gathered(now), len(now)})
	}
	return list, nil
}

// runItems runs an execution for each batch, and gives how these have ended.
func (f *frame) runItems(ctx context.Context, s *asl.State, run *mapRun, batches []batch, items int, l limits) ([]summary, *asl.Failure) {
	most := l.most
	if most == 0 || most > maxItemsAtOnce {
		most = maxItemsAtOnce
	}
	inner, end := context.WithCancelCause(ctx)
	defer end(nil)
	results := make([]summary, len(batches))
	var failure *asl.Failure
	var mu sync.Mutex
	var group sync.WaitGroup
	next, failures := 0, 0
	for range min(most, len(batches)) {
		group.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= len(batches) || inner.Err() != nil {
					return
				}
				is, wrong := f.runItem(inner, s, run, i, batches[i])
				if wrong == cut {
					return
				}
				mu.Lock()
				results[i] = is
				if wrong != nil && failure == nil {
					failure = wrong
					end(errSibling)
				}
				if is.Status == failed || is.Status == timedOut || is.Status == aborted && inner.Err() == nil {
					failures += batches[i].items
				}
				if failure == nil && !within(failures, items, l.count, l.percentage) {
					failure = &asl.Failure{Name: asl.ErrTolerated, Cause: "The specified tolerated failure threshold was exceeded"}
					end(errSibling)
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return results, failure
}

// runItem runs one execution to its end; when the map ends before, so does it.
func (f *frame) runItem(ctx context.Context, s *asl.State, run *mapRun, i int, b batch) (summary, *asl.Failure) {
	item, failure := f.x.itemOf(run, s, i, b.input)
	if failure != nil {
		return summary{}, failure
	}
	f.x.s.move(run, "PENDING", running, b.items)
	select {
	case <-item.over():
	case <-ctx.Done():
		if context.Cause(ctx) == errClosing || f.x.s.ctx.Err() != nil {
			return summary{}, cut // it goes on with the next run
		}
		item.stop(errStopped)
		select {
		case <-item.over():
		case <-f.x.s.ctx.Done():
			return summary{}, cut
		}
	}
	is := item.now()
	f.x.s.move(run, running, is.Status, b.items)
	return is, nil
}
