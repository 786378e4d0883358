package gateway

import "syscall"

// writeNow leaves all of it to be waited for: there is no such call for sockets.
func writeNow(syscall.RawConn, []byte) (int, error) { return 0, nil }
