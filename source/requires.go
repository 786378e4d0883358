package source

import (
	"path"
	"regexp"
	"strings"
	"sync"
)

var (
	// What gives a module a variable require of its own, or may.
	ownRequire = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\bcreateRequire\b|\b(function\*?|class|as)\s+require\b|\brequire\s*([=,};:\])]|\bfrom\b|$)|\beval\b`)
	})
	globalRequire = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\bglobal(This)?\s*(\.\s*require\b|\[)|Object\.(assign|defineProperty)\(\s*global`)
	})
)

// requires says that an ES module calls require when it is loaded, which is defined in
// CommonJS alone; nil when it does not, or may have one of its own.
// https://nodejs.org/api/esm.html#no-require-exports-or-moduleexports
func (p *parsedFile) requires() *Finding {
	if !p.module.esm || !p.module.sure || p.quiet || p.source == nil || len(p.mistakes) > 0 || p.runtime == "deno" || ownRequire().Match(p.source) {
		return nil
	}
	for _, ref := range imports(p.source) {
		if !ref.plain || ref.guarded {
			continue
		}
		line, col := position(p.source, ref.offset)
		f := &Finding{File: p.c.show(p.module.file), Line: line, Col: col, EndCol: col + ref.end - ref.offset, Code: "require-in-module",
			Text: "requires " + ref.spec + ", and is an ES module, in which require is not defined", Hint: "write import … from '" + ref.spec + "'"}
		if file := path.Base(p.module.file); strings.HasSuffix(file, ".mjs") {
			f.Hint += ", or name the file " + strings.TrimSuffix(file, ".mjs") + ".cjs"
		}
		return f
	}
	return nil
}
