//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestStopWhileInstalling asks arc to stop while npm fetches: the SDK that a function's
// code is offered, or the packages of a zip. It ends at once, and so do npm and what that has
// started, which hold its output open.
func TestStopWhileInstalling(t *testing.T) {
	t.Parallel()
	arc, programs := buildArc(t), t.TempDir()
	slow := "#!/bin/sh\nsleep 600 &\necho $! >>\"$SLOW\"\necho $$ >>\"$SLOW\"\nwait\n"
	for _, name := range []string{"npm", "pip", "pip3", "uv"} {
		if err := os.WriteFile(filepath.Join(programs, name), []byte(slow), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		args []string
		file map[string]string
	}{
		{"sandbox", []string{"sandbox", "--port", strconv.Itoa(freePort(t))}, map[string]string{
			"src/http/get-index/index.mjs": "import { S3Client } from '@aws-sdk/client-s3'\nexport const handler = async () => String(S3Client)\n"}},
		{"package", []string{"package"}, map[string]string{
			"src/http/get-index/config.arc": "@aws\nruntime python3.12\n", "src/http/get-index/requirements.txt": "requests==2.32.0\n",
			"src/http/get-index/lambda.py": "def handler(event, context):\n    return {}\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			c.file["app.arc"] = "@app\nstops\n@http\nget /\n"
			for name, text := range c.file {
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			started := filepath.Join(dir, "started")
			cmd := exec.Command(arc, c.args...)
			cmd.Dir, cmd.Env = dir, append(arcEnv(dir), "SLOW="+started, "PATH="+programs+":"+os.Getenv("PATH"))
			var said transcript
			cmd.Stdout, cmd.Stderr = &said, &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() { cmd.Wait(); close(ended) }()
			t.Cleanup(func() { cmd.Process.Kill(); <-ended })
			var pids []string
			for deadline := time.Now().Add(time.Minute); len(pids) < 2; time.Sleep(10 * time.Millisecond) {
				text, _ := os.ReadFile(started)
				pids = strings.Fields(string(text))
				if time.Now().After(deadline) {
					t.Fatalf("nothing is fetched\n%s", said.String())
				}
			}
			began := time.Now()
			cmd.Process.Signal(os.Interrupt)
			select {
			case <-ended:
				t.Logf("ended after %s\n%s", time.Since(began).Round(time.Millisecond), said.String())
				if strings.Contains(said.String(), "signal received") {
					t.Errorf("the system's word for it: %s", said.String())
				}
			case <-time.After(20 * time.Second): // it was a minute, and more
				t.Fatalf("still running 20 s after Ctrl-C\n%s", said.String())
			}
			for _, pid := range pids {
				n, err := strconv.Atoi(pid)
				if err != nil {
					t.Fatal(err)
				}
				for deadline := time.Now().Add(10 * time.Second); syscall.Kill(n, 0) == nil; time.Sleep(10 * time.Millisecond) {
					if time.Now().After(deadline) {
						t.Errorf("process %d goes on", n)
						break
					}
				}
			}
		})
	}
}
