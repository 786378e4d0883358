package plugin

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	programs "arc/sandbox/child"
)

// request is a line to a child.
type request struct {
	ID     int    `json:"id,omitempty"`
	Call   string `json:"call,omitempty"`
	Plugin string `json:"plugin,omitempty"`
	Kind   string `json:"kind,omitempty"` // "plugins" or "macros", of resolve and load
	Src    string `json:"src,omitempty"`
	Args

	Invoked int             `json:"invoked,omitempty"` // answers an invoke
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *failure        `json:"error,omitempty"`

	Keys []byte `json:"keys,omitempty"` // were typed
}

// response is a line from a child.
type response struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *failure        `json:"error"`

	Log    *string  `json:"log"`
	Plugin string   `json:"plugin"`
	Failed *failure `json:"failed"`
	Typing *Typing  `json:"typing"` // how plugins want what is typed

	Invoke  int             `json:"invoke"`
	Pragma  string          `json:"pragma"`
	Name    string          `json:"name"`
	Payload json.RawMessage `json:"payload"`
}

// child is a process that answers lines.
type child struct {
	host    *Host
	name    string // of its one plugin; "" = several share it
	process *programs.Child
	to      io.WriteCloser
	printed sync.WaitGroup
	over    atomic.Pointer[Error] // of the hook with which it ended: the answer to all that come later

	writing sync.Mutex // of lines to to
	mu      sync.Mutex // guards what follows
	calls   int
	waits   map[int]chan response
	gone    bool // it answers no more
}

// startChild starts a process. With apart, lines go by descriptors 3 and 4, and
// what it prints stays its own; else by its standard input and output.
func startChild(cmd *exec.Cmd, apart bool, name string, host *Host) (*child, error) {
	c := &child{host: host, name: name, waits: map[int]chan response{}}
	theirs, ours, err := os.Pipe() // lines to it
	if err != nil {
		return nil, err
	}
	from, answers, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, theirs.Close(), ours.Close())
	}
	printed, prints, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, theirs.Close(), ours.Close(), from.Close(), answers.Close())
	}
	if apart {
		cmd.ExtraFiles = []*os.File{theirs, answers}
		cmd.Stdout, cmd.Stderr = prints, prints
	} else {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, answers, prints
	}
	c.to = ours
	c.process, err = programs.Start(cmd)
	for _, file := range []*os.File{theirs, answers, prints} {
		file.Close()
	}
	if err != nil {
		return nil, errors.Join(err, ours.Close(), from.Close(), printed.Close())
	}
	c.printed.Go(func() { host.copyOutput(name, printed); printed.Close() })
	go c.read(from)
	return c, nil
}

// maxLine bounds a line, in bytes: a template and an inventory are in one.
const maxLine = 256 << 20

func lineScanner(from io.Reader) *bufio.Scanner {
	scan := bufio.NewScanner(from)
	scan.Buffer(nil, maxLine)
	return scan
}

// read takes the child's lines until there are no more. What is no line of the
// protocol was printed.
func (c *child) read(from *os.File) {
	defer from.Close()
	scan := lineScanner(from)
	for scan.Scan() {
		var r response
		if err := json.Unmarshal(scan.Bytes(), &r); err != nil || !r.known() {
			c.host.print(c.name, scan.Text())
			continue
		}
		c.take(r)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	for id, wait := range c.waits {
		delete(c.waits, id)
		close(wait)
	}
}

func (r *response) known() bool {
	return r.ID != 0 || r.Log != nil || r.Failed != nil || r.Typing != nil || r.Invoke != 0
}

func (c *child) take(r response) {
	name := r.Plugin
	if c.name != "" {
		name = c.name
	}
	switch {
	case r.Log != nil:
		if !c.host.paint(*r.Log) {
			c.host.print(name, *r.Log)
		}
	case r.Typing != nil:
		c.host.asks(c, name, *r.Typing)
	case r.Failed != nil:
		if c.host.options.Failed != nil {
			c.host.options.Failed(r.Failed.text() + "\n" + r.Failed.frames())
		}
	case r.Invoke != 0:
		go c.invoke(r)
	default:
		c.mu.Lock()
		wait := c.waits[r.ID]
		delete(c.waits, r.ID)
		c.mu.Unlock()
		if wait != nil {
			wait <- r
		}
	}
}

// invoke calls a function of the app for a plugin, and tells it the outcome.
func (c *child) invoke(r response) {
	answer := request{Invoked: r.Invoke}
	if c.host.options.Invoke == nil {
		answer.Error = &failure{Message: "no app runs: invoke is for hooks of the sandbox"}
	} else if result, err := c.host.options.Invoke(context.Background(), r.Pragma, r.Name, r.Payload); err != nil {
		answer.Error = &failure{Message: err.Error()}
		if own, ok := errors.AsType[*InvokeError](err); ok {
			*answer.Error = failure{Message: own.Message, Type: own.Type, Stack: own.Stack}
		}
	} else if answer.Result = result; len(result) == 0 {
		answer.Result = json.RawMessage("null")
	}
	// Whoever asked is gone when this fails.
	_ = c.write(answer)
}

// write sends a line; it waits while the child reads none.
func (c *child) write(r request) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("line to a plugin: %w", err)
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err = c.to.Write(append(line, '\n'))
	return err
}

var errEnded = errors.New("its process ended before it answered")

// call sends a line and waits for the answer.
func (c *child) call(ctx context.Context, r request) (response, error) {
	wait := make(chan response, 1)
	c.mu.Lock()
	if c.gone {
		c.mu.Unlock()
		return response{}, errEnded
	}
	c.calls++
	r.ID = c.calls
	c.waits[r.ID] = wait
	c.mu.Unlock()
	sent := make(chan error, 1)
	go func() { sent <- c.write(r) }()
	for {
		select {
		case <-ctx.Done():
			return response{}, ctx.Err()
		case err := <-sent:
			if err != nil {
				c.ended()
				return response{}, errEnded
			}
			sent = nil
		case answer, ok := <-wait:
			if !ok {
				c.ended()
				return response{}, errEnded
			}
			return answer, nil
		}
	}
}

// ended waits a moment for what a process that has ended printed last.
func (c *child) ended() {
	done := make(chan struct{})
	go func() { c.printed.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Second): // a child of its own holds the pipe
	}
}

func (c *child) kill() { c.process.Kill() }

// close ends the child: it ends by itself when its lines do, or is killed.
func (c *child) close() {
	c.to.Close()
	select {
	case <-c.process.Done():
	case <-time.After(2 * time.Second):
		c.process.Kill()
	}
	c.ended()
}
