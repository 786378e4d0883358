package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"arc/manifest"
	"arc/sandbox"

	"github.com/fsnotify/fsnotify"
)

// Editors and git write many files at once, so changes are handled together:
// when nothing more has come for settle, or after patience at the latest, since
// something in the project may be written to all the time.
const (
	settle   = 50 * time.Millisecond
	patience = 250 * time.Millisecond
)

// newWatch starts to notice changes below the project. It is made before the
// app is up, so that nothing saved in between is missed. Where the system
// refuses to watch, that is said once and the app runs all the same.
func (s *session) newWatch(p *project, local *sandbox.Cloud, apply func() error) *liveWatch {
	w := &liveWatch{session: s, project: p, cloud: local, apply: apply}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		s.note("%s changes are not noticed: %v", s.paint(yellow, "warning:"), err)
		watcher = &fsnotify.Watcher{} // its channels are nil: nothing ever comes
	}
	w.watcher = watcher
	if err == nil {
		w.add(p.dir)
	}
	return w
}

// liveWatch keeps a running app up to date. A changed file retires the workers
// of the functions it belongs to; a changed manifest, config or preferences
// file is read again and applied, or, when it has mistakes, reported while the
// app goes on as it was.
type liveWatch struct {
	*session
	project *project
	cloud   *sandbox.Cloud
	apply   func() error
	watcher *fsnotify.Watcher
	warned  bool
}

// add watches a folder and those below it; fsnotify does not by itself.
func (w *liveWatch) add(dir string) {
	filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil // gone again, or a file
		}
		if base := d.Name(); name != w.project.dir && (base == "node_modules" || base == "vendor" || base == ".git" || base == "__pycache__") {
			return filepath.SkipDir
		}
		if err := w.watcher.Add(name); err != nil && !w.warned {
			w.warned = true
			w.note("%s changes below %s are not noticed: %v", w.paint(yellow, "warning:"), name, err)
		}
		return nil
	})
}

// loop handles changes until ctx or the cloud ends.
func (w *liveWatch) loop(ctx context.Context) error {
	changed := map[string]bool{}
	var first time.Time // of the changes that wait
	quiet := time.NewTimer(time.Hour)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.cloud.Done():
			return nil
		case e, ok := <-w.watcher.Events:
			if !ok {
				return nil
			}
			if e.Op == fsnotify.Chmod {
				continue
			}
			if info, err := os.Stat(e.Name); err == nil && info.IsDir() {
				w.add(e.Name)
			}
			if rel, err := filepath.Rel(w.project.dir, e.Name); err == nil {
				if len(changed) == 0 {
					first = time.Now()
				}
				changed[filepath.ToSlash(rel)] = true
				quiet.Reset(min(settle, max(0, patience-time.Since(first))))
			}
		case err, ok := <-w.watcher.Errors:
			if ok && err != nil {
				w.note("%s file watcher: %v", w.paint(yellow, "warning:"), err)
			}
		case <-quiet.C:
			w.handle(changed)
			changed = map[string]bool{}
		}
	}
}

// handle brings the app up to date with changed files (slash paths): all that
// they bring about, whatever else changed in the same moment. Workers go first,
// so that what is applied meets the code as it is now.
func (w *liveWatch) handle(changed map[string]bool) {
	w.cloud.Changed(func(fn sandbox.LiveFunction) bool {
		for name := range changed {
			file := w.project.path(name)
			if fn.Code.Reads(file) {
				return true
			}
			for _, dir := range []string{fn.Dir, fn.Shared, fn.Views} {
				if dir != "" && within(file, dir) {
					return true
				}
			}
		}
		return false
	})
	for name := range changed {
		if manifest.Reads(name) {
			w.reload()
			return
		}
	}
}

func within(file, dir string) bool {
	return file == dir || strings.HasPrefix(file, dir+string(filepath.Separator))
}

// reload reads the manifest again and applies it. Mistakes are printed; the
// app that runs stays as it is.
func (w *liveWatch) reload() {
	err := w.read(w.project)
	if err == nil {
		err = w.apply()
	}
	var printed exitCode
	switch {
	case err == nil:
		w.note("%s the manifest's changes", w.paint(green, "applied"))
	case errors.As(err, &printed):
		w.note("the app goes on as it was")
	default:
		w.report(err)
	}
}
