package lambda_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"arc/sandbox/invoke"
	"arc/sandbox/lambda"
)

// need skips a test whose tool is missing; in CI it fails.
func need(t testing.TB, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not on the PATH", tool)
	}
	t.Skipf("%s is not on the PATH", tool)
}

// service is a Service that remembers what its functions print.
type service struct {
	*lambda.Service
	t testing.TB

	mu    sync.Mutex
	lines []string
}

func newService(t testing.TB, options lambda.Options) *service {
	s := &service{t: t}
	if withLayers != "" {
		options.Self = "/proc/self/exe"
	}
	if options.Path == "" {
		options.Path = os.Getenv("PATH")
	}
	if options.Log == nil {
		options.Log = func(label, id, line string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.lines = append(s.lines, label+" | "+line)
		}
	}
	s.Service = lambda.New(options)
	t.Cleanup(s.Close)
	return s
}

// Close ends the service.
func (s *service) Close() { s.Service.Close(context.Background()) }

func (s *service) log() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines)
}

// folder writes files, given as txtar, to a new folder.
func folder(t testing.TB, files string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, files)
	return dir
}

func write(t testing.TB, dir, files string) {
	t.Helper()
	for _, f := range txtar.Parse([]byte(files)).Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o644)
		if strings.HasPrefix(string(f.Data), "#!") {
			mode = 0o755
		}
		if err := os.WriteFile(name, f.Data, mode); err != nil {
			t.Fatal(err)
		}
	}
}

const account = "000000000000"

// withLayers is a folder of layers that every function has (TestEverythingWithLayers);
// "" = they have none.
var withLayers = os.Getenv("ARC_TEST_LAYERS")

// function is a Node function of the given files.
func function(t testing.TB, name, files string) lambda.Function {
	return lambda.Function{
		Name: name, ARN: "arn:aws:lambda:us-west-2:" + account + ":function:" + name,
		Runtime: "nodejs22.x", Handler: "index.handler", Dir: folder(t, files), Timeout: 10, MemoryMB: 1152, Label: "@http get /" + name, Opt: withLayers,
	}
}

// invoke runs a function that must succeed.
func (s *service) invoke(name, event string) string {
	s.t.Helper()
	r := s.result(name, event)
	if r.Failed != "" {
		s.t.Fatalf("%s failed: %s", name, r.Payload)
	}
	return string(r.Payload)
}

func (s *service) result(name, event string) invoke.Result {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := s.Invoke(ctx, name, []byte(event))
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// eventually waits for a condition that another process brings about.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("never came true: %s", what)
		}
		<-tick.C
	}
}
