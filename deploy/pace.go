package deploy

import (
	"context"
	"math/rand/v2"
	"time"
)

// pace spaces out polls: brisk at first, then slower, and never in step with
// another run that started at the same moment.
type pace struct {
	next, max time.Duration
}

// newPace starts at a few milliseconds where that costs nobody anything, and
// at AWS so that a dozen deployments at once stay below its request limits.
func (c Clients) newPace() *pace {
	if c.Local {
		return &pace{next: 5 * time.Millisecond, max: time.Second}
	}
	return &pace{next: time.Second, max: 3 * time.Second}
}

// wait sleeps until the next poll is due, or fails when ctx ends.
func (p *pace) wait(ctx context.Context) error {
	timer := time.NewTimer(p.next*3/4 + rand.N(p.next/2))
	defer timer.Stop()
	p.next = min(p.next*3/2, p.max)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
