package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/deploy"
	"arc/source"

	"golang.org/x/sync/errgroup"
)

// maxPackageJSON bounds how much of a package.json is read, in bytes.
const maxPackageJSON = 1 << 20

// codeReader lists what bundles hold. A package.json that many of them share is
// read once.
type codeReader struct {
	versions sync.Map // fingerprint of a package.json → its version
}

// contents lists the files of a bundle, and the packages in it.
func (c *codeReader) contents(bundle *source.Bundle) (diff.Code, error) {
	code := diff.Code{Size: bundle.Size(), Files: map[string]string{}, Packages: map[string]string{}}
	for i := range bundle.Files {
		f := &bundle.Files[i]
		print, err := fingerprint(f)
		if err != nil {
			return code, err
		}
		code.Files[f.Path] = print
		name, ok := packageOf(f.Path)
		if !ok {
			continue
		}
		version, err := c.version(f, print)
		if err != nil {
			return code, err
		}
		if version != "" {
			code.Packages[name] = version
		}
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

// packageOf names the npm package whose package.json the path is; packages
// within packages do not count.
func packageOf(file string) (string, bool) {
	dir, base := path.Split(file)
	inside, ok := strings.CutPrefix(dir, "node_modules/")
	name := strings.TrimSuffix(inside, "/")
	slashes := strings.Count(name, "/")
	return name, ok && base == "package.json" && name != "" && (slashes == 0 || slashes == 1 && name[0] == '@')
}

func (c *codeReader) version(f *source.File, print string) (string, error) {
	if v, ok := c.versions.Load(print); ok {
		return v.(string), nil
	}
	r, err := f.Open()
	if err != nil {
		return "", fmt.Errorf("%s: %w", f.Path, err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxPackageJSON))
	if err != nil {
		return "", fmt.Errorf("%s: %w", f.Path, err)
	}
	var pkg struct{ Version string }
	if json.Unmarshal(data, &pkg) != nil {
		pkg.Version = "" // whatever it is, it names no version
	}
	c.versions.Store(print, pkg.Version)
	return pkg.Version, nil
}

// codeIn looks into the code of both sides.
func codeIn(sides ...side) func(key string) (diff.Code, bool) {
	reader := &codeReader{}
	known := map[string]diff.Code{}
	return func(key string) (diff.Code, bool) {
		if code, ok := known[key]; ok {
			return code, true
		}
		for _, one := range sides {
			if code, ok := one.contents[key]; ok {
				return code, true
			}
			if one.build == nil || one.build.bundles[key] == nil {
				continue
			}
			code, err := reader.contents(one.build.bundles[key])
			if err != nil {
				return diff.Code{}, false // changed while it was read: the key tells that it differs
			}
			known[key] = code
			return code, true
		}
		return diff.Code{}, false
	}
}

// maxZips is how many zips are read at the same time.
const maxZips = 8

// readCode looks into the deployed zips of the functions whose code differs.
// What cannot be read is told in words: the diff does without it.
func readCode(ctx context.Context, before, after *side) (limits []string, err error) {
	reader := &codeReader{}
	buckets := map[string]string{} // key of a deployed zip → its bucket
	after.contents = map[string]diff.Code{}
	for id, was := range before.doc.Resources {
		is := after.doc.Resources[id]
		if was.Type != "AWS::Lambda::Function" || is.Type != was.Type || diff.CodeKey(was) == diff.CodeKey(is) {
			continue
		}
		key := diff.CodeKey(is)
		// The tree first: what both sides have need not be fetched.
		if bundle := after.build.bundles[key]; bundle != nil && after.contents[key].Files == nil {
			if after.contents[key], err = reader.contents(bundle); err != nil {
				return nil, err
			}
		}
		if bucket := bucketOf(was, before.deployed.stack); bucket != "" {
			buckets[diff.CodeKey(was)] = bucket
		}
	}
	before.contents = map[string]diff.Code{}
	reasons := map[string]int{}
	var one sync.Mutex
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(maxZips)
	for _, key := range slices.Sorted(maps.Keys(buckets)) {
		group.Go(func() error {
			code, err := reader.deployed(inner, before.deployed.clients, buckets[key], key)
			one.Lock()
			defer one.Unlock()
			switch {
			case err == nil:
				before.contents[key] = code
			case ctx.Err() != nil:
				return ctx.Err()
			default:
				reasons[deploy.Why(err)]++
			}
			return nil
		})
	}
	err = group.Wait()
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		limits = append(limits, fmt.Sprintf("%s could not be looked into (%s): which files change is not known", count(reasons[reason], "deployed zip"), reason))
	}
	return limits, err
}

// deployed lists what a deployed zip holds.
func (c *codeReader) deployed(ctx context.Context, clients deploy.Clients, bucket, key string) (diff.Code, error) {
	object, err := clients.OpenObject(ctx, bucket, key)
	if err != nil {
		return diff.Code{}, err
	}
	bundle, err := source.ReadZip(object, object.Size)
	if err != nil {
		return diff.Code{}, err
	}
	return c.contents(bundle)
}

// bucketOf is the bucket that a deployed function's zip is in; "" when the
// template does not tell.
func bucketOf(fn cfn.ResourceDef, stack deploy.Stack) string {
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
