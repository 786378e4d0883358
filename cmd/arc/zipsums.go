package main

import (
	"encoding/base64"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"arc/deploy"
)

// zipSums are the hashes of zips that deploys of this user have packed, a line
// "HEX.zip BASE64" each in a file of the user's cache, so that an app that did
// not change is not packed only to know what it should be. Nobody else may write
// that file: who can, runs programs as this user and needs no other way in. With
// CI=true there is none, as a cache there may come from the job of another branch.
func (s *session) zipSums() deploy.Sums {
	dir, err := s.cacheDir()
	if err != nil || s.env("CI") == "true" {
		return nil
	}
	return &zipSums{file: filepath.Join(dir, "zips.sha256")}
}

// maxZipSums is how long the file may get, in bytes: some nine thousand zips.
// One that is longer is begun anew.
const maxZipSums = 1 << 20

type zipSums struct {
	file  string
	once  sync.Once
	mu    sync.Mutex
	known map[string]string
	size  int64
}

// read reads the file once. What it cannot read, it does not know.
func (z *zipSums) read() {
	z.once.Do(func() {
		z.known = map[string]string{}
		f, err := os.Open(z.file)
		if err != nil {
			return
		}
		defer f.Close()
		if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0 {
			return // others may write it; Windows tells that otherwise, and keeps a user's folder to them
		}
		body, err := io.ReadAll(io.LimitReader(f, maxZipSums+1))
		if err != nil {
			return
		}
		z.size = int64(len(body))
		for line := range strings.Lines(string(body)) {
			name, sum, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			if ok && isZipSum(name, sum) {
				z.known[name] = sum // the last one counts
			}
		}
	})
}

// isZipSum says whether a line is whole.
func isZipSum(name, sum string) bool {
	digest, ok := strings.CutSuffix(name, ".zip")
	if key, err := hex.DecodeString(digest); !ok || err != nil || len(key) != 32 {
		return false
	}
	hash, err := base64.StdEncoding.DecodeString(sum)
	return err == nil && len(hash) == 32
}

// Get gives what is kept of a zip.
func (z *zipSums) Get(name string) string {
	z.read()
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.known[name]
}

// Put keeps the hash of a zip; when it cannot, the next deploy packs again.
func (z *zipSums) Put(name, sum string) {
	z.read()
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.known[name] == sum || !isZipSum(name, sum) {
		return
	}
	z.known[name] = sum
	if os.MkdirAll(filepath.Dir(z.file), 0o700) != nil {
		return
	}
	how := os.O_APPEND
	if z.size > maxZipSums {
		how, z.size = os.O_TRUNC, 0
	}
	f, err := os.OpenFile(z.file, os.O_CREATE|os.O_WRONLY|how, 0o600)
	if err != nil {
		return
	}
	n, _ := io.WriteString(f, name+" "+sum+"\n") // one write, so that two deploys do not mix
	z.size += int64(n)
	f.Close()
}
