package main

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
)

// diskHint says what to do where a file could not be written for want of room or
// right; "" = the error is of another kind. What arc keeps for itself may lie elsewhere.
func (s *session) diskHint(err error) string {
	file, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return ""
	}
	elsewhere := ""
	for variable, folder := range map[string]func() (string, error){"XDG_CACHE_HOME": s.cacheDir, "XDG_STATE_HOME": s.stateDir} {
		if dir, err := folder(); err == nil && strings.HasPrefix(file.Path, dir+string(filepath.Separator)) {
			elsewhere = ", or set " + variable + " to a folder on another one"
		}
	}
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return "make room on that disk" + elsewhere
	case errors.Is(err, syscall.EROFS):
		return "that disk is read-only: mount it to be written to" + elsewhere
	}
	return ""
}
