package lambda

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"
)

// maxLine is where a longer line is cut in two.
const maxLine = 64 << 10

// output is what a worker prints, line by line, each with the ID of the event
// that it belongs to. stdout and stderr are pipes of their own, so that a line
// of one is never broken by a line of the other.
type output struct {
	emit    func(id, line string)
	readers sync.WaitGroup

	drained time.Time // when the last event was marked, or its end; one goroutine after another does

	mu      sync.Mutex // held from reading bytes to handing their lines on
	id      string
	streams [2]stream
	buffer  []byte
}

type stream struct {
	read, write *os.File
	raw         syscall.RawConn
	partial     []byte // a line that has no end yet
}

func newOutput(emit func(id, line string)) (*output, error) {
	o := &output{emit: emit, buffer: make([]byte, 16<<10)}
	for i := range o.streams {
		s := &o.streams[i]
		var err error
		if s.read, s.write, err = os.Pipe(); err == nil {
			s.raw, err = s.read.SyscallConn()
		}
		if err != nil {
			o.started()
			o.closeReaders()
			return nil, err
		}
	}
	for i := range o.streams {
		o.readers.Go(func() { o.follow(&o.streams[i]) })
	}
	return o, nil
}

// writers are the ends for the process.
func (o *output) writers() (stdout, stderr *os.File) { return o.streams[0].write, o.streams[1].write }

// started closes our copies of the process's ends, once it has its own.
func (o *output) started() {
	for i := range o.streams {
		if w := o.streams[i].write; w != nil {
			w.Close()
		}
	}
}

// lull is how long after an answer nothing is looked for when the next event begins: a
// process of Lambda's stands still in between, so that what it prints then is the next
// event's there as well.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
const lull = 100 * time.Microsecond

// mark says that what is printed from now on belongs to another event, or to none. What
// was printed before is handed on first, under the ID it belongs to.
func (o *output) mark(id string) {
	if id == "" || time.Since(o.drained) > lull {
		o.drain()
		o.drained = time.Now()
	}
	o.mu.Lock()
	o.id = id
	o.mu.Unlock()
}

// drain hands on all that has been printed, be the last line ended or not.
func (o *output) drain() {
	o.mu.Lock()
	defer o.mu.Unlock()
	empty := o.empty()
	for i := range o.streams {
		s := &o.streams[i]
		if !empty {
			o.pull(s)
		}
		if len(s.partial) > 0 {
			o.line(s.partial)
			s.partial = s.partial[:0]
		}
	}
}

// close hands on the rest. Another process may still hold the pipe open, so it
// does not wait for its end.
func (o *output) close() {
	o.drain()
	o.closeReaders()
	o.readers.Wait()
	o.drain()
}

func (o *output) closeReaders() {
	for i := range o.streams {
		if r := o.streams[i].read; r != nil {
			r.Close()
		}
	}
}

// feed takes bytes as they were read. The caller holds the lock.
func (o *output) feed(s *stream, data []byte) {
	for {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			break
		}
		if len(s.partial) == 0 {
			o.line(data[:end])
		} else {
			o.line(append(s.partial, data[:end]...))
			s.partial = s.partial[:0]
		}
		data = data[end+1:]
	}
	s.partial = append(s.partial, data...)
	for len(s.partial) > maxLine {
		cut := wholeRunes(s.partial)
		o.piece(s.partial[:cut])
		s.partial = append(s.partial[:0], s.partial[cut:]...)
	}
}

// line hands on one line, in pieces if it is too long.
func (o *output) line(text []byte) {
	text = bytes.TrimSuffix(text, []byte("\r"))
	for len(text) > maxLine {
		cut := wholeRunes(text)
		o.piece(text[:cut])
		text = text[cut:]
	}
	o.piece(text)
}

func (o *output) piece(text []byte) { o.emit(o.id, strings.ToValidUTF8(string(text), "\uFFFD")) }

// wholeRunes is where to cut a long line without cutting a character.
func wholeRunes(text []byte) int {
	for cut := maxLine; cut > maxLine-utf8.UTFMax; cut-- {
		if utf8.RuneStart(text[cut]) {
			return cut
		}
	}
	return maxLine
}
