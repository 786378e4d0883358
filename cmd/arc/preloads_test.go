package main

import (
	"reflect"
	"testing"

	"arc/source"
)

// TestPreloads reads NODE_OPTIONS as Node does, and looks for what it names.
// https://nodejs.org/api/cli.html#node_optionsoptions
func TestPreloads(t *testing.T) {
	files := []source.File{{Path: "index.mjs"}, {Path: "hook.cjs"}, {Path: "lib/index.js"}, {Path: "node_modules/@a/b/package.json"}, {Path: "node_modules/c/index.js"}}
	for _, c := range []struct {
		options string
		want    []preload
		found   bool
	}{
		{"", nil, true},
		{"--enable-source-maps  --max-old-space-size=99", nil, true},
		{"--import c", []preload{{"--import", "c"}}, true},
		{"--import=c/deep", []preload{{"--import", "c/deep"}}, true},
		{"--import cc", []preload{{"--import", "cc"}}, false},
		{`-r "@a/b/x" --require "a \"b\\"`, []preload{{"-r", "@a/b/x"}, {"--require", `a "b\`}}, false},
		{"-r @a/c", []preload{{"-r", "@a/c"}}, false},
		{"--loader ./hook.cjs", []preload{{"--loader", "./hook.cjs"}}, true},
		{"-r ./hook", []preload{{"-r", "./hook"}}, true},
		{"-r ./ho", []preload{{"-r", "./ho"}}, false},
		{"-r hook.cjs", []preload{{"-r", "hook.cjs"}}, true},
		{"-r ./lib", []preload{{"-r", "./lib"}}, true},
		{"-r ../hook.cjs", []preload{{"-r", "../hook.cjs"}}, false},
		{"-r /var/task/hook.cjs -r /opt/x.js", []preload{{"-r", "/var/task/hook.cjs"}, {"-r", "/opt/x.js"}}, true},
		{"--import file:///var/task/none.mjs", []preload{{"--import", "file:///var/task/none.mjs"}}, false},
		{"--import data:text/javascript,1 -r node:fs -r @aws-sdk/client-s3", []preload{{"--import", "data:text/javascript,1"}, {"-r", "node:fs"}, {"-r", "@aws-sdk/client-s3"}}, true},
		{"--import", []preload{{"--import", ""}}, true},
	} {
		got := preloadsOf(c.options)
		found := true
		for _, p := range got {
			found = found && p.in(files)
		}
		if !reflect.DeepEqual(got, c.want) || found != c.found {
			t.Errorf("%s: %q, found %t", c.options, got, found)
		}
	}
}
