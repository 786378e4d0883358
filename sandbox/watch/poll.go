package watch

import (
	"os"
	"path/filepath"
	"time"
)

// stamps are the entries of a folder as they were when it was looked at.
type stamps map[string]stamp

type stamp struct {
	size     int64
	mode     os.FileMode
	modified time.Time
	target   string // of a link to a folder
}

// look reads a folder; nil when it cannot be read.
func look(dir string) stamps {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	found := make(stamps, len(entries))
	for _, e := range entries {
		if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil { // a link counts as what it leads to
			found[e.Name()] = stamp{size: info.Size(), mode: info.Mode(), modified: info.ModTime()}
			if info.IsDir() {
				target, _ := os.Readlink(filepath.Join(dir, e.Name()))
				found[e.Name()] = stamp{mode: info.Mode(), target: target} // it is looked at itself
			}
		}
	}
	return found
}

// poll looks at folders that cannot be watched, until the watcher is closed.
func (w *Watcher) poll() {
	ticks := time.NewTicker(pollEvery)
	defer ticks.Stop()
	for {
		select {
		case <-w.done:
			return
		case <-ticks.C:
			w.sweep()
		}
	}
}

// sweep looks at all folders that cannot be watched, and tells what has changed.
func (w *Watcher) sweep() {
	w.sweeping.Lock() // who comes second waits for what the first has found to be told
	defer w.sweeping.Unlock()
	w.mu.Lock()
	if len(w.polled) == 0 {
		w.mu.Unlock()
		return
	}
	before := make(map[string]stamps, len(w.polled))
	for dir, was := range w.polled {
		before[dir] = was
	}
	w.mu.Unlock()
	var came []string
	for dir, was := range before {
		is := look(dir)
		for name, s := range is {
			if old, known := was[name]; !known || old != s {
				w.note(filepath.Join(dir, name))
				if s.mode.IsDir() {
					came = append(came, filepath.Join(dir, name))
				}
			}
		}
		for name := range was {
			if _, still := is[name]; !still {
				w.note(filepath.Join(dir, name))
			}
		}
		w.mu.Lock()
		if is == nil && !w.wanted[dir] {
			delete(w.polled, dir) // gone
			delete(w.trees, dir)
		} else {
			w.polled[dir] = is
		}
		w.mu.Unlock()
	}
	for _, dir := range came {
		w.created(dir)
	}
	w.tell()
}
