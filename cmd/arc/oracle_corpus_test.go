package main

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"arc/manifest"
	"arc/manifest/syntax"
	"arc/plugin"

	"golang.org/x/sync/errgroup"
)

// TestCorpusPlugins reads every public manifest that names plugins or macros as
// arc reads a project, and counts what becomes of it. Of the projects nothing but
// the manifest is there: one whose plugin is missing counts as accepted when the
// message says exactly which package to install, and as unknown when the plugin
// is a file of the project's own. make oracle runs it, for it starts Node some 500
// times.
func TestCorpusPlugins(t *testing.T) {
	if os.Getenv("ARC_ORACLE") == "" {
		t.Skip("ARC_ORACLE is not set; make oracle sets it")
	}
	files, err := filepath.Glob("../../../shared/corpus/files/*")
	if err != nil || len(files) == 0 {
		t.Skip("the corpus is not there: ../shared/corpus")
	}
	tally := map[string]int{}
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(2)
	for _, file := range files {
		group.Go(func() error {
			src, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			verdicts := corpusVerdicts(t, file, src)
			mu.Lock()
			defer mu.Unlock()
			for _, verdict := range verdicts {
				tally[verdict]++
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, what := range slices.Sorted(maps.Keys(tally)) {
		t.Logf("%5d %s", tally[what], what)
	}
	if after := tally["after: accepted"]; after < acceptedManifests {
		t.Errorf("%d manifests with plugins are accepted, where %d were", after, acceptedManifests)
	}
}

// acceptedManifests are how many were accepted when this was last looked at.
const acceptedManifests = 436

// namesPlugins tells manifests that name plugins or macros, in any of their forms.
var namesPlugins = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?m)^\s*["']?@?(plugins|macros)\b`) })

// corpusVerdicts says what becomes of a manifest, before plugins ran and now; nil
// = it names none.
func corpusVerdicts(t *testing.T, file string, src []byte) []string {
	_, name, _ := strings.Cut(filepath.Base(file), "__")
	if !namesPlugins().Match(src) {
		return nil
	}
	dir, err := os.MkdirTemp(t.TempDir(), "project-")
	if err != nil {
		t.Error(err)
		return nil
	}
	if err := os.WriteFile(filepath.Join(dir, name), src, 0o666); err != nil {
		t.Error(err)
		return nil
	}
	alone := manifest.Load(os.DirFS(dir), manifest.Options{})
	verdicts := []string{"with plugins or macros", "before: refused"}
	if alone.App == nil {
		return append(verdicts, "after: refused: it has no meaning without them either")
	}
	if len(alone.App.Plugins) == 0 {
		return nil
	}
	if !alone.Diagnostics.HasErrors() {
		verdicts = append(verdicts, "before: refused for nothing but its plugins")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Error(err)
		return nil
	}
	s := &session{ctx: t.Context(), stdout: io.Discard, stderr: io.Discard, env: func(string) string { return "" }, deployStage: "staging"}
	p := &project{dir: dir, root: root}
	defer p.close()
	result, err := s.load(p)
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return nil
	}
	refs := map[syntax.Pos]plugin.Ref{}
	for _, ref := range plugin.Refs(alone.App) {
		refs[ref.Pos] = ref
	}
	verdict := "after: accepted"
	for _, d := range result.Diagnostics {
		ref, named := refs[d.Pos]
		switch {
		case d.Severity != syntax.Error:
		case d.Code != "plugin-missing" || !named:
			t.Logf("%s: %s", filepath.Base(file), d.Message)
			return append(verdicts, "after: refused: "+d.Code)
		case ref.Src != "":
			verdict = "after: unknown, for a file of the project's own is not in the corpus"
		case d.Hint != "npm install "+ref.Install() && !strings.HasPrefix(d.Hint, "npm install "+ref.Install()+", or write "):
			return append(verdicts, "after: refused, and the message does not say what to install")
		}
	}
	return append(verdicts, verdict)
}
