package sandbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Running is a local cloud that runs for a project, as its process wrote it
// down. The file lives in the user's cache folder, never in the project.
type Running struct {
	Project  string // absolute folder
	Endpoint string // "http://127.0.0.1:2222"
	PID      int
	Token    string // whoever can read the user's cache may stop the cloud
	// Ready tells that the app it was started for is up, or that there is none.
	Ready bool `json:"-"`
}

// ID tells the cloud from others, and gives its token away to nobody.
func (r Running) ID() string { return publicID(r.Token) }

// Registry is the folder in which running clouds are written down: one file a
// project, readable by this user alone.
type Registry struct{ Dir string }

func (g Registry) file(project, extension string) string {
	sum := sha256.Sum256([]byte(project))
	return filepath.Join(g.Dir, hex.EncodeToString(sum[:8])+extension)
}

// LogFile is where a detached cloud of the project writes its output.
func (g Registry) LogFile(project string) (string, error) {
	if err := os.MkdirAll(g.Dir, 0o700); err != nil {
		return "", fmt.Errorf("registry of local clouds: %w", err)
	}
	return g.file(project, ".log"), nil
}

// Find returns the project's local cloud when one is running and answers. A
// registration whose cloud is gone (killed, machine restarted) counts as none.
func (g Registry) Find(ctx context.Context, project string) (*Running, error) {
	data, err := os.ReadFile(g.file(project, ".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("registry of local clouds: %w", err)
	}
	var r Running
	if json.Unmarshal(data, &r) != nil || r.Project != project {
		return nil, nil
	}
	if !r.alive(ctx) {
		return nil, nil
	}
	return &r, nil
}

// alive asks the endpoint whether it is this very cloud: another process may
// have taken the port since.
func (r *Running) alive(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Endpoint+"/_arc/health", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var h health
	if json.NewDecoder(resp.Body).Decode(&h) != nil || h.ID != r.ID() {
		return false
	}
	r.Ready = h.Ready
	return true
}

// Stop ends the running cloud and waits until it is gone: another one can be
// started for the project at once. It fails with a *HungError when the cloud
// does not answer any more, or does not get to its end.
func (g Registry) Stop(ctx context.Context, r *Running) error {
	asked, cancel := context.WithTimeout(ctx, hungAfter)
	defer cancel()
	req, err := http.NewRequestWithContext(asked, http.MethodPost, r.Endpoint+"/_arc/stop", bytes.NewReader([]byte(r.Token)))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	switch {
	case err != nil && ctx.Err() == nil:
		if busy, wrong := g.Busy(r.Project); wrong != nil || !busy {
			return wrong // it has ended meanwhile
		}
		return g.hung(r.Project)
	case err != nil:
		return fmt.Errorf("local cloud at %s: %w", r.Endpoint, err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("local cloud at %s: refused to stop (%s)", r.Endpoint, resp.Status)
	}
	for began := time.Now(); ; {
		// It gives its lock back last of all.
		busy, err := g.Busy(r.Project)
		if err != nil || !busy {
			return err
		}
		if time.Since(began) > 2*hungAfter {
			return g.hung(r.Project)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("local cloud at %s: still running: %w", r.Endpoint, context.Cause(ctx))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// health is the answer of /_arc/health. ID proves which cloud it is without
// giving the token away.
type health struct {
	ID      string
	Project string
	Ready   bool
}

func publicID(token string) string {
	sum := sha256.Sum256([]byte("arc local cloud " + token))
	return hex.EncodeToString(sum[:16])
}

// registration begins the name of one that is being written.
const registration = "registration-"

// register writes r down for Find, and returns what takes it back.
func (g Registry) register(r Running) (unregister func(), err error) {
	file := g.file(r.Project, ".json")
	if err := os.MkdirAll(g.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("registry of local clouds: %w", err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	// Written aside and renamed, so that a reader never sees half of it.
	tmp, err := os.CreateTemp(filepath.Dir(file), registration+"*")
	if err != nil {
		return nil, fmt.Errorf("registry of local clouds: %w", err)
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		os.Remove(tmp.Name())
		return nil, fmt.Errorf("registry of local clouds: %w", err)
	}
	return func() {
		if now, err := os.ReadFile(file); err == nil && bytes.Equal(now, data) {
			os.Remove(file)
		}
	}, nil
}

// has reports whether r is the cloud that is written down for its project.
func (g Registry) has(r Running) bool {
	var now Running
	data, err := os.ReadFile(g.file(r.Project, ".json"))
	return !errors.Is(err, fs.ErrNotExist) && (err != nil || json.Unmarshal(data, &now) != nil || now.Token == r.Token)
}

func newToken() string {
	return rand.Text()
}

// ErrRunning says that a local cloud runs, or is just starting, for the project.
var ErrRunning = errors.New("a local cloud is already running for this project")

// lock makes this process the only one that may run the project's cloud.
func (g Registry) lock(project string) (release func(), err error) {
	if err := os.MkdirAll(g.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("registry of local clouds: %w", err)
	}
	return lockFile(g.file(project, ".lock"))
}

func lockFile(name string) (release func(), err error) {
	f, err := openLocked(name)
	// Busy holds the lock for a moment; whoever runs a cloud holds it for long.
	for tries := 0; f == nil && err == nil && tries < 5; tries++ {
		time.Sleep(time.Millisecond)
		f, err = openLocked(name)
	}
	if err != nil {
		return nil, fmt.Errorf("registry of local clouds: %w", err)
	}
	if f == nil {
		return nil, ErrRunning
	}
	// Whoever finds the cloud silent finds its process here.
	if err := f.Truncate(0); err == nil {
		fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return func() { unlockFile(f) }, nil
}

// Edit makes this process the only one of arc's that reads, changes and writes
// files of the project, and waits for another that does. It has nothing to do
// with the project's cloud, whose lock is another.
func (g Registry) Edit(ctx context.Context, project string) (release func(), err error) {
	for {
		release, err := g.lock(project + "\x00edit")
		if !errors.Is(err, ErrRunning) {
			return release, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("another arc changes a file of the project: %w", ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Busy reports whether a local cloud runs, starts or ends for the project.
func (g Registry) Busy(project string) (bool, error) {
	release, err := g.lock(project)
	if errors.Is(err, ErrRunning) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	release()
	return false, nil
}

// scratch makes the project's folder for files of a running cloud, with nothing
// in it: what a killed one left goes. The caller holds the lock.
func (g Registry) scratch(project string) (string, error) {
	dir := g.file(project, ".scratch")
	if _, err := os.Stat(dir); err == nil {
		endStrays(dir)
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("files of an earlier local cloud: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", fmt.Errorf("files of the local cloud: %w", err)
	}
	return dir, nil
}
