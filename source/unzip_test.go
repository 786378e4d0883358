package source

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// entry is one file of a zip made by hand.
type entry struct {
	name string
	mode fs.FileMode
	body string
}

func zipOf(t testing.TB, entries ...entry) []byte {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(e.mode)
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, e.body)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func unzipInto(t testing.TB, dir string, body []byte) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	return Unzip(bytes.NewReader(body), int64(len(body)), root)
}

func TestUnzipRefuses(t *testing.T) {
	for _, test := range []struct {
		name    string
		want    string
		entries []entry
	}{
		{"upwards", "not a path inside", []entry{{"../evil.js", 0o644, "x"}}},
		{"upwards inside", "not a path inside", []entry{{"a/../../evil.js", 0o644, "x"}}},
		{"absolute", "not a path inside", []entry{{"/etc/evil", 0o644, "x"}}},
		{"backslash", "not a path inside", []entry{{`..\evil.js`, 0o644, "x"}}},
		{"folder upwards", "not a path inside", []entry{{"../", fs.ModeDir | 0o755, ""}}},
		{"symbolic link", "only files and folders", []entry{{"link", fs.ModeSymlink | 0o777, "/etc"}}},
		{"through a link", "only files and folders", []entry{{"link", fs.ModeSymlink | 0o777, "/tmp"}, {"link/evil", 0o644, "x"}}},
		{"device", "only files and folders", []entry{{"null", fs.ModeDevice | 0o666, ""}}},
		{"twice", "occurs twice", []entry{{"a.js", 0o644, "1"}, {"a.js", 0o644, "2"}}},
		{"file then folder", "folder cannot be made", []entry{{"a", 0o644, "1"}, {"a/b", 0o644, "2"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			inside := filepath.Join(dir, "fn")
			if err := os.Mkdir(inside, 0o777); err != nil {
				t.Fatal(err)
			}
			err := unzipInto(t, inside, zipOf(t, test.entries...))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) != 1 {
				t.Errorf("something was written outside: %v %v", left, err)
			}
		})
	}
}

// zeros is a file of one byte over the limit, 250 KB when packed.
type zeros struct{ left int }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), z.left)
	clear(p[:n])
	z.left -= n
	return n, nil
}

func bomb(t *testing.T) []byte {
	var out bytes.Buffer
	b := &Bundle{Files: []File{{Path: "bomb", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(&zeros{MaxUnpacked + 1}), nil
	}}}}
	if err := b.WriteZip(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestUnzipRefusesBombs(t *testing.T) {
	body := bomb(t)
	err := unzipInto(t, t.TempDir(), body)
	if err == nil || !strings.Contains(err.Error(), "250 MB") {
		t.Errorf("honest bomb: got %v", err)
	}
	// The directory at the end of the zip says what a reader believes of a file's size.
	at := bytes.LastIndex(body, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(body[at+24:], 10)
	if err := unzipInto(t, t.TempDir(), body); err == nil {
		t.Error("a lying bomb was unpacked")
	}
}

// What is written is unpacked with the same paths, modes and bytes.
func TestUnzipRoundTrip(t *testing.T) {
	var out bytes.Buffer
	b := &Bundle{Files: []File{inMemory("a/b.js", []byte("b")), inMemory("bootstrap", []byte("#!")), inMemory("empty", nil)}}
	b.Files[1].Executable = true
	if err := b.WriteZip(&out); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := unzipInto(t, dir, out.Bytes()); err != nil {
		t.Fatal(err)
	}
	again := &Bundle{Files: must((&collector{files: os.DirFS(dir), base: ".", top: "."}).walk(".", nil))}
	if must(again.Key()) != must(b.Key()) {
		t.Errorf("unpacked differently: %+v", again.Files)
	}
}

func FuzzUnzip(f *testing.F) {
	f.Add(zipOf(f, entry{"a/b.js", 0o644, "b"}, entry{"c", 0o755, strings.Repeat("c", 100)}))
	f.Add(zipOf(f, entry{"../a", 0o644, "b"}, entry{"l", fs.ModeSymlink | 0o777, "/"}))
	f.Fuzz(func(t *testing.T, body []byte) {
		dir := t.TempDir()
		inside := filepath.Join(dir, "fn")
		if err := os.Mkdir(inside, 0o777); err != nil {
			t.Fatal(err)
		}
		unzipInto(t, inside, body)
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Fatalf("something was written outside: %v", left)
		}
	})
}
