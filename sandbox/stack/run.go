package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"arc/cfn"
	"arc/cfn/registry"
)

// run is one creation or update of a stack under way. What it has done is
// kept, so that it can be undone.
type run struct {
	e       *Engine
	st      *state
	t       *template
	old     map[string]*resource // as they were; empty on creation
	exports []string             // names that its intrinsics imported

	mu     sync.Mutex
	done   []step
	failed []string // logical IDs
}

// step is what a run did to one resource.
type step struct {
	before *resource // nil: it is new
	after  *resource
}

// replaced reports that a new physical resource took the old one's place.
func (s step) replaced() bool { return s.before != nil && s.before.physicalID != s.after.physicalID }

// forward makes or updates every resource that the template asks for and
// evaluates the outputs. It reports whether all went well; if not, reason says
// what did not.
func (r *run) forward(ctx context.Context) (ok bool, reason string) {
	if walk(ctx, r.t.deps, r.e.options.Parallel, true, func(id string) error { return r.advance(ctx, id) }) {
		err := r.finishOutputs()
		if err == nil {
			return true, ""
		}
		return false, err.Error()
	}
	if len(r.failed) == 0 {
		// Nothing failed, yet not everything was reached.
		return false, "Interrupted: the local cloud is stopping."
	}
	return false, r.failures()
}

// failures names the resources that failed, in CloudFormation's words.
func (r *run) failures() string {
	var created, updated []string
	for _, id := range slices.Sorted(slices.Values(r.failed)) {
		if r.old[id] == nil {
			created = append(created, id)
		} else {
			updated = append(updated, id)
		}
	}
	var reasons []string
	if len(created) > 0 {
		reasons = append(reasons, fmt.Sprintf("The following resource(s) failed to create: [%s].", strings.Join(created, ", ")))
	}
	if len(updated) > 0 {
		reasons = append(reasons, fmt.Sprintf("The following resource(s) failed to update: [%s].", strings.Join(updated, ", ")))
	}
	return strings.Join(reasons, " ")
}

// advance brings one resource to what the template says.
func (r *run) advance(ctx context.Context, id string) error {
	next, err := r.evaluate(id)
	before := r.old[id]
	if before != nil && before.kind == stackType {
		before.inner = r.e.templateOf(before.physicalID)
	}
	if err != nil {
		return r.fail(next, before, err)
	}
	if before == nil {
		return r.create(ctx, next, nil)
	}
	if before.status == CreateFailed || before.status == DeleteFailed && before.physicalID == "" {
		return r.create(ctx, next, nil) // an earlier run without rollback left it unmade
	}
	if sameProperties(before.properties, next.properties) && before.kind != stackType {
		kept := *before
		kept.deps, kept.metadata = next.deps, next.metadata
		kept.deletionPolicy, kept.replacePolicy = next.deletionPolicy, next.replacePolicy
		r.put(&kept)
		return nil
	}
	if r.e.needsReplacement(before, next) {
		return r.create(ctx, next, before)
	}
	return r.update(ctx, before, next)
}

// evaluate gives a resource as the template describes it, with the values that
// its intrinsics have now.
func (r *run) evaluate(id string) (*resource, error) {
	def := r.t.doc.Resources[id]
	next := &resource{
		logicalID: id, kind: def.Type, deps: r.t.deps[id], metadata: def.Metadata,
		deletionPolicy: def.DeletionPolicy, replacePolicy: def.UpdateReplacePolicy,
	}
	scope := r.t.scope(r.st.ref, r.find, r.importValue)
	properties, err := evalProperties(def.Properties, scope)
	if err != nil {
		return next, err
	}
	if next.properties, err = r.e.resolve(r.e.ctx, properties); err != nil {
		return next, err
	}
	next.shown, _ = r.t.params.hideIn(shownProperties(def.Properties, r.t.masked().scope(r.st.ref, r.find, r.importValue))).(map[string]any)
	return next, nil
}

// shownProperties are properties as they may be shown. A function such as Fn::Select may
// not work on the stars that stand for a secret: then they stand for the whole property.
func shownProperties(properties map[string]any, masked cfn.Scope) map[string]any {
	shown := map[string]any{}
	for name, value := range properties {
		v, err := cfn.Eval(value, masked)
		if err != nil {
			v = secret
		}
		if v != nil {
			shown[name] = v
		}
	}
	return shown
}

func evalProperties(properties map[string]any, scope cfn.Scope) (map[string]any, error) {
	v, err := cfn.Eval(map[string]any(properties), scope)
	if err != nil {
		return nil, fmt.Errorf("Template error: %w", err) //nolint:staticcheck // CloudFormation's words
	}
	m, _ := v.(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	return m, nil
}

// create makes a resource. old is the one that it replaces, if any.
func (r *run) create(ctx context.Context, next, old *resource) error {
	progress, complete, failure := CreateInProgress, CreateComplete, CreateFailed
	next.token = newToken()
	if old != nil {
		next.replaces = old
		progress, complete, failure = UpdateInProgress, UpdateComplete, UpdateFailed
		next.physicalID = old.physicalID // until the new one has its own
		r.put(next)
		r.e.event(r.st, next, progress, replacementReason)
	} else {
		r.put(next)
		r.e.event(r.st, next, progress, "")
	}
	made, err := r.e.provide(ctx, "Create", next, r.st, nil)
	if err != nil {
		if registry.IsCustom(next.kind) && old == nil {
			next.physicalID = made.PhysicalID // what it is deleted by
		}
		if old != nil {
			restored := *old
			r.put(&restored)
			next = &restored
		}
		return r.failWith(next, failure, err)
	}
	r.e.mu.Lock()
	next.replaces = nil
	next.got(made)
	r.e.mu.Unlock()
	r.record(step{before: old, after: next})
	r.e.event(r.st, next, progress, creationInitiated)
	r.e.event(r.st, next, complete, cmp.Or(made.Note, r.t.open[next.logicalID]))
	return nil
}

// update changes a resource in place.
func (r *run) update(ctx context.Context, before, next *resource) error {
	next.physicalID, next.attributes, next.token = before.physicalID, before.attributes, before.token
	next.noEcho, next.object = before.noEcho, before.object
	if registry.IsCustom(next.kind) {
		next.replaces = before
	}
	r.put(next)
	r.e.event(r.st, next, UpdateInProgress, "")
	made, err := r.e.provide(ctx, "Update", next, r.st, before.properties)
	var untouched Untouched
	if errors.As(err, &untouched) {
		kept := *before
		r.put(&kept)
		return r.failWith(&kept, UpdateFailed, err)
	}
	if err != nil {
		r.record(step{before: before, after: next}) // it may be half done
		err = r.failWith(next, UpdateFailed, err)
		// Until it is rolled back or tried again it counts as what it was.
		failed := *before
		failed.status, failed.reason, failed.updated = next.status, next.reason, next.updated
		r.put(&failed)
		return err
	}
	r.e.mu.Lock()
	next.replaces = nil
	next.got(made)
	r.e.mu.Unlock()
	r.record(step{before: before, after: next})
	r.e.event(r.st, next, UpdateComplete, made.Note)
	return nil
}

// got notes what a provider made. The caller holds the lock.
func (r *resource) got(made Resource) {
	r.physicalID, r.attributes, r.noEcho, r.object = made.PhysicalID, made.Attributes, made.NoEcho, made.Object
}

// fail is for a resource whose properties could not even be evaluated.
func (r *run) fail(next, before *resource, err error) error {
	if before == nil {
		r.put(next)
		r.e.event(r.st, next, CreateInProgress, "")
		return r.failWith(next, CreateFailed, err)
	}
	kept := *before
	r.put(&kept)
	r.e.event(r.st, &kept, UpdateInProgress, "")
	return r.failWith(&kept, UpdateFailed, err)
}

func (r *run) failWith(res *resource, status string, err error) error {
	r.e.event(r.st, res, status, err.Error())
	r.mu.Lock()
	r.failed = append(r.failed, res.logicalID)
	if status == CreateFailed {
		r.done = append(r.done, step{after: res})
	}
	r.mu.Unlock()
	return err
}

func (r *run) record(s step) {
	r.mu.Lock()
	r.done = append(r.done, s)
	r.mu.Unlock()
}

func (r *run) put(res *resource) {
	r.e.mu.Lock()
	r.st.resources[res.logicalID] = res
	r.e.keepResource(r.st, res.logicalID)
	r.e.mu.Unlock()
}

// find gives a resource as it is at this moment of the run. Dependency order
// sees to it that what is asked for is made already.
func (r *run) find(id string) *resource {
	r.e.mu.Lock()
	defer r.e.mu.Unlock()
	res, ok := r.st.resources[id]
	if !ok {
		return nil
	}
	copied := *res
	return &copied
}

func (r *run) importValue(name string) (any, error) {
	value, err := r.e.export(r.st, name)
	if err == nil {
		r.mu.Lock()
		r.exports = append(r.exports, name)
		r.mu.Unlock()
	}
	return value, err
}

// provide calls a resource's provider.
func (e *Engine) provide(ctx context.Context, op string, res *resource, st *state, old map[string]any) (Resource, error) {
	if err := e.fault(op, res.logicalID); err != nil {
		return Resource{}, err
	}
	provider := e.registration(res.kind).Provider
	req := Request{
		Stack: st.ref, LogicalID: res.logicalID, Type: res.kind, PhysicalID: res.physicalID,
		Properties: res.properties, Old: old, Token: res.token,
		Tell: func(text string) { e.event(st, res, res.status, text) },
	}
	ctx = WithRegion(ctx, st.ref.Region)
	if caller := st.root().caller; caller != nil && e.options.May != nil {
		if err := e.options.May(caller, op, req, st.root().role); err != nil {
			return Resource{}, fmt.Errorf(`Resource handler returned message: "%w" (RequestToken: %s, HandlerErrorCode: AccessDenied)`, err, newUUID()) //nolint:staticcheck // CloudFormation's words
		}
	}
	var made Resource
	var err error
	switch op {
	case "Create":
		req.PhysicalID = e.recall(st, res)
		req.Restored = req.PhysicalID != ""
		made, err = provider.Create(ctx, req)
		if err == nil && made.PhysicalID == "" {
			err = errors.New("the provider gave no physical ID")
		}
		if err == nil {
			err = e.keepInMind(st, res, made.PhysicalID)
		}
	case "Update":
		made, err = provider.Update(ctx, req)
		if made.PhysicalID == "" {
			made.PhysicalID = res.physicalID
		}
	case "Delete":
		if e.registration(res.kind).Keeps && e.setAside(st) {
			return Resource{}, nil
		}
		if err = provider.Delete(ctx, req); err == nil {
			err = e.keepInMind(st, res, "")
		}
	}
	return made, err
}

// needsReplacement reports whether the change touches a property that cannot
// change in place. Where a service decides, the local one makes a new resource.
func (e *Engine) needsReplacement(before, next *resource) bool {
	if registry.IsCustom(next.kind) {
		return false // whoever is behind it says so, by another physical ID
	}
	if !strings.HasPrefix(next.kind, "AWS::") {
		return slices.ContainsFunc(e.registration(next.kind).CreateOnly, func(name string) bool {
			return !reflect.DeepEqual(before.properties[name], next.properties[name])
		})
	}
	return registry.Effect(next.kind, before.properties, next.properties) >= registry.MayReplace
}

func sameProperties(a, b map[string]any) bool {
	return maps.EqualFunc(a, b, sameValue)
}

// sameValue compares two values of a property: those of an earlier run were read
// from their JSON.
func sameValue(a, b any) bool { return reflect.DeepEqual(a, b) || sameJSON(a, b) }
