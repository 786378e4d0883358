package s3

import (
	"bytes"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"

	"arc/sandbox/stack"
)

const (
	// spillAt is how long what is kept in memory may be; longer bytes are files.
	spillAt = 256 << 10
	// memory is how much all that is kept there may have together.
	memory = 4 << 20
)

// depot keeps the bytes of objects, of parts of uploads and of bodies that are
// still arriving: short ones in memory, others in files. All together are no
// more than its capacity, and what nobody holds any longer is given back.
type depot struct {
	dir      string // where the files' folder is made; "" = the system's own place
	kept     string // the files' folder, where they outlive the process; "" = they do not
	capacity int64

	mu             sync.Mutex
	used, inMemory int64
	folder         string // "" until there is a file
	closed         bool
}

// blob is bytes in a depot, which never change. Whoever has one holds it.
type blob struct {
	depot *depot
	size  int64
	md5   []byte
	small []byte  // in memory, or
	path  string  // in a file, or in both, or
	parts []*blob // one after the other

	holders int // guarded by depot.mu
}

// reserve takes room for n more bytes.
func (d *depot) reserve(n int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.used+n > d.capacity {
		return &stack.Error{Code: "SlowDown", Status: http.StatusServiceUnavailable,
			Message: fmt.Sprintf("the local S3 is full: objects, and uploads that are under way, may have %d bytes together; delete what is not needed", d.capacity)}
	}
	d.used += n
	return nil
}

func (d *depot) giveBack(n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.used -= n
}

// keepsInMemory takes room for n bytes in memory, if they fit.
func (d *depot) keepsInMemory(n int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inMemory+n > memory {
		return false
	}
	d.inMemory += n
	return true
}

func (d *depot) file() (*os.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errors.New("the local S3 is stopping")
	}
	if d.kept != "" {
		if d.folder == "" {
			if err := os.MkdirAll(d.kept, 0o700); err != nil {
				return nil, fmt.Errorf("folder for objects: %w", err)
			}
			d.folder = d.kept
		}
		return os.CreateTemp(d.kept, "")
	}
	if d.folder == "" {
		folder, err := os.MkdirTemp(d.dir, "arc-s3-")
		if err != nil {
			return nil, fmt.Errorf("folder for objects: %w", err)
		}
		d.folder = folder
	}
	return os.CreateTemp(d.folder, "")
}

// close removes the files that are not kept.
func (d *depot) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.folder == "" || d.kept != "" {
		return nil
	}
	return os.RemoveAll(d.folder)
}

// take reads everything into a blob, held once. On an error nothing is kept.
func (d *depot) take(r io.Reader) (b *blob, err error) {
	b = &blob{depot: d, holders: 1}
	sum := md5.New()
	var file *os.File
	defer func() {
		if file != nil {
			err = errors.Join(err, file.Close())
		}
		if err != nil {
			b.release()
			b = nil
		}
	}()
	chunk := make([]byte, 64<<10)
	for {
		n, readErr := io.ReadFull(r, chunk)
		if err = d.reserve(int64(n)); err != nil {
			return
		}
		b.size += int64(n)
		sum.Write(chunk[:n])
		if file == nil && (b.size > spillAt || !d.keepsInMemory(int64(n))) {
			if file, err = d.file(); err != nil {
				return
			}
			b.path = file.Name()
			if _, err = file.Write(b.small); err != nil {
				return b, fmt.Errorf("keeping an object: %w", err)
			}
			d.mu.Lock()
			d.inMemory -= int64(len(b.small))
			d.mu.Unlock()
			b.small = nil
		}
		if file == nil {
			b.small = append(b.small, chunk[:n]...)
		} else if _, err = file.Write(chunk[:n]); err != nil {
			return b, fmt.Errorf("keeping an object: %w", err)
		}
		switch {
		case readErr == io.EOF || readErr == io.ErrUnexpectedEOF:
			b.md5 = sum.Sum(nil)
			return b, nil
		case readErr != nil:
			return b, readErr
		}
	}
}

// join makes a blob of others, which it holds.
func (d *depot) join(parts []*blob) *blob {
	b := &blob{depot: d, holders: 1, parts: parts}
	sum := md5.New()
	for _, p := range parts {
		p.hold()
		b.size += p.size
		sum.Write(p.md5)
	}
	b.md5 = sum.Sum(nil)
	return b
}

func (b *blob) hold() *blob {
	b.depot.mu.Lock()
	defer b.depot.mu.Unlock()
	b.holders++
	return b
}

// release lets go of a blob; with its last holder it is gone.
func (b *blob) release() {
	if b == nil {
		return
	}
	b.depot.mu.Lock()
	b.holders--
	last := b.holders == 0
	if last && b.parts == nil {
		b.depot.used -= b.size
		b.depot.inMemory -= int64(len(b.small))
	}
	b.depot.mu.Unlock()
	if !last {
		return
	}
	if b.path != "" {
		os.Remove(b.path) // what cannot be removed goes with the folder
	}
	for _, p := range b.parts {
		p.release()
	}
}

// open reads length bytes from a place on.
func (b *blob) open(start, length int64) (io.ReadCloser, error) {
	if length == 0 {
		return io.NopCloser(bytes.NewReader(nil)), nil
	}
	switch {
	case b.small != nil:
		return io.NopCloser(bytes.NewReader(b.small[start : start+length])), nil
	case b.parts == nil:
		f, err := os.Open(b.path)
		if err != nil {
			return nil, fmt.Errorf("an object's bytes: %w", err)
		}
		return section{io.NewSectionReader(f, start, length), f}, nil
	}
	var readers []io.Reader
	var closers files
	for _, p := range b.parts {
		n := min(length, p.size-start)
		if n <= 0 {
			start -= p.size
			continue
		}
		r, err := p.open(start, n)
		if err != nil {
			closers.Close()
			return nil, err
		}
		readers, closers = append(readers, r), append(closers, r)
		start, length = 0, length-n
		if length == 0 {
			break
		}
	}
	return section{io.MultiReader(readers...), closers}, nil
}

// copy writes all of a blob to w.
func (b *blob) copy(w io.Writer) error {
	r, err := b.open(0, b.size)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(w, r)
	return err
}

type section struct {
	io.Reader
	io.Closer
}

type files []io.Closer

func (f files) Close() error {
	var err error
	for _, c := range f {
		err = errors.Join(err, c.Close())
	}
	return err
}
