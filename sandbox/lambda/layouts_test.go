package lambda_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"arc/sandbox/invoke"
	"arc/sandbox/lambda"
	"arc/source"
)

// The rule: what a function answers when it is deployed from its zip is what it
// answers in the sandbox. Each archive of testdata/layouts is a project: its
// files and links, what installs its packages ("npm", "yarn", "pnpm"; done once
// and kept in the user's cache), its function ("RUNTIME FILE name=value…") and
// the answer, or what is in the error of both.
func TestLayouts(t *testing.T) {
	names, err := filepath.Glob("../../testdata/layouts/*.txtar")
	if err != nil || len(names) < 40 {
		t.Fatalf("%d layouts: %v", len(names), err)
	}
	var at *layout
	s := newService(t, lambda.Options{Offer: func(dir, runtime string, names ...string) (source.Offered, error) {
		return at.tree().Offer(at.function(true).Build, dir, runtime, names...)
	}})
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			l := layOut(t, a)
			at = l
			live, deployed := l.live(s), l.deployed(s)
			if live != deployed {
				t.Errorf("in the sandbox it answers\n%s\nand deployed\n%s", live, deployed)
			}
			if reason, fails := strings.CutPrefix(l.want, "fails: "); fails && (!strings.HasPrefix(deployed, "fails: ") || !strings.Contains(deployed, reason)) || !fails && deployed != l.want {
				t.Errorf("deployed it answers\n%s\nwant\n%s", deployed, l.want)
			}
		})
	}
}

// layout is a project on disk with one function.
type layout struct {
	t                  *testing.T
	top, project, want string
	fn                 source.Function
}

func layOut(t *testing.T, a *txtar.Archive) *layout {
	l := &layout{t: t, project: ".", fn: source.Function{Dir: "src/http/get-index"}}
	var files, links, installer string
	for _, f := range a.Files {
		text := strings.TrimSpace(string(f.Data))
		switch f.Name {
		case "links":
			links = text
		case "install":
			installer = text
		case "function":
			l.describe(strings.Fields(text))
		case "want":
			l.want = text
		default:
			files += fmt.Sprintf("-- %s --\n%s", f.Name, f.Data)
		}
	}
	if l.top = t.TempDir(); installer != "" {
		l.top = installed(t, installer, files)
	}
	// Where the temporary folder is by its one real name.
	top, err := filepath.EvalSymlinks(l.top)
	if err != nil {
		t.Fatal(err)
	}
	l.top = top
	write(t, l.top, files)
	packWheels(t, l.top)
	for line := range strings.Lines(links) {
		name, target, _ := strings.Cut(strings.TrimSpace(line), " -> ")
		name = filepath.Join(l.top, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// packWheels makes a wheel of each folder in wheel/ beside the handler.
func packWheels(t *testing.T, top string) {
	packWheelsTo(t, top, filepath.Join(top, "src/http/get-index"))
}

func packWheelsTo(t *testing.T, top, to string) {
	folders, _ := filepath.Glob(filepath.Join(top, "wheel", "*"))
	for _, folder := range folders {
		name, version, _ := strings.Cut(filepath.Base(folder), "-")
		info := fmt.Sprintf("%s-%s.dist-info/", name, version)
		for file, text := range map[string]string{
			"METADATA": fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\n", name, version),
			"WHEEL":    "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
			"RECORD":   "",
		} {
			write(t, folder, fmt.Sprintf("-- %s%s --\n%s", info, file, text))
		}
		var packed bytes.Buffer
		z := zip.NewWriter(&packed)
		if err := z.AddFS(os.DirFS(folder)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		wheel := filepath.Join(to, filepath.Base(folder)+"-py3-none-any.whl")
		if err := os.MkdirAll(to, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(wheel, packed.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func (l *layout) describe(words []string) {
	l.fn.Runtime, l.fn.HandlerFile, l.fn.Handler = words[0], words[1], "index.handler"
	for _, w := range words[2:] {
		name, value, _ := strings.Cut(w, "=")
		switch name {
		case "project":
			l.project = value
		case "handler":
			l.fn.Handler = value
		case "shared":
			l.fn.Shared = value
		case "views":
			l.fn.Views = value
		case "external":
			l.fn.External = strings.Split(value, ",")
		case "bundle":
			l.fn.Bundle = true
		default:
			l.t.Fatalf("no setting %s", name)
		}
	}
}

// installed gives a folder of the user's cache with the packages that files ask
// for, installed now or by an earlier run.
func installed(t *testing.T, tool, files string) string {
	need(t, "npm")
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache = filepath.Join(cache, "arc-ci", "layouts")
	sum := sha256.Sum256([]byte(tool + files))
	dir := filepath.Join(cache, hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(filepath.Join(dir, "done")); err == nil {
		return dir
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	write(t, dir, files)
	args := map[string][]string{
		"npm":  {"install", "--no-audit", "--no-fund", "--loglevel=error"},
		"yarn": {"exec", "--yes", "--package=yarn@1.22.22", "--", "yarn", "install", "--non-interactive", "--silent"},
		"pnpm": {"exec", "--yes", "--package=pnpm@9.15.9", "--", "pnpm", "install", "--silent"},
	}[tool]
	cmd := exec.Command("npm", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s: %v\n%s", tool, err, out)
		}
		t.Skipf("%s: %v\n%s", tool, err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "done"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tree is the whole disk, as arc sees a project.
func (l *layout) tree() source.Tree {
	top := strings.TrimPrefix(filepath.ToSlash(l.top), "/")
	return source.Tree{Files: os.DirFS("/"), Project: path.Join(top, l.project), Top: top, Disk: "/"}
}

func (l *layout) function(host bool) source.Function {
	fn := l.fn
	fn.Build = &source.Builder{Dir: filepath.Join(l.top, l.project), Env: os.Getenv, Cache: filepath.Join(l.t.TempDir(), "cache"), Host: host, Live: host}
	return fn
}

// live is what the function answers from where it is written.
func (l *layout) live(s *service) string {
	dir := filepath.Join(l.top, l.project)
	fn := lambda.Function{Name: "live", Dir: filepath.Join(dir, l.fn.Dir)}
	if l.fn.Shared != "" {
		fn.Shared = filepath.Join(dir, l.fn.Shared)
	}
	if l.fn.Views != "" {
		fn.Views = filepath.Join(dir, l.fn.Views)
	}
	fn.Code = source.NewLive(l.tree(), l.function(true), filepath.Join(l.t.TempDir(), "built"))
	return l.answer(s, fn)
}

// deployed is what it answers from its zip, unpacked far from the project.
func (l *layout) deployed(s *service) string {
	bundles, err := l.tree().CollectAll([]source.Function{l.function(false)})
	if err != nil {
		l.t.Fatal(err)
	}
	var zip bytes.Buffer
	if err := bundles[0].WriteZip(&zip); err != nil {
		l.t.Fatal(err)
	}
	dir := filepath.Join(l.t.TempDir(), "task")
	if err := os.Mkdir(dir, 0o755); err != nil {
		l.t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		l.t.Fatal(err)
	}
	defer root.Close()
	if err := source.Unzip(bytes.NewReader(zip.Bytes()), int64(zip.Len()), root); err != nil {
		l.t.Fatal(err)
	}
	return l.answer(s, lambda.Function{Name: "deployed", Dir: dir})
}

// answer invokes a function, and gives its result, or the first line of its error.
func (l *layout) answer(s *service, fn lambda.Function) string {
	fn.Runtime, fn.Handler, fn.Timeout, fn.MemoryMB = l.fn.Runtime, l.fn.Handler, 10, 1152
	fn.Env = map[string]string{"PYTHONPATH": "/var/task/vendor", "AWS_REGION": "us-west-2", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
	s.Put(fn)
	defer s.Remove(fn.Name)
	var r invoke.Result = s.result(fn.Name, "{}")
	if r.Failed == "" {
		return string(r.Payload)
	}
	var e struct {
		Message string `json:"errorMessage"`
	}
	if err := json.Unmarshal(r.Payload, &e); err != nil {
		return "fails: " + string(r.Payload)
	}
	message, _, _ := strings.Cut(e.Message, " imported from")
	message = strings.ReplaceAll(message, filepath.Join(l.top, l.project, l.fn.Dir), "DIR")
	return "fails: " + strings.ReplaceAll(message, fn.Dir, "DIR")
}

// TestStaticFolder has code of a live function find static files in a folder that the
// bucket's name leads to, if its role may read the bucket.
func TestStaticFolder(t *testing.T) {
	need(t, "node")
	top := t.TempDir()
	write(t, top, `
-- fn/index.mjs --
import { readFileSync } from 'node:fs'
export const handler = async () => readFileSync(process.env.ARC_STATIC_BUCKET + '/a.css', 'utf8')
-- public/a.css --
body{}
-- more/a.css --
p{}
`)
	may := true
	var asked invoke.Errand
	s := newService(t, lambda.Options{Lets: func(e invoke.Errand) bool { asked = e; return may }})
	put := func(folder string) {
		fn := function(t, "fn", "")
		fn.Dir, fn.Role, fn.Env = filepath.Join(top, "fn"), "arn:aws:iam::000000000000:role/r", map[string]string{"ARC_STATIC_BUCKET": "files"}
		fn.Static = filepath.Join(top, folder)
		project := strings.TrimPrefix(filepath.ToSlash(top), "/")
		fn.Code = source.NewLive(source.Tree{Files: os.DirFS("/"), Project: project, Top: project, Disk: "/"}, source.Function{Dir: "fn", Runtime: "nodejs22.x", Handler: "index.handler", HandlerFile: "index.mjs"}, filepath.Join(top, "built"))
		s.Put(fn)
	}
	for _, c := range []struct{ folder, want string }{{"public", `"body{}\n"`}, {"more", `"p{}\n"`}, {"public", `"body{}\n"`}} {
		put(c.folder)
		if got := s.invoke("fn", "{}"); got != c.want {
			t.Errorf("%s: %s, want %s", c.folder, got, c.want)
		}
	}
	if asked.Action != "s3:GetObject" || asked.Resource != "arn:aws:s3:::files/index.html" || asked.Role == "" {
		t.Errorf("asked: %+v", asked)
	}
	may = false
	put("public")
	if r := s.result("fn", "{}"); !strings.Contains(string(r.Payload), "ENOENT") {
		t.Errorf("without the right: %s %s", r.Kind, r.Payload)
	}
}
