package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// process is what /proc tells of one.
type process struct {
	pid, parent int
	name        string
	state       byte
	began       string // in ticks since the machine started: numbers are used anew
	resident    int64  // bytes that no file stands for
	descriptors int
}

// readProcess reads /proc/PID; https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
func readProcess(pid int) (p process, err error) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return p, err
	}
	open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if open < 0 || end < open {
		return p, fmt.Errorf("%sstat: not understood", dir)
	}
	fields := strings.Fields(string(stat[end+1:])) // the first one is the third
	p = process{pid: pid, name: string(stat[open+1 : end]), state: fields[0][0], began: fields[19]}
	p.parent, _ = strconv.Atoi(fields[1])
	return p, nil
}

// weigh adds what takes longer to read; a process that has ended weighs nothing.
func (p *process) weigh() {
	dir := fmt.Sprintf("/proc/%d/", p.pid)
	status, _ := os.ReadFile(dir + "status")
	if _, rest, ok := strings.Cut(string(status), "RssAnon:"); ok {
		kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		p.resident = kb << 10
	}
	descriptors, _ := os.ReadDir(dir + "fd")
	p.descriptors = len(descriptors)
}

// series is what was seen of one process, sample by sample.
type series struct {
	pid                   int
	name                  string
	resident, descriptors []int64
	first                 int // sample
}

// samples are what was seen of a process and all below it.
type samples struct {
	root   int
	count  int
	all    map[int]string // when each process began that was ever there
	series map[string]*series
	sum    series // of all but the first
	many   []int64

	stop, stopped chan struct{}
}

func watchProcesses(root int, every time.Duration) *samples {
	s := &samples{root: root, all: map[int]string{}, series: map[string]*series{}, stop: make(chan struct{}), stopped: make(chan struct{})}
	go func() {
		defer close(s.stopped)
		for {
			s.sample()
			select {
			case <-s.stop:
				return
			case <-time.After(every):
			}
		}
	}()
	return s
}

// end takes no more samples.
func (s *samples) end() *samples {
	close(s.stop)
	<-s.stopped
	return s
}

func (s *samples) sample() {
	names, _ := filepath.Glob("/proc/[0-9]*")
	children := map[int][]process{}
	for _, name := range names {
		pid, _ := strconv.Atoi(filepath.Base(name))
		if p, err := readProcess(pid); err == nil {
			children[p.parent] = append(children[p.parent], p)
			if pid == s.root {
				s.add(p)
			}
		}
	}
	var resident, descriptors, many int64
	for queue := slices.Clone(children[s.root]); len(queue) > 0; {
		p := queue[0]
		queue = append(queue[1:], children[p.pid]...)
		r, d := s.add(p)
		resident, descriptors, many = resident+r, descriptors+d, many+1
	}
	s.sum.resident, s.sum.descriptors = append(s.sum.resident, resident), append(s.sum.descriptors, descriptors)
	s.many = append(s.many, many)
	s.count++
}

func (s *samples) add(p process) (resident, descriptors int64) {
	p.weigh()
	s.all[p.pid] = p.began
	key := fmt.Sprint(p.pid, " ", p.began)
	one := s.series[key]
	if one == nil {
		one = &series{pid: p.pid, name: p.name, first: s.count}
		s.series[key] = one
	}
	if p.resident > 0 {
		one.resident, one.descriptors = append(one.resident, p.resident), append(one.descriptors, int64(p.descriptors))
	}
	return p.resident, int64(p.descriptors)
}

func median(list []int64) int64 {
	if len(list) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(list))[len(list)/2]
}

// halves are the medians of the second and of the last quarter: what a process
// takes until it is warm is no leak.
func halves(list []int64) (early, late int64) {
	n := len(list)
	return median(list[n/4 : n/2]), median(list[n-n/4:])
}

func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
