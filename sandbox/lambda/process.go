package lambda

import (
	"io"
	"log"
	"runtime"
)

// silent drops what net/http would print: a worker that is killed in the
// middle of a request is nothing to report.
var silent = log.New(io.Discard, "", 0)

// spawner starts all processes from one thread. Linux takes "die with your
// parent" as "die with the thread that started you", and Go's threads come and
// go; this one is kept until the service is closed.
func spawner(work <-chan func()) {
	runtime.LockOSThread()
	for start := range work {
		start()
	}
	// Not unlocked: the thread ends here, and with it whatever may be left.
}
