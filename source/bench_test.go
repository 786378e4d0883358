package source

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/klauspost/compress/flate"
	"golang.org/x/sync/errgroup"
)

// lay makes an app of functions that hold mb megabytes of node_modules each
// (100 files a megabyte, text that deflates about as well as code), or of
// functions that import from the root's when own is false.
func lay(b *testing.B, functions, mb int, own bool) (string, []Function) {
	dir := b.TempDir()
	write := func(name string, body []byte) {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(file, body, 0o666); err != nil {
			b.Fatal(err)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 4000)
	for i := range words {
		words[i] = fmt.Sprintf("%x", random.Uint32N(1<<(4+4*uint32(i%7))))
	}
	code := func() []byte {
		var out bytes.Buffer
		for out.Len() < 10<<10 {
			f := random.Float64()
			fmt.Fprintf(&out, "  const %s = %s.%s(%s)\n", words[int(f*f*3999)], words[random.IntN(4000)], words[int(f*3999)], words[random.IntN(400)])
		}
		return out.Bytes()
	}
	packages := func(at string) {
		for i := range mb * 100 {
			write(fmt.Sprintf("%s/node_modules/dep%d/lib/f%d.js", at, i%20, i), code())
		}
	}
	var fns []Function
	for i := range functions {
		fn := Function{Dir: fmt.Sprintf("src/http/get-r%04d", i), Runtime: "nodejs22.x"}
		handler := "export const handler = async () => ({ statusCode: 200 })\n"
		if own {
			packages(fn.Dir)
		} else {
			for d := range 20 {
				handler += fmt.Sprintf("import 'dep%d'\n", d)
			}
		}
		write(fn.Dir+"/index.mjs", []byte(handler))
		fns = append(fns, fn)
	}
	if !own && mb > 0 {
		packages(".")
	}
	return dir, fns
}

func collectIn(b *testing.B, dir string, fns []Function) []*Bundle {
	root, err := os.OpenRoot(dir)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { root.Close() })
	bundles, err := CollectAll(root.FS(), fns)
	if err != nil {
		b.Fatal(err)
	}
	return bundles
}

// What packaging costs when nothing changed: list, read and hash everything.
// The floor walks the same tree and hashes it on all cores, without any of our rules.
func BenchmarkUnchanged(b *testing.B) {
	for _, app := range []struct {
		name          string
		functions, mb int
		own           bool
	}{{"20x2MB", 20, 2, true}, {"20x10MB", 20, 10, true}, {"4shared1MB", 4, 1, false}, {"1000stubs", 1000, 0, true}} {
		dir, fns := lay(b, app.functions, app.mb, app.own)
		b.Run(app.name+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, bundle := range collectIn(b, dir, fns) {
					if _, err := bundle.Key(); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		b.Run(app.name+"/floor", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				hashAll(b, dir)
			}
		})
	}
}

func filesBelow(b *testing.B, dir string) (files []string) {
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return files
}

func hashAll(b *testing.B, dir string) {
	files := filesBelow(b, dir)
	var g errgroup.Group
	n := runtime.GOMAXPROCS(0)
	for i := range n {
		g.Go(func() error {
			h, buf := sha256.New(), make([]byte, 64<<10)
			for j := i; j < len(files); j += n {
				f, err := os.Open(files[j])
				if err != nil {
					return err
				}
				h.Reset()
				_, err = io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{f}, buf)
				f.Close()
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
}

// Zipping everything, two functions at a time as a deploy on two cores would.
// The floor deflates the same files with pooled compressors and no zip around.
func BenchmarkZip(b *testing.B) {
	dir, fns := lay(b, 20, 2, true)
	b.Run("20x2MB/ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var g errgroup.Group
			g.SetLimit(runtime.GOMAXPROCS(0))
			for _, bundle := range collectIn(b, dir, fns) {
				g.Go(func() error {
					if _, err := bundle.Key(); err != nil {
						return err
					}
					return bundle.WriteZip(io.Discard)
				})
			}
			if err := g.Wait(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("20x2MB/floor", func(b *testing.B) {
		for b.Loop() {
			deflateAll(b, dir)
		}
	})
}

func deflateAll(b *testing.B, dir string) {
	files := filesBelow(b, dir)
	var g errgroup.Group
	n := runtime.GOMAXPROCS(0)
	for i := range n {
		g.Go(func() error {
			w, err := flate.NewWriter(io.Discard, level)
			if err != nil {
				return err
			}
			buf := make([]byte, 64<<10)
			for j := i; j < len(files); j += n {
				f, err := os.Open(files[j])
				if err != nil {
					return err
				}
				w.Reset(io.Discard)
				_, err = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{f}, buf)
				f.Close()
				if err != nil {
					return err
				}
				if err := w.Close(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkImports(b *testing.B) {
	body := bytes.Repeat([]byte("import a from 'a'\nconst x = `${require('b')}` // it's\nif (x) /re'/.test(x)\nexport function f (y) { return y / 2 }\n"), 1000)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		imports(body)
	}
}

// What the folder of a live function costs a start: made for the first time, and
// found unchanged.
func BenchmarkLive(b *testing.B) {
	dir, fns := lay(b, 1, 0, false)
	for d := range 20 {
		file := filepath.Join(dir, "node_modules", fmt.Sprintf("dep%d", d), "index.js")
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("module.exports = 1\n"), 0o666); err != nil {
			b.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer root.Close()
	fn := fns[0]
	fn.HandlerFile, fn.Build = "index.mjs", &Builder{Dir: dir, Env: os.Getenv, Host: true, Live: true}
	tree := Tree{Files: root.FS(), Disk: dir}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			if _, err := NewLive(tree, fn, b.TempDir()).Make(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	// The floor makes as many links and folders.
	b.Run("floor", func(b *testing.B) {
		for b.Loop() {
			at := b.TempDir()
			for d := range 22 {
				if err := os.Symlink(dir, filepath.Join(at, strconv.Itoa(d))); err != nil {
					b.Fatal(err)
				}
			}
			for d := range 4 {
				if err := os.Mkdir(filepath.Join(at, "dir"+strconv.Itoa(d)), 0o700); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		l := NewLive(tree, fn, b.TempDir())
		for b.Loop() {
			if _, err := l.Make(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
