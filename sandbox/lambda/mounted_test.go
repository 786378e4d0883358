//go:build linux

package lambda_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"arc/sandbox/activity"
	"arc/sandbox/lambda"
	"arc/sandbox/lambda/opt"
)

const layer = `
-- data.txt --
data of a layer
-- bin/tool --
#!/bin/sh
echo a tool, with $(cat /opt/data.txt)
-- nodejs/node_modules/greet/index.js --
module.exports = 'a package at ' + __filename
-- python/greet.py --
word = 'a module at ' + __file__
-- ruby/lib/greet.rb --
WORD = 'a library at ' + __FILE__
-- wrapper --
#!/bin/sh
export WRAPPED=wrapped
exec "$@"
-- bootstrap --
#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  id=$(curl -sSD - -o /dev/null "$api/next" | tr -d '\r' | awk 'tolower($1) == "lambda-runtime-aws-request-id:" { print $2 }')
  curl -sS -o /dev/null -d "\"a runtime at $0, with $(tool)\"" "$api/$id/response"
done
-- extensions/watcher --
#!/bin/sh
`

// needMounts skips a test on a machine that lets nobody mount layers; in CI it fails.
func needMounts(t *testing.T) {
	t.Helper()
	_, err := opt.Probe(context.Background(), "/proc/self/exe", t.TempDir())
	if err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	t.Skip(err)
}

// rights are the lines of a process's status that say what it may.
func rights(status string) string {
	var lines []string
	for line := range strings.Lines(status) {
		if strings.HasPrefix(line, "Cap") && !strings.HasPrefix(line, "CapBnd") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "\n")
}

// TestMounted has the layers of a function where Lambda has them, for whatever way
// its code gets at them.
func TestMounted(t *testing.T) {
	for _, tool := range []string{"node", "python3", "ruby", "curl"} {
		need(t, tool)
	}
	needMounts(t)
	var told []string
	s := newService(t, lambda.Options{Self: "/proc/self/exe", Tell: func(e activity.Event) { told = append(told, e.Text) }})
	layers := folder(t, layer)
	for _, c := range []struct{ name, runtime, code, want string }{
		{"node", "nodejs22.x", `
-- index.js --
const { execFileSync } = require('child_process')
const fs = require('fs')
const kept = (name) => { try { fs.writeFileSync(name, 'x'); return 'written' } catch (e) { return e.code } }
exports.handler = async () => [
  fs.readFileSync('/opt/data.txt', 'utf8').trim(), execFileSync('/opt/bin/tool') + '', execFileSync('tool') + '', require('greet'),
  kept('/opt/data.txt'), kept('/opt/new'), process.env.NODE_PATH, process.env.PATH.split(':').pop(), process.env.WRAPPED,
].map(String).map((line) => line.trim())
`, `["data of a layer","a tool, with data of a layer","a tool, with data of a layer","a package at /opt/nodejs/node_modules/greet/index.js","EROFS","EROFS","/opt/nodejs/node_modules","/opt/bin","wrapped"]`},
		{"python", "python3.12", `
-- index.py --
import ctypes, greet, os, subprocess
signal = ctypes.c_int()
ctypes.CDLL(None).prctl(2, ctypes.byref(signal)) # of its parent's death
def handler(event, context):
    return [signal.value, open('/opt/data.txt').read().strip(), subprocess.check_output('/opt/bin/tool', text=True).strip(), greet.word, os.environ['PYTHONPATH']]
`, `[9, "data of a layer", "a tool, with data of a layer", "a module at /opt/python/greet.py", "/opt/python"]`},
		{"ruby", "ruby3.3", `
-- index.rb --
require 'greet'
def handler(event:, context:) = [File.read('/opt/data.txt').strip, WORD, ENV['RUBYLIB'], ENV['GEM_PATH'].split(':').include?('/opt/ruby/gems/3.3.0')]
`, `["data of a layer","a library at /opt/ruby/lib/greet.rb","/opt/ruby/lib",true]`},
		{"own", "provided.al2023", "-- readme --\n", `"a runtime at /opt/bootstrap, with a tool, with data of a layer"`},
	} {
		fn := function(t, c.name, c.code)
		fn.Runtime, fn.Opt, fn.Env = c.runtime, layers, map[string]string{}
		if c.name == "node" {
			fn.Env["AWS_LAMBDA_EXEC_WRAPPER"] = "/opt/wrapper"
		}
		s.Put(fn)
		if got := s.invoke(c.name, "{}"); strings.ReplaceAll(got, ", ", ",") != strings.ReplaceAll(c.want, ", ", ",") {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
	}
	if _, err := os.Stat("/opt/data.txt"); err == nil {
		t.Error("this process sees the layers of its functions")
	}
	s.Put(func() lambda.Function {
		fn := function(t, "rights", "-- index.js --\nexports.handler = async () => require('fs').readFileSync('/proc/self/status', 'utf8')\n")
		fn.Opt = layers
		return fn
	}())
	own, err := os.ReadFile("/proc/self/status")
	var status string
	if err != nil || json.Unmarshal([]byte(s.invoke("rights", "{}")), &status) != nil || rights(status) != rights(string(own)) || !strings.Contains(rights(status), "CapAmb") {
		t.Errorf("functions may:\n%s\nand we may:\n%s", rights(status), rights(string(own)))
	}
	if len(told) > 0 {
		t.Errorf("told: %q", told)
	}

	fn := function(t, "broken", "-- bootstrap --\n#!/nowhere/at/all\n")
	fn.Runtime, fn.Opt = "provided.al2023", layers
	s.Put(fn)
	if r := s.result("broken", "{}"); !strings.Contains(string(r.Payload), "bootstrap cannot be started: exec "+fn.Dir+"/bootstrap: no such file or directory; it must be an executable for this machine") {
		t.Errorf("a program that cannot be run: %s %s", r.Kind, r.Payload)
	}
	fn = function(t, "unwrapped", "-- index.js --\nexports.handler = async () => 1\n")
	fn.Opt, fn.Env = layers, map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/none"}
	s.Put(fn)
	if r := s.result("unwrapped", "{}"); !strings.Contains(string(r.Payload), "AWS_LAMBDA_EXEC_WRAPPER=/opt/none: no layer has that file") {
		t.Errorf("a wrapper that is not there: %s %s", r.Kind, r.Payload)
	}
}

// TestMountedOver has a layer's files over the machine's own in /opt, where a runtime
// may be installed.
func TestMountedOver(t *testing.T) {
	need(t, "node")
	needMounts(t)
	machine, err := os.MkdirTemp("/opt", "arc-test-")
	if err != nil {
		t.Skipf("only root installs programs there: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(machine) })
	write(t, machine, "-- both.txt --\nof the machine\n-- own.txt --\nof the machine\n")
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(node)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(machine, "node"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	s := newService(t, lambda.Options{Self: "/proc/self/exe", Path: machine + ":/usr/bin:/bin"})
	fn := function(t, "fn", `
-- index.js --
const { readFileSync } = require('fs')
exports.handler = async ({ dir }) => [process.execPath, readFileSync(dir + '/both.txt', 'utf8'), readFileSync(dir + '/own.txt', 'utf8')]
`)
	fn.Opt = folder(t, "-- "+filepath.Base(machine)+"/both.txt --\nof the layer\n")
	s.Put(fn)
	want := fmt.Sprintf(`["%s/node","of the layer\n","of the machine\n"]`, machine)
	if got := s.invoke("fn", fmt.Sprintf(`{"dir":%q}`, machine)); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// TestEverythingWithLayers runs tests of what looks at the processes of functions
// again, with functions that have layers: as who this is, and, for root, as a user
// who may mount nothing.
func TestEverythingWithLayers(t *testing.T) {
	needMounts(t)
	tests := "^(TestMounted|TestWholeFamily|TestParentKilled|TestMemory|TestDetached|TestRuntimeAPI|TestCloseAtWork)$"
	who := map[string]*syscall.SysProcAttr{"as this one": {}}
	if os.Geteuid() == 0 {
		// Where what is mounted is to be seen everywhere, as systemd has it.
		who["as this one"].Cloneflags = syscall.CLONE_NEWNS
		who["as nobody"] = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	for name, attributes := range who {
		t.Run(name, func(t *testing.T) {
			// Not t.TempDir, which lets nobody else in.
			dir, err := os.MkdirTemp("", "arc-layers-")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(dir) })
			if err := os.Chmod(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			self := filepath.Join(dir, "self") // where the user may run it
			if err := os.WriteFile(self, binary, 0o755); err != nil {
				t.Fatal(err)
			}
			layers := filepath.Join(dir, "layers, of a function: all")
			write(t, layers, layer)
			cmd := exec.Command("/bin/sh", "-c", `exec "$0" "$@"`, self, "-test.run="+tests, "-test.v")
			if attributes.Cloneflags != 0 {
				cmd.Args[2] = "mount --make-rshared / && " + cmd.Args[2]
			}
			cmd.SysProcAttr = attributes
			cmd.Env = append(os.Environ(), "TMPDIR="+dir, "HOME="+dir, "ARC_TEST_LAYERS="+layers, "PATH=/usr/local/bin:/usr/bin:/bin")
			out, err := cmd.CombinedOutput()
			if err != nil || strings.Contains(string(out), "--- SKIP") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
