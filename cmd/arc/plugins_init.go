package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"

	"arc/manifest"
	"arc/plugin"
)

//go:embed plugin.js
var pluginBoilerplate []byte

// initPlugin writes a plugin to start from.
func (s *session) initPlugin(name string) error {
	if !manifest.ValidPluginName(name) {
		return withHint(fmt.Errorf("--plugin %q: not the name of a plugin", name), "use letters, digits, and / - . _")
	}
	dir, err := projectDir()
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("project folder: %w", err)
	}
	p := &project{dir: dir, root: root}
	defer p.close()
	if !hasManifest(p.files()) {
		return noManifest(dir)
	}
	file := "src/plugins/" + name + ".js"
	if exists(p.root, file) {
		return withHint(errors.New(file+" is there already"), "give the plugin another name")
	}
	if err := s.writeNew(p, file, pluginBoilerplate); err != nil {
		return err
	}
	s.note("write %s below @plugins in the manifest, and arc check lists what it hooks into", name)
	return nil
}

// handlersByPlugins asks plugins for the first files of a function; ok is false
// when none writes any for its runtime.
func (s *session) handlersByPlugins(p *project, fn *manifest.Function) (files []plugin.Handler, ok bool, err error) {
	host := p.plugins.hosted()
	if host == nil {
		return nil, false, nil
	}
	files, ok, err = host.Handlers(s.context(), p.plugins.project, fn)
	if err != nil {
		return nil, true, s.diagnose(p, pluginErrors(p, err))
	}
	return files, ok, nil
}
