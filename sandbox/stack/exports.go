package stack

import (
	"cmp"
	"context"
	"slices"
)

// ListExportsInput is the request of ListExports.
type ListExportsInput struct{ NextToken string }

// ListExportsOutput is the answer of ListExports.
type ListExportsOutput struct {
	Exports   []Export `xml:"Exports>member"`
	NextToken string   `xml:",omitempty"`
}

// ListExports lists what stacks export, by name.
func (e *Engine) ListExports(ctx context.Context, in ListExportsInput) (ListExportsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []Export
	for _, st := range e.live {
		if !st.in(ctx) {
			continue
		}
		for _, out := range st.outputs {
			if out.ExportName != "" {
				all = append(all, Export{st.ref.ID, out.ExportName, out.OutputValue})
			}
		}
	}
	slices.SortFunc(all, func(a, b Export) int { return cmp.Compare(a.Name, b.Name) })
	all, next, err := page(all, in.NextToken)
	return ListExportsOutput{all, next}, err
}

// ListImportsInput is the request of ListImports.
type ListImportsInput struct{ ExportName, NextToken string }

// ListImportsOutput is the answer of ListImports.
type ListImportsOutput struct {
	Imports   []string `xml:"Imports>member"`
	NextToken string   `xml:",omitempty"`
}

// ListImports lists the names of the stacks that use an export.
func (e *Engine) ListImports(ctx context.Context, in ListImportsInput) (ListImportsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	users := e.importers(e.region(ctx), in.ExportName)
	if len(users) == 0 {
		return ListImportsOutput{}, invalid("Export '%s' is not imported by any stack.", in.ExportName)
	}
	users, next, err := page(users, in.NextToken)
	return ListImportsOutput{users, next}, err
}
