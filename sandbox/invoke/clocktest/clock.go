// Package clocktest is a clock for tests, on which time passes when they say so.
package clocktest

import (
	"sync"
	"time"
)

// Clock is an invoke.Clock that stands still.
type Clock struct {
	mu    sync.Mutex
	now   time.Time
	told  time.Time // what Now said last
	waits []wait
}

type wait struct {
	until time.Time
	c     chan time.Time
}

// New gives a clock that stands at now.
func New(now time.Time) *Clock { return &Clock{now: now, told: now} }

// Now is where the clock stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = c.now
	return c.now
}

// After waits for d from the time that was asked for last: a wait that was
// reckoned before the clock was set is over at once.
func (c *Clock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := wait{c.told.Add(d), make(chan time.Time, 1)}
	c.waits = append(c.waits, w)
	c.release()
	return w.c
}

// Set puts the clock forward to t.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
	c.release()
}

// release ends the waits that are over. The caller holds the lock.
func (c *Clock) release() {
	var open []wait
	for _, w := range c.waits {
		if w.until.After(c.now) {
			open = append(open, w)
			continue
		}
		w.c <- c.now
	}
	c.waits = open
}
