package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestZipSums keeps hashes between runs, and believes neither a file that others
// may write, nor half a line, nor anything where the cache may be another job's.
func TestZipSums(t *testing.T) {
	cache := t.TempDir()
	env := map[string]string{"XDG_CACHE_HOME": cache}
	s := &session{env: func(name string) string { return env[name] }}
	name := func(digit string) string { return strings.Repeat(digit, 64) + ".zip" }
	const sum, other = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs="
	z := s.zipSums()
	z.Put(name("a"), sum)
	z.Put(name("b"), sum)
	z.Put(name("b"), other)
	z.Put("../"+name("c"), sum)
	z.Put(name("c"), "evil")
	file := filepath.Join(cache, "arc", "zips.sha256")
	body, err := os.ReadFile(file)
	if err != nil || strings.Count(string(body), "\n") != 3 {
		t.Fatalf("%v %s", err, body)
	}
	is := func(what, digit, want string) {
		t.Helper()
		if got := s.zipSums().Get(name(digit)); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	is("kept", "a", sum)
	is("the last one", "b", other)
	if err := os.WriteFile(file, []byte(string(body)+name("d")+" "+sum[:20]), 0o600); err != nil {
		t.Fatal(err)
	}
	is("half a line", "d", "")
	is("before half a line", "a", sum)
	if err := os.Chmod(file, 0o666); err != nil {
		t.Fatal(err)
	}
	is("others may write it", "a", "")
	if err := os.WriteFile(file, []byte(strings.Repeat("x\n", maxZipSums)), 0o600); err != nil {
		t.Fatal(err)
	}
	os.Chmod(file, 0o600)
	s.zipSums().Put(name("e"), sum)
	is("begun anew", "e", sum)
	if info, err := os.Stat(file); err != nil || info.Size() > 1000 {
		t.Errorf("the file grows for ever: %v %v", info, err)
	}
	env["CI"] = "true"
	if s.zipSums() != nil {
		t.Error("CI=true believes a cache")
	}
}
