package main

import (
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
)

// TestDiskHint: what to do about a file that cannot be written depends on why, and on
// whether it may lie elsewhere.
func TestDiskHint(t *testing.T) {
	s := &session{env: func(name string) string {
		return map[string]string{"XDG_STATE_HOME": "/state", "XDG_CACHE_HOME": "/cache", "HOME": "/home/me"}[name]
	}}
	for _, test := range []struct {
		path string
		err  error
		want string // in the hint; "" = there is none
	}{
		{"/state/arc/app/us-west-2", syscall.ENOSPC, "make room on that disk, or set XDG_STATE_HOME"},
		{"/state/arc/app/us-west-2", syscall.EROFS, "read-only: mount it to be written to, or set XDG_STATE_HOME"},
		{"/state/arc/app/us-west-2", syscall.EACCES, "with sudo?), or set XDG_STATE_HOME to another folder"},
		{"/cache/arc/local", syscall.EPERM, "with sudo?), or set XDG_CACHE_HOME to another folder"},
		{"/elsewhere/file", syscall.ENOSPC, "make room on that disk"},
		{"/elsewhere/file", syscall.EACCES, ""},
		{"/state/arc/app", syscall.ENOENT, ""},
	} {
		hint := s.diskHint(fmt.Errorf("data: %w", &fs.PathError{Op: "write", Path: test.path, Err: test.err}))
		if !strings.Contains(hint, test.want) || test.want == "" && hint != "" {
			t.Errorf("%s: %v: the hint is %q, want %q", test.path, test.err, hint, test.want)
		}
	}
}
