//go:build unix

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSeedWithoutNetwork: make seed says what it fetches before it waits for it,
// says so when it cannot, and ends without an error of make's own when somebody
// presses Ctrl-C meanwhile.
func TestSeedWithoutNetwork(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"make", "npm"} {
		lookTool(t, tool)
	}
	if signal.Ignored(os.Interrupt) {
		// As where tests run in the background of a shell: sh traps no signal that it was
		// started without.
		heard := make(chan os.Signal, 1)
		signal.Notify(heard, os.Interrupt)
		t.Cleanup(func() { signal.Stop(heard) })
	}
	recipe, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	start := func(t *testing.T, registry string) (*exec.Cmd, *transcript) {
		t.Helper()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "Makefile"), recipe, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := copyApp(filepath.Join(dir, "testdata", "apps", "seed"), "../../testdata/apps/seed"); err != nil {
			t.Fatal(err)
		}
		// What is built is of no interest here.
		cmd := exec.Command("make", "GO=true", "seed")
		said := &transcript{}
		cmd.Dir, cmd.Stdout, cmd.Stderr = dir, said, said
		cmd.Env = append(os.Environ(), "HOME="+dir, "NPM_CONFIG_USERCONFIG=/dev/null", "NPM_CONFIG_CACHE="+filepath.Join(dir, "cache"),
			"npm_config_registry="+registry, "npm_config_fetch_retries=0", "HTTP_PROXY=", "HTTPS_PROXY=", "http_proxy=", "https_proxy=", "npm_config_proxy=", "npm_config_https_proxy=")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // as a terminal has it
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		return cmd, said
	}
	const waits = "npm install: fetching @architect/functions for the echo app (once, from the network)"
	t.Run("refused", func(t *testing.T) {
		cmd, said := start(t, fmt.Sprintf("http://127.0.0.1:%d/", freePort(t)))
		if err := cmd.Wait(); err == nil || !strings.Contains(said.String(), waits) || !strings.Contains(said.String(), "make seed: npm could not fetch the package: is there a network?") {
			t.Errorf("%v\n%s", err, said)
		}
	})
	t.Run("Ctrl-C", func(t *testing.T) {
		// A network that answers nothing.
		silent, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		cmd, said := start(t, "http://"+silent.Addr().String()+"/")
		conn, err := silent.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if !strings.HasSuffix(said.String(), waits+"\n") {
			t.Errorf("it waits, and says %q", said)
		}
		syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		select {
		case err := <-ended:
			// make passes the interrupt on, or has nothing to pass on.
			if err != nil && err.Error() != "signal: interrupt" || strings.Contains(said.String(), "***") || strings.Contains(said.String(), "is there a network") {
				t.Errorf("%v\n%s", err, said)
			}
		case <-time.After(time.Minute):
			t.Error("it does not end")
		}
	})
}
