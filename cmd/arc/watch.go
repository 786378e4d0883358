package main

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"arc/manifest"
	"arc/sandbox"
	"arc/sandbox/watch"
)

// Editors and git write many files at once, so a manifest is read again when
// nothing more has come for settle, or after patience at the latest, since
// something in the project may be written to all the time. Code needs no such
// wait: whoever calls a function gets it as it is on the disk.
const (
	settle   = 50 * time.Millisecond
	patience = 250 * time.Millisecond
)

// liveWatch keeps a running app up to date. A changed file retires the workers
// of the functions that it belongs to, at the latest before their next call; a
// changed manifest, config or preferences file is read again and applied, or,
// when it has mistakes, reported while the app goes on as it was.
type liveWatch struct {
	*session
	project *project
	cloud   *sandbox.Cloud
	apply   func() error
	watcher *watch.Watcher
	changes chan []string                     // to the loop
	told    struct{ began, before time.Time } // when plugins were told of changes
	known   knownFiles                        // that plugins are told of; nil = none wants to be told
	code    liveCode
	stands  manifest.Result // the project as it stood when it was last read
	sets    []manifest.Set  // what plugins set then
}

// newWatch starts to notice changes below the project. It is made before the
// app is up, so that nothing saved in between is missed.
func (s *session) newWatch(p *project, local *sandbox.Cloud, apply func() error) *liveWatch {
	w := &liveWatch{session: s, project: p, cloud: local, apply: apply, changes: make(chan []string, 1)}
	w.watcher = watch.New(watch.Options{
		Root:    repositoryOf(p.dir),
		Scratch: local.Scratch(),
		Skip:    notEntered(p),
		Changed: w.changed,
		Warn:    func(text string) { s.note("%s %s", s.paint(yellow, "warning:"), text) },
	})
	w.code.began = time.Now()
	w.lookAgain()
	w.watcher.Tree(p.dir)
	local.BeforeCalls(w.fresh)
	return w
}

// notEntered tells the folders of a project that nobody but tools writes to. What
// browsers get is the user's own, as public/vendor.
func notEntered(p *project) func(dir string) bool {
	static := ""
	if p.app.Static != nil {
		static = realPath(p.path(p.app.Static.Folder))
	}
	return func(dir string) bool {
		name := filepath.Base(dir)
		return isInstalled(name) && !(name == "vendor" && static != "" && within(dir, static))
	}
}

// isInstalled tells folders that others than the user write to. Of what is
// installed, the packages that functions import are watched one by one.
func isInstalled(name string) bool {
	switch name {
	case "node_modules", "vendor", ".git", "__pycache__":
		return true
	}
	return false
}

// changed retires the workers of functions that files belong to (absolute
// paths), and leaves the rest to the loop.
func (w *liveWatch) changed(paths []string) {
	w.cloud.Changed(func(fn sandbox.LiveFunction) bool { return w.code.touched(fn, paths) })
	select {
	case w.changes <- paths:
	case earlier := <-w.changes: // the loop is busy
		w.changes <- append(earlier, paths...)
	}
}

// fresh sees to it that a function is not older than its files when it is called.
func (w *liveWatch) fresh(fn sandbox.LiveFunction) {
	w.watcher.Drain()
	if w.code.changedOnDisk(fn) || fn.Code != nil && w.code.rebuilt(fn) && w.followOne(fn) {
		w.cloud.Changed(func(other sandbox.LiveFunction) bool { return other == fn })
	}
}

// loop handles changes until ctx or the cloud ends.
func (w *liveWatch) loop(ctx context.Context) error {
	defer w.watcher.Close()
	defer w.cloud.BeforeCalls(func(sandbox.LiveFunction) {})
	if !reflect.DeepEqual(w.asItStands().Sources, w.project.sources) {
		w.reload(ctx) // saved after it was read, and before it was watched
	}
	w.follow(nil)
	w.knowFiles()
	var changed []string
	var first time.Time // of the changes that wait
	quiet := time.NewTimer(time.Hour)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.cloud.Done():
			return nil
		case paths := <-w.changes:
			if len(changed) == 0 {
				first = time.Now()
			}
			changed = append(changed, paths...)
			quiet.Reset(min(settle, max(0, patience-time.Since(first))))
		case <-quiet.C:
			w.handle(ctx, changed)
			changed = nil
		}
	}
}

// handle brings the app up to date with changed files: all that they bring
// about, whatever else changed in the same moment.
func (w *liveWatch) handle(ctx context.Context, changed []string) {
	defer w.pages(changed)
	if w.concernsManifest(changed) {
		w.reload(ctx)
		w.follow(nil)
		w.knowFiles()
		return
	}
	w.follow(changed)
	w.published(changed)
	w.watchPlugins(ctx, changed)
}

// concernsManifest reports whether the manifest is to be read again because of
// what has changed: one of the files that it is read from, or a file or folder that
// it is looked for whether it is there, as index.ts or src/shared.
func (w *liveWatch) concernsManifest(changed []string) bool {
	looked := false
	for _, file := range changed {
		name, err := filepath.Rel(w.project.dir, file)
		if err == nil && (name == "." || manifest.Reads(filepath.ToSlash(name))) || w.isPlugin(file) {
			return true
		}
		looked = looked || w.isLookedAt(file)
	}
	if !looked {
		return false
	}
	stands := w.asItStands()
	return !reflect.DeepEqual(stands.App, w.stands.App) || !slices.Equal(stands.Diagnostics, w.stands.Diagnostics)
}

// isLookedAt reports whether a file stands in a function's folder, or a folder of
// that name holds one, or what functions share.
func (w *liveWatch) isLookedAt(file string) bool {
	folders := []string{"src/shared", "src/views"}
	for _, fn := range w.project.app.Functions() {
		folders = append(folders, fn.Dir)
	}
	return slices.ContainsFunc(folders, func(folder string) bool {
		dir := w.project.path(folder)
		real := realPath(dir)
		return filepath.Dir(file) == dir || within(dir, file) || filepath.Dir(file) == real || within(real, file)
	})
}

// realPath is a path without links, whether there is something or not.
func realPath(name string) string {
	real, err := filepath.EvalSymlinks(name)
	if dir := filepath.Dir(name); err != nil && dir != name {
		return filepath.Join(realPath(dir), filepath.Base(name))
	}
	return real
}

// lookAgain keeps how the project stands.
func (w *liveWatch) lookAgain() {
	w.sets = nil
	if w.project.plugins != nil {
		w.sets = w.project.plugins.sets
	}
	w.stands = w.asItStands()
}

// asItStands reads the project without saying anything.
func (w *liveWatch) asItStands() manifest.Result {
	opts := w.manifestOptions()
	opts.Above, opts.Set = manifestAbove(w.project.dir), w.sets
	return manifest.Load(w.project.files(), opts)
}

// published brings static.json up to date with changed static files, and retires the
// functions that have it.
func (w *liveWatch) published(changed []string) {
	st := w.project.app.Static
	if st == nil || st.Fingerprint != "true" || !slices.ContainsFunc(changed, func(file string) bool { return within(file, w.project.path(st.Folder)) }) {
		return
	}
	file, _, err := w.project.liveManifest(w.cloud.Scratch())
	switch {
	case err != nil:
		w.report(err)
	case file != "":
		w.cloud.Changed(func(fn sandbox.LiveFunction) bool { return fn.Code.Reads(file) })
	}
}

// pages has open pages reload when what changed may show in them. What a
// function writes elsewhere must not: a page whose function writes would reload
// for ever.
func (w *liveWatch) pages(changed []string) {
	shows := false
	for _, file := range changed {
		name, err := filepath.Rel(w.project.dir, file)
		shows = shows || err == nil && manifest.Reads(filepath.ToSlash(name)) ||
			w.project.app.Static != nil && within(file, w.project.path(w.project.app.Static.Folder))
	}
	for _, fn := range w.cloud.LiveFunctions() {
		shows = shows || w.code.touched(fn, changed)
	}
	if shows {
		w.cloud.Saved()
	}
}

func within(file, dir string) bool {
	return file == dir || strings.HasPrefix(file, dir+string(filepath.Separator))
}

// reload reads the manifest again and applies it. Mistakes are printed; the
// app that runs stays as it is.
func (w *liveWatch) reload(ctx context.Context) {
	defer w.processors.whole()()
	w.lookAgain() // before it is read, so that nothing written meanwhile is missed
	before, plugins := w.project.app, w.project.plugins
	w.project.plugins = nil
	err := w.read(w.project)
	if err != nil {
		w.project.plugins.close()
		w.project.plugins = plugins // they go on with the app
	} else {
		w.endPlugins(ctx, plugins)
	}
	if err == nil && before.File != "" && w.project.app.File == "" {
		// Without one it would be another app, a static site.
		w.project.app = before
		w.note("%s is gone: the app goes on as it was", before.File)
		return
	}
	if err == nil {
		err = w.apply()
	}
	if err == nil {
		w.startSandboxPlugins(ctx, w.project, w.cloud)
	}
	var printed exitCode
	switch {
	case err == nil:
		w.note("%s the manifest's changes", w.paint(green, "applied"))
	case w.cloud.Stopping():
	case errors.As(err, &printed):
		w.note("the app goes on as it was")
	default:
		w.report(err)
	}
}
