package lambda_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"arc/sandbox/lambda"
)

var update = flag.Bool("update", false, "rewrite golden sections")

// TestInvoke runs the functions of testdata/invoke. Each file begins with
// settings ("runtime nodejs22.x"), holds the function under function/, an
// event a line in events, and the goldens results and log.
func TestInvoke(t *testing.T) {
	files, err := filepath.Glob("testdata/invoke/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { runCase(t, file) })
	}
}

func runCase(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{"runtime": "nodejs22.x", "handler": "index.handler", "timeout": "20", "needs": ""}
	for line := range strings.Lines(string(archive.Comment)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasPrefix(name, "#") {
			settings[name] = value
		}
	}
	tools := map[string]string{"nodejs": "node", "python": "python3", "ruby3.": "ruby", "deno": "deno", "provid": "sh"}
	for prefix, tool := range tools {
		if strings.HasPrefix(settings["runtime"], prefix) {
			need(t, tool)
		}
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, string(txtar.Format(archive)))
	timeout, err := strconv.Atoi(settings["timeout"])
	if err != nil {
		t.Fatal(err)
	}
	var logged transcript
	s := lambda.New(lambda.Options{Path: os.Getenv("PATH"), Log: logged.add})
	fn := lambda.Function{
		Name: "fn", ARN: "arn:aws:lambda:us-west-2:" + account + ":function:fn", Runtime: settings["runtime"], Handler: settings["handler"],
		Dir: filepath.Join(dir, "function"), Timeout: timeout, MemoryMB: 1152, Label: "fn", Env: map[string]string{"ARC_ENV": "testing"},
	}
	for name, folder := range map[string]*string{"shared": &fn.Shared, "views": &fn.Views} {
		if path := filepath.Join(dir, name); exists(path) {
			*folder = path
		}
	}
	s.Put(fn)
	results := ""
	for event := range strings.Lines(string(section(archive, "events"))) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		result, err := s.Invoke(ctx, "fn", []byte(strings.TrimSpace(event)))
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		logged.order(result.RequestID)
		how := string(result.Kind)
		if result.Failed == "" {
			how = "ok"
		}
		results += how + ": " + string(result.Payload) + "\n"
	}
	s.Close(context.Background())
	golden(t, archive, "results", logged.normal(results, dir))
	golden(t, archive, "log", logged.normal(logged.text(), dir))
	if *update {
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func section(a *txtar.Archive, name string) []byte {
	for _, f := range a.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

func golden(t *testing.T, a *txtar.Archive, name, got string) {
	t.Helper()
	for i := range a.Files {
		if a.Files[i].Name != name {
			continue
		}
		if *update {
			a.Files[i].Data = []byte(got)
		} else if diff := cmp.Diff(string(a.Files[i].Data), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		return
	}
	if *update {
		a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(got)})
	} else {
		t.Errorf("no section %s; run with -update", name)
	}
}

// transcript is what functions printed, with the request IDs in their order.
type transcript struct {
	mu    sync.Mutex
	lines []string
	ids   []string
}

func (l *transcript) add(label, id, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if id == "" {
		id = "-"
	}
	l.lines = append(l.lines, id+" | "+line)
}

func (l *transcript) order(id string) { l.ids = append(l.ids, id) }

func (l *transcript) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(append(l.lines, ""), "\n")
}

var (
	// Frames outside the function differ from one version of a runtime to the next.
	frames  = regexp.MustCompile(`(?m)^.*\|  *at .*(node:|/bootstrap/).*\n`)
	scratch = regexp.MustCompile(`[^ '"]*/arc-lambda-\d+`)
)

func (l *transcript) normal(text, dir string) string {
	for i, id := range l.ids {
		text = strings.ReplaceAll(text, id, fmt.Sprintf("id-%d", i+1))
	}
	text = strings.ReplaceAll(text, dir, "/project")
	text = frames.ReplaceAllString(text, "")
	return scratch.ReplaceAllString(text, "/scratch")
}
