package sandbox

import (
	"context"
	"fmt"
)

// Seed puts items into a table of the stack, given by its name in the manifest,
// if the table holds none. It returns how many were put; found is false when
// the stack has no such table.
func (c *Cloud) Seed(ctx context.Context, stackName, table string, items []map[string]any) (put int, found bool, err error) {
	// The table's own name is where functions find it.
	name, err := c.parameters.Value(ctx, "/"+stackName+"/tables/"+table)
	if err != nil {
		return 0, false, nil
	}
	if put, err = c.tables.Seed(ctx, name, items); err != nil {
		err = fmt.Errorf("table %s: %w", table, err)
	}
	return put, true, err
}
