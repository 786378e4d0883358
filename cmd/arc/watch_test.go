//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// savedApp has a function whose answer names everything that it is made of: its
// own files, an installed package, one of the workspace, shared code behind a
// link, and a function whose folder is a link.
const savedApp = `
-- app.arc --
@app
savedapp
@shared
@http
get /
get /linked
get /typed
get /once
-- package.json --
{ "workspaces": ["packages/*"] }
-- source/http/get-index/index.mjs --
import { own } from './own.mjs'
import dep from 'dep'
import { lib } from 'lib'
import { shared } from '@architect/shared/shared.mjs'
import { far } from '@architect/shared/far/far.mjs'
import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
let perhaps = ''
try { perhaps = require('perhaps') } catch {}
export const handler = async () => ({ statusCode: 200, body: JSON.stringify({ handler: '1', own, dep, lib, shared, far, perhaps, env: process.env.WORD ?? '' }) })
-- source/http/get-once/index.js --
let once = ''
try { once = require('once') } catch {}
exports.handler = async () => ({ statusCode: 200, body: JSON.stringify({ once }) })
-- source/http/get-typed/index.ts --
import dep from 'dep'
import { shared } from '@architect/shared/shared.mjs'
import { words } from '../../words/words'
let perhaps = ''
try { perhaps = require('perhaps') } catch {}
export const handler = async () => ({ statusCode: 200, body: JSON.stringify({ dep, shared, words, perhaps }) })
-- elsewhere/words/words.ts --
export const words = '1'
-- elsewhere/words2/words.ts --
export const words = '2'
-- elsewhere/linked2/index.mjs --
export const handler = async () => ({ statusCode: 200, body: JSON.stringify({ linked: '3' }) })
-- packages/lib2/package.json --
{ "name": "lib", "version": "2.0.0", "main": "index.mjs" }
-- packages/lib2/index.mjs --
export const lib = '3'
-- elsewhere/shared2/shared.mjs --
export const shared = '4'
-- elsewhere/shared2/far/far.mjs --
export const far = '3'
-- source/http/get-index/own.mjs --
export const own = '1'
-- elsewhere/linked/index.mjs --
export const handler = async () => ({ statusCode: 200, body: JSON.stringify({ linked: '1' }) })
-- node_modules/dep/package.json --
{ "name": "dep", "version": "1.0.0", "main": "lib/index.js" }
-- node_modules/dep/lib/index.js --
module.exports = '1'
-- packages/lib/package.json --
{ "name": "lib", "version": "1.0.0", "main": "index.mjs" }
-- packages/lib/index.mjs --
export const lib = '1'
-- source/shared/shared.mjs --
export const shared = '1'
-- far/far.mjs --
export const far = '1'
`

type saved struct {
	t   *testing.T
	dir string
	url string
}

// writeSaved writes the app with its links.
func writeSaved(t *testing.T) *saved {
	t.Helper()
	s := &saved{t: t, dir: t.TempDir()}
	writeArchive(t, s.dir, savedApp)
	for link, target := range map[string]string{
		"src": "source", "source/http/get-linked": "../../elsewhere/linked", "node_modules/lib": "../packages/lib", "source/shared/far": "../../far",
		"source/words": "../elsewhere/words",
	} {
		if err := os.Symlink(target, filepath.Join(s.dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *saved) path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

func (s *saved) do(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *saved) write(name, text string) {
	s.t.Helper()
	s.do(os.MkdirAll(filepath.Dir(s.path(name)), 0o777))
	s.do(os.WriteFile(s.path(name), []byte(text), 0o666))
}

// rename saves as many editors do: to a new file that takes the old one's place.
func (s *saved) rename(name, text string) {
	s.t.Helper()
	s.write(name+".new", text)
	s.do(os.Rename(s.path(name+".new"), s.path(name)))
}

// link has a link lead elsewhere in one step, as npm does.
func (s *saved) link(target, name string) {
	s.t.Helper()
	s.do(os.Symlink(target, s.path(name+"-new")))
	s.do(os.Rename(s.path(name+"-new"), s.path(name)))
}

func (s *saved) get(path string) map[string]string {
	s.t.Helper()
	resp, err := http.Get(s.url + path)
	s.do(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	s.do(err)
	var values map[string]string
	if err := json.Unmarshal(body, &values); err != nil {
		s.t.Fatalf("GET %s: %s %s", path, resp.Status, body)
	}
	return values
}

// TestSavedMeansLive changes what functions are made of in every way, and asks
// for the answer in the next breath: it is never the old one.
func TestSavedMeansLive(t *testing.T) {
	t.Parallel()
	lookTool(t, "node")
	arc := buildArc(t)
	for name, command := range map[string][]string{
		"watched": {arc},
		// A user of its own, so that nobody else runs short.
		"no watcher": {lookTool(t, "unshare"), "--user", "--map-root-user", "sh", "-c", `echo 0 > /proc/sys/user/max_inotify_instances; exec "$0" "$@"`, arc},
		"no watches": {lookTool(t, "unshare"), "--user", "--map-root-user", "sh", "-c", `echo 3 > /proc/sys/user/max_inotify_watches; exec "$0" "$@"`, arc},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := writeSaved(t)
			p := startArc(t, command[0], s.dir, append(command[1:], "sandbox", "--port", fmt.Sprint(freePort(t)))...)
			s.url = p.url(t, "HTTP")
			s.each()
			s.manifest()
			switch said := p.stderr.String(); {
			case name == "no watcher" && strings.Count(said, "fs.inotify.max_user_instances") != 1,
				name == "no watches" && strings.Count(said, "fs.inotify.max_user_watches") != 1,
				name == "watched" && strings.Contains(said, "looked at"):
				t.Errorf("it said:\n%s", said)
			}
		})
	}
}

// each saves in different ways, and asks at once.
func (s *saved) each() {
	t := s.t
	first := s.get("/")
	for name, value := range first {
		if name != "env" && name != "perhaps" && value != "1" {
			t.Fatalf("%s is %s at the start", name, value)
		}
	}
	s.get("/linked")
	s.get("/typed")
	index, err := os.ReadFile(s.path("source/http/get-index/index.mjs"))
	s.do(err)
	handler := func(value string) string {
		return strings.Replace(string(index), "handler: '1'", "handler: '"+value+"'", 1)
	}
	const main, own = "src/http/get-index/index.mjs", "source/http/get-index/own.mjs"
	steps := []struct {
		what, path, name, value string
		change                  func()
	}{
		{"truncated and written", "/", "handler", "2", func() { s.write(main, handler("2")) }},
		{"saved by renaming", "/", "handler", "3", func() { s.rename(main, handler("3")) }},
		{"a file of its own", "/", "own", "2", func() { s.write(own, "export const own = '2'") }},
		{"an installed package", "/", "dep", "2", func() { s.write("node_modules/dep/lib/index.js", "module.exports = '2'") }},
		{"a package of the workspace", "/", "lib", "2", func() { s.write("packages/lib/index.mjs", "export const lib = '2'") }},
		{"shared code", "/", "shared", "2", func() { s.rename("source/shared/shared.mjs", "export const shared = '2'") }},
		{"shared code behind a link", "/", "far", "2", func() { s.write("far/far.mjs", "export const far = '2'") }},
		{"a handler's folder that is a link", "/linked", "linked", "2", func() {
			s.write("elsewhere/linked/index.mjs", "export const handler = async () => ({ statusCode: 200, body: JSON.stringify({ linked: '2' }) })")
		}},
		{"many files at once", "/", "own", "3", func() {
			for i := range 200 {
				s.write(fmt.Sprintf("source/http/get-index/more/%d.mjs", i), "export default 1")
			}
			s.write("source/shared/shared.mjs", "export const shared = '3'")
			s.write(own, "export const own = '3'")
		}},
		{"a name that differs in case only", "/", "handler", "4", func() {
			s.do(os.Rename(s.path(main), s.path("src/http/get-index/Index.mjs")))
			s.write("src/http/get-index/Index.mjs", handler("4"))
			s.do(os.Rename(s.path("src/http/get-index/Index.mjs"), s.path(main)))
		}},
		{"a package that is taken away and put back", "/", "dep", "3", func() {
			s.do(os.RemoveAll(s.path("node_modules/dep")))
			s.write("node_modules/dep/package.json", `{ "name": "dep", "main": "lib/index.js" }`)
			s.write("node_modules/dep/lib/index.js", "module.exports = '3'")
		}},
		{"and saved again", "/", "dep", "4", func() { s.write("node_modules/dep/lib/index.js", "module.exports = '4'") }},
		{"a folder that is removed and made again", "/", "handler", "5", func() {
			s.do(os.RemoveAll(s.path("source/http/get-index")))
			s.write(own, "export const own = '4'")
			s.write(main, handler("5"))
		}},
		{"and saved again", "/", "own", "5", func() { s.write(own, "export const own = '5'") }},
		{"a folder that another one takes the place of", "/", "own", "6", func() {
			s.do(os.Rename(s.path("source/http"), s.path("source/old")))
			s.write(main, handler("6"))
			s.write(own, "export const own = '6'")
			s.do(os.Symlink("../../elsewhere/linked", s.path("source/http/get-linked")))
			s.do(os.Rename(s.path("source/old/get-typed"), s.path("source/http/get-typed")))
			s.do(os.Rename(s.path("source/old/get-once"), s.path("source/http/get-once")))
		}},
		{"and saved again", "/", "own", "7", func() { s.rename(own, "export const own = '7'") }},
		{"a package that was looked for in vain", "/", "perhaps", "1", func() { s.write("node_modules/perhaps/index.js", "module.exports = '1'") }},
		{"and saved again", "/", "perhaps", "2", func() { s.write("node_modules/perhaps/index.js", "module.exports = '2'") }},
		{"the same for TypeScript", "/typed", "perhaps", "2", func() {}},
		{"a package that goes", "/", "perhaps", "", func() { s.do(os.RemoveAll(s.path("node_modules/perhaps"))) }},
		{"and comes file by file", "/", "perhaps", "", func() { s.write("node_modules/perhaps/package.json", `{ "name": "perhaps", "main": "lib/deep/main" }`) }},
		{"while it is called", "/", "perhaps", "", func() { s.do(os.MkdirAll(s.path("node_modules/perhaps/lib/deep"), 0o777)) }},
		{"until it is whole", "/", "perhaps", "whole", func() { s.write("node_modules/perhaps/lib/deep/main.js", "module.exports = 'whole'") }},
		{"and is another one", "/", "perhaps", "2", func() {
			s.write("node_modules/perhaps/package.json", `{ "name": "perhaps" }`)
			s.write("node_modules/perhaps/index.js", "module.exports = '2'")
		}},
		{"the same for TypeScript", "/typed", "perhaps", "2", func() {}},
		{"and saved again", "/typed", "perhaps", "3", func() { s.write("node_modules/perhaps/index.js", "module.exports = '3'") }},
		{"a package's own copy of another", "/", "dep", "inner", func() {
			s.write("node_modules/dep/lib/index.js", "module.exports = require('within')")
			s.write("node_modules/within/index.js", "module.exports = 'outer'")
			s.write("node_modules/dep/package.json", `{ "name": "dep", "main": "lib/index.js", "dependencies": { "within": "1" } }`)
			s.write("node_modules/dep/node_modules/within/index.js", "module.exports = 'inner'")
		}},
		{"the same for TypeScript", "/typed", "dep", "inner", func() {}},
		{"that goes, as by npm dedupe", "/", "dep", "outer", func() { s.do(os.RemoveAll(s.path("node_modules/dep/node_modules"))) }},
		{"the same for TypeScript", "/typed", "dep", "outer", func() {}},
		{"and comes back", "/", "dep", "again", func() {
			s.write("node_modules/dep/node_modules/within/index.js", "module.exports = 'again'")
		}},
		{"the same for TypeScript", "/typed", "dep", "again", func() {}},
		{"a package's link that leads elsewhere", "/", "lib", "3", func() { s.link("../packages/lib2", "node_modules/lib") }},
		{"and saved there", "/", "lib", "4", func() { s.write("packages/lib2/index.mjs", "export const lib = '4'") }},
		{"a handler's link that leads elsewhere", "/linked", "linked", "3", func() { s.link("../../elsewhere/linked2", "source/http/get-linked") }},
		{"and saved there", "/linked", "linked", "4", func() {
			s.write("elsewhere/linked2/index.mjs", `import fs from 'node:fs'
let linked = '4'
try { linked = fs.readFileSync(new URL('more/word.txt', import.meta.url), 'utf8') } catch {}
export const handler = async () => ({ statusCode: 200, body: JSON.stringify({ linked }) })`)
		}},
		{"a link of code that is built", "/typed", "words", "2", func() { s.link("../elsewhere/words2", "source/words") }},
		{"and saved there", "/typed", "words", "3", func() { s.write("elsewhere/words2/words.ts", "export const words = '3'") }},
		{"a folder of shared code that becomes a link", "/", "shared", "4", func() {
			s.do(os.RemoveAll(s.path("source/shared")))
			s.do(os.Symlink("../elsewhere/shared2", s.path("source/shared")))
		}},
		{"and saved there", "/", "shared", "5", func() { s.write("elsewhere/shared2/shared.mjs", "export const shared = '5'") }},
		{"the same for TypeScript", "/typed", "shared", "5", func() {}},
		{"a package that is nearer", "/", "perhaps", "nearer", func() { s.write("source/node_modules/perhaps/index.js", "module.exports = 'nearer'") }},
		{"and goes", "/", "perhaps", "3", func() { s.do(os.RemoveAll(s.path("source/node_modules"))) }},
		{"a link that nobody calls for a while", "/typed", "words", "1", func() {
			s.link("../elsewhere/words", "source/words")
			time.Sleep(4 * settle)
		}},
		{"and saved there", "/typed", "words", "5", func() { s.write("elsewhere/words/words.ts", "export const words = '5'") }},
		{"a package that the first call looked for in vain", "/once", "once", "1", func() {
			if got := s.get("/once")["once"]; got != "" {
				t.Errorf("once is %q before there is one", got)
			}
			s.write("node_modules/once/index.js", "module.exports = '1'")
		}},
		{"a link back", "/typed", "words", "3", func() { s.link("../elsewhere/words2", "source/words") }},
		{"a new folder where the handler's link leads", "/linked", "linked", "4", func() { s.do(os.Mkdir(s.path("elsewhere/linked2/more"), 0o777)) }},
		{"and a file in it", "/linked", "linked", "read", func() { s.write("elsewhere/linked2/more/word.txt", "read") }},
	}
	for _, step := range steps {
		step.change()
		if got := s.get(step.path)[step.name]; got != step.value {
			t.Errorf("%s: %s is %q, want %q", step.what, step.name, got, step.value)
		}
	}
}

// manifest saves what is read with the manifest; it is live a moment later.
func (s *saved) manifest() {
	s.write(".env", "WORD=word\n")
	s.soon("/", "env", "word")
	s.write("app.arc", "@app\nsavedapp\n@shared\n@http\nget /\nget /linked\nget /typed\nget /more\n")
	s.write("src/http/get-more/index.mjs", "export const handler = async () => ({ statusCode: 200, body: JSON.stringify({ more: '1' }) })")
	s.soon("/more", "more", "1")
	// Files and folders whose coming says something of the app.
	s.write("src/http/get-more/index.ts", "export const handler = async () => ({ statusCode: 200, body: JSON.stringify({ more: 'typed' as string }) })")
	s.do(os.Remove(s.path("src/http/get-more/index.mjs")))
	s.soon("/more", "more", "typed")
	s.do(os.Remove(s.path("src/http/get-more/index.ts")))
	s.write("src/views/late.mjs", "export const late = '1'")
	s.write("src/http/get-more/index.mjs", "import { late } from '@architect/views/late.mjs'\nexport const handler = async () => ({ statusCode: 200, body: JSON.stringify({ more: 'view ' + late }) })")
	s.soon("/more", "more", "view 1")
	s.write("aside/index.mjs", "export const handler = async () => ({ statusCode: 200, body: JSON.stringify({ more: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE }) })")
	s.write("aside/config.arc", "@aws\nmemory 512\n")
	s.do(os.Rename(s.path("src/http/get-more"), s.path("before")))
	s.do(os.Rename(s.path("aside"), s.path("src/http/get-more")))
	s.soon("/more", "more", "512")
	s.write("app.arc", "@app\nsavedapp\n@shared\n@http\nget /\nget /linked\nget /typed\nget /more\nget /then\n")
	s.soon("/then", "message", "Internal Server Error") // its handler comes later
	s.write("src/http/get-then/index.ts", "export const handler = async () => ({ statusCode: 200, body: JSON.stringify({ then: '1' as string }) })")
	s.soon("/then", "then", "1")
	// Code of functions that the manifest's changes have left as they were.
	s.write("elsewhere/words2/words.ts", "export const words = '4'")
	s.soon("/typed", "words", "4")
	s.write("node_modules/perhaps/index.js", "module.exports = '4'")
	s.soon("/typed", "perhaps", "4")
	s.soon("/", "perhaps", "4")
	// A package that a function imports from now on.
	s.write("node_modules/late/package.json", `{ "name": "late", "main": "index.js" }`)
	s.write("node_modules/late/index.js", "module.exports = '1'")
	s.write("src/http/get-more/index.mjs", "import more from 'late'\nexport const handler = async () => ({ statusCode: 200, body: JSON.stringify({ more }) })")
	s.soon("/more", "more", "1")
	s.write("node_modules/late/index.js", "module.exports = '2'")
	s.soon("/more", "more", "2")
}

func (s *saved) soon(path, name, value string) {
	s.t.Helper()
	var got any
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		resp, err := http.Get(s.url + path)
		s.do(err)
		var values map[string]string
		err = json.NewDecoder(resp.Body).Decode(&values)
		resp.Body.Close()
		if got = values; err == nil && values[name] == value {
			return
		}
	}
	s.t.Errorf("GET %s: never %s=%s: %v", path, name, value, got)
}

// TestManyPackages has 60,000 files in node_modules: they cost the start nothing,
// and the one that is imported is watched all the same.
func TestManyPackages(t *testing.T) {
	t.Parallel()
	lookTool(t, "node")
	s := writeSaved(t)
	for dir := range 600 {
		folder := s.path(fmt.Sprintf("node_modules/unused-%d", dir))
		s.do(os.Mkdir(folder, 0o777))
		for file := range 100 {
			f, err := os.Create(filepath.Join(folder, fmt.Sprintf("%d.js", file)))
			s.do(err)
			f.Close()
		}
	}
	arc := buildArc(t)
	p := startArc(t, arc, s.dir, "sandbox", "--port", fmt.Sprint(freePort(t)))
	s.url = p.url(t, "HTTP")
	s.get("/")
	s.write("node_modules/dep/lib/index.js", "module.exports = '2'")
	if got := s.get("/")["dep"]; got != "2" {
		t.Errorf("dep is %q", got)
	}
	if out, err := exec.Command("sh", "-c", "cat /proc/[0-9]*/fdinfo/* 2>/dev/null | grep -c '^inotify'").Output(); err == nil {
		t.Logf("%s folders are watched on this machine", strings.TrimSpace(string(out)))
	}
}
