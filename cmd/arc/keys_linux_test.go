package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestPluginKeys: a plugin of npm that waits for keys gets them from the terminal
// that arc sandbox runs in, draws its list there, and calls the function that is
// chosen; Ctrl-C ends arc, and leaves the terminal as it was.
func TestPluginKeys(t *testing.T) {
	t.Parallel()
	modules := filepath.Join(installedPlugins(t), "node_modules")
	arc := buildArc(t)
	dir := t.TempDir()
	for name, body := range map[string]string{
		"app.arc":                    "@app\nkeys\n\n@plugins\narchitect/plugin-lambda-invoker\n\n@events\nopened\nsaved\n",
		"src/events/opened/index.js": "exports.handler = async () => console.log('it was opened')\n",
		"src/events/saved/index.js":  "exports.handler = async () => console.log('it was saved')\n",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	ours, theirs := openTerminal(t)
	cmd := exec.Command(arc, "sandbox", "--port", fmt.Sprint(freePort(t)))
	cmd.Dir, cmd.Env = dir, append(arcEnv(dir), "TERM=xterm", "CI=")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer cmd.Process.Kill()

	shown := &shownText{t: t, typed: ours}
	go shown.read(ours)
	before, err := unix.IoctlGetTermios(int(theirs.Fd()), getSettings)
	if err != nil {
		t.Fatal(err)
	}
	shown.awaits("Event invoker started")
	for deadline := time.Now().Add(20 * time.Second); !keyByKey(theirs); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the plugin asked for keys, and the terminal gives lines")
		}
	}
	shown.types("i")
	shown.awaits("Which event do you want to invoke?")
	shown.awaits("@events saved")
	shown.types("\x1b[B") // one down
	shown.types("\r")
	shown.awaits("architect/plugin-lambda-invoker:\x1b[0m ⚬ Invoker Invoking @events saved")
	shown.awaits("a plugin invoked @events saved")
	shown.awaits("it was saved")
	shown.types("\x03")
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("Ctrl-C: %v\n%s", err, shown.text())
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("Ctrl-C does not end it:\n%s", shown.text())
	}
	after, err := unix.IoctlGetTermios(int(theirs.Fd()), getSettings)
	if err != nil {
		t.Fatal(err)
	}
	if *after != *before {
		t.Errorf("the terminal is left as %+v, and was %+v", after, before)
	}
	if text := shown.text(); strings.Contains(text, "it was opened") {
		t.Errorf("another function was called:\n%s", text)
	}
}

// openTerminal makes a terminal: the side of whoever sits at it, and the
// program's.
func openTerminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("there are no terminals here: %v", err)
	}
	ours = os.NewFile(uintptr(fd), "terminal")
	t.Cleanup(func() { ours.Close() })
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close() })
	return ours, theirs
}

// shownText is what a terminal shows.
type shownText struct {
	t     *testing.T
	typed *os.File
	mu    sync.Mutex
	all   []byte
}

func (s *shownText) read(from *os.File) {
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		s.mu.Lock()
		s.all = append(s.all, buffer[:n]...)
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *shownText) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.all)
}

func (s *shownText) awaits(text string) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(s.text(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("%q does not appear:\n%s", text, s.text())
		}
	}
}

func (s *shownText) types(keys string) {
	s.t.Helper()
	if _, err := s.typed.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}
