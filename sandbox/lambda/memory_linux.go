package lambda

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"arc/sandbox/nonblock"
)

// freeMemory is what programs can have of the machine's memory, or of what the
// control group that this process is in may have, in bytes.
// https://docs.kernel.org/filesystems/proc.html, https://docs.kernel.org/admin-guide/cgroup-v2.html
func freeMemory() int64 {
	free := int64(unknownMemory)
	if data, err := os.ReadFile("/proc/meminfo"); err == nil {
		if _, rest, ok := strings.Cut(string(data), "MemAvailable:"); ok {
			var kb int64
			if _, err := fmt.Sscan(rest, &kb); err == nil {
				free = kb << 10
			}
		}
	}
	most, errMost := byteCount("/sys/fs/cgroup/memory.max") // the word max when there is no limit
	used, errUsed := byteCount("/sys/fs/cgroup/memory.current")
	if errMost == nil && errUsed == nil {
		free = min(free, max(0, most-used))
	}
	return free
}

func byteCount(file string) (int64, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
}

// privateMemory is what a process holds for itself alone: without the program's
// own pages, which all workers share.
func privateMemory(pid int) (int64, error) {
	fields, err := numbers("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0, err
	}
	return (fields[1] - fields[2]) * int64(os.Getpagesize()), nil
}

// starvation is how long a process's first thread has been ready to run, and no
// processor free for it.
// https://docs.kernel.org/scheduler/sched-stats.html
func starvation(pid int) time.Duration {
	fields, err := numbers("/proc/" + strconv.Itoa(pid) + "/schedstat")
	if err != nil {
		return 0 // ended, or a kernel that does not count
	}
	return time.Duration(fields[1])
}

// numbers reads a file of the kernel's that begins with three numbers. It is done while an
// answer waits.
func numbers(file string) (list [3]int64, err error) {
	var buffer [128]byte
	data, err := nonblock.Contents(file, buffer[:0])
	if err != nil {
		return list, fmt.Errorf("%s: %w", file, err)
	}
	fields := bytes.Fields(data)
	for i := range list {
		if i >= len(fields) {
			return list, fmt.Errorf("%s: %d numbers, and not 3", file, len(fields))
		}
		if list[i], err = strconv.ParseInt(string(fields[i]), 10, 64); err != nil {
			return list, fmt.Errorf("%s: %w", file, err)
		}
	}
	return list, nil
}

// familyMemory is what the processes below a process hold for themselves.
func familyMemory(pid int) (total int64) {
	for _, child := range children(pid) {
		if own, err := privateMemory(child); err == nil { // else it has just ended
			total += own + familyMemory(child)
		}
	}
	return total
}

// children are the processes that a process's first thread has started.
func children(pid int) (pids []int) {
	p := strconv.Itoa(pid)
	data, err := nonblock.Contents("/proc/"+p+"/task/"+p+"/children", nil)
	if err != nil {
		return nil // ended, or a kernel without the list
	}
	for _, field := range bytes.Fields(data) {
		if n, err := strconv.Atoi(string(field)); err == nil {
			pids = append(pids, n)
		}
	}
	return pids
}
