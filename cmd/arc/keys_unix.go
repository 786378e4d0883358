//go:build linux || darwin

package main

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// hasKeys says that a terminal can give its keys one by one here.
const hasKeys = true

// keyWait bounds how long nobody looks whether keys are still asked for.
const keyWait = 200 * time.Millisecond

// inForeground reports whether what is typed at a terminal is typed for us:
// reading it from the background would stop the program.
func inForeground(in *os.File) bool {
	group, err := unix.IoctlGetInt(int(in.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// waitForKeys waits a moment for something to read.
func waitForKeys(in *os.File) bool {
	poll := []unix.PollFd{{Fd: int32(in.Fd()), Events: unix.POLLIN}}
	n, err := unix.Poll(poll, int(keyWait.Milliseconds()))
	if err == nil && n > 0 && !inForeground(in) {
		time.Sleep(keyWait) // or it would be ready at once, again and again
	}
	return err == nil && n > 0
}

// keyByKey reports whether a terminal gives its keys one by one.
func keyByKey(in *os.File) bool {
	settings, err := unix.IoctlGetTermios(int(in.Fd()), getSettings)
	return err == nil && settings.Lflag&unix.ICANON == 0
}

// setKeyByKey has a terminal give its keys one by one, without showing them, as
// setRawMode of Node does; but Ctrl-C and its like stay signals, and lines that
// are printed end as before.
func setKeyByKey(in *os.File) error {
	settings, err := unix.IoctlGetTermios(int(in.Fd()), getSettings)
	if err != nil {
		return err
	}
	settings.Lflag &^= unix.ICANON | unix.ECHO | unix.IEXTEN
	settings.Iflag &^= unix.ICRNL
	settings.Cc[unix.VMIN], settings.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(int(in.Fd()), setSettings, settings)
}
