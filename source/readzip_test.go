package source

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"strings"
	"testing"
)

// A zip that is written tells the same of each file as the files do.
func TestReadZip(t *testing.T) {
	b := &Bundle{Files: []File{inMemory("a/b.js", []byte("b")), inMemory("bootstrap", []byte("#!")), inMemory("empty", nil)}}
	b.Files[1].Executable = true
	var out bytes.Buffer
	if err := b.WriteZip(&out); err != nil {
		t.Fatal(err)
	}
	got, err := ReadZip(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if got.Size() != b.Size() || must(got.Key()) != must(b.Key()) {
		t.Errorf("another bundle: %+v", got.Files)
	}
	for i := range b.Files {
		was, is := must(b.Files[i].Checksum()), must(got.Files[i].Checksum())
		if was != is {
			t.Errorf("%s: checksum %x, in the zip %x", b.Files[i].Path, was, is)
		}
	}
}

func TestReadZipRefuses(t *testing.T) {
	body := bomb(t)
	if _, err := ReadZip(bytes.NewReader(body), int64(len(body))); err == nil || !strings.Contains(err.Error(), "250 MB") {
		t.Errorf("bomb: got %v", err)
	}
	// A directory that goes on and on, whatever its end says.
	entry := make([]byte, 46)
	binary.LittleEndian.PutUint32(entry, 0x02014b50)
	many := bytes.Repeat(entry, maxDirectory/46+1000)
	end := make([]byte, 22)
	binary.LittleEndian.PutUint32(end, 0x06054b50)
	binary.LittleEndian.PutUint16(end[10:], 1)
	binary.LittleEndian.PutUint32(end[12:], uint32(len(many)))
	many = append(many, end...)
	if _, err := ReadZip(bytes.NewReader(many), int64(len(many))); err == nil || !strings.Contains(err.Error(), "table of contents") {
		t.Errorf("endless directory: got %v", err)
	}
}

func FuzzReadZip(f *testing.F) {
	f.Add(zipOf(f, entry{"a/b.js", 0o644, "b"}, entry{"c", 0o755, strings.Repeat("c", 100)}))
	f.Add(zipOf(f, entry{"../a", 0o644, "b"}, entry{"l", fs.ModeSymlink | 0o777, "/"}))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := ReadZip(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			return
		}
		if size := b.Size(); size < 0 || size > MaxUnpacked {
			t.Fatalf("%d bytes", size)
		}
		for _, file := range b.Files {
			r, err := file.Open()
			if err != nil {
				continue
			}
			io.Copy(io.Discard, io.LimitReader(r, 1<<16))
			r.Close()
		}
	})
}
