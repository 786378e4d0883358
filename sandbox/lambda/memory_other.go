//go:build !linux

package lambda

import (
	"errors"
	"time"
)

// freeMemory is not asked for here; unknownMemory is a machine of today.
func freeMemory() int64 { return unknownMemory }

// privateMemory is not looked at here: a function's memory is not enforced.
func privateMemory(int) (int64, error) { return 0, errors.ErrUnsupported }

func familyMemory(int) int64 { return 0 }

// starvation is not known here.
func starvation(int) time.Duration { return 0 }
