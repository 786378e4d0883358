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
	elsewhere, own := "", ""
	for _, kept := range []struct {
		variable string
		folder   func() (string, error)
	}{{"XDG_CACHE_HOME", s.cacheDir}, {"XDG_STATE_HOME", s.stateDir}, {"XDG_STATE_HOME", s.stateFolder}} {
		if dir, err := kept.folder(); err == nil && strings.HasPrefix(file.Path, dir+string(filepath.Separator)) {
			elsewhere = ", or set " + kept.variable + " to a folder on another one"
			own = "what arc keeps for you is there, and must be yours to write (was it made by another user, with sudo?), or set " + kept.variable + " to another folder"
		}
	}
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return "make room on that disk" + elsewhere
	case errors.Is(err, syscall.EROFS):
		return "that disk is read-only: mount it to be written to" + elsewhere
	case errors.Is(err, fs.ErrPermission):
		return own
	}
	return ""
}

// stateFolder is where local clouds keep data.
func (s *session) stateFolder() (string, error) {
	state, err := s.state()
	return state.Dir, err
}
