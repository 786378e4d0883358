//go:build linux

package opt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestMain is this program's main: it begins with Enter, as Prepare wants it, and is
// the program that takes over, too.
func TestMain(m *testing.M) {
	if code, mine := Enter(os.Args); mine {
		os.Exit(code)
	}
	if len(os.Args) > 1 && os.Args[1] == "--facts" {
		out, _ := json.Marshal(facing())
		fmt.Println(string(out))
		return
	}
	os.Exit(m.Run())
}

// sight is what a program with layers sees of itself.
type sight struct {
	Args   []string
	Layer  string // what is in its file
	Write  string // the error of writing to it
	Death  int    // the signal of its parent's
	Rights string // effective and ambient
	Extra  string // what is in the file that it was given after stderr
	Teller bool   // the pipe behind that is still open
	Env    string
}

// The signal of the parent's death is the first thread's.
func init() {
	if len(os.Args) > 1 && os.Args[1] == "--facts" {
		runtime.LockOSThread()
	}
}

func facing() sight {
	s := sight{Args: os.Args[1:], Env: os.Getenv("OWN")}
	data, _ := os.ReadFile(filepath.Join(Folder, "layer.txt"))
	s.Layer = string(data)
	_, err := os.OpenFile(filepath.Join(Folder, "layer.txt"), os.O_WRONLY, 0)
	s.Write = fmt.Sprint(errors.Unwrap(err))
	var signal int32
	unix.Prctl(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&signal)), 0, 0, 0)
	s.Death = int(signal)
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "CapEff") || strings.HasPrefix(line, "CapAmb") {
			s.Rights += strings.ReplaceAll(strings.TrimSpace(line), "\t", "")
		}
	}
	extra, _ := os.ReadFile(fmt.Sprintf("/proc/self/fd/%d", firstExtra))
	s.Extra = string(extra)
	link, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", firstExtra+1))
	s.Teller = strings.HasPrefix(link, "pipe:")
	return s
}

// ways are those that this machine lets this user have; in CI there is one.
func ways(t *testing.T) []*Way {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	found, err := Probe(context.Background(), self, t.TempDir())
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	all := []*Way{found}
	if !found.user { // root has two
		if second := (&Way{self, true}); second.probe(context.Background(), t.TempDir()) == nil {
			all = append(all, second)
		}
	}
	return all
}

// TestMounted has a program see a folder's files in /opt, above those that are there,
// without being able to change them, or having more rights than it had.
func TestMounted(t *testing.T) {
	layers := t.TempDir()
	if err := os.WriteFile(filepath.Join(layers, "layer.txt"), []byte("of a layer"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, way := range ways(t) {
		for _, death := range []syscall.Signal{0, syscall.SIGKILL} {
			cmd := exec.Command(way.self, "--facts", "two words", "")
			cmd.Args[0] = "named"
			cmd.Env = append(os.Environ(), "OWN=own")
			extra, err := os.Open(filepath.Join(layers, "layer.txt"))
			if err != nil {
				t.Fatal(err)
			}
			defer extra.Close()
			cmd.ExtraFiles = []*os.File{extra}
			cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: death}
			entry, err := way.Prepare(cmd, layers)
			if err != nil {
				t.Fatal(err)
			}
			if parent := map[syscall.Signal]string{0: "0", syscall.SIGKILL: fmt.Sprint(os.Getpid())}[death]; !slices.Equal(cmd.Args, []string{"arc", word, layers, parent, fmt.Sprint(firstExtra + 1), way.self, "named", "--facts", "two words", ""}) {
				t.Errorf("%+v: %q", way, cmd.Args)
			}
			var out strings.Builder
			cmd.Stdout, cmd.Stderr = &out, os.Stderr
			err = cmd.Start()
			entry.Started()
			if err := errors.Join(err, entry.Wait(), cmd.Wait()); err != nil {
				t.Fatalf("%+v: %v", way, err)
			}
			var got sight
			if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
				t.Fatalf("%v: %s", err, out.String())
			}
			want := sight{Args: []string{"--facts", "two words", ""}, Layer: "of a layer", Extra: "of a layer", Write: "read-only file system", Death: int(death), Rights: got.Rights, Env: "own"}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%+v: %+v, want %+v", way, got, want)
			}
			if none := "CapEff:0000000000000000CapAmb:0000000000000000"; os.Geteuid() != 0 && got.Rights != none {
				t.Errorf("%+v: it may %s", way, got.Rights)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(Folder, "layer.txt")); err == nil {
		t.Error("this process sees the layers")
	}
}

// TestNobody runs TestMounted for a user who may nothing, if this one is root.
func TestNobody(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("TestMounted is that")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "opt") // which nobody can reach, unlike a test's own
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := errors.Join(os.Chmod(dir, 0o777), os.WriteFile(filepath.Join(dir, "opt.test"), program, 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "opt.test"), "-test.run", "^(TestMounted|TestNotMounted)$", "-test.v")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	} else if strings.Contains(string(out), "--- SKIP") {
		t.Skip(string(out))
	}
}

// TestNotMounted says what went wrong, and whether that was the program's own fault.
func TestNotMounted(t *testing.T) {
	for _, way := range ways(t) {
		for _, c := range []struct {
			name, layers, program, want string
			notRun                      bool
		}{
			{"no program", t.TempDir(), "/nowhere/at", "exec /nowhere/at: no such file or directory", true},
			{"no layers", "/nowhere/layers", "/bin/true", "open /nowhere/layers: no such file or directory", false},
			{"layers that are a file", "/etc/passwd", "/bin/true", "open /etc/passwd: not a directory", false},
		} {
			cmd := &exec.Cmd{Path: c.program, Args: []string{c.program}, SysProcAttr: &syscall.SysProcAttr{}}
			entry, err := way.Prepare(cmd, c.layers)
			if err != nil {
				t.Fatal(err)
			}
			started := cmd.Start()
			entry.Started()
			err = entry.Wait()
			ended := cmd.Wait()
			if started != nil || err == nil || err.Error() != c.want || NotRun(err) != c.notRun || cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("%s: %v, %v, %v, want %s", c.name, started, err, ended, c.want)
			}
		}
		// Whoever is to be its parent is dead before it is heard.
		cmd := &exec.Cmd{Path: "/bin/true", Args: []string{"true"}, SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}}
		entry, err := way.Prepare(cmd, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		cmd.Args[3] = "1"
		started := cmd.Start()
		entry.Started()
		if err := entry.Wait(); started != nil || !errors.Is(err, syscall.ESRCH) || NotRun(err) {
			t.Errorf("%v %v", started, err)
		}
		cmd.Wait() // 1, or killed
		// One that never starts is not waited for.
		cmd = &exec.Cmd{Path: "/bin/true", Args: []string{"true"}, Dir: "/nowhere", SysProcAttr: &syscall.SysProcAttr{}}
		if entry, err = way.Prepare(cmd, t.TempDir()); err != nil {
			t.Fatal(err)
		}
		started = cmd.Start()
		entry.Started()
		if err := entry.Wait(); started == nil || err != nil {
			t.Errorf("%v %v", started, err)
		}
	}
}

// TestEnter leaves alone what is not its own.
func TestEnter(t *testing.T) {
	for _, args := range [][]string{nil, {"arc"}, {"arc", word}, {"arc", word, "layers"}, {"arc", "sandbox", "--port", "4100"}} {
		if code, mine := Enter(args); code != 0 || mine {
			t.Errorf("%q: %d %t", args, code, mine)
		}
	}
}

// TestKernel reads what this machine's kernel says.
func TestKernel(t *testing.T) {
	machine := kernel()
	data, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.TrimSpace(string(data)); machine.release != want || machine.sysctl("kernel.osrelease") != want || machine.sysctl("kernel.none") != "" {
		t.Errorf("%q %q, want %q", machine.release, machine.sysctl("kernel.osrelease"), want)
	}
}

// TestUnread says that what is to mount cannot be heard.
func TestUnread(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	e := &Entry{read, write}
	e.Started()
	if err := e.Wait(); err == nil || errors.Is(err, io.EOF) || !strings.HasPrefix(err.Error(), "layers at /opt: ") {
		t.Error(err)
	}
}
