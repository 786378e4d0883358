package stack

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"arc/cfn"
)

// ResourceToImport is a resource that is there already and belongs to no stack.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceToImport.html
type ResourceToImport struct {
	ResourceType, LogicalResourceID string
	ResourceIdentifier              map[string]string // one property that identifies it, and its value
}

// notModified begins what CloudFormation says of more than resources to import.
const notModified = "As part of the import operation, you cannot modify or add "

// toImport reads which resources a change set brings in, physical IDs by logical ones,
// and refuses what the template alone shows to be wrong. Of the types, those that hold
// data are imported here.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources.html
func (e *Engine) toImport(list []ResourceToImport, t *template) (map[string]string, error) {
	if len(list) == 0 {
		return nil, invalid("ResourcesToImport must be specified for a change set of type IMPORT")
	}
	ids := map[string]string{}
	var unkept []string
	for _, one := range list {
		id := one.LogicalResourceID
		if _, there := t.deps[id]; !there {
			return nil, invalid("Resource [%s] to import is not in the template", id)
		}
		def := t.doc.Resources[id]
		if def.Type != one.ResourceType {
			return nil, invalid("Resource [%s] to import is of type %s in the template, and of type %s in ResourcesToImport", id, def.Type, one.ResourceType)
		}
		by := e.registration(def.Type)
		if by.Import == nil {
			return nil, invalid("ResourceType [%s] is not imported by the local cloud, which imports what holds data: tables, buckets and queues", def.Type)
		}
		physical := one.ResourceIdentifier[by.Identifier]
		if len(one.ResourceIdentifier) != 1 || physical == "" {
			return nil, invalid("Resource [%s] is to be identified by %s alone, and is by [%s]", id, by.Identifier, strings.Join(slices.Sorted(maps.Keys(one.ResourceIdentifier)), ", "))
		}
		if said, ok := def.Properties[by.Identifier].(string); ok && said != physical {
			return nil, invalid("Resource [%s] to import has the %s %s in the template, and %s in ResourcesToImport", id, by.Identifier, said, physical)
		}
		if def.DeletionPolicy == "" {
			unkept = append(unkept, id)
		}
		ids[id] = physical
	}
	if len(unkept) > 0 {
		slices.Sort(unkept)
		return nil, invalid("The following resources to import [%s] must have DeletionPolicy attribute specified in the template.", strings.Join(unkept, ", "))
	}
	return ids, nil
}

// onlyImports turns the additions of a comparison into imports. It refuses every other
// change, what is not there, and what belongs to a stack.
func (e *Engine) onlyImports(ctx context.Context, st *state, t *template, changes []ResourceChange, ids map[string]string) error {
	var missing, modified []string
	found := map[string]bool{}
	for i := range changes {
		change := &changes[i]
		id := change.LogicalResourceID
		switch {
		case change.Action == "Add" && ids[id] == "":
			missing = append(missing, id)
		case change.Action != "Add":
			modified = append(modified, id)
		default:
			change.Action, change.PhysicalResourceID = "Import", ids[id]
			found[id] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		if !found[id] {
			return invalid("Resource [%s] is in stack %s already", id, st.ref.Name)
		}
	}
	e.mu.Lock()
	var outputs map[string]cfn.OutputDef
	if st.current != nil {
		outputs = st.current.doc.Outputs
	}
	e.mu.Unlock()
	switch {
	case len(missing) > 0:
		return invalid("Resources [%s] is missing from ResourceToImport list", strings.Join(missing, ", "))
	case len(modified) > 0:
		return invalid("%s[%s]", notModified, strings.Join(modified, ", "))
	case len(outputs)+len(t.doc.Outputs) > 0 && !sameJSON(outputs, t.doc.Outputs):
		return invalid("%s[Outputs]", notModified)
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		next := &resource{logicalID: id, kind: t.doc.Resources[id].Type, physicalID: ids[id]}
		if _, err := e.findExisting(ctx, st, next); err != nil {
			return err
		}
	}
	return nil
}

// findExisting finds a resource that is to be imported, and changes nothing of it.
func (e *Engine) findExisting(ctx context.Context, st *state, res *resource) (Resource, error) {
	if owner := e.stackOf(res); owner != "" {
		return Resource{}, invalid("%s %s already exists in stack %s", res.kind, res.physicalID, owner)
	}
	return e.registration(res.kind).Import(WithRegion(ctx, st.ref.Region), Request{
		Stack: st.ref, LogicalID: res.logicalID, Type: res.kind, PhysicalID: res.physicalID, Properties: res.properties,
	})
}

// stackOf is the ARN of the stack that a physical resource belongs to; "" = none.
func (e *Engine) stackOf(res *resource) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, st := range e.all {
		for _, r := range st.resources {
			if r != res && r.kind == res.kind && r.physicalID == res.physicalID {
				return st.ref.ID
			}
		}
	}
	return ""
}

// NotThere says that a resource which is to be imported does not exist.
func NotThere(req Request) error {
	return fmt.Errorf("Resource of type '%s' with identifier '%s' was not found.", req.Type, req.PhysicalID) //nolint:staticcheck // CloudFormation's words
}

// importInto is an import from its first event to its last: resources are taken into
// the stack as they are.
func (e *Engine) importInto(ctx context.Context, st *state, t *template, ids map[string]string) {
	e.mu.Lock()
	before := st.current
	st.previous, st.current = before, t
	if before != nil {
		at := now()
		st.updated = &at
	}
	e.mu.Unlock()
	r := &run{e: e, st: st, t: t, old: map[string]*resource{}}
	e.event(st, nil, ImportInProgress, userInitiated)
	deps := map[string][]string{}
	for id := range ids {
		deps[id] = slices.DeleteFunc(slices.Clone(t.deps[id]), func(on string) bool { return ids[on] == "" })
	}
	var mu sync.Mutex
	var failed []string
	if walk(ctx, deps, e.options.Parallel, true, func(id string) error {
		err := r.bringIn(ctx, id, ids[id])
		if err != nil {
			mu.Lock()
			failed = append(failed, id)
			mu.Unlock()
		}
		return err
	}) {
		e.event(st, nil, ImportComplete, "")
		return
	}
	slices.Sort(failed)
	e.event(st, nil, ImportRollback, fmt.Sprintf("The following resource(s) failed to import: [%s].", strings.Join(failed, ", ")))
	for id := range ids {
		if res := r.find(id); res != nil {
			e.forget(st, res)
			// It was there before, and is again what no stack has.
			_ = e.keepInMind(st, res, "")
		}
	}
	e.mu.Lock()
	if before != nil {
		st.previous, st.current = t, before
	}
	e.mu.Unlock()
	e.event(st, nil, ImportRollbackComplete, "")
}

// bringIn takes one resource into the stack.
func (r *run) bringIn(ctx context.Context, id, physicalID string) error {
	next, err := r.evaluate(id)
	next.physicalID, next.token = physicalID, newToken()
	r.put(next)
	r.e.event(r.st, next, ImportInProgress, "Resource import started.")
	if err == nil {
		err = r.e.fault("Import", id)
	}
	var made Resource
	if err == nil {
		made, err = r.e.findExisting(ctx, r.st, next)
	}
	if err == nil {
		err = r.e.keepInMind(r.st, next, physicalID)
	}
	if err != nil {
		return r.failWith(next, ImportFailed, err)
	}
	r.e.mu.Lock()
	next.attributes = made.Attributes
	r.e.mu.Unlock()
	r.record(step{after: next})
	r.e.event(r.st, next, ImportComplete, "Resource import completed.")
	return nil
}
