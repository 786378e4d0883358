//go:build !linux && !darwin

package main

import (
	"errors"
	"os"
)

// hasKeys says that no terminal gives its keys one by one here.
const hasKeys = false

func inForeground(*os.File) bool { return false }
func waitForKeys(*os.File) bool  { return false }
func keyByKey(*os.File) bool     { return false }
func setKeyByKey(*os.File) error { return errors.ErrUnsupported }
