package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"arc/cfn/diff"
	"arc/cfn/registry"
	"arc/deploy/code"
)

// codeIn looks into the code of both sides.
func codeIn(sides ...side) func(key string) (diff.Code, bool) {
	reader := &code.Reader{LocksFirst: sides[0].packages != nil}
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
			code, err := reader.Contents(one.build.bundles[key])
			if err != nil {
				return diff.Code{}, false // changed while it was read: the key tells that it differs
			}
			known[key] = diff.Code(code)
			return known[key], true
		}
		return diff.Code{}, false
	}
}

// readCode looks into the deployed zips of the functions whose code differs.
// What cannot be read is told in words: the diff does without it.
func readCode(ctx context.Context, before, after *side) (limits []string, err error) {
	reader := &code.Reader{}
	buckets := map[string]string{} // key of a deployed zip → its bucket
	after.contents = map[string]diff.Code{}
	for id, was := range before.doc.Resources {
		is := after.doc.Resources[id]
		if was.Type != registry.LambdaFunction || is.Type != was.Type || diff.SameCode(diff.CodeKey(was), diff.CodeKey(is)) || diff.CodeKey(was) == diff.CodeKey(is) {
			continue
		}
		key := diff.CodeKey(is)
		// The tree first: what both sides have need not be fetched.
		if bundle := after.build.bundles[key]; bundle != nil && after.contents[key].Files == nil {
			contents, err := reader.Contents(bundle)
			if err != nil {
				return nil, err
			}
			after.contents[key] = diff.Code(contents)
		}
		if bucket := code.Bucket(was, before.deployed.stack); bucket != "" {
			buckets[diff.CodeKey(was)] = bucket
		}
	}
	contents, reasons, err := reader.Deployed(ctx, before.deployed.clients, buckets)
	before.contents = map[string]diff.Code{}
	for key, code := range contents {
		before.contents[key] = diff.Code(code)
	}
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		limits = append(limits, fmt.Sprintf("%s could not be looked into (%s): which files change is not known", count(reasons[reason], "deployed zip"), reason))
	}
	return limits, err
}
