package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Apply creates the named stack, or updates it to the template, and waits for
// the end. progress hears every event of the operation, one at a time, and may
// be nil; it may read from the engine but start nothing. That nothing changed is success. A stack left behind by a failed creation is
// deleted and made anew. The error names what failed first and why.
//
// When ctx ends, Apply returns; the operation goes on.
func (e *Engine) Apply(ctx context.Context, name string, body []byte, params map[string]string, progress func(Event)) error {
	src := source{body: string(body), trusted: true}
	for _, key := range slices.Sorted(maps.Keys(params)) {
		src.parameters = append(src.parameters, Parameter{ParameterKey: key, ParameterValue: params[key]})
	}
	e.mu.Lock()
	there := e.live[liveKey(e.region(ctx), name)]
	status := ""
	if there != nil {
		status = there.status
	}
	e.mu.Unlock()
	switch status {
	case RollbackComplete, RollbackFailed, ReviewInProgress, DeleteFailed:
		if err := e.Remove(ctx, name, progress); err != nil {
			return err
		}
		status = ""
	}
	if status == "" {
		st := &state{listener: progress}
		if err := e.startCreate(ctx, st, name, src); err != nil {
			return fmt.Errorf("stack %s: %w", name, err)
		}
		return e.await(ctx, st, st.done)
	}
	st, done, err := e.startUpdateHeard(ctx, name, src, progress)
	if errors.Is(err, errNoUpdates) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("stack %s: %w", name, err)
	}
	return e.await(ctx, st, done)
}

// startUpdateHeard is startUpdate with a listener.
func (e *Engine) startUpdateHeard(ctx context.Context, name string, src source, progress func(Event)) (*state, <-chan struct{}, error) {
	e.mu.Lock()
	if st := e.live[liveKey(e.region(ctx), name)]; st != nil {
		st.listener = progress
	}
	e.mu.Unlock()
	st, done, err := e.startUpdate(ctx, name, src, updateOptions{})
	if err != nil {
		e.mu.Lock()
		if st := e.live[liveKey(e.region(ctx), name)]; st != nil {
			st.listener = nil
		}
		e.mu.Unlock()
	}
	return st, done, err
}

// Remove deletes a stack and waits for the end. That there is none is success.
func (e *Engine) Remove(ctx context.Context, name string, progress func(Event)) error {
	e.mu.Lock()
	st := e.live[liveKey(e.region(ctx), name)]
	if st != nil {
		st.listener = progress
	}
	e.mu.Unlock()
	if st == nil {
		return nil
	}
	done, err := e.startDelete(ctx, DeleteStackInput{StackName: st.ref.ID})
	if err != nil {
		return fmt.Errorf("stack %s: %w", name, err)
	}
	return e.await(ctx, st, done)
}

// await waits for an operation and tells how it ended.
func (e *Engine) await(ctx context.Context, st *state, done <-chan struct{}) error {
	select {
	case <-done:
	case <-ctx.Done():
		return fmt.Errorf("stack %s: stopped waiting: %w", st.ref.Name, context.Cause(ctx))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	st.listener = nil
	switch st.status {
	case CreateComplete, UpdateComplete, DeleteComplete:
		return nil
	}
	return fmt.Errorf("stack %s: %s: %s", st.ref.Name, st.status, st.firstFailure())
}

// firstFailure tells the resource that failed first in the last operation.
func (st *state) firstFailure() string {
	first := st.reason
	for _, ev := range slices.Backward(st.events) {
		if ev.PhysicalResourceID == st.ref.ID {
			if ev.ResourceStatusReason == userInitiated {
				break
			}
			continue
		}
		switch ev.ResourceStatus {
		case CreateFailed, UpdateFailed, DeleteFailed:
			first = fmt.Sprintf("%s (%s): %s", ev.LogicalResourceID, ev.ResourceType, ev.ResourceStatusReason)
		}
	}
	return first
}

// Outputs gives the outputs of a stack by name; nil when there is no such stack.
func (e *Engine) Outputs(name string) map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	st := e.live[liveKey(e.options.Region, name)]
	if st == nil {
		return nil
	}
	out := make(map[string]string, len(st.outputs))
	for _, o := range st.outputs {
		out[o.OutputKey] = o.OutputValue
	}
	return out
}
