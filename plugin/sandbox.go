package plugin

import (
	"context"
	"errors"
)

// Sandbox runs sandbox.start, sandbox.end, or sandbox.watcher of a file that
// changed. environment are variables of the app that plugins have set.
// All plugins are called, whatever fails; errors are *Error.
func (h *Host) Sandbox(ctx context.Context, p Project, hook string, environment map[string]string, change Change) error {
	list := h.With(hook)
	if len(list) == 0 {
		return nil
	}
	args, err := p.args()
	if err != nil {
		return err
	}
	args.Environment, args.Filename, args.Event = environment, change.File, change.Event
	var wrong []error
	for _, plugin := range list {
		if _, err := h.Call(ctx, plugin, hook, args); err != nil {
			wrong = append(wrong, err)
		}
	}
	return errors.Join(wrong...)
}

// Change is a file of the project that is new, was saved or is gone.
type Change struct {
	File  string // absolute
	Event string // "add", "update" or "remove"
}
