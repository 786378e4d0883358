package source

import (
	"archive/zip"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/klauspost/compress/flate"
)

// epoch is the time of every entry: the earliest that a zip can hold.
var epoch = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// level is deflate's usual compromise.
const level = 6

// packing counts the ways in which zips have been written. It goes up with
// whatever makes other bytes of the same files: the level, another version of the
// compressor. It is part of a bundle's key, so that a key stands for the same
// bytes whichever arc has packed them: what a function runs is compared with what
// was packed, by its hash.
const packing = 1

// A compressor is large and most files are small: making one a file would take
// several times the work of compressing.
var compressors = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(io.Discard, level) // fails on an unknown level only
	return w
}}

type compressor struct{ *flate.Writer }

func (c compressor) Close() error {
	err := c.Writer.Close()
	compressors.Put(c.Writer)
	return err
}

// WriteZip writes the bundle as a zip with sorted paths, fixed times and modes
// (0644, or 0755 when executable). It holds one buffer, never a whole file. A
// file that was changed since Key read it is an error, as the zip would be
// stored under the key of other content.
func (b *Bundle) WriteZip(w io.Writer) error {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		c := compressors.Get().(*flate.Writer)
		c.Reset(w)
		return compressor{c}, nil
	})
	for i := range b.Files {
		if err := b.Files[i].write(z); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("zip cannot be written: %w", err)
	}
	return nil
}

func (f *File) write(z *zip.Writer) error {
	head := &zip.FileHeader{Name: f.Path, Method: zip.Deflate, Modified: epoch}
	mode := fs.FileMode(0o644)
	if f.Executable {
		mode = 0o755
	}
	head.SetMode(mode)
	out, err := z.CreateHeader(head)
	if err != nil {
		return fmt.Errorf("%s: cannot be added to the zip: %w", f.Path, err)
	}
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	h := hashers.Get().(*hasher)
	defer hashers.Put(h)
	sum := &checksum{w: out}
	if _, err := io.CopyBuffer(sum, struct{ io.Reader }{in}, h.buf[:]); err != nil {
		return fmt.Errorf("%s: cannot be added to the zip: %w", f.Path, err)
	}
	if f.content != nil && f.content.done.Load() && f.content.crc != sum.crc {
		return fmt.Errorf("%s: was changed while it was being packaged: run the command again", f.content.path)
	}
	return nil
}

// checksum is a writer that keeps the CRC-32 of what passes through it.
type checksum struct {
	w   io.Writer
	crc uint32
}

func (c *checksum) Write(p []byte) (int, error) {
	c.crc = crc32.Update(c.crc, crc32.IEEETable, p)
	return c.w.Write(p)
}
