// Package code lists what the zips of functions hold: their files, and the
// packages inside with their versions.
package code

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"arc/cfn"
	"arc/deploy"
	"arc/source"
	"arc/source/lockfile"

	"golang.org/x/sync/errgroup"
)

// How much of a file that tells versions is read, in bytes.
const (
	maxPackageJSON = 1 << 20
	maxLockFile    = 16 << 20
)

// Contents is what a bundle holds.
type Contents struct {
	Size     int64             // bytes, unpacked
	Files    map[string]string // path → something that differs when the content does
	Packages map[string]string // packages inside: name → version
}

// Reader lists what bundles hold. A package.json that many of them share is
// read once.
type Reader struct {
	// LocksFirst: what lock files say counts for more than the packages that
	// are there, as the packages of a git revision are those of the working tree.
	LocksFirst bool

	versions sync.Map // fingerprint of a package.json → its version
	locks    sync.Map // fingerprint and name of a lock file → its versions
}

// Contents lists the files of a bundle, and the packages in it. Lock files tell
// what there is to be installed where nothing is.
func (c *Reader) Contents(bundle *source.Bundle) (Contents, error) {
	code := Contents{Size: bundle.Size(), Files: map[string]string{}, Packages: map[string]string{}}
	locked := map[string]string{}
	for i := range bundle.Files {
		f := &bundle.Files[i]
		print, err := fingerprint(f)
		if err != nil {
			return code, err
		}
		code.Files[f.Path] = print
		name, version := installed(f.Path)
		if name != "" && version == "" {
			version, err = c.version(f, print)
		} else if name == "" {
			err = c.addLocked(locked, f, print)
		}
		if err != nil {
			return code, err
		}
		if version != "" {
			code.Packages[name] = version
		}
	}
	if len(code.Packages) == 0 || c.LocksFirst {
		maps.Copy(code.Packages, locked)
	}
	return code, nil
}

// fingerprint tells one content of a file from another, in a zip's own terms.
func fingerprint(f *source.File) (string, error) {
	sum, err := f.Checksum()
	if err != nil {
		return "", err
	}
	text := strconv.FormatInt(f.Size, 10) + "-" + strconv.FormatUint(uint64(sum), 16)
	if f.Executable {
		text += "x"
	}
	return text, nil
}

// How installed packages of Python and Ruby tell their names and versions.
var (
	wheel = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?:^|/)([^/-]+)-(\d[^/-]*)\.dist-info/METADATA$`) })
	gem   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?:^|/)specifications/([^/]+?)-(\d[^/]*)\.gemspec$`) })
)

// installed names the package that a file of a bundle stands for, and its
// version where the path tells it; of npm that is the package.json, and
// packages within packages do not count.
func installed(file string) (name, version string) {
	if m := wheel().FindStringSubmatch(file); m != nil {
		return lockfile.PythonName(m[1]), m[2]
	}
	if m := gem().FindStringSubmatch(file); m != nil {
		return m[1], m[2]
	}
	inside, isModule := strings.CutPrefix(file, "node_modules/")
	name, isPackage := strings.CutSuffix(inside, "/package.json")
	slashes := strings.Count(name, "/")
	if !isModule || !isPackage || slashes > 1 || slashes == 1 && name[0] != '@' {
		return "", ""
	}
	return name, ""
}

// version reads a package.json.
func (c *Reader) version(f *source.File, print string) (string, error) {
	if v, ok := c.versions.Load(print); ok {
		return v.(string), nil
	}
	data, err := head(f, maxPackageJSON)
	if err != nil {
		return "", err
	}
	var pkg struct{ Version string }
	if json.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &pkg) != nil {
		pkg.Version = "" // whatever it is, it names no version
	}
	c.versions.Store(print, pkg.Version)
	return pkg.Version, nil
}

// addLocked adds what a file pins, when it is a lock file at the top of the
// function's folder.
func (c *Reader) addLocked(locked map[string]string, f *source.File, print string) error {
	if strings.Contains(f.Path, "/") || !slices.Contains(lockfile.Names(), f.Path) {
		return nil
	}
	key := print + " " + f.Path
	if v, ok := c.locks.Load(key); ok {
		maps.Copy(locked, v.(map[string]string))
		return nil
	}
	data, err := head(f, maxLockFile)
	if err != nil {
		return err
	}
	versions := lockfile.Versions(f.Path, data)
	c.locks.Store(key, versions)
	maps.Copy(locked, versions)
	return nil
}

// head reads a file up to a length.
func head(f *source.File, length int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, length))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return data, nil
}

// maxZips is how many zips are read at the same time.
const maxZips = 8

// Deployed lists what deployed zips hold, given the bucket of each key. reasons
// counts why some could not be read; an error is the end of ctx.
func (c *Reader) Deployed(ctx context.Context, clients deploy.Clients, buckets map[string]string) (contents map[string]Contents, reasons map[string]int, err error) {
	contents, reasons = map[string]Contents{}, map[string]int{}
	if len(buckets) == 0 {
		return contents, reasons, nil
	}
	owner, err := clients.Account(ctx)
	if err != nil {
		return contents, reasons, err
	}
	var one sync.Mutex
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(maxZips)
	for _, key := range slices.Sorted(maps.Keys(buckets)) {
		group.Go(func() error {
			code, err := c.deployed(inner, clients, owner, buckets[key], key)
			one.Lock()
			defer one.Unlock()
			switch {
			case err == nil:
				contents[key] = code
			case ctx.Err() != nil:
				return ctx.Err()
			default:
				reasons[deploy.Why(err)]++
			}
			return nil
		})
	}
	return contents, reasons, group.Wait()
}

// deployed lists what a deployed zip holds.
func (c *Reader) deployed(ctx context.Context, clients deploy.Clients, owner, bucket, key string) (Contents, error) {
	object, err := clients.OpenObject(ctx, owner, bucket, key)
	if err != nil {
		return Contents{}, err
	}
	bundle, err := source.ReadZip(object, object.Size)
	if err != nil {
		return Contents{}, err
	}
	return c.Contents(bundle)
}

// Bucket is the bucket that a deployed function's zip is in; "" when the
// template does not tell.
func Bucket(fn cfn.ResourceDef, stack deploy.Stack) string {
	code, _ := fn.Properties["Code"].(map[string]any)
	switch bucket := code["S3Bucket"].(type) {
	case string:
		return bucket
	case map[string]any:
		name, _ := bucket["Ref"].(string)
		return stack.Parameters[name]
	}
	return ""
}
