package states

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"arc/sandbox/states/asl"
)

// parallel runs all branches of a state with the same input.
// https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html
func (f *frame) parallel(ctx context.Context, s *asl.State, input any) (any, *asl.Failure) {
	if !f.begun(s) {
		f.add("ParallelStateStarted", "", nil)
	}
	branches := make([]*frame, len(s.Branches))
	outer := f.scope(s, nil).Variables
	for i, m := range s.Branches {
		branches[i] = &frame{x: f.x, machine: m, path: f.path + "/" + s.Name + "/" + strconv.Itoa(i), item: f.item, outer: outer, prev: f.prev}
	}
	fan := f.fan(ctx, branches, len(branches), func(ctx context.Context, b *frame, _ int) (any, *asl.Failure) { return b.run(ctx, input) }, nil, "")
	if fan.failure != nil {
		f.prev = fan.prev
		return nil, fan.failure
	}
	f.x.add(fan.prev, "ParallelStateSucceeded", "", nil)
	f.prev = fan.prev
	return fan.outputs, nil
}

// begun reports whether branches of a state are kept from an earlier run.
func (f *frame) begun(s *asl.State) bool {
	f.x.mu.Lock()
	defer f.x.mu.Unlock()
	for path := range f.x.positions {
		if len(path) > len(f.path+"/"+s.Name+"/") && path[:len(f.path+"/"+s.Name+"/")] == f.path+"/"+s.Name+"/" {
			return true
		}
	}
	return false
}

// outcome is what has come of branches.
type outcome struct {
	outputs []any
	failure *asl.Failure // of the first that failed; nil = none, or it was tolerated
	prev    int64        // the last event of the branch that ended last
}

// fan runs branches, at most so many at a time. tolerated decides about a failure;
// nil = none is. They are items of the map of a name; "" = of none.
func (f *frame) fan(ctx context.Context, branches []*frame, most int, run func(ctx context.Context, b *frame, i int) (any, *asl.Failure), tolerated func() bool, items string) outcome {
	inner, end := context.WithCancelCause(ctx)
	defer end(nil)
	out := outcome{outputs: make([]any, len(branches)), prev: f.prev}
	var mu sync.Mutex
	var group sync.WaitGroup
	next := 0
	last := f.prev
	for range min(most, len(branches)) {
		group.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				if i >= len(branches) || inner.Err() != nil {
					mu.Unlock()
					return
				}
				if most < len(branches) && i >= most {
					branches[i].prev = last // it follows the one that made room
				}
				mu.Unlock()
				output, failure := run(inner, branches[i], i)
				mu.Lock()
				if inner.Err() == nil {
					out.outputs[i], out.prev, last = output, max(branches[i].prev, branches[i].ended), branches[i].prev
					if failure != nil && (tolerated == nil || !tolerated()) {
						out.failure = failure
						branches[i].aborted(out.prev, "Task")
						end(errSibling)
					}
				} else if context.Cause(inner) == errSibling {
					if items != "" {
						f.x.add(out.prev, "MapIterationAborted", "mapIterationAborted", map[string]any{"name": items, "index": i})
					}
					branches[i].aborted(out.prev, "Task", "Wait", "Map", "Parallel")
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return out
}

// aborted tells of the state in which a branch is cut off, if it is of one of the types.
func (f *frame) aborted(prev int64, types ...string) {
	if f.now != nil && slices.Contains(types, f.now.Type) {
		f.x.add(prev, f.now.Type+"StateAborted", "", nil)
	}
}

// each runs the items of a map through its processor.
// https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html
func (f *frame) each(ctx context.Context, s *asl.State, input any) (any, *asl.Failure) {
	if s.Distributed {
		return f.distribute(ctx, s, input)
	}
	items, failure := f.items(s, input)
	if failure != nil {
		return nil, failure
	}
	most, failure := f.limit(s, "MaxConcurrency", s.MaxConcurrency, s.MaxConcurrencyPath, input)
	if failure != nil {
		return nil, failure
	}
	// AWS runs as many at a time in an inline map, and more of a distributed one.
	// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
	if most == 0 || most > 40 {
		most = 40
	}
	tolerated, failure := f.tolerance(s, input, len(items))
	if failure != nil {
		return nil, failure
	}
	if !f.begun(s) {
		f.add("MapStateStarted", "mapStateStarted", map[string]any{"length": len(items)})
	}
	outer := f.scope(s, nil).Variables
	branches := make([]*frame, len(items))
	inputs, failure := f.selected(s, input, items)
	if failure != nil {
		return nil, failure
	}
	for i, item := range items {
		branches[i] = &frame{x: f.x, machine: s.Branches[0], path: f.path + "/" + s.Name + "/" + strconv.Itoa(i), item: itemObject(i, item), outer: outer, prev: f.prev}
	}
	fan := f.fan(ctx, branches, most, func(ctx context.Context, b *frame, i int) (any, *asl.Failure) {
		return b.iteration(ctx, s, i, inputs[i])
	}, tolerated, s.Name)
	f.prev = fan.prev
	if fan.failure != nil {
		if s.Tolerates {
			fan.failure = &asl.Failure{Name: asl.ErrTolerated, Cause: "The specified tolerated failure threshold was exceeded"}
		}
		return nil, fan.failure
	}
	f.x.add(f.prev, "MapStateSucceeded", "", nil)
	return fan.outputs, nil
}

// itemObject is $$.Map of an item.
func itemObject(i int, item any) map[string]any {
	return map[string]any{"Item": map[string]any{"Index": json.Number(strconv.Itoa(i)), "Value": item}}
}

// selected is what an ItemSelector makes of items; without one it is the items.
func (f *frame) selected(s *asl.State, input any, items []any) ([]any, *asl.Failure) {
	if s.Selector == nil && s.ItemSelector == nil {
		return items, nil
	}
	inputs := make([]any, len(items))
	for i, item := range items {
		var failure *asl.Failure
		if s.Selector != nil {
			scope := f.asked(s, input, told{})
			scope.Context.(map[string]any)["Map"] = itemObject(i, item)
			if inputs[i], failure = s.Selector.Eval("ItemSelector", scope, f.x); failure != nil {
				return nil, f.unevaluated(s, failure)
			}
			continue
		}
		scope := f.scope(s, input)
		scope.Context.(map[string]any)["Map"] = itemObject(i, item)
		if inputs[i], failure = s.ItemSelector.Eval(scope, f.x); failure != nil {
			return nil, f.placed(s, failure)
		}
	}
	return inputs, nil
}

// iteration runs one item.
func (f *frame) iteration(ctx context.Context, s *asl.State, i int, input any) (any, *asl.Failure) {
	details := map[string]any{"name": s.Name, "index": i}
	kept, resumed := f.x.position(f.path)
	if !resumed {
		f.add("MapIterationStarted", "mapIterationStarted", details)
	}
	output, failure := f.run(ctx, input)
	switch {
	case ctx.Err() != nil:
		return nil, cut
	case kept.Done:
	case failure != nil:
		f.x.add(f.prev, "MapIterationFailed", "mapIterationFailed", details)
	default:
		f.ended = f.x.add(f.prev, "MapIterationSucceeded", "mapIterationSucceeded", details)
	}
	return output, failure
}

// tolerance decides about each failure of an item: so many of them, or so much of
// all items, may fail.
// https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html#maprun-fail-threshold
func (f *frame) tolerance(s *asl.State, input any, items int) (func() bool, *asl.Failure) {
	if !s.Tolerates {
		return nil, nil
	}
	count, percentage, failure := f.threshold(s, input)
	failures := 0
	return func() bool {
		failures++
		return within(failures, items, count, percentage)
	}, failure
}

// within reports whether so many of the items may fail.
func within(failures, items, count int, percentage float64) bool {
	return failures <= count || float64(failures)*100 <= percentage*float64(items) && percentage > 0
}

// threshold is how many items may fail, or how much of all of them.
func (f *frame) threshold(s *asl.State, input any) (count int, percentage float64, failure *asl.Failure) {
	if count, failure = f.limit(s, "ToleratedFailureCount", s.ToleratedFailureCount, s.ToleratedFailureCountPath, input); failure != nil {
		return 0, 0, failure
	}
	percentage = s.ToleratedFailurePercentage
	if n, ok, failure := f.percentage(s, input); failure != nil {
		return 0, 0, failure
	} else if ok {
		percentage = n
	}
	if p := s.ToleratedFailurePercentagePath; p != nil {
		v, failure := f.taken(s, p, input)
		if failure != nil {
			return 0, 0, failure
		}
		n, ok := v.(json.Number)
		if percentage, _ = n.Float64(); !ok {
			return 0, 0, f.placed(s, &asl.Failure{Name: asl.ErrRuntime, Cause: fmt.Sprintf("The ToleratedFailurePercentagePath field refers to value \"%s\" which is not a valid float: %s", plain(v), p)})
		}
		if percentage < 0 || percentage > 100 {
			return 0, 0, f.placed(s, &asl.Failure{Name: asl.ErrRuntime, Cause: "ToleratedFailurePercentage must be between 0 and 100."})
		}
	}
	return count, percentage, nil
}
