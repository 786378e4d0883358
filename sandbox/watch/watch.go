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

	"github.com/fsnotify/fsnotify"
)

// Options are what a watcher needs from its surroundings.
type Options struct {
	// Root is the absolute folder, by its real name, that links are followed in.
	Root string
	// Scratch is an existing folder of the watcher's own, outside of all that it watches.
	Scratch string
	// Skip names folders that are not entered when a tree is watched.
	Skip func(name string) bool
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
	events  *fsnotify.Watcher // nil where there is none
	mark    *os.File          // written to by Drain; its event comes after all before it
	done    chan struct{}

	mu      sync.Mutex
	trees   map[string]bool   // folders that are watched with what comes below them
	wanted  map[string]bool   // folders that are watched by themselves
	polled  map[string]stamps // folders that are looked at
	aliases map[string]string // target of a link to a file → the link
	warned  map[string]bool
	turn    *turn // the Drain that is under way
	next    *turn // the one after it
	pending []string

	telling  sync.Mutex // held while changes are collected and told
	sweeping sync.Mutex // held while folders are looked at
}

// turn is a Drain that any number of callers wait for.
type turn struct{ over chan struct{} }

// patience is how long a mark may take to come back before a watcher counts as broken.
const patience = time.Second

// pollEvery is how often folders are looked at that cannot be watched.
const pollEvery = 500 * time.Millisecond

// New gives a watcher that watches nothing yet. Close it.
func New(options Options) *Watcher {
	w := &Watcher{
		options: options, done: make(chan struct{}), trees: map[string]bool{}, wanted: map[string]bool{},
		polled: map[string]stamps{}, aliases: map[string]string{}, warned: map[string]bool{},
	}
	events, err := fsnotify.NewBufferedWatcher(1 << 12)
	if err == nil {
		if w.mark, err = os.CreateTemp(options.Scratch, "mark-"); err == nil {
			err = events.Add(w.mark.Name())
		}
		if err != nil {
			events.Close()
		}
	}
	if err != nil {
		w.warn(err)
	} else {
		w.events = events
		go w.loop()
	}
	go w.poll()
	return w
}

// Close ends the watching.
func (w *Watcher) Close() {
	close(w.done)
	if w.events != nil {
		w.events.Close()
	}
	if w.mark != nil {
		w.mark.Close()
		os.Remove(w.mark.Name())
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
		case name != real && w.options.Skip(d.Name()):
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
	case w.options.Skip(filepath.Base(target)):
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
		err = w.events.Add(dir)
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

// loop takes events until the watcher is closed.
func (w *Watcher) loop() {
	for {
		select {
		case e, ok := <-w.events.Events:
			if !ok {
				return
			}
			w.take(e)
		case err, ok := <-w.events.Errors:
			if !ok {
				return
			}
			w.overflow(err)
		}
	}
}

// overflow is for events that were lost: everything counts as changed, and what
// came meanwhile is watched.
func (w *Watcher) overflow(err error) {
	if !errors.Is(err, fsnotify.ErrEventOverflow) {
		w.warn(err)
	}
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
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.turn != nil { // its mark may be among what was lost
		w.mark.WriteAt([]byte{1}, 0)
	}
}

func (w *Watcher) take(e fsnotify.Event) {
	switch {
	case e.Name == w.mark.Name():
		if e.Has(fsnotify.Write) {
			w.tell()
			w.finish()
		}
		return
	case e.Op == fsnotify.Chmod:
	default:
		if e.Has(fsnotify.Create) {
			w.created(e.Name)
		}
		if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
			w.forget(e.Name)
		}
		w.note(e.Name)
	}
	if len(w.events.Events) == 0 {
		w.tell()
	}
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
	case !inTree || w.options.Skip(filepath.Base(name)):
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
			w.events.Remove(dir) // gone with the folder, unless it was moved
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
	if w.events == nil {
		return
	}
	w.mu.Lock()
	t := w.turn
	if t == nil {
		t = w.begin()
	} else { // its mark may have been before what we wait for
		if w.next == nil {
			w.next = &turn{over: make(chan struct{})}
		}
		t = w.next
	}
	w.mu.Unlock()
	select {
	case <-t.over:
		return
	default:
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-t.over:
	case <-w.done:
	case <-late.C:
		w.warn(errLate)
	}
}

var errLate = errors.New("the system's file watcher does not answer")

// begin marks this moment in the order of changes. The caller holds the lock.
func (w *Watcher) begin() *turn {
	t := w.next
	if t == nil {
		t = &turn{over: make(chan struct{})}
	}
	w.turn, w.next = t, nil
	w.mark.WriteAt([]byte{1}, 0)
	return t
}

// finish ends the turn whose mark has come back, and begins the next one.
func (w *Watcher) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.turn == nil {
		return
	}
	close(w.turn.over)
	w.turn = nil
	if w.next != nil {
		w.begin()
	}
}
