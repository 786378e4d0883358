//go:build unix

package main

import "syscall"

// ownSession takes a child out of this terminal's session, so that Ctrl-C and
// closing the window do not reach it.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
