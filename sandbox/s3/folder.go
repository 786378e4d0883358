package s3

import (
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/johannesboyne/gofakes3"

	"arc/source"
)

// Serve shows a folder in a bucket: its files can be read and listed as
// objects, with prefix in front of their paths, as they are at that moment.
// What is put into the bucket lies on top; the folder is never written. A nil folder shows none. The bucket is made when there is
// none of the name.
func (s *Server) Serve(bucket, prefix string, folder fs.FS) error {
	if err := s.store.createBucket(bucket, true); err != nil && !gofakes3.IsAlreadyExists(err) {
		return fmt.Errorf("bucket %s: %w", bucket, err)
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	b := s.store.buckets[bucket]
	b.folder, b.prefix, b.refused = folder, prefix, s.options.Refused
	return nil
}

// sums remembers the MD5 of files, which is their ETag, as long as size and
// time stay what they were.
type sums struct {
	mu    sync.Mutex
	known map[string]sum
}

type sum struct {
	size     int64
	modified time.Time
	md5      []byte
}

func (s *sums) of(name string, info fs.FileInfo, content io.Reader) ([]byte, error) {
	s.mu.Lock()
	known, ok := s.known[name]
	s.mu.Unlock()
	if ok && known.size == info.Size() && known.modified.Equal(info.ModTime()) {
		return known.md5, nil
	}
	h := md5.New()
	if _, err := io.Copy(h, content); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]sum{}
	}
	s.known[name] = sum{info.Size(), info.ModTime(), h.Sum(nil)}
	return s.known[name].md5, nil
}

// stat finds the file of the folder that a key shows.
func (b *bucket) stat(key string) (fs.FileInfo, error) {
	name, ok := strings.CutPrefix(key, b.prefix)
	if !ok || !fs.ValidPath(name) {
		return nil, fs.ErrNotExist
	}
	info, err := fs.Stat(b.folder, name)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return nil, fs.ErrNotExist
	case errors.Is(err, source.ErrLeadsOut):
		if _, said := b.said.LoadOrStore(name, true); !said && b.refused != nil {
			b.refused(name, source.ErrLeadsOut)
		}
		return nil, fs.ErrNotExist
	case err != nil && !errors.Is(err, fs.ErrPermission):
		// A file where a folder should be, a name that is too long: there is no
		// such object.
		return nil, fs.ErrNotExist
	case err != nil:
		return nil, fmt.Errorf("file %s of a bucket's folder: %w", key, err)
	}
	return info, nil
}

// file opens a file of the folder as an object; nil when there is none.
func (b *bucket) file(key string, span *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	info, err := b.stat(key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f, err := b.folder.Open(strings.TrimPrefix(key, b.prefix))
	if err != nil {
		return nil, fmt.Errorf("file %s of a bucket's folder: %w", key, err)
	}
	o, err := b.opened(key, f, info, span)
	if err != nil {
		f.Close()
	}
	return o, err
}

func (b *bucket) opened(key string, f fs.File, info fs.FileInfo, span *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	hash, err := b.sums.of(key, info, f)
	if err != nil {
		return nil, fmt.Errorf("file %s of a bucket's folder: %w", key, err)
	}
	part, err := span.Range(info.Size())
	if err != nil {
		return nil, err
	}
	seeker, ok := f.(io.Seeker)
	if !ok {
		return nil, fmt.Errorf("file %s of a bucket's folder: cannot be read twice", key)
	}
	start, length := int64(0), info.Size()
	if part != nil {
		start, length = part.Start, part.Length
	}
	if _, err := seeker.Seek(start, io.SeekStart); err != nil {
		return nil, fmt.Errorf("file %s of a bucket's folder: %w", key, err)
	}
	return &gofakes3.Object{
		Name: key, Size: info.Size(), Hash: hash, Range: part,
		Metadata: map[string]string{"Content-Type": source.ContentType(key), "Last-Modified": info.ModTime().UTC().Format(http.TimeFormat)},
		Contents: struct {
			io.Reader
			io.Closer
		}{io.LimitReader(f, length), f},
	}, nil
}
