package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"arc/deploy"
	"arc/manifest"
	"arc/manifest/syntax"
	"arc/source"
)

// nodeOptions is the variable by which Node gets further flags.
// https://nodejs.org/api/cli.html#node_optionsoptions
const nodeOptions = "NODE_OPTIONS"

// unpackedPreloads warns of functions that do not start, since NODE_OPTIONS has Node load
// what no code of theirs imports, and so is not in their zip. Its value is a secret, of
// which nothing is told but the flag. A layer may have anything.
func (b *build) unpackedPreloads(app *manifest.App, variables map[string]deploy.Variable) (ds syntax.Diagnostics) {
	loads := preloadsOf(variables[nodeOptions].Value)
	if len(loads) == 0 {
		return nil
	}
	for _, fn := range app.Functions() {
		c := fn.Config
		if fn.Asset || !strings.HasPrefix(c.Runtime, "nodejs") || !c.Env || !manifest.UsesEnv(c.Uses, nodeOptions) || len(c.Layers) > 0 {
			continue
		}
		bundle := b.bundles[b.key(b.options.Code(fn))]
		for _, p := range loads {
			if bundle == nil || p.in(bundle.Files) {
				continue
			}
			ds = append(ds, syntax.Diagnostic{
				Pos: fn.Pos, Code: "preload-unpacked", Severity: syntax.Warning,
				Message: fmt.Sprintf("@%s %s does not start: a %s in %s names a module that is not in its zip", fn.Pragma, fn.Name, p.flag, nodeOptions),
				Hint:    "import that module in the code as well, which packs it, or leave the flag out",
			})
			break
		}
	}
	return ds
}

// preload is a module that Node loads before the program.
type preload struct{ flag, module string }

// preloadsOf are those of NODE_OPTIONS, whose words are parted by spaces and may stand in
// double quotes.
func preloadsOf(options string) (list []preload) {
	words := nodeWords(options)
	for i := 0; i < len(words); i++ {
		flag, module, joined := strings.Cut(words[i], "=")
		if !slices.Contains([]string{"--import", "--require", "-r", "--loader", "--experimental-loader"}, flag) {
			continue
		}
		if !joined && i+1 < len(words) {
			i++
			module = words[i]
		}
		list = append(list, preload{flag, module})
	}
	return list
}

// nodeWords parts NODE_OPTIONS as Node does.
func nodeWords(options string) (words []string) {
	var word []byte
	quoted, begun := false, false
	for i := 0; i < len(options); i++ {
		switch c := options[i]; {
		case c == '\\' && quoted && i+1 < len(options):
			i++
			word = append(word, options[i])
		case c == '"':
			quoted, begun = !quoted, true
		case c == ' ' && !quoted:
			if begun {
				words = append(words, string(word))
			}
			word, begun = nil, false
		default:
			word, begun = append(word, c), true
		}
	}
	if begun {
		words = append(words, string(word))
	}
	return words
}

// in reports whether the module may be found beside the files of a zip.
func (p preload) in(files []source.File) bool {
	name := strings.TrimPrefix(p.module, "file://")
	switch {
	case name == "" || strings.Contains(name, ":"): // node:…, data:…
		return true
	case strings.HasPrefix(name, "/"):
		rest, below := strings.CutPrefix(path.Clean(name), "/var/task/")
		if !below {
			return true // Lambda's own, or a layer's
		}
		return hasModule(files, rest)
	case strings.HasPrefix(name, "./"), strings.HasPrefix(name, "../"):
		return hasModule(files, path.Clean(name))
	case strings.HasPrefix(name, "@aws-sdk/"), strings.HasPrefix(name, "@smithy/"):
		return true // Lambda's own
	}
	parts := strings.Split(name, "/")
	most := 1
	if strings.HasPrefix(name, "@") {
		most = 2
	}
	folder := "node_modules/" + strings.Join(parts[:min(most, len(parts))], "/") + "/"
	// NODE_PATH has /var/task, for require alone.
	return slices.ContainsFunc(files, func(f source.File) bool { return strings.HasPrefix(f.Path, folder) }) || hasModule(files, name)
}

// hasModule reports whether there is a file of the name, which require completes.
func hasModule(files []source.File, name string) bool {
	return slices.ContainsFunc(files, func(f source.File) bool {
		return f.Path == name || slices.Contains([]string{".js", ".cjs", ".json", ".node", "/index.js"}, strings.TrimPrefix(f.Path, name)) && strings.HasPrefix(f.Path, name)
	})
}
