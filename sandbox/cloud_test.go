package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"arc/sandbox"
	"arc/sandbox/activity"
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

// project is a folder with a local cloud's surroundings.
type project struct {
	t        testing.TB
	dir      string
	registry sandbox.Registry

	mu    sync.Mutex
	lines []string
}

func newProject(t testing.TB) *project {
	t.Helper()
	user := filepath.Join(t.TempDir(), "arc")
	sharePrograms(t, filepath.Join(user, "programs"))
	return &project{t: t, dir: t.TempDir(), registry: sandbox.Registry{Dir: filepath.Join(user, "local")}}
}

// sharePrograms puts at a path what clouds have npm fetch once for each user: every
// project has a user of its own here, who would fetch it anew.
func sharePrograms(t testing.TB, path string) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	shared := filepath.Join(cache, "arc-ci", "shared", "programs")
	for _, dir := range []string{shared, filepath.Dir(path)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(shared, path); err != nil {
		t.Fatal(err)
	}
}

func (p *project) log(e activity.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, e.String())
}

func (p *project) logged(line string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Contains(p.lines, line)
}

func (p *project) options() sandbox.Options {
	return sandbox.Options{Project: p.dir, Registry: p.registry, Region: "us-west-2", Path: os.Getenv("PATH"), Tell: p.log}
}

func (p *project) start() *sandbox.Cloud {
	p.t.Helper()
	c, err := sandbox.Start(p.options())
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(c.Close)
	return c
}

func (p *project) find() *sandbox.Running {
	p.t.Helper()
	r, err := p.registry.Find(context.Background(), p.dir)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// write puts a file into the project and gives its folder.
func (p *project) write(name, text string) string {
	p.t.Helper()
	file := filepath.Join(p.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		p.t.Fatal(err)
	}
	return filepath.Dir(file)
}

// files lists what a folder holds, at any depth.
func files(t testing.TB, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, filepath.Base(name))
		}
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return names
}

func TestOneCloudAProject(t *testing.T) {
	p := newProject(t)
	if r := p.find(); r != nil {
		t.Fatalf("found %+v before there was one", r)
	}
	c := p.start()
	r := p.find()
	if r == nil || r.Endpoint != c.Running().Endpoint || r.Ready {
		t.Fatalf("found %+v", r)
	}
	if c.Ready(); !p.find().Ready {
		t.Error("not ready")
	}
	if _, err := sandbox.Start(p.options()); !errors.Is(err, sandbox.ErrRunning) {
		t.Errorf("a second cloud for the project: %v", err)
	}
	if p.find() == nil {
		t.Fatal("the second one took the first one's place")
	}

	other := newProject(t)
	other.registry = p.registry
	if second := other.start(); second.Running().Endpoint == r.Endpoint {
		t.Error("two projects share an endpoint")
	}

	if err := p.registry.Stop(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	if p.find() != nil || other.find() == nil {
		t.Error("the stopped one is found, or the other is not")
	}
	// What Stop has ended can be started again at once.
	p.start().Close()
	other.find()
	if left := files(t, p.registry.Dir); slices.ContainsFunc(left, func(name string) bool {
		return strings.HasSuffix(name, ".cjs") || strings.HasPrefix(name, "registration-")
	}) {
		t.Errorf("left in the registry: %q", left)
	}
}

// TestManyAtOnce starts clouds for one project at the same moment: one runs.
func TestManyAtOnce(t *testing.T) {
	p := newProject(t)
	var wg sync.WaitGroup
	clouds := make(chan *sandbox.Cloud, 8)
	for range cap(clouds) {
		wg.Go(func() {
			c, err := sandbox.Start(p.options())
			if err == nil {
				clouds <- c
			} else if !errors.Is(err, sandbox.ErrRunning) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(clouds) != 1 {
		t.Fatalf("%d clouds run", len(clouds))
	}
	c := <-clouds
	if r := p.find(); r == nil || r.Endpoint != c.Running().Endpoint {
		t.Errorf("found %+v, but %s runs", r, c.Running().Endpoint)
	}
	c.Close()
}

// TestStale meets the registration of a cloud that was killed, and what it left.
func TestStale(t *testing.T) {
	p := newProject(t)
	first := p.start()
	lock := slices.DeleteFunc(files(t, p.registry.Dir), func(name string) bool { return filepath.Ext(name) != ".lock" })
	if len(lock) != 1 {
		t.Fatalf("locks: %q", lock)
	}
	first.Close()
	if left := files(t, p.registry.Dir); len(left) > 0 {
		t.Errorf("a cloud that was closed left %q", left)
	}
	stem := filepath.Join(p.registry.Dir, strings.TrimSuffix(lock[0], ".lock"))
	// Somebody else answers at the port by now.
	stranger := http.Server{Handler: http.NotFoundHandler()}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go stranger.Serve(l)
	defer stranger.Close()
	registration, err := json.Marshal(sandbox.Running{Project: p.dir, Endpoint: "http://" + l.Addr().String(), PID: 1, Token: "x"})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{".json": string(registration), ".scratch/code/0/index.mjs": "old"} {
		if err := os.MkdirAll(filepath.Dir(stem+name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(stem+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if r := p.find(); r != nil {
		t.Fatalf("found %+v", r)
	}
	c := p.start()
	if r := p.find(); r == nil || r.Endpoint != c.Running().Endpoint {
		t.Errorf("found %+v", r)
	}
	// Its own certificates are all that a cloud begins with.
	if left := files(t, stem+".scratch"); !slices.Equal(left, []string{"ca.pem", "roots.pem"}) {
		t.Errorf("an earlier cloud's files are there: %q", left)
	}
	c.Close()
	if _, err := os.Stat(stem + ".scratch"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("files of the stopped cloud: %v", err)
	}
}

// TestHomeless takes away what a cloud runs for: it ends by itself.
func TestHomeless(t *testing.T) {
	for what, dir := range map[string]func(*project) string{
		"project":      func(p *project) string { return p.dir },
		"registration": func(p *project) string { return p.registry.Dir },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := newProject(t)
			c := p.start()
			if err := os.RemoveAll(dir(p)); err != nil {
				t.Fatal(err)
			}
			select {
			case <-c.Done():
			case <-time.After(20 * time.Second):
				t.Error("it goes on")
			}
		})
	}
}

func TestStopNeedsTheToken(t *testing.T) {
	p := newProject(t)
	r := p.start().Running()
	for _, token := range []string{"", "guess", strings.Repeat("x", 1<<20)} {
		resp, err := http.Post(r.Endpoint+"/_arc/stop", "text/plain", strings.NewReader(token))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("token of %d bytes: %s", len(token), resp.Status)
		}
	}
	resp, err := http.Get(r.Endpoint + "/_arc/health")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || strings.Contains(string(body), r.Token) {
		t.Errorf("health tells the token: %s %v", body, err)
	}
}

// TestEdit: one at a time changes files of a project, next to its cloud, and
// who waits can be told to stop.
func TestEdit(t *testing.T) {
	registry := sandbox.Registry{Dir: t.TempDir()}
	release, err := registry.Edit(t.Context(), "/p")
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := registry.Edit(ended, "/p"); !errors.Is(err, context.Canceled) {
		t.Errorf("a second one: %v", err)
	}
	other, err := registry.Edit(t.Context(), "/q")
	if err != nil {
		t.Fatalf("another project: %v", err)
	}
	other()
	release()
	again, err := registry.Edit(t.Context(), "/p")
	if err != nil {
		t.Fatalf("after the first: %v", err)
	}
	defer again()
	if busy, err := registry.Busy("/p"); busy || err != nil {
		t.Errorf("the cloud's lock is taken: %v %v", busy, err)
	}
}
