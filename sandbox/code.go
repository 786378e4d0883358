package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"arc/sandbox/lambda"
	"arc/sandbox/stack"
	"arc/source"
)

// codeStore unpacks uploaded zips, each once. Keys are hashes of content, so
// what was unpacked under one stays right.
type codeStore struct {
	root  string
	get   func(bucket, key string) ([]byte, error)
	mu    sync.Mutex
	ready map[string]*unpacked
}

type unpacked struct {
	once sync.Once
	dir  string
	err  error
}

// unpack gives the folder with the code of an uploaded zip.
func (s *codeStore) unpack(_ context.Context, bucket, key string) (lambda.Unpacked, error) {
	zip, err := s.get(bucket, key)
	if err != nil {
		return lambda.Unpacked{}, fmt.Errorf("code s3://%s/%s: %w", bucket, key, err)
	}
	code, err := s.unzip(zip)
	if err != nil {
		return code, fmt.Errorf("code s3://%s/%s: %w", bucket, key, err)
	}
	return code, nil
}

// unzip gives the folder with the code of a zip.
func (s *codeStore) unzip(zip []byte) (lambda.Unpacked, error) {
	s.mu.Lock()
	sum := sha256.Sum256(zip)
	id := hex.EncodeToString(sum[:])
	u := s.ready[id]
	if u == nil {
		u = &unpacked{dir: filepath.Join(s.root, id)}
		s.ready[id] = u
	}
	s.mu.Unlock()
	u.once.Do(func() { u.err = unpackTo(u.dir, zip) })
	if u.err != nil {
		return lambda.Unpacked{}, u.err
	}
	return lambda.Unpacked{Dir: u.dir, SHA256: base64.StdEncoding.EncodeToString(sum[:])}, nil
}

func unpackTo(dir string, zip []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return source.Unzip(bytes.NewReader(zip), int64(len(zip)), root)
}

// liveFunction is where lambda finds the code of the live app's functions.
func (c *Cloud) liveFunction(ref stack.Ref, logicalID string) (lambda.Folders, bool) {
	fn, ok := c.live.function(ref.Name, logicalID)
	return lambda.Folders{Dir: fn.Dir, Shared: fn.Shared, Views: fn.Views, Label: fn.Label, Env: fn.Env, Code: fn.Code, Remedy: fn.Remedy, Static: c.live.static()}, ok
}
