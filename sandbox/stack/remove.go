package stack

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// removeStack is a deletion from its first event to its last. What is in
// retain stays, besides what its DeletionPolicy keeps; by force, so does what
// cannot be deleted.
func (e *Engine) removeStack(ctx context.Context, st *state, retain []string, force bool) {
	e.event(st, nil, DeleteInProgress, userInitiated)
	if reason := e.exportsInUse(st, nil); reason != "" {
		e.event(st, nil, DeleteFailed, reason)
		return
	}
	e.mu.Lock()
	doomed, leftovers := maps.Clone(st.resources), st.leftovers
	deps := map[string][]string{}
	for id, res := range doomed {
		if slices.Contains(retain, id) {
			kept := *res
			kept.deletionPolicy = policyRetain
			doomed[id] = &kept
		}
		deps[id] = res.deps
	}
	e.mu.Unlock()
	for _, res := range leftovers {
		_ = e.deleteOne(ctx, st, res, false)
	}
	if failed := e.deleteAll(ctx, st, doomed, deps, false); len(failed) > 0 {
		if !force {
			e.event(st, nil, DeleteFailed, failedToDelete(failed))
			return
		}
		for _, id := range failed {
			e.event(st, doomed[id], DeleteSkipped, "the stack is deleted by force: this stays behind")
			e.forget(st, doomed[id])
		}
	}
	e.event(st, nil, DeleteComplete, "")
	e.mu.Lock()
	at := now()
	st.deleted = &at
	st.outputs, st.imports, st.changes = nil, nil, nil
	if key := liveKey(st.ref.Region, st.ref.Name); e.live[key] == st {
		delete(e.live, key)
	}
	e.mu.Unlock()
}

// deleteAll deletes resources, each after all that depend on it, and returns
// the logical IDs of those that would not go. fresh says that they were only
// just made, by a run that is being undone.
func (e *Engine) deleteAll(ctx context.Context, st *state, doomed map[string]*resource, deps map[string][]string, fresh bool) []string {
	order := map[string][]string{}
	users := inverse(deps)
	for id := range doomed {
		for _, user := range reachable(users, id) {
			if _, too := doomed[user]; too {
				order[id] = append(order[id], user)
			}
		}
		order[id] = append(order[id], nil...)
	}
	var mu sync.Mutex
	var failed []string
	walk(ctx, order, e.options.Parallel, false, func(id string) error {
		err := e.deleteOne(ctx, st, doomed[id], fresh)
		if err != nil {
			mu.Lock()
			failed = append(failed, id)
			mu.Unlock()
		}
		return err
	})
	slices.Sort(failed)
	return failed
}

// reachable lists the nodes that can be reached from a node, without itself:
// what uses a resource through one that stays must still go first.
func reachable(edges map[string][]string, from string) []string {
	seen := map[string]bool{from: true}
	queue := []string{from}
	var out []string
	for len(queue) > 0 {
		for _, next := range edges[queue[0]] {
			if !seen[next] {
				seen[next] = true
				out = append(out, next)
				queue = append(queue, next)
			}
		}
		queue = queue[1:]
	}
	return out
}

func (e *Engine) deleteOne(ctx context.Context, st *state, res *resource, fresh bool) error {
	switch policy := res.deletionPolicy; {
	case policy == policyRetain, policy == policyRetainExceptFirst && !fresh:
		e.event(st, res, DeleteSkipped, "")
		e.forget(st, res)
		return e.keepInMind(st, res, "") // as on AWS, a new stack makes a new one
	case res.physicalID == "":
		e.event(st, res, DeleteComplete, "") // it was never made
		e.forget(st, res)
		return nil
	}
	e.event(st, res, DeleteInProgress, "")
	if _, err := e.provide(ctx, "Delete", res, st, nil); err != nil {
		e.event(st, res, DeleteFailed, err.Error())
		return err
	}
	e.event(st, res, DeleteComplete, "")
	e.forget(st, res)
	return nil
}

// forget takes a resource out of the stack, unless another one with another
// physical ID has its place: then it was replaced.
func (e *Engine) forget(st *state, res *resource) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if there := st.resources[res.logicalID]; there != nil && there.physicalID == res.physicalID {
		delete(st.resources, res.logicalID)
		e.keepResource(st, res.logicalID)
	}
}
