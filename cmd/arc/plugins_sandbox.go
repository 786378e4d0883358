package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"arc/deploy"
	"arc/plugin"
	"arc/sandbox"
)

// pluginPatience is how long plugins have to end when the sandbox does.
const pluginPatience = 5 * time.Second

// startSandboxPlugins runs sandbox.start. A plugin that fails is told of, and the
// app runs.
func (s *session) startSandboxPlugins(ctx context.Context, p *project, local *sandbox.Cloud) {
	host := p.plugins.hosted()
	if host == nil {
		return
	}
	p.invoke = s.pluginInvoke(p, local)
	s.sandboxHook(ctx, p, "sandbox.start", plugin.Change{})
}

// endSandboxPlugins runs sandbox.end, though the program is about to end.
func (s *session) endSandboxPlugins(ctx context.Context, p *project) {
	if len(p.plugins.hosted().With("sandbox.end")) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pluginPatience)
	defer cancel()
	s.sandboxHook(ctx, p, "sandbox.end", plugin.Change{})
}

func (s *session) sandboxHook(ctx context.Context, p *project, hook string, change plugin.Change) {
	err := p.plugins.host.Sandbox(ctx, p.plugins.project, hook, p.pluginEnvironment(), change)
	if err == nil || ctx.Err() != nil {
		return
	}
	// What is wrong with a plugin keeps no app from running.
	ds, rest := pluginMistakes(err)
	_ = s.diagnose(p, ds)
	if rest != nil {
		s.note("%s %v", s.paint(yellow, "warning:"), rest)
	}
}

// pluginEnvironment is what plugins find in their environment while they run
// with the sandbox: what they have set themselves.
func (p *project) pluginEnvironment() map[string]string {
	variables := map[string]string{"ARC_ENV": "testing", "ARC_APP_NAME": p.app.Name}
	for _, v := range p.app.Set["testing"] {
		variables[v.Name] = v.Value
	}
	return variables
}

// pluginInvoke calls functions of the app that runs, for plugins.
func (s *session) pluginInvoke(p *project, local *sandbox.Cloud) plugin.Invoke {
	return func(ctx context.Context, pragma, name string, payload json.RawMessage) (json.RawMessage, error) {
		clients, err := deploy.Connect(ctx, deploy.ConnectOptions{Region: p.app.AWS.Region, Endpoint: local.Running().Endpoint, Cloud: local.Running().ID()})
		if err != nil {
			return nil, err
		}
		fn, err := findFunction(p.compiled.Functions, pragma+"/"+name)
		if err != nil {
			return nil, fmt.Errorf("cannot find Lambda to invoke: @%s %s", pragma, name)
		}
		physical, err := clients.FindFunction(ctx, p.compiled.Name, fn.LogicalID)
		if err != nil {
			return nil, err
		}
		done, err := clients.Invoker.Invoke(ctx, physical, payload)
		if err != nil {
			return nil, err
		}
		s.note("a plugin invoked %s", describeFunction(fn))
		if done.Failed == "" {
			return done.Payload, nil
		}
		var own struct {
			ErrorType, ErrorMessage string
			Trace                   []string `json:"trace"`
			StackTrace              []string `json:"stackTrace"`
		}
		_ = json.Unmarshal(done.Payload, &own) // whatever it says, it has failed
		if own.ErrorMessage == "" {
			own.ErrorMessage = done.Failed
		}
		return nil, &plugin.InvokeError{Type: own.ErrorType, Message: own.ErrorMessage, Stack: strings.Join(append(own.Trace, own.StackTrace...), "\n")}
	}
}

// watchPlugins tells plugins of files that are new, were saved or are gone, but of
// none that one of them wrote while it was told: it would be told for ever.
func (w *liveWatch) watchPlugins(ctx context.Context, changed []string) {
	if w.known == nil {
		return
	}
	began := time.Now()
	for _, change := range w.known.changes(changed) {
		if info, err := os.Stat(change.File); err == nil && !w.told.before.IsZero() && info.ModTime().After(w.told.began) && info.ModTime().Before(w.told.before) {
			continue
		}
		w.sandboxHook(ctx, w.project, "sandbox.watcher", change)
	}
	w.told.began, w.told.before = began, time.Now()
}

// knowFiles notes which files there are, so that one that comes is told from one
// that was saved again.
func (w *liveWatch) knowFiles() {
	w.known = nil
	if len(w.project.plugins.hosted().With("sandbox.watcher")) > 0 {
		w.known = knownFiles{}
		w.known.enter(w.project.dir)
	}
}

// knownFiles are the files of a project, by their absolute paths, without what
// others install or write there.
type knownFiles map[string]bool

// enter adds the files of a folder, or one file, and gives those that were not
// known, in the order of their names.
func (k knownFiles) enter(at string) []string {
	var added []string
	_ = filepath.WalkDir(at, func(name string, d fs.DirEntry, err error) error { // what cannot be read is not there
		switch {
		case err != nil:
			return nil
		case d.IsDir() && name != at && isInstalled(d.Name()):
			return filepath.SkipDir
		case !d.IsDir() && !k[name]:
			k[name] = true
			added = append(added, name)
		}
		return nil
	})
	return added
}

// changes says what became of paths where something has changed: folders stand
// for the files in them. What came and went in between is nothing.
func (k knownFiles) changes(paths []string) []plugin.Change {
	var list []plugin.Change
	for _, at := range slices.Compact(slices.Sorted(slices.Values(paths))) {
		info, err := os.Stat(at)
		if err == nil && !info.IsDir() && k[at] {
			list = append(list, plugin.Change{File: at, Event: "update"})
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(k)) {
			if !within(name, at) {
				continue
			}
			if info, err := os.Stat(name); err != nil || info.IsDir() {
				delete(k, name)
				list = append(list, plugin.Change{File: name, Event: "remove"})
			}
		}
		if err == nil {
			for _, name := range k.enter(at) {
				list = append(list, plugin.Change{File: name, Event: "add"})
			}
		}
	}
	return list
}

// isPlugin tells files that plugins are made of: they are loaded anew.
func (w *liveWatch) isPlugin(file string) bool {
	host := w.project.plugins.hosted()
	if host == nil {
		return false
	}
	for _, own := range []string{"src/plugins", "src/macros"} {
		if within(file, filepath.Join(w.project.dir, filepath.FromSlash(own))) {
			return true
		}
	}
	for _, p := range host.Plugins {
		if p.File == file {
			return true
		}
	}
	return false
}

// endPlugins ends plugins that others take the place of.
func (w *liveWatch) endPlugins(ctx context.Context, old *plugins) {
	if old == nil {
		return
	}
	now := w.project.plugins
	w.project.plugins = old
	w.endSandboxPlugins(ctx, w.project)
	w.project.plugins = now
	old.close()
}
