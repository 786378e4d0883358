package manifest

import (
	"bytes"
	"encoding/json"
	"path"
	"strings"

	"arc/manifest/syntax"
)

// handlerRule says where the functions of a kind of runtime keep their
// handler (manifest reference, 7.4).
type handlerRule struct {
	prefix  string   // of the runtime's name
	files   []string // the first that exists holds the handler
	missing string   // the file meant when none exists
	exts    []string // endings that "handler file.method" may mean
}

var handlerRules = []handlerRule{
	{"node", []string{"index.js", "index.mjs", "index.cjs", "index.ts", "index.mts", "index.cts", "index.tsx"}, "index.mjs",
		[]string{".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".tsx"}},
	{"deno", []string{"mod.ts", "mod.js", "mod.tsx", "index.ts", "index.js", "index.tsx"}, "mod.ts", []string{".ts", ".js", ".tsx"}},
	{"python", []string{"lambda.py", "handler.py", "index.py"}, "lambda.py", []string{".py"}},
	{"ruby", []string{"lambda.rb", "handler.rb", "index.rb"}, "lambda.rb", []string{".rb"}},
	// Lambda starts bootstrap whatever the handler is called. Where only the source
	// of one is there, arc builds it.
	{"provided", []string{"bootstrap", "go.mod", "main.go", "Cargo.toml"}, "bootstrap", nil},
	{"", nil, "index", nil},
}

// typeScriptRule is for functions that ask for TypeScript: an index.js beside
// index.ts is then what some compiler left there.
var typeScriptRule = handlerRule{"node", []string{"index.ts", "index.mts", "index.cts", "index.tsx", "index.js", "index.mjs", "index.cjs"}, "index.ts",
	[]string{".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs"}}

func handlerRuleOf(c *Config) handlerRule {
	if isTypeScript(c.RuntimeAlias) {
		return typeScriptRule
	}
	for _, r := range handlerRules {
		if strings.HasPrefix(c.Runtime, r.prefix) {
			return r
		}
	}
	return handlerRule{}
}

// resolveHandler finds the file that holds fn's handler and names the handler
// as Lambda wants it. written is the handler setting, if any.
func (l *loader) resolveHandler(fn *Function, c *Config, written syntax.Value) {
	rule := handlerRuleOf(c)
	if written.Text != "" && l.handlerForm(c.Runtime, written) {
		l.writtenHandler(fn, c, rule, written.Text)
	} else {
		c.HandlerFile = rule.missing
		entries := l.folders.entries(fn.Dir)
		for _, name := range rule.files {
			if isDir, ok := entries[name]; ok && !isDir {
				c.HandlerFile, c.HandlerExists = name, true
				break
			}
		}
		c.Handler = "index.handler"
		if len(rule.exts) > 0 {
			c.Handler = strings.TrimSuffix(c.HandlerFile, path.Ext(c.HandlerFile)) + ".handler"
		} else if !c.HandlerExists {
			c.HandlerExists = l.folders.hasFile(path.Join(fn.Dir, c.HandlerFile))
		}
	}
	if strings.HasPrefix(c.Runtime, "node") && strings.HasSuffix(c.HandlerFile, ".js") && c.HandlerExists {
		l.checkModuleType(fn.Dir)
	}
}

// writtenHandler honours "handler file.method" everywhere: Architect deploys
// it, but its sandbox runs the usual file all the same.
func (l *loader) writtenHandler(fn *Function, c *Config, rule handlerRule, handler string) {
	c.Handler = handler
	if len(rule.exts) == 0 {
		c.HandlerFile = rule.missing
		for _, name := range append([]string{rule.missing}, rule.files...) {
			if l.folders.hasFile(path.Join(fn.Dir, name)) {
				c.HandlerFile, c.HandlerExists = name, true
				return
			}
		}
		return
	}
	file := path.Clean(strings.TrimSuffix(handler, path.Ext(handler)))
	c.HandlerFile = file + path.Ext(rule.missing)
	for _, ext := range rule.exts {
		if l.folders.hasFile(path.Join(fn.Dir, file+ext)) {
			c.HandlerFile, c.HandlerExists = file+ext, true
			return
		}
	}
}

// handlerForm checks file.method. Java and .NET name classes, which may hold
// more dots.
func (l *loader) handlerForm(runtime string, v syntax.Value) bool {
	if strings.HasPrefix(runtime, "java") || strings.HasPrefix(runtime, "dotnet") {
		return true
	}
	file, method, ok := strings.Cut(v.Text, ".")
	clean, inside := projectPath(file)
	if ok && file != "" && method != "" && !strings.Contains(method, ".") && inside && clean != "." {
		return true
	}
	l.errorf(at(v), "handler", "write handler index.handler: a file without its ending, a dot, a function",
		"the handler %s is not of the form file.function", v.Text)
	return false
}

// checkModuleType reads the function's own package.json, the only one that
// tells Lambda whether index.js is an ES module.
func (l *loader) checkModuleType(dir string) {
	name := path.Join(dir, "package.json")
	if !l.folders.hasFile(name) {
		return
	}
	src, err := l.read(name)
	if err != nil {
		return
	}
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")) // which Node and npm pass over
	var pkg struct{ Type *string }
	where := syntax.Pos{File: name, Line: 1, Col: 1}
	if err := json.Unmarshal(src, &pkg); err != nil {
		l.sources[name] = src
		l.warnf(span{from: where}, "package-json", "correct the file: Node refuses it", "the file is not valid JSON: %v", err)
		return
	}
	if pkg.Type == nil || *pkg.Type == "module" || *pkg.Type == "commonjs" {
		return
	}
	if i := strings.Index(string(src), `"type"`); i >= 0 {
		before := string(src[:i])
		where.Line += strings.Count(before, "\n")
		where.Col = i - strings.LastIndex(before, "\n")
	}
	l.sources[name] = src
	l.errorf(atName(where, `"type"`), "module-type", `write "type": "module" or "type": "commonjs"`, "there is no module type %q", *pkg.Type)
}
