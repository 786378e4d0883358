//go:build linux

package opt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestRefused has a remedy for each machine that lets nothing be mounted.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name, release, sysctl string
		why                   error
		root                  bool
		want                  string
	}{
		{"Ubuntu 24.04", "6.8.0-41-generic", "kernel.apparmor_restrict_unprivileged_userns=1", syscall.EACCES, false,
			"AppArmor keeps users from namespaces of their own by kernel.apparmor_restrict_unprivileged_userns=1: permission denied; sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 lets them"},
		{"Debian 10", "5.15.0", "kernel.unprivileged_userns_clone=0", syscall.EPERM, false,
			"the kernel keeps users from namespaces of their own by kernel.unprivileged_userns_clone=0: operation not permitted; sudo sysctl -w kernel.unprivileged_userns_clone=1 lets them"},
		{"hardened", "6.1.0", "user.max_user_namespaces=0", syscall.ENOSPC, false,
			"the kernel keeps users from namespaces of their own by user.max_user_namespaces=0: no space left on device; sudo sysctl -w user.max_user_namespaces=15000 lets them"},
		{"an old kernel", "5.10.0-8-amd64", "user.max_user_namespaces=100", syscall.EPERM, false,
			"Linux 5.10 lets only root mount them: operation not permitted; 5.11 and later let every user"},
		{"an older kernel", "4.19.0", "user.max_user_namespaces=100", syscall.EPERM, false,
			"Linux 4.19 lets only root mount them: operation not permitted; 5.11 and later let every user"},
		{"a newer kernel in a container", "6.1.0", "user.max_user_namespaces=100", syscall.EPERM, false,
			"operation not permitted; in a container, docker run --cap-add SYS_ADMIN --security-opt apparmor=unconfined lets root"},
		{"a kernel of no version", "custom", "user.max_user_namespaces=100", syscall.EPERM, false,
			"operation not permitted; in a container, docker run --cap-add SYS_ADMIN --security-opt apparmor=unconfined lets root"},
		{"a container", "5.11.0", "user.max_user_namespaces=100", syscall.EPERM, false,
			"operation not permitted; in a container, docker run --cap-add SYS_ADMIN --security-opt apparmor=unconfined lets root"},
		{"root in a container", "4.4.0", "kernel.apparmor_restrict_unprivileged_userns=1", syscall.EPERM, true,
			"operation not permitted; in a container, docker run --cap-add SYS_ADMIN --security-opt apparmor=unconfined lets root"},
	} {
		got := refused(c.why, c.root, facts{c.release, func(name string) string {
			if value, ok := strings.CutPrefix(c.sysctl, name+"="); ok {
				return value
			}
			return ""
		}})
		if got.Error() != c.want || !errors.Is(got, c.why) {
			t.Errorf("%s: %v\nwant %s", c.name, got, c.want)
		}
	}
}

// TestProbe asks programs that mount nothing.
func TestProbe(t *testing.T) {
	for self, want := range map[string]string{
		"":            "this program mounts none; arc does",
		"/bin/true":   "this program mounts none",
		"/bin/false":  "this program mounts none: exit status 1",
		"/nowhere/at": "no such file or directory",
	} {
		way, err := Probe(context.Background(), self, t.TempDir())
		if _, ok := errors.AsType[*Refused](err); way != nil || !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", self, err, want)
		}
	}
}

// TestTold reads what was told.
func TestTold(t *testing.T) {
	err := told(string(tell(handOver, "/a program", fmt.Errorf("wrapped: %w", syscall.ENOEXEC))))
	if !NotRun(err) || !errors.Is(err, syscall.ENOEXEC) || err.Error() != "exec /a program: exec format error" {
		t.Errorf("%v", err)
	}
	if err := told(string(tell("mount overlay", Folder, syscall.EPERM))); NotRun(err) || !errors.Is(err, os.ErrPermission) {
		t.Errorf("%v", err)
	}
	if err := told("open\x005"); err == nil || NotRun(err) || !strings.Contains(err.Error(), "was said by what is to mount them") {
		t.Errorf("%v", err)
	}
	if NotRun(errors.New("exec")) {
		t.Error("an error of no file is the program's")
	}
	if err := told("panic: out of something"); err == nil || !strings.Contains(err.Error(), "panic: out of") {
		t.Errorf("%v", err)
	}
}
