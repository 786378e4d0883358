package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestSeedInBrowser is the seed's story: the app of testdata/apps/seed with the
// npm package @architect/functions as users install it, run by arc sandbox and
// by arc deploy --local, and driven by a real browser: the page says "opened",
// and a typed message comes back.
func TestSeedInBrowser(t *testing.T) {
	t.Parallel()
	chromium := lookTool(t, "chromium")
	lookTool(t, "node")
	app := seedWithPackages(t)
	arc := buildArc(t)
	browser := startBrowser(t, chromium)

	t.Run("sandbox", func(t *testing.T) {
		p := startArc(t, arc, app, "sandbox", "--port", fmt.Sprint(freePort(t)))
		echo(t, browser, p.url(t, "HTTP"))
	})
	t.Run("deploy", func(t *testing.T) {
		p := startArc(t, arc, app, "deploy", "--local")
		staging := p.url(t, "HTTP")
		echo(t, browser, staging)

		// A second stack beside it, through the same running cloud.
		q := startArc(t, arc, app, "deploy", "--local", "--production")
		production := q.url(t, "HTTP")
		if production == staging {
			t.Fatalf("staging and production share %s", staging)
		}
		if ws := q.url(t, "WS"); !strings.HasSuffix(ws, "/production") {
			t.Errorf("production's socket is %s", ws)
		}
		echo(t, browser, production)
		echo(t, browser, staging)
	})
}

// echo opens the page, waits until it is connected, types and reads the answer.
func echo(t *testing.T, browser context.Context, url string) {
	t.Helper()
	tab, closeTab := chromedp.NewContext(browser)
	defer closeTab()
	if err := chromedp.Do(tab); err != nil { // opens the tab, for longer than the steps may take
		t.Fatalf("chromium: %v", err)
	}
	ctx, cancel := context.WithTimeout(tab, 30*time.Second)
	defer cancel()
	main := func() string {
		text, _ := chromedp.Run(tab, chromedp.Evaluate[string](`document.body.innerText`))
		return text
	}
	steps := []chromedp.Action[chromedp.Void]{
		chromedp.Navigate(url),
		holds(`document.querySelector('main').textContent.includes('opened')`),
		chromedp.SendKeys("#message", "hello <b>there</b>\r"),
		holds(`document.querySelector('main').textContent.includes('echoing hello <b>there</b>')`),
	}
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatalf("%s: %v (the page says %q)", url, err, main())
	}
}

// holds waits until an expression is true on the page.
func holds(expression string) chromedp.Action[chromedp.Void] {
	poll := chromedp.Poll[bool](expression)
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := poll(ctx, t)
		return chromedp.Void{}, err
	}
}

// startBrowser runs headless Chromium with nothing that calls home.
func startBrowser(t *testing.T, path string) context.Context {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox,
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
	)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	browser, stopBrowser := chromedp.NewContext(alloc)
	t.Cleanup(stopBrowser)
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("chromium: %v", err)
	}
	return browser
}

// seedWithPackages copies the seed app and installs its npm package.
func seedWithPackages(t testing.TB) string {
	t.Helper()
	return withPackages(t, "../../testdata/apps/seed")
}

// buildArc builds the command as users do, once for all tests.
func buildArc(t testing.TB) string {
	t.Helper()
	bin, err := builtArc()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

var builtArc = sync.OnceValues(func() (string, error) {
	// Beside the command of the scripts, which goes when all tests are done.
	script, err := exec.LookPath("arc")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(filepath.Dir(script), "built", "arc")
	if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", bin, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return bin, nil
})

// process is a running arc; its stdout is read line by line.
type process struct {
	cmd    *exec.Cmd
	killed bool
	lines  chan string
	seen   []string
	stderr *transcript
}

// transcript collects a running process's output for a failing test.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// arcEnv is the environment of every arc that works on a project folder.
func arcEnv(dir string) []string {
	beside := filepath.Join(dir, "..", filepath.Base(dir))
	return append(os.Environ(), "XDG_CACHE_HOME="+beside+"-cache", "XDG_STATE_HOME="+beside+"-state")
}

// startArc runs arc in a project folder until the test ends.
func startArc(t *testing.T, arc, dir string, args ...string) *process {
	t.Helper()
	if err := shareCache(dir + "-cache"); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	cmd := exec.Command(arc, args...)
	cmd.Dir = dir
	cmd.Env = arcEnv(dir)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, lines: make(chan string, 100), stderr: &transcript{}}
	cmd.Stderr = p.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		for sc := bufio.NewScanner(stdout); sc.Scan(); {
			p.lines <- sc.Text()
		}
		io.Copy(io.Discard, stdout)
	}()
	t.Cleanup(func() {
		if p.killed {
			return
		}
		cmd.Process.Signal(syscall.SIGTERM)
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			cmd.Process.Kill()
			t.Errorf("arc %s: still running 10 s after SIGTERM", strings.Join(args, " "))
		}
		if t.Failed() {
			t.Logf("arc %s said:\n%s", strings.Join(args, " "), p.stderr)
		}
	})
	return p
}

// kill ends the process as the system does when memory runs out.
func (p *process) kill() error {
	p.killed = true
	err := p.cmd.Process.Kill()
	p.cmd.Wait() // says that it was killed
	return err
}

// url waits for the line that begins with the label and gives its URL.
func (p *process) url(t *testing.T, label string) string {
	t.Helper()
	line := regexp.MustCompile(`^` + label + `\s+(\S+)$`)
	for _, l := range p.seen {
		if m := line.FindStringSubmatch(l); m != nil {
			return m[1]
		}
	}
	timeout := time.After(60 * time.Second)
	for {
		select {
		case l, ok := <-p.lines:
			if !ok {
				t.Fatalf("arc ended without printing %s:\n%s", label, p.stderr)
			}
			p.seen = append(p.seen, l)
			if m := line.FindStringSubmatch(l); m != nil {
				return m[1]
			}
		case <-timeout:
			t.Fatalf("no %s after 60 s:\n%s", label, p.stderr)
		}
	}
}
