package watch

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// marked is a notifier whose events come through a library, which has some of them
// on their way at any moment. So drain writes to a file of its own, and waits for
// the event of that: it comes after all before it.
type marked struct {
	*Watcher
	events *fsnotify.Watcher
	mark   *os.File

	mu   sync.Mutex
	turn *turn // the drain that is under way
	next *turn // the one after it
}

// turn is a drain that any number of callers wait for.
type turn struct{ over chan struct{} }

// patience is how long a mark may take to come back before a watcher counts as broken.
const patience = time.Second

func beginMarked(w *Watcher) (notifier, error) {
	events, err := fsnotify.NewBufferedWatcher(1 << 12)
	if err != nil {
		return nil, err
	}
	m := &marked{Watcher: w, events: events}
	if m.mark, err = os.CreateTemp(w.options.Scratch, "mark-"); err == nil {
		err = events.Add(m.mark.Name())
	}
	if err != nil {
		m.close()
		return nil, err
	}
	go m.loop()
	return m, nil
}

func (m *marked) add(dir string) error { return m.events.Add(dir) }

func (m *marked) remove(dir string) { m.events.Remove(dir) }

func (m *marked) close() {
	m.events.Close()
	if m.mark != nil {
		m.mark.Close()
		os.Remove(m.mark.Name())
	}
}

// loop takes events until the watcher is closed.
func (m *marked) loop() {
	for {
		select {
		case e, ok := <-m.events.Events:
			if !ok {
				return
			}
			m.event(e)
		case err, ok := <-m.events.Errors:
			if !ok {
				return
			}
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				m.warn(err)
			}
			m.overflow()
			m.mu.Lock()
			if m.turn != nil { // its mark may be among what was lost
				m.mark.WriteAt([]byte{1}, 0)
			}
			m.mu.Unlock()
		}
	}
}

func (m *marked) event(e fsnotify.Event) {
	switch {
	case e.Name == m.mark.Name():
		if e.Has(fsnotify.Write) {
			m.tell()
			m.finish()
		}
		return
	case e.Op != fsnotify.Chmod:
		m.take(e.Name, e.Has(fsnotify.Create), e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename))
	}
	if len(m.events.Events) == 0 {
		m.tell()
	}
}

func (m *marked) drain() {
	m.mu.Lock()
	t := m.turn
	if t == nil {
		t = m.begin()
	} else { // its mark may have been before what we wait for
		if m.next == nil {
			m.next = &turn{over: make(chan struct{})}
		}
		t = m.next
	}
	m.mu.Unlock()
	select {
	case <-t.over:
		return
	default:
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-t.over:
	case <-m.done:
	case <-late.C:
		m.warn(errLate)
	}
}

var errLate = errors.New("the system's file watcher does not answer")

// begin marks this moment in the order of changes. The caller holds the lock.
func (m *marked) begin() *turn {
	t := m.next
	if t == nil {
		t = &turn{over: make(chan struct{})}
	}
	m.turn, m.next = t, nil
	m.mark.WriteAt([]byte{1}, 0)
	return t
}

// finish ends the turn whose mark has come back, and begins the next one.
func (m *marked) finish() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.turn == nil {
		return
	}
	close(m.turn.over)
	m.turn = nil
	if m.next != nil {
		m.begin()
	}
}
