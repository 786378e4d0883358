// Package watch notices files that change. What has changed before a moment can
// be waited for (Drain), so that nobody acts on less than what is on the disk.
// Where the system does not notice changes, files are looked at instead.
package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Options are what a watcher needs from its surroundings.
type Options struct {
	// Root is the absolute folder, by its real name, that links are followed in.
	Root string
	// Scratch is an existing folder of the watcher's own, outside of all that it watches.
	Scratch string
	// Skip tells folders that are not entered when a tree is watched, by their paths.
	Skip func(dir string) bool
	// Changed takes what has changed: absolute paths, by their real names and by
	// those of links to them. It is called from one goroutine at a time; what is
	// in it counts as told when it returns.
	Changed func(paths []string)
	// Warn takes a sentence about what is not noticed, and what can be done.
	Warn func(text string)
}

// Watcher watches folders.
type Watcher struct {
	options Options
	events  notifier // nil where there is none
	done    chan struct{}

	mu      sync.Mutex
	trees   map[string]bool   // folders that are watched with what comes below them
	wanted  map[string]bool   // folders that are watched by themselves
	polled  map[string]stamps // folders that are looked at
	aliases map[string]string // target of a link to a file → the link
	warned  map[string]bool
	pending []string

	telling  sync.Mutex // held while changes are collected and told
	sweeping sync.Mutex // held while folders are looked at
}

// notifier is what the system tells changes by. It calls take for each, tell when
// there is none more for the moment, and overflow when some were lost.
type notifier interface {
	add(dir string) error
	remove(dir string)
	// drain returns when all that was written before has been taken and told.
	drain()
	close()
}

// pollEvery is how often folders are looked at that cannot be watched.
const pollEvery = 500 * time.Millisecond

// New gives a watcher that watches nothing yet. Close it.
func New(options Options) *Watcher { return start(options, begin) }

func start(options Options, begin func(*Watcher) (notifier, error)) *Watcher {
	w := &Watcher{
		options: options, done: make(chan struct{}), trees: map[string]bool{}, wanted: map[string]bool{},
		polled: map[string]stamps{}, aliases: map[string]string{}, warned: map[string]bool{},
	}
	var err error
	if w.events, err = begin(w); err != nil {
		w.events = nil
		w.warn(err)
	}
	go w.poll()
	return w
}

// Close ends the watching.
func (w *Watcher) Close() {
	close(w.done)
	if w.events != nil {
		w.events.close()
	}
}

// warn says, once for each reason, why changes are not noticed by the system,
// and which setting helps.
func (w *Watcher) warn(err error) {
	text, remedy := err.Error(), ""
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		text, remedy = "the system has no file watcher left", "; on Linux: sudo sysctl fs.inotify.max_user_instances=1024"
	case errors.Is(err, syscall.ENOSPC):
		text, remedy = "the system watches no more folders", "; on Linux: sudo sysctl fs.inotify.max_user_watches=524288"
	}
	w.mu.Lock()
	said := w.warned[text]
	w.warned[text] = true
	w.mu.Unlock()
	if !said {
		w.options.Warn(fmt.Sprintf("%s: files are looked at instead, at every call and every half second%s", text, remedy))
	}
}

// Tree watches a folder and all below it, and what will be there. Links to
// files and folders inside the root are followed.
func (w *Watcher) Tree(dir string) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return // gone again
	}
	filepath.WalkDir(real, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			w.link(name)
			return nil
		case !d.IsDir():
			return nil
		case name != real && w.options.Skip(name):
			return filepath.SkipDir
		}
		w.mu.Lock()
		known := w.trees[name]
		w.trees[name] = true
		w.mu.Unlock()
		if known && name != real {
			return filepath.SkipDir // of a link that leads around, or watched already
		}
		w.add(name)
		return nil
	})
}

// link follows a link to what it leads to inside the root.
func (w *Watcher) link(name string) {
	target, err := filepath.EvalSymlinks(name)
	if err != nil || !within(target, w.options.Root) {
		return
	}
	info, err := os.Stat(target)
	switch {
	case err != nil:
	case !info.IsDir():
		w.mu.Lock()
		w.aliases[target] = name
		w.mu.Unlock()
		w.Folder(filepath.Dir(target))
	case w.options.Skip(target):
	default:
		w.mu.Lock()
		known := w.trees[target]
		w.mu.Unlock()
		if !known {
			w.Tree(target)
		}
	}
}

// Folder watches the files of one folder.
func (w *Watcher) Folder(dir string) {
	w.mu.Lock()
	known := w.wanted[dir] || w.trees[dir]
	w.wanted[dir] = true
	w.mu.Unlock()
	if !known {
		w.add(dir)
	}
}

func (w *Watcher) add(dir string) {
	err := errNone
	if w.events != nil {
		err = w.events.add(dir)
	}
	if err == nil {
		return
	}
	if errors.Is(err, fs.ErrNotExist) {
		return // its coming is noticed
	}
	if err != errNone {
		w.warn(err)
	}
	found := look(dir)
	w.mu.Lock()
	if _, known := w.polled[dir]; !known {
		w.polled[dir] = found
	}
	w.mu.Unlock()
}

var errNone = errors.New("no watcher")

func within(file, dir string) bool {
	return file == dir || strings.HasPrefix(file, dir+string(filepath.Separator))
}

// overflow is for events that were lost: everything counts as changed, and what
// came meanwhile is watched.
func (w *Watcher) overflow() {
	w.mu.Lock()
	var folders []string
	for dir := range w.trees {
		folders = append(folders, dir)
	}
	w.mu.Unlock()
	for _, dir := range folders {
		w.Tree(dir)
	}
	w.note(w.options.Root)
	w.tell()
}

// take notes that a file or folder has come, has gone, or was written to.
func (w *Watcher) take(name string, came, went bool) {
	if came {
		w.created(name)
	}
	if went {
		w.forget(name)
	}
	w.note(name)
}

// created watches a folder that has come, if it is to be.
func (w *Watcher) created(name string) {
	info, err := os.Lstat(name)
	if err != nil || !info.IsDir() && info.Mode()&fs.ModeSymlink == 0 {
		return
	}
	w.mu.Lock()
	inTree := w.trees[filepath.Dir(name)]
	var again []string
	for dir := range w.wanted {
		if within(dir, name) {
			again = append(again, dir)
		}
	}
	w.mu.Unlock()
	switch {
	case !inTree || w.options.Skip(name):
	case info.IsDir():
		w.Tree(name)
	default:
		w.link(name)
	}
	for _, dir := range again {
		w.add(dir)
	}
}

// forget takes a folder that has gone, and those below it, off the list.
func (w *Watcher) forget(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.trees[name] && !w.wanted[name] {
		return
	}
	for dir := range w.trees {
		if within(dir, name) {
			delete(w.trees, dir)
			w.events.remove(dir) // gone with the folder, unless it was moved
		}
	}
}

// note keeps a change until it is told.
func (w *Watcher) note(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending = append(w.pending, name)
	if link := w.aliases[name]; link != "" {
		w.pending = append(w.pending, link)
	}
}

// tell hands on what has changed.
func (w *Watcher) tell() {
	w.telling.Lock()
	defer w.telling.Unlock()
	w.mu.Lock()
	paths := w.pending
	w.pending = nil
	w.mu.Unlock()
	if len(paths) > 0 {
		w.options.Changed(paths)
	}
}

// Drain returns when all that was written before the call has been told, or
// when the watcher is closed.
func (w *Watcher) Drain() {
	w.sweep()
	if w.events != nil {
		w.events.drain()
	}
}
