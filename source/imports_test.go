package source

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

func TestImports(t *testing.T) {
	for _, test := range []struct{ src, want string }{
		{`import 'a'`, "a"},
		{`import a from "a"; import {b as c, default as d} from 'b'; import * as e from 'e'; import f, {g} from 'f'`, "a b e f"},
		{"import{a}from'a'\nexport{b}from'b';export*from'c'\nexport * as d from \"d\"", "a b c d"},
		{"import {\n  a, // from 'no'\n  b, /* from 'no' */\n} from\n'a'", "a"},
		{`import a from 'a' with { type: 'json' }`, "a"},
		{`export { a }; import 'b'`, "b"},
		{`export { a }
const b = x.from('no')`, ""},
		{`export const a = require('a'); export default import('b')`, "a b"},
		{"await import('a'); import(`b`); import('c', {}); import(x); import('d' + x); import(`e${x}`)", "a b c"},
		{`import.meta.url; import.meta.resolve('no')`, ""},
		{`require('a'); require("b").c; require ( 'd' ); require.resolve('e'); require(x); require('f' + g); x.require('no'); module.require('h')`, "a b d e h"},
		{`x = {...require('a'), ...require("b")}; obj?.import('no')`, "a b"},
		{`import type { A } from 'no'; import type B from 'no'; import type * as C from 'no'; export type { D } from 'no'; export type * from 'no'`, ""},
		{`import type from 'a'; import type, { B } from 'b'; import { type C } from 'c'; export type E = 1; import 'd'`, "a b c d"},
		{`import fs = require('a')`, "a"},
		{`// import 'no'
/* import 'no' */ "import 'no'"; 'it\'s import "no"'; import 'a'`, "a"},
		{"`import 'no' ${require('a') + `${require('b')}`} require('no')`; require('c')", "a b c"},
		{"/'/.test(x); import 'a'", "a"},
		{"x = a / b; require('a'); y = c / d", "a"},
		{"x = /[/']/; require('a')", "a"},
		{"if (x) /'/.test(y); require('a')", "a"},
		{"(x) / 2; require('a'); 4 / 2", "a"},
		{"x++ / 2; require('a'); y / 2", "a"},
		{"return /\\/'/; require('a')", "a"},
		{"a[0] / 2; require('a'); '/'", "a"},
		{"'unended\nrequire('a')", "a"},
		{"x = <p>don't</p>\nrequire('a')", "a"},
		{"\ufeff#!/usr/bin/env node '\nimport 'a'", "a"},
		{"#!/usr/bin/env node 'x\nimport 'a'", "a"},
		{`import 'a\'b'`, "a'b"},
		{`class A { import() {} require() {} #import; from() {} }; import 'a'`, "a"},
		{`import { "a b" as c } from 'a'`, "a"},
		{"", ""},
		{"import", ""},
		{"import {", ""},
		{"import('", ""},
		{"`${", ""},
		{"'\\", ""},
	} {
		var got []string
		for _, r := range imports([]byte(test.src)) {
			got = append(got, r.spec)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%q: got %q, want %q", test.src, strings.Join(got, " "), test.want)
		}
	}
}

// esbuild is the authority on what a file imports: over npm's own thousand
// files, or the folder that ARC_JAVASCRIPT names, its parser and our quick look
// must agree.
func TestImportsAgreeWithEsbuild(t *testing.T) {
	dir := os.Getenv("ARC_JAVASCRIPT")
	if dir == "" {
		npm, err := filepath.EvalSymlinks(tool(t, "npm"))
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Dir(filepath.Dir(npm))
	}
	files, agreed := 0, 0
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains([]string{".js", ".mjs", ".cjs", ".ts"}, filepath.Ext(name)) || strings.HasSuffix(name, ".d.ts") {
			return err
		}
		body, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		want, ok := parsed(t, name)
		if !ok {
			return nil
		}
		files++
		got := map[string]bool{}
		for _, r := range imports(body) {
			got[r.spec] = true
		}
		for spec := range want {
			if !got[spec] {
				t.Errorf("%s: %q not seen", name, spec)
			}
		}
		if len(got) == len(want) {
			agreed++
		} else {
			t.Logf("%s: we see %v, esbuild sees %v", name, sorted(got), sorted(want))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d files with exactly the same imports", agreed, files)
}

func sorted(m map[string]bool) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// parsed asks esbuild what a file imports; not ok when it cannot read it.
func parsed(t *testing.T, name string) (map[string]bool, bool) {
	name, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	specs := map[string]bool{}
	var mu sync.Mutex
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{name}, Bundle: true, Write: false, LogLevel: api.LogLevelSilent,
		Outdir: filepath.Dir(name), Platform: api.PlatformNode, TreeShaking: api.TreeShakingFalse,
		Plugins: []api.Plugin{{Name: "record", Setup: func(b api.PluginBuild) {
			b.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
				if a.Kind == api.ResolveEntryPoint {
					return api.OnResolveResult{}, nil
				}
				if a.Importer == name && !strings.Contains(a.Path, "*") {
					mu.Lock()
					specs[a.Path] = true
					mu.Unlock()
				}
				return api.OnResolveResult{Path: a.Path, External: true}, nil
			})
		}}},
	})
	return specs, len(result.Errors) == 0
}

// Whatever the bytes, reading ends, and every specifier is in the file.
func FuzzImports(f *testing.F) {
	for _, s := range []string{"import a from 'a'", "`${`${require('b')}`}`", "x = /[/]/; export * from 'c'", "'\\", "import type from"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, r := range imports(src) {
			if r.offset < 0 || r.offset >= len(src) {
				t.Fatalf("%q at %d of %d bytes", r.spec, r.offset, len(src))
			}
		}
	})
}
