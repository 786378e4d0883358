package dynamodb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"arc/sandbox/child"
	"arc/sandbox/door"
)

// readyLimit is how long the program may take to open its port.
const readyLimit = 10 * time.Second

// target is where calls go. It starts the program when it does not run.
func (s *Service) target(ctx context.Context) (*url.URL, error) {
	if s.options.URL != "" {
		return url.Parse(s.options.URL)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("the local cloud is stopping")
	}
	if s.running != nil {
		select {
		case <-s.running.Done():
		default:
			return s.address(), nil
		}
	}
	if s.failed != nil {
		return nil, s.failed
	}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	return s.address(), nil
}

func (s *Service) address() *url.URL {
	return &url.URL{Scheme: "http", Host: net.JoinHostPort(s.host, strconv.Itoa(s.port)), Path: "/"}
}

// portTries is how often the program is started when somebody else has its port:
// it opens it itself, a moment after it was found free, and asks of it that
// nobody has that number at any address of the machine.
const portTries = 5

// errPortTaken says that the program could not have its port.
var errPortTaken = errors.New("port is taken")

// start runs the program. The caller holds the lock.
func (s *Service) start(ctx context.Context) error {
	file, err := s.program(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.failed = err
		}
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.options.File), 0o700); err != nil {
		return fmt.Errorf("tables: %w", err)
	}
	for try := 1; ; try++ {
		if err = s.serve(file); !errors.Is(err, errPortTaken) || try == portTries {
			return err
		}
	}
}

// serve starts the program on a free port and waits until it answers. The caller
// holds the lock.
func (s *Service) serve(file string) error {
	// It answers pages of any origin, and takes any signature: where it is, is all
	// that keeps pages out.
	host, port, err := door.Hidden()
	if err != nil {
		return fmt.Errorf("tables: %w", err)
	}
	said := &tail{}
	cmd := exec.Command(file, "serve", "--host", host, "--port", strconv.Itoa(port), "--db-path", s.options.File)
	cmd.Dir, cmd.Env = filepath.Dir(s.options.File), []string{}
	cmd.Stdout, cmd.Stderr = said, said
	running, err := child.Start(cmd)
	if err != nil {
		return fmt.Errorf("tables: %s: %w", file, err)
	}
	address := net.JoinHostPort(host, strconv.Itoa(port))
	for deadline := time.Now().Add(readyLimit); ; {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			conn.Close()
			break
		}
		select {
		case <-running.Done():
			if text := said.String(); strings.Contains(text, "already in use") {
				return fmt.Errorf("tables: %s: %w: %s", file, errPortTaken, text)
			}
			return fmt.Errorf("tables: %s ended at its start: %s", file, said)
		case <-time.After(2 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			running.Kill()
			return fmt.Errorf("tables: %s did not answer within %s: %s", file, readyLimit, said)
		}
	}
	s.running, s.host, s.port = running, host, port
	go s.watch(running, said)
	return nil
}

// watch says that the program has ended by itself. The next call starts it again.
func (s *Service) watch(running *child.Child, said *tail) {
	<-running.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.options.Tell.Notice("the program that keeps tables ended (%v) and is started again: %s", running.Err(), said)
	}
}

// tail keeps the end of what a program prints.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-1024):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := bytes.Split(bytes.TrimSpace(t.text), []byte("\n"))
	return string(lines[len(lines)-1])
}
