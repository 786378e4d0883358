package sandbox

import "os"

// tryLock: the port that a second cloud would need is lock enough here.
func tryLock(*os.File) (bool, error) { return true, nil }
