//go:build !linux

package opt

import (
	"context"
	"errors"
	"os/exec"
)

// Way is how this machine lets layers be mounted; there is none.
type Way struct{}

// Probe finds no way: only Linux lets a program see what no other does.
func Probe(context.Context, string, string) (*Way, error) {
	return nil, &Refused{errors.New("only Linux lets a program have a folder of its own there"), "run arc in a Linux machine or container for functions that need it"}
}

// Prepare is never called, as there is no Way.
func (*Way) Prepare(*exec.Cmd, string) (*Entry, error) { return nil, errors.ErrUnsupported }

// Enter is the beginning of this program's main; nothing is asked of it here.
func Enter([]string) (code int, mine bool) { return 0, false }
