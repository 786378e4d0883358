package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"unsafe"
)

// inTerminal runs a command whose output goes to a terminal of so many columns, and
// gives what that is told. Its input is none.
func inTerminal(cmd *exec.Cmd, columns uint16) ([]byte, error) {
	head, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer head.Close()
	var number, unlocked uint32
	size := [4]uint16{40, columns}
	for request, argument := range map[uintptr]unsafe.Pointer{
		syscall.TIOCGPTN: unsafe.Pointer(&number), syscall.TIOCSPTLCK: unsafe.Pointer(&unlocked), syscall.TIOCSWINSZ: unsafe.Pointer(&size),
	} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, head.Fd(), request, uintptr(argument)); errno != 0 {
			return nil, errno
		}
	}
	tail, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = tail, tail
	err = cmd.Start()
	tail.Close()
	if err != nil {
		return nil, err
	}
	var said bytes.Buffer
	said.ReadFrom(head) // it ends with EIO when nobody has the other end any more
	return bytes.ReplaceAll(said.Bytes(), []byte("\r\n"), []byte("\n")), cmd.Wait()
}
