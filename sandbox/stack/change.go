package stack

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"arc/cfn/registry"
)

// makeStack is a creation from its first event to its last.
func (e *Engine) makeStack(ctx context.Context, st *state, t *template) {
	r := &run{e: e, st: st, t: t, old: map[string]*resource{}}
	e.event(st, nil, CreateInProgress, userInitiated)
	ok, reason := r.forward(ctx)
	if ok {
		e.settle(st, r)
		e.event(st, nil, CreateComplete, "")
		return
	}
	switch {
	case ctx.Err() != nil || st.onFailure == "DO_NOTHING":
		e.event(st, nil, CreateFailed, reason)
	case st.onFailure == "DELETE":
		e.event(st, nil, CreateFailed, reason)
		e.removeStack(ctx, st, nil, false)
	default:
		e.event(st, nil, RollbackInProgress, reason+" Rollback requested by user.")
		e.unmake(ctx, r)
	}
}

// unmake deletes what a failed creation made.
func (e *Engine) unmake(ctx context.Context, r *run) {
	doomed := map[string]*resource{}
	for _, s := range r.done {
		doomed[s.after.logicalID] = s.after
	}
	if failed := e.deleteAll(ctx, r.st, doomed, r.t.deps, true); len(failed) > 0 {
		e.event(r.st, nil, RollbackFailed, failedToDelete(failed))
		return
	}
	e.event(r.st, nil, RollbackComplete, "")
}

// changeStack is an update from its first event to its last.
func (e *Engine) changeStack(ctx context.Context, st *state, t *template) {
	e.mu.Lock()
	before := st.current
	st.previous, st.current = before, t
	at := now()
	st.updated = &at
	old := make(map[string]*resource, len(st.resources))
	for id, res := range st.resources {
		copied := *res
		old[id] = &copied
	}
	e.mu.Unlock()
	r := &run{e: e, st: st, t: t, old: old}
	e.event(st, nil, UpdateInProgress, userInitiated)
	ok, reason := r.forward(ctx)
	if !ok {
		if ctx.Err() != nil || st.disableRollback {
			e.leave(r)
			e.event(st, nil, UpdateFailed, reason)
			return
		}
		e.event(st, nil, UpdateRollback, reason)
		e.unchange(ctx, r, before)
		return
	}
	e.event(st, nil, UpdateCompleteCleanup, "")
	e.cleanUp(ctx, r, before)
	e.settle(st, r)
	e.event(st, nil, UpdateComplete, "")
}

// leave remembers what a failed update replaced, when it is not rolled back:
// the next update that ends well cleans it up.
func (e *Engine) leave(r *run) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range r.done {
		if s.replaced() {
			r.st.leftovers = append(r.st.leftovers, s.replacedOne())
		}
	}
}

// replacedOne is the resource that a replacement left without a place, with
// the policy that decides what becomes of it.
func (s step) replacedOne() *resource {
	old := *s.before
	old.deletionPolicy = old.replacePolicy
	return &old
}

// cleanUp deletes what an update left without a place: resources that are no
// longer in the template, and those that were replaced. What cannot be deleted
// is left behind with a DELETE_FAILED event, as on AWS.
func (e *Engine) cleanUp(ctx context.Context, r *run, before *template) {
	doomed := map[string]*resource{}
	for _, s := range r.done {
		if s.replaced() {
			doomed[s.before.logicalID] = s.replacedOne()
		}
	}
	for id, res := range r.old {
		if _, stays := r.t.deps[id]; !stays {
			doomed[id] = res
		}
	}
	e.deleteAll(ctx, r.st, doomed, before.deps, false)
	e.mu.Lock()
	leftovers := r.st.leftovers
	r.st.leftovers = nil
	e.mu.Unlock()
	for _, res := range leftovers {
		// Its failure is told by an event, and does not fail the update.
		_ = e.deleteOne(ctx, r.st, res, false)
	}
}

// unchange returns a stack to what it was before a failed update.
func (e *Engine) unchange(ctx context.Context, r *run, before *template) {
	undo := map[string]step{}
	for _, s := range r.done {
		undo[s.after.logicalID] = s
	}
	steps := map[string][]string{}
	for id, s := range undo {
		if s.before != nil {
			steps[id] = s.before.deps
		}
	}
	var mu sync.Mutex
	var failed []string
	walk(ctx, steps, e.options.Parallel, false, func(id string) error {
		err := e.restore(ctx, r.st, undo[id])
		if err != nil {
			mu.Lock()
			failed = append(failed, id)
			mu.Unlock()
		}
		return err
	})
	// Resources that were kept, or never reached, get their old description back.
	e.mu.Lock()
	for id, res := range r.old {
		if _, undone := undo[id]; !undone {
			kept := *res
			r.st.resources[id] = &kept
			e.keepResource(r.st, id)
		}
	}
	if r.st.current != before {
		r.st.previous, r.st.current = r.st.current, before
	}
	r.st.stuck = nil
	if len(failed) > 0 || ctx.Err() != nil {
		r.st.stuck = &stuck{r, before}
	}
	e.mu.Unlock()
	if len(failed) > 0 || ctx.Err() != nil {
		slices.Sort(failed)
		e.event(r.st, nil, UpdateRollbackFailed, fmt.Sprintf("The following resource(s) failed to update: [%s].", strings.Join(failed, ", ")))
		return
	}
	e.event(r.st, nil, UpdateRollbackCleanup, "")
	doomed := map[string]*resource{}
	for id, s := range undo {
		if s.before == nil || s.replaced() && !e.has(r.st, s.after) {
			doomed[id] = s.after
		}
	}
	e.deleteAll(ctx, r.st, doomed, r.t.deps, true)
	e.event(r.st, nil, UpdateRollbackComplete, "")
}

// restore undoes one step on a resource that existed before.
func (e *Engine) restore(ctx context.Context, st *state, s step) error {
	back := *s.before
	e.mu.Lock()
	st.resources[back.logicalID] = &back
	e.mu.Unlock()
	e.event(st, &back, UpdateInProgress, "")
	if back.kind == stackType && !s.replaced() {
		if err := (nested{e}).revert(ctx, &back); err != nil {
			e.event(st, &back, UpdateFailed, err.Error())
			return err
		}
	} else if custom := registry.IsCustom(back.kind); !s.replaced() || custom {
		// Whoever is behind a custom resource made the new one by an Update, and is asked
		// for one back: https://github.com/aws/aws-cdk/pull/29581
		if custom {
			back.physicalID = s.after.physicalID
		}
		made, err := e.provide(ctx, "Update", &back, st, s.after.properties)
		if err != nil {
			e.event(st, &back, UpdateFailed, err.Error())
			return err
		}
		e.mu.Lock()
		back.got(made)
		e.mu.Unlock()
	}
	e.event(st, &back, UpdateComplete, "")
	return nil
}

// has reports whether a stack has just that resource, by its physical ID.
func (e *Engine) has(st *state, r *resource) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	there := st.resources[r.logicalID]
	return there != nil && there.physicalID == r.physicalID
}

// settle records what only holds once a run has ended well.
func (e *Engine) settle(st *state, r *run) {
	e.mu.Lock()
	defer e.mu.Unlock()
	st.imports = r.exports
}

func failedToDelete(ids []string) string {
	return fmt.Sprintf("The following resource(s) failed to delete: [%s]. ", strings.Join(ids, ", "))
}
