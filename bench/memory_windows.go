package main

import "os/exec"

// maxRSS is the peak memory of a finished process in bytes; 0, as Windows does not
// tell it of one that has ended.
func maxRSS(*exec.Cmd) int64 { return 0 }
