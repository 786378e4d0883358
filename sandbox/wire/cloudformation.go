package wire

import (
	"context"
	"net/url"
	"reflect"

	"arc/sandbox/stack"
)

// cloudFormation lists the operations of the stack engine by the names that
// they have in the API.
func cloudFormation(e *stack.Engine) map[string]operation {
	return map[string]operation{
		"ContinueUpdateRollback":      on(e.ContinueUpdateRollback),
		"CreateChangeSet":             on(e.CreateChangeSet),
		"CreateStack":                 on(e.CreateStack),
		"DeleteChangeSet":             on(e.DeleteChangeSet),
		"DeleteStack":                 on(e.DeleteStack),
		"DescribeChangeSet":           on(e.DescribeChangeSet),
		"DescribeStackEvents":         on(e.DescribeStackEvents),
		"DescribeStackResource":       on(e.DescribeStackResource),
		"DescribeStackResources":      on(e.DescribeStackResources),
		"DescribeStacks":              on(e.DescribeStacks),
		"ExecuteChangeSet":            on(e.ExecuteChangeSet),
		"GetStackPolicy":              on(e.GetStackPolicy),
		"GetTemplate":                 on(e.GetTemplate),
		"GetTemplateSummary":          on(e.GetTemplateSummary),
		"ListChangeSets":              on(e.ListChangeSets),
		"ListExports":                 on(e.ListExports),
		"ListImports":                 on(e.ListImports),
		"ListStackResources":          on(e.ListStackResources),
		"ListStacks":                  on(e.ListStacks),
		"SetStackPolicy":              on(e.SetStackPolicy),
		"UpdateStack":                 on(e.UpdateStack),
		"UpdateTerminationProtection": on(e.UpdateTerminationProtection),
		"ValidateTemplate":            on(e.ValidateTemplate),
	}
}

// on reads the request that an operation takes out of the form.
func on[In, Out any](do func(context.Context, In) (Out, error)) operation {
	return func(ctx context.Context, form url.Values) (any, error) {
		var in In
		if err := decode(form, "", reflect.ValueOf(&in).Elem()); err != nil {
			return nil, err
		}
		return do(ctx, in)
	}
}
