package main

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// direct times arc deploy --direct of one changed function, whole process, to a
// local cloud, beside a whole deploy of the same change. The floor is a process
// that does nothing.
func (b *bencher) direct() ([]row, error) {
	dir := filepath.Join(b.dir, "direct")
	if err := os.MkdirAll(filepath.Join(dir, "src/http/get-index"), 0o777); err != nil {
		return nil, err
	}
	handler := filepath.Join(dir, "src/http/get-index/index.mjs")
	if err := os.WriteFile(filepath.Join(dir, "app.arc"), []byte("@app\ndirectly\n@http\nget /\n"), 0o666); err != nil {
		return nil, err
	}
	write := func(n int) error { return os.WriteFile(handler, []byte(savedHandler(n)), 0o666) }
	in := func(args ...string) *exec.Cmd {
		cmd := b.command(args...)
		cmd.Dir = dir
		return cmd
	}
	if err := write(0); err != nil {
		return nil, err
	}
	if out, err := in("deploy", "--local", "--detach").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("deploy --local: %w\n%s", err, out)
	}
	defer in("sandbox", "--stop").Run()
	n := 0
	var wrong error
	took, _, err := b.sample(21, func() *exec.Cmd {
		n++
		if err := write(n); err != nil {
			wrong = err
		}
		return in("deploy", "--local", "--direct", "get /")
	})
	if err != nil || wrong != nil {
		return nil, fmt.Errorf("deploy --direct: %w", firstError(err, wrong))
	}
	whole, _, err := b.sample(7, func() *exec.Cmd {
		n++
		if err := write(n); err != nil {
			wrong = err
		}
		return in("deploy", "--local")
	})
	if err != nil || wrong != nil {
		return nil, fmt.Errorf("deploy: %w", firstError(err, wrong))
	}
	proxy, err := slowed(b, dir, farAway)
	if err != nil {
		return nil, err
	}
	defer proxy.Close()
	far, _, err := b.sample(15, func() *exec.Cmd {
		n++
		if err := write(n); err != nil {
			wrong = err
		}
		cmd := in("deploy", "--direct", "get /")
		cmd.Env = append(cmd.Env, "AWS_ENDPOINT_URL="+proxy.URL, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_REGION=us-west-2")
		return cmd
	})
	if err != nil || wrong != nil {
		return nil, fmt.Errorf("deploy --direct, %v away: %w", farAway, firstError(err, wrong))
	}
	hello, err := b.process(func() *exec.Cmd { return exec.Command(b.hello) })
	if err != nil {
		return nil, err
	}
	return []row{
		{"arc deploy --direct of a changed function, local cloud", took.median(), hello.median() + " (Go hello)", "", "300 ms"},
		{fmt.Sprintf("the same, each request %d ms further away", farAway.Milliseconds()), far.median(), "", "", "500 ms"},
		{"the same by a whole deploy", whole.median(), "", "", ""},
	}, nil
}

// farAway is what a region on the same continent adds to each request.
const farAway = 50 * time.Millisecond

// slowed stands between arc and the local cloud of a folder, and lets each request
// wait.
func slowed(b *bencher, dir string, by time.Duration) (*httptest.Server, error) {
	files, err := filepath.Glob(filepath.Join(b.dir, "cache", "arc", "local", "*.json"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var running struct{ Project, Endpoint string }
		if err := json.Unmarshal(text, &running); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		to, err := url.Parse(running.Endpoint)
		if err != nil || to.Host == "" || running.Project != dir {
			continue
		}
		proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			time.Sleep(by)
			r.SetURL(to)
		}}
		return httptest.NewServer(proxy), nil
	}
	return nil, fmt.Errorf("no local cloud of %s runs", dir)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
