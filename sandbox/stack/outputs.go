package stack

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"arc/cfn"
)

// finishOutputs evaluates the outputs and gives them to the stack, exports too.
func (r *run) finishOutputs() error {
	scope := r.t.tactful().scope(r.st.ref, r.find, r.importValue)
	outputs := []Output{}
	for _, name := range slices.Sorted(maps.Keys(r.t.doc.Outputs)) {
		def := r.t.doc.Outputs[name]
		if def.Condition != "" {
			holds, err := cfn.EvalCondition(def.Condition, scope)
			if err != nil {
				return fmt.Errorf("Output %s: %w", name, err) //nolint:staticcheck // CloudFormation's words
			}
			if !holds {
				continue
			}
		}
		out := Output{OutputKey: name, Description: def.Description}
		var err error
		if out.OutputValue, err = evalText(def.Value, scope); err != nil {
			return fmt.Errorf("Output %s: %w", name, err) //nolint:staticcheck // CloudFormation's words
		}
		if def.ExportName != nil {
			if out.ExportName, err = evalText(def.ExportName, scope); err != nil {
				return fmt.Errorf("Export of output %s: %w", name, err) //nolint:staticcheck // CloudFormation's words
			}
		}
		outputs = append(outputs, out)
	}
	if reason := r.e.exportsInUse(r.st, outputs); reason != "" {
		return fmt.Errorf("%s", reason)
	}
	r.e.mu.Lock()
	defer r.e.mu.Unlock()
	if err := r.e.exportTwice(r.st, outputs); err != nil {
		return err
	}
	r.st.outputs = outputs
	return nil
}

func evalText(v any, scope cfn.Scope) (string, error) {
	x, err := cfn.Eval(v, scope)
	if err != nil {
		return "", err
	}
	s, ok := text(x)
	if !ok {
		return "", fmt.Errorf("the value must evaluate to a string")
	}
	return s, nil
}

// exportTwice refuses an export whose name another stack has. The caller holds
// the lock.
func (e *Engine) exportTwice(st *state, outputs []Output) error {
	for _, out := range outputs {
		if out.ExportName == "" {
			continue
		}
		for _, other := range e.live {
			if other == st || other.ref.Region != st.ref.Region {
				continue
			}
			for _, there := range other.outputs {
				if there.ExportName == out.ExportName {
					return fmt.Errorf("Export with name %s is already exported by stack %s.", out.ExportName, other.ref.Name) //nolint:staticcheck // CloudFormation's words
				}
			}
		}
	}
	return nil
}

// export looks an exported value up for st.
func (e *Engine) export(st *state, name string) (any, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, other := range e.live {
		for _, out := range other.outputs {
			if out.ExportName == name && other != st && other.ref.Region == st.ref.Region {
				return out.OutputValue, nil
			}
		}
	}
	return nil, fmt.Errorf("No export named %s found.", name) //nolint:staticcheck // CloudFormation's words
}

// exportsInUse says why st may not have these outputs instead of its present
// ones: another stack imports one that would go or change. "" means it may.
func (e *Engine) exportsInUse(st *state, next []Output) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.inUse(st, next)
}

// inUse is exportsInUse for a caller that holds the lock.
func (e *Engine) inUse(st *state, next []Output) string {
	for _, out := range st.outputs {
		if out.ExportName == "" || slices.ContainsFunc(next, func(o Output) bool {
			return o.ExportName == out.ExportName && o.OutputValue == out.OutputValue
		}) {
			continue
		}
		if users := e.importers(st.ref.Region, out.ExportName); len(users) > 0 {
			verb := "updated"
			if !slices.ContainsFunc(next, func(o Output) bool { return o.ExportName == out.ExportName }) {
				verb = "deleted"
			}
			return fmt.Sprintf("Export %s cannot be %s as it is in use by %s", out.ExportName, verb, users[0])
		}
	}
	return ""
}

// importers lists the stacks of a region that use an export, sorted. The caller holds the lock.
func (e *Engine) importers(region, export string) []string {
	var users []string
	for _, st := range e.live {
		if st.ref.Region == region && slices.Contains(st.imports, export) {
			users = append(users, st.ref.Name)
		}
	}
	slices.Sort(users)
	return users
}

func sortedTags(tags []Tag) []Tag {
	out := slices.Clone(tags)
	slices.SortFunc(out, func(a, b Tag) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

// sameJSON compares two values by what they print as.
func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
