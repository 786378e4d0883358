package lambda

import "runtime"

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
