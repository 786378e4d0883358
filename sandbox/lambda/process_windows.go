package lambda

import "os"

func yield(*os.Process) {}

// killStrays does nothing: taskkill has ended the whole tree.
func killStrays(string) {}
