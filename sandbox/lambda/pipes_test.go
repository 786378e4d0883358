package lambda_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"arc/sandbox/lambda"
)

// TestPipes has a Node function speak to its Runtime API through pipes: an event and an
// answer that do not fit into them come whole, and nothing of theirs is left to the
// function or to what it starts. A wrapper may hand on no more than the usual files, so
// that functions with one do without.
func TestPipes(t *testing.T) {
	need(t, "node")
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells which files a process has")
	}
	s := newService(t, lambda.Options{})
	files := `
-- index.mjs --
import { readdirSync, readlinkSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
export const handler = async (event) => {
  const connected = readdirSync('/proc/self/fd').some((fd) => { try { return /^socket:/.test(readlinkSync('/proc/self/fd/' + fd)) } catch {} })
  const child = execFileSync('sh', ['-c', 'ls /proc/$$/fd'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  return { long: event.long, connected, child: child.trim().split('\n').filter((fd) => fd === '3' || fd === '4'), variable: process.env.ARC_PIPES ?? 'none' }
}
-- wrapper.sh --
#!/bin/sh
exec 3>&- 4>&-
exec "$@"
`
	plain, wrapped := function(t, "plain", files), function(t, "wrapped", files)
	wrapped.Env = map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper.sh"}
	if err := os.Chmod(filepath.Join(wrapped.Dir, "wrapper.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, fn := range []lambda.Function{plain, wrapped} {
		s.Put(fn)
		long := strings.Repeat("€", 1<<20)
		event, _ := json.Marshal(map[string]string{"long": long})
		for range 2 {
			var got struct {
				Long, Variable string
				Connected      bool
				Child          []string
			}
			if err := json.Unmarshal([]byte(s.invoke(fn.Name, string(event))), &got); err != nil {
				t.Fatal(err)
			}
			if got.Long != long || got.Variable != "none" || len(got.Child) > 0 {
				t.Errorf("%s: %d bytes, ARC_PIPES=%s, a child has the files %v", fn.Name, len(got.Long), got.Variable, got.Child)
			}
			if got.Connected != (fn.Name == "wrapped") {
				t.Errorf("%s: it has a connection: %t", fn.Name, got.Connected)
			}
		}
	}
}
