package source

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Whether a module exports the method that Lambda calls, told from what esbuild
// prints of it: comments are gone, and each name that is CommonJS's own, and no
// variable of the code's, has become a mark, so that text shows what a name means.

// The marks that stand for what CommonJS code exports by, and for the method that
// Lambda calls, in what esbuild prints.
const (
	markExports = "__arc_exports"
	markModule  = "__arc_module"
	markOwn     = "__arc_module_exports"
	markThis    = "__arc_this"
	markMethod  = "__arc_method"
)

// finding says that a handler is not there.
func (h handlerOf) finding() *Finding {
	p := h.file
	if len(p.mistakes) > 0 || p.source == nil || p.format == "esm" && p.module.sure && !p.module.esm {
		return nil
	}
	esm := p.format == "esm" || p.module.sure && p.module.esm
	var lacks bool
	if esm {
		lacks = p.moduleLacks()
	} else {
		lacks = p.commonLacks()
	}
	if !lacks {
		return nil
	}
	f := &Finding{File: p.c.show(p.module.file), Line: 1, Col: 1, Code: "handler-export", Text: fmt.Sprintf("exports no %s, which Lambda calls as %s", p.method, h.fn.Handler)}
	write := "exports." + p.method + " = async function (event) { … }"
	if esm || p.quiet {
		write = "export async function " + p.method + "(event) { … }"
	}
	f.Hint = "write " + write
	if m := exportWord().FindIndex(p.source); m != nil && (len(p.exports) > 0 || mark().MatchString(p.text)) {
		line, col := position(p.source, m[0])
		f.Line, f.Col, f.EndCol = line, col, col+m[1]-m[0]
	}
	if esm && mark().MatchString(p.text) {
		f.Text = fmt.Sprintf("is an ES module, in which exports is nothing, and exports no %s, which Lambda calls as %s", p.method, h.fn.Handler)
	}
	names := slices.DeleteFunc(slices.Clone(p.exports), func(name string) bool { return name == "default" || !identifier().MatchString(name) })
	if len(names) == 1 {
		f.Hint += fmt.Sprintf(", or name the one that is there: handler %s below @aws in its config.arc", strings.TrimSuffix(h.fn.Handler, p.method)+names[0])
	}
	return f
}

var moduleWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?m)^[ \t]*(export|import)\b|\b(import)\.meta\b`) })

// moduleSyntax is where a file first shows that it is an ES module.
func (p *parsedFile) moduleSyntax() (line, col, end int) {
	at := moduleWord().FindSubmatchIndex(p.source)
	if at == nil {
		return 1, 1, 2
	}
	from, to := max(at[2], at[4]), max(at[3], at[5])
	line, col = position(p.source, from)
	return line, col, col + to - from
}

var exportWord = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^[ \t]*export\b[^\n={(]*|\b(module\.)?exports\b(\.\w+)?`)
})

var (
	exportAll = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?m)^export \* from `) })
	// aFunction is what has no property that nobody names.
	aFunction   = `(async )?(function\b|\([^()]*\) =>)`
	defaultName = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?m)^export default (?:async )?function ?\*? ?([\w$]+)`)
	})
	isFunction = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?m)^export default ` + aFunction) })
)

// moduleLacks reports whether an ES module has no such export for sure. Lambda looks
// into the default export as well, which is what import makes of CommonJS.
func (p *parsedFile) moduleLacks() bool {
	switch {
	case slices.Contains(p.exports, p.method), exportAll().MatchString(p.text):
		return false
	case slices.Contains(p.exports, "default"):
		return isFunction().MatchString(p.text) && !strings.Contains(p.text, markMethod) && !p.defaultUsed()
	}
	return true
}

// defaultUsed reports whether code has to do with its default export by name: it may
// give it properties.
func (p *parsedFile) defaultUsed() bool {
	m := defaultName().FindStringSubmatch(p.text)
	return m != nil && len(regexp.MustCompile(`(^|[^\w$])`+regexp.QuoteMeta(m[1])+`($|[^\w$])`).FindAllString(p.text, 2)) > 1
}

var (
	mark = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\b(?:` + markOwn + `|` + markExports + `|` + markModule + `|` + markThis + `)\b`)
	})
	// Code that may get at its exports by other names, or in ways that are not followed.
	hidden = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\b(eval|arguments|Function|exports|module|mainModule|__proto__|__defineGetter__|__filename|default)\b|\bwith \(`)
	})
	// What is before an assignment on its line, when nobody takes its value.
	statement   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*(` + markExports + ` = )?$`) })
	toFunction  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^ = ` + aFunction) })
	toObject    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^ = \{`) })
	called      = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("^(\\?\\.)?[(`]") })
	toProperty  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\.([A-Za-z$][\w$]*)`) })
	plainObject = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^ = \{\s*([\w$]+(: [\w$.]+)?(,\s*|\s*))*\};`)
	})
	openObject = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\.\.\.|(?m)([{,]|^)\s*((async|get|set) )?\*?\[`)
	})
	// Properties of every object.
	notOwn = sync.OnceValue(func() map[string]bool {
		return setOf(`constructor hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString valueOf`)
	})
)

// commonLacks reports whether a CommonJS module has no such export for sure: nothing of
// that name is made or asked for, and each place that has to do with its exports is of a
// kind that cannot make it.
func (p *parsedFile) commonLacks() bool {
	if p.module.asked || hidden().MatchString(p.text) || strings.Contains(p.text, markMethod) {
		return false
	}
	for _, at := range mark().FindAllStringIndex(p.text, -1) {
		which, rest := p.text[at[0]:at[1]], p.text[at[1]:]
		name := toProperty().FindStringSubmatch(rest)
		alone := statement().MatchString(p.text[1+strings.LastIndexByte(p.text[:at[0]], '\n') : at[0]])
		whole := alone && which == markOwn
		switch {
		case which == markModule || which == markThis:
			return false
		case name != nil && called().MatchString(rest[len(name[0]):]):
			// The exports are that function's this.
			return false
		case name != nil && !notOwn()[name[1]]:
			// Another export, made or read.
			if strings.HasPrefix(rest, "."+name[1]+" = ") {
				p.exports = append(p.exports, name[1])
			}
		case which == markExports && alone && strings.HasPrefix(rest, " = "):
			// Of no effect, but what it is set to counts where that is a mark.
		case whole && plainObject().MatchString(rest):
			// The object's properties are all that there is.
		case whole && toFunction().MatchString(rest):
		case whole && toObject().MatchString(rest) && !openObject().MatchString(p.text):
		default:
			return false
		}
	}
	return true
}
