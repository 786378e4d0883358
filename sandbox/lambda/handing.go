package lambda

import "sync"

// handingLock is a service's lock. Workers that were given an event while it was held
// get it when it is given back, from whoever held it: another goroutine that waits
// for events would have to be woken up for each.
type handingLock struct {
	sync.Mutex
	handing []handover
}

type handover struct {
	worker *worker
	long   bool
}

// longEvent is how long an event may be, in bytes, for being written by whoever
// caused it: a worker that does not read has room for so much, and for the head of
// it. A pipe has two pages when its user has many already.
// https://man7.org/linux/man-pages/man7/pipe.7.html
const longEvent = 7 << 10

// Unlock gives the lock back, and hands over what was given under it.
func (l *handingLock) Unlock() {
	handing := l.handing
	l.handing = nil
	l.Mutex.Unlock()
	for _, h := range handing {
		if h.long {
			go h.worker.hand()
		} else {
			h.worker.hand()
		}
	}
}
