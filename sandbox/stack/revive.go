package stack

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"arc/cfn/registry"
)

// interrupted is the reason of what was under way when the local cloud ended.
const interrupted = "Interrupted: the local cloud ended while it was under way."

// Revive brings the stacks of an earlier run back, each resource by its
// provider's Create with what it was made of (Request.Restored), so that it has
// the physical ID that it had. It is called once, after Remember, before any
// stack is made.
//
// AWS finishes what it has begun; here the process may end at any moment. Of an
// operation that was under way, a creation leaves no stack (what holds data is
// found again by the next one), an update one in UPDATE_FAILED with the
// template that it had before, and a deletion one in DELETE_FAILED.
//
// What has another address than before, since a port was taken meanwhile, is
// told to all that refer to it by an update. The problems are sentences for the
// developer.
func (e *Engine) Revive(ctx context.Context) (problems []string) {
	e.mu.Lock()
	e.restoring = true
	stacks, problems := e.keptStacks()
	e.mu.Unlock()
	v := &revival{e: e, moved: map[*state]bool{}}
	for _, st := range stacks {
		if st.parent == nil {
			v.stack(ctx, st)
		}
	}
	v.again(ctx)
	e.mu.Lock()
	e.restoring = false
	for _, st := range stacks {
		e.keep(st, nil)
		for id := range st.resources {
			e.keepResource(st, id)
		}
	}
	e.mu.Unlock()
	problems = append(problems, v.problems()...)
	for _, st := range stacks {
		if st.parent == nil {
			v.tell(ctx, st)
		}
	}
	return problems
}

// keptStacks reads what is kept and puts the stacks among the others, oldest
// first. What had only been begun is forgotten. The caller holds the lock.
func (e *Engine) keptStacks() (stacks []*state, problems []string) {
	byID := map[string]*state{}
	parents := map[string]string{}
	for key, text := range e.memory.All() {
		id, ok := strings.CutPrefix(key, stackRecord)
		if !ok {
			continue
		}
		var k keptStack
		err := decode(text, &k)
		if err != nil {
			problems = append(problems, fmt.Sprintf("stack %s is not brought back: %v", id, err))
			continue
		}
		if k.unmade() {
			problems = append(problems, e.unfinished(k)...)
			e.drop(id)
			continue
		}
		st, err := e.restoreStack(k)
		if err != nil {
			problems = append(problems, fmt.Sprintf("stack %s is not brought back: %v; deploy it again", k.Name, err))
			e.drop(id)
			continue
		}
		byID[id], parents[id] = st, k.Parent
	}
	for key, text := range e.memory.All() {
		id, logicalID, _ := strings.Cut(strings.TrimPrefix(key, resourceRecord), " ")
		st := byID[id]
		if st == nil || !strings.HasPrefix(key, resourceRecord) {
			continue
		}
		var k keptResource
		if err := decode(text, &k); err != nil {
			problems = append(problems, fmt.Sprintf("stack %s: %s is not brought back: %v", st.ref.Name, logicalID, err))
			continue
		}
		gone := k.Status == DeleteComplete || k.Status == DeleteSkipped || k.Kind == stackType && k.PhysicalID != "" && byID[k.PhysicalID] == nil
		if gone { // only that the stack has it no longer was not written down any more
			e.unkept(e.memory.Delete(key))
			continue
		}
		st.resources[logicalID] = k.restore(logicalID)
	}
	for id, st := range byID {
		if parent := parents[id]; parent != "" {
			if st.parent = byID[parent]; st.parent == nil {
				e.drop(id) // its creation was one step of its parent's
				continue
			}
		}
		stacks = append(stacks, st)
	}
	slices.SortFunc(stacks, func(a, b *state) int {
		return cmp.Or(a.created.Compare(b.created), strings.Compare(a.ref.Name, b.ref.Name))
	})
	for _, st := range stacks {
		e.admit(st, st.status)
	}
	slices.Sort(problems)
	return stacks, problems
}

// unmade reports that nothing of the stack has been acknowledged.
func (k *keptStack) unmade() bool {
	switch k.Status {
	case ReviewInProgress, CreateInProgress, RollbackInProgress:
		return true
	}
	return false
}

// unfinished tells which custom resources a creation that was cut off had made:
// whoever is behind them knows of no end.
func (e *Engine) unfinished(k keptStack) (problems []string) {
	for key, text := range e.memory.All() {
		logicalID, ok := strings.CutPrefix(key, resourceRecord+k.ID+" ")
		var r keptResource
		if !ok || decode(text, &r) != nil || !registry.IsCustom(r.Kind) || r.Status == DeleteComplete {
			continue
		}
		problems = append(problems, fmt.Sprintf("stack %s: its creation was cut off by the end of the local cloud, and the stack is gone: what was made for %s (%s %s) stays, for no Delete is sent", k.Name, logicalID, r.Kind, r.PhysicalID))
	}
	return problems
}

func (e *Engine) restoreStack(k keptStack) (*state, error) {
	st := &state{
		ref:    Ref{Name: k.Name, ID: k.ID, Region: cmp.Or(regionOfARN(k.ID), e.options.Region), Account: e.options.Account},
		status: k.Status, reason: k.Reason, created: k.Created, updated: k.Updated,
		resources: map[string]*resource{}, tokens: map[string]string{}, outputs: k.Outputs, imports: k.Imports,
		tags: k.Tags, capabilities: k.Capabilities, notifications: k.Notifications, role: k.Role, onFailure: k.OnFailure,
		policy: k.Policy, executed: k.Executed, disableRollback: k.DisableRollback, protected: k.Protected, timeout: k.Timeout,
	}
	template := k.Template
	switch k.Status {
	case UpdateInProgress:
		st.status, st.reason = UpdateFailed, interrupted
		if k.Before != nil {
			template = k.Before
		}
	case UpdateRollback, UpdateRollbackCleanup, UpdateRollbackFailed:
		// What it takes to continue the rollback is gone; an update does as well.
		st.status, st.reason = UpdateFailed, interrupted
	case ImportInProgress, ImportRollback:
		st.status, st.reason = UpdateFailed, interrupted
	case UpdateCompleteCleanup:
		st.status = UpdateComplete
	case DeleteInProgress:
		st.status, st.reason = DeleteFailed, interrupted
	}
	var err error
	st.current, err = template.restore(st.ref)
	return st, err
}

func (k *keptResource) restore(logicalID string) *resource {
	r := &resource{
		logicalID: logicalID, kind: k.Kind, physicalID: k.PhysicalID, token: k.Token, status: k.Status, reason: k.Reason, updated: k.Updated,
		properties: k.Properties, shown: k.Shown, attributes: k.Attributes, deps: k.Deps, metadata: k.Metadata,
		deletionPolicy: k.DeletionPolicy, replacePolicy: k.ReplacePolicy, noEcho: k.NoEcho, object: k.Object,
	}
	switch r.status {
	case CreateInProgress, DeleteInProgress, DeleteFailed:
		r.status, r.reason = CreateComplete, ""
	case ImportInProgress, ImportFailed:
		r.status, r.reason = ImportComplete, "" // it was there before
	case UpdateInProgress, UpdateFailed, "":
		r.status, r.reason = UpdateComplete, "" // it is made anew with what it was to get
	}
	if r.physicalID == "" && r.status != CreateFailed {
		r.status, r.reason = CreateFailed, interrupted
	}
	return r
}

// revival is the work of Revive.
type revival struct {
	e *Engine

	mu     sync.Mutex
	failed []lost
	moved  map[*state]bool // stacks of which something has another address
}

// lost is a resource that could not be made again.
type lost struct {
	st  *state
	r   *resource
	err error
}

// stack brings back the resources of a stack, in the order of their dependencies.
func (v *revival) stack(ctx context.Context, st *state) {
	deps := map[string][]string{}
	for id, r := range st.resources {
		deps[id] = slices.DeleteFunc(slices.Clone(r.deps), func(on string) bool { return st.resources[on] == nil })
	}
	walk(ctx, deps, v.e.options.Parallel, false, func(id string) error {
		if r := st.resources[id]; r.physicalID != "" && r.status != CreateFailed {
			if err := v.resource(ctx, st, r); err != nil {
				v.mu.Lock()
				v.failed = append(v.failed, lost{st, r, err})
				v.mu.Unlock()
			}
		}
		return nil // what depends on it may do without
	})
}

func (v *revival) resource(ctx context.Context, st *state, r *resource) error {
	e := v.e
	if e.registration(r.kind).Provider == nil {
		return fmt.Errorf("the local cloud does not run %s", r.kind)
	}
	var made Resource
	var err error
	if r.kind == stackType {
		e.mu.Lock()
		inner, missing := e.there(r.physicalID)
		e.mu.Unlock()
		if missing != nil {
			return missing
		}
		v.stack(ctx, inner)
		v.tell(ctx, inner)
		made, _ = nested{e}.outcome(inner, inner.status)
	} else {
		made, err = e.registration(r.kind).Provider.Create(WithRegion(ctx, st.ref.Region), Request{
			Stack: st.ref, LogicalID: r.logicalID, Type: r.kind, PhysicalID: r.physicalID, Properties: r.properties,
			Token: r.token, Restored: true, Attributes: had(r),
		})
	}
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if made.PhysicalID != r.physicalID || !sameJSON(made.Attributes, r.attributes) && len(made.Attributes)+len(r.attributes) > 0 {
		v.mu.Lock()
		v.moved[st] = true
		v.mu.Unlock()
	}
	r.physicalID, r.attributes = made.PhysicalID, made.Attributes
	return nil
}

// tell updates a stack of which something has another address, so that what
// refers to it knows.
func (v *revival) tell(ctx context.Context, st *state) {
	v.mu.Lock()
	moved := v.moved[st]
	delete(v.moved, st)
	v.mu.Unlock()
	if moved && updatable(st.status) && !v.incomplete(st) {
		v.e.changeStack(ctx, st, st.current)
	}
}

// again tries once more what failed, since it may have needed what another
// stack brought back later. What fails for good is as if it had never been
// made: the next deploy makes it.
func (v *revival) again(ctx context.Context) {
	first := v.failed
	v.failed = nil
	for _, l := range first {
		if err := v.resource(ctx, l.st, l.r); err != nil {
			v.failed = append(v.failed, lost{l.st, l.r, err})
			v.e.mu.Lock()
			l.r.physicalID, l.r.attributes = "", nil
			l.r.status, l.r.reason = CreateFailed, err.Error()
			v.e.mu.Unlock()
		}
	}
}

// incomplete reports whether something of a stack is lost, which an update of it
// would fail on.
func (v *revival) incomplete(st *state) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.ContainsFunc(v.failed, func(l lost) bool { return l.st == st || l.st.root() == st })
}

func (v *revival) problems() []string {
	byText := map[string]bool{}
	for _, l := range v.failed {
		byText[fmt.Sprintf("stack %s: %s (%s) is not brought back: %v; deploy it again", l.st.ref.Name, l.r.logicalID, l.r.kind, l.err)] = true
	}
	return slices.Sorted(maps.Keys(byText))
}

// had are the attributes that a resource had, never nil.
func had(r *resource) map[string]any {
	if r.attributes == nil {
		return map[string]any{}
	}
	return r.attributes
}
