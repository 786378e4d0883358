package code

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"arc/cfn"
	"arc/deploy"
	"arc/source"
)

func TestInstalled(t *testing.T) {
	for file, want := range map[string][2]string{
		"node_modules/a/package.json":                               {"a", ""},
		"node_modules/@s/a/package.json":                            {"@s/a", ""},
		"node_modules/a/node_modules/b/package.json":                {},
		"node_modules/a/lib/package.json":                           {},
		"node_modules/@s/a/lib/package.json":                        {},
		"node_modules/a/index.js":                                   {},
		"package.json":                                              {},
		"lib/node_modules/a/package.json":                           {},
		"requests-2.31.0.dist-info/METADATA":                        {"requests", "2.31.0"},
		"Typing_Extensions-4.1.dist-info/METADATA":                  {"typing-extensions", "4.1"},
		"vendor/zope.interface-6.0.dist-info/METADATA":              {"zope-interface", "6.0"},
		"requests-2.31.0.dist-info/RECORD":                          {},
		"vendor/ruby/3.3.0/specifications/rack-3.1.gemspec":         {"rack", "3.1"},
		"vendor/ruby/3.3.0/specifications/aws-sdk-core-3.1.gemspec": {"aws-sdk-core", "3.1"},
	} {
		if name, version := installed(file); name != want[0] || version != want[1] {
			t.Errorf("%s: %q %q", file, name, version)
		}
	}
}

func file(path, text string) source.File {
	return source.File{Path: path, Size: int64(len(text)), Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
}

const lock = `{"lockfileVersion": 3, "packages": {"": {}, "node_modules/a": {"version": "1.0.0"}, "node_modules/b": {"version": "2.0.0"}}}`

// TestContents: files are told apart by size, bytes and whether they can be run;
// packages that are there count, and what a lock file pins where there are none.
func TestContents(t *testing.T) {
	run := file("run.sh", "x")
	run.Executable = true
	with := &source.Bundle{Files: []source.File{
		file("index.mjs", "one"), run, file("package-lock.json", lock), file("lib/package-lock.json", lock),
		file("node_modules/a/package.json", `{"version": "1.2.3"}`), file("node_modules/c/package.json", "no JSON"),
		file("node_modules/a/node_modules/b/package.json", `{"version": "9.0.0"}`),
	}}
	without := &source.Bundle{Files: []source.File{file("index.mjs", "two"), file("run.sh", "x"), file("package-lock.json", lock)}}
	var r Reader
	first, err := r.Contents(with)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "1.2.3"}, first.Packages); diff != "" {
		t.Error(diff)
	}
	second, err := r.Contents(without)
	if err != nil {
		t.Fatal(err)
	}
	pinned := map[string]string{"a": "1.0.0", "b": "2.0.0"}
	if diff := cmp.Diff(pinned, second.Packages); diff != "" {
		t.Error(diff)
	}
	for name, same := range map[string]bool{"index.mjs": false, "run.sh": false, "package-lock.json": true} {
		if (first.Files[name] == second.Files[name]) != same || first.Files[name] == "" {
			t.Errorf("%s: %q and %q", name, first.Files[name], second.Files[name])
		}
	}
	if first.Size != with.Size() || len(first.Files) != len(with.Files) {
		t.Errorf("%d bytes, %d files", first.Size, len(first.Files))
	}
	// A git revision has the packages of the working tree beside a lock file of its own.
	both, err := (&Reader{LocksFirst: true}).Contents(with)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "1.0.0", "b": "2.0.0"}, both.Packages); diff != "" {
		t.Error(diff)
	}
	broken := file("package-lock.json", lock)
	broken.Open = func() (io.ReadCloser, error) { return nil, fs.ErrPermission }
	if _, err := new(Reader).Contents(&source.Bundle{Files: []source.File{broken}}); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
}

// TestOnceForAll: a file that many bundles share is read once.
func TestOnceForAll(t *testing.T) {
	reads := 0
	counted := func(path, text string) source.File {
		f := file(path, text)
		f.Open = func() (io.ReadCloser, error) { reads++; return io.NopCloser(bytes.NewReader([]byte(text))), nil }
		return f
	}
	files := []source.File{counted("node_modules/a/package.json", `{"version": "1.2.3"}`), counted("package-lock.json", lock)}
	var r Reader
	if _, err := r.Contents(&source.Bundle{Files: files}); err != nil {
		t.Fatal(err)
	}
	// The checksum is taken of each, and each is read for what it says.
	if reads != 4 {
		t.Errorf("%d reads at first", reads)
	}
	reads = 0
	again, err := r.Contents(&source.Bundle{Files: files})
	if err != nil || reads != 2 || again.Packages["a"] != "1.2.3" {
		t.Errorf("%d reads, %v, %v", reads, again.Packages, err)
	}
}

func TestBucket(t *testing.T) {
	stack := deploy.Stack{Parameters: map[string]string{"ArtifactBucket": "b"}}
	for name, c := range map[string]struct {
		bucket any
		want   string
	}{
		"a name": {"own", "own"}, "a parameter": {map[string]any{"Ref": "ArtifactBucket"}, "b"}, "another value": {map[string]any{"Fn::GetAtt": "x"}, ""}, "none": {nil, ""},
	} {
		if got := Bucket(cfn.ResourceDef{Properties: map[string]any{"Code": map[string]any{"S3Bucket": c.bucket}}}, stack); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
