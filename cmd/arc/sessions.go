package main

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"arc/manifest"
	"arc/manifest/syntax"
	"arc/source"
)

// sessionsPackage is the package that reads a session for every request it is
// given, and takes a key that everybody knows where ARC_APP_SECRET is not set.
const sessionsPackage = "@architect/functions"

// keylessSessions warns of functions of routes that use the package and see no
// variables, and so no key: whoever calls them can make up a session. bundles
// are those of the functions; nil = could not be collected.
func keylessSessions(functions []*manifest.Function, bundles []*source.Bundle) (ds syntax.Diagnostics) {
	for i, fn := range functions {
		if fn.Pragma != "http" || fn.Config.Env || i >= len(bundles) || bundles[i] == nil || !slices.ContainsFunc(bundles[i].Files, usesSessions) {
			continue
		}
		ds = append(ds, syntax.Diagnostic{
			Pos: fn.Pos, Code: "session-key", Severity: syntax.Warning,
			Message: fmt.Sprintf("@%s %s has env false, so it gets no ARC_APP_SECRET, and %s then takes sessions that anybody can make up", fn.Pragma, fn.Name, sessionsPackage),
			Hint:    "leave env false out and let env NAME in @uses narrow what the function gets, or read no session in it",
		})
	}
	return ds
}

// maxSource is how long a file of one's own code may be, in bytes, to be looked into.
const maxSource = 1 << 20

// usesSessions says whether a file is of the package, or names it.
func usesSessions(f source.File) bool {
	if strings.Contains(f.Path, "node_modules/") {
		return strings.HasPrefix(f.Path, "node_modules/"+sessionsPackage+"/")
	}
	if f.Size > maxSource || !slices.Contains([]string{".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx"}, path.Ext(f.Path)) {
		return false
	}
	r, err := f.Open()
	if err != nil {
		return false // told elsewhere
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxSource))
	return err == nil && bytes.Contains(text, []byte(sessionsPackage))
}
