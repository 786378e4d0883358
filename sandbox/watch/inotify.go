//go:build linux

package watch

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"arc/sandbox/nonblock"
)

// inotify is Linux's notifier. What happens to a file is in its queue before the
// call that did it returns, so whoever wants to be up to date reads the queue
// himself: that is one system call, where a mark would have to come back through
// other goroutines.
// https://man7.org/linux/man-pages/man7/inotify.7.html
type inotify struct {
	*Watcher
	queue *os.File
	raw   syscall.RawConn

	reading sync.Mutex // held from reading events to having told of them
	buffer  [32 << 10]byte

	mu      sync.Mutex
	folders map[int32][]string // by watch: the names that a folder was added by
	watches map[string]int32   // the other way
}

// mask is what is noticed of a folder. Attributes are not: times and modes alone
// change no code.
const mask = syscall.IN_CREATE | syscall.IN_MODIFY | syscall.IN_MOVED_FROM | syscall.IN_MOVED_TO | syscall.IN_DELETE |
	syscall.IN_DELETE_SELF | syscall.IN_MOVE_SELF

// mostReads is how often the buffer is filled at most by one drain: more than the
// system queues (fs.inotify.max_queued_events, 16,384 by default).
const mostReads = 256

func begin(w *Watcher) (notifier, error) {
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	n := &inotify{Watcher: w, queue: os.NewFile(uintptr(fd), "inotify"), folders: map[int32][]string{}, watches: map[string]int32{}}
	if n.raw, err = n.queue.SyscallConn(); err != nil {
		n.queue.Close()
		return nil, err
	}
	// The function is called again each time that there is something to read;
	// the error is that of closing, which is how it ends.
	go n.raw.Read(func(fd uintptr) bool { return n.read(fd) })
	return n, nil
}

func (n *inotify) close() { n.queue.Close() }

func (n *inotify) drain() {
	n.raw.Control(func(fd uintptr) { n.read(fd) })
}

func (n *inotify) add(dir string) (err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if closed := n.raw.Control(func(fd uintptr) {
		var watch int
		if watch, err = syscall.InotifyAddWatch(int(fd), dir, mask); err != nil {
			return
		}
		if before, last := n.lose(dir); last && before != int32(watch) { // another folder had this name
			syscall.InotifyRmWatch(int(fd), uint32(before))
		}
		n.watches[dir] = int32(watch)
		n.folders[int32(watch)] = append(n.folders[int32(watch)], dir)
	}); closed != nil {
		return nil // nobody wants to know any more
	}
	return err
}

func (n *inotify) remove(dir string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if watch, last := n.lose(dir); last {
		n.raw.Control(func(fd uintptr) { syscall.InotifyRmWatch(int(fd), uint32(watch)) })
	}
}

// lose takes a name off its watch, and reports whether it was the only one. The
// caller holds the lock.
func (n *inotify) lose(dir string) (watch int32, last bool) {
	watch, known := n.watches[dir]
	if !known {
		return 0, false
	}
	delete(n.watches, dir)
	rest := slices.DeleteFunc(n.folders[watch], func(name string) bool { return name == dir })
	if len(rest) > 0 {
		n.folders[watch] = rest
		return watch, false
	}
	delete(n.folders, watch)
	return watch, true
}

// read takes all events that there are, and reports whether that is the end.
func (n *inotify) read(fd uintptr) bool {
	n.reading.Lock()
	defer n.reading.Unlock()
	some := false
	for range mostReads {
		size, err := nonblock.Read(fd, n.buffer[:])
		if size <= 0 {
			if some {
				n.tell()
			}
			return err != syscall.EAGAIN
		}
		some = true
		n.events(n.buffer[:size])
	}
	n.tell()
	return false
}

// events takes the events in a piece of the queue, which has whole ones alone: 16
// bytes, of which the last four say how long the name behind them is.
func (n *inotify) events(piece []byte) {
	for len(piece) >= syscall.SizeofInotifyEvent {
		watch, what := int32(binary.NativeEndian.Uint32(piece)), binary.NativeEndian.Uint32(piece[4:])
		end := syscall.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(piece[12:]))
		if end > len(piece) {
			return
		}
		name, _, _ := bytes.Cut(piece[syscall.SizeofInotifyEvent:end], []byte{0})
		n.event(watch, what, string(name))
		piece = piece[end:]
	}
}

func (n *inotify) event(watch int32, what uint32, name string) {
	if what&syscall.IN_Q_OVERFLOW != 0 {
		n.overflow()
		return
	}
	n.mu.Lock()
	folders := slices.Clone(n.folders[watch])
	if what&(syscall.IN_IGNORED|syscall.IN_MOVE_SELF) != 0 {
		// It is not there any more, or not by these names.
		for _, dir := range folders {
			n.lose(dir)
		}
		if what&syscall.IN_MOVE_SELF != 0 && len(folders) > 0 {
			n.raw.Control(func(fd uintptr) { syscall.InotifyRmWatch(int(fd), uint32(watch)) })
		}
	}
	n.mu.Unlock()
	if what&syscall.IN_IGNORED != 0 {
		return
	}
	came := what&(syscall.IN_CREATE|syscall.IN_MOVED_TO) != 0
	went := what&(syscall.IN_DELETE|syscall.IN_MOVED_FROM|syscall.IN_DELETE_SELF|syscall.IN_MOVE_SELF) != 0
	for _, dir := range folders {
		n.take(filepath.Join(dir, name), came, went)
	}
}
