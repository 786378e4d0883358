package manifest

import (
	"slices"
	"strings"
)

// DefaultRuntime runs every function that does not ask for another one.
const DefaultRuntime = "nodejs22.x"

// runtimeFamily is one language: what it may be called, which Lambda runtimes
// there are (the alias's target first), and which ones AWS has retired.
type runtimeFamily struct {
	aliases  []string
	versions []string
	retired  []string
}

// The alias node means nodejs22.x. Architect 12 documents that and defaults to
// it when nothing is written, yet resolves the written word to nodejs20.x; two
// meanings for one word help nobody, so the documented one holds here.
var runtimeFamilies = []runtimeFamily{
	{aliases: []string{"node", "nodejs", "node.js"},
		versions: []string{DefaultRuntime, "nodejs24.x", "nodejs20.x"},
		retired: []string{"nodejs18.x", "nodejs16.x", "nodejs14.x", "nodejs12.x", "nodejs10.x", "nodejs8.10",
			"nodejs6.10", "nodejs4.3", "nodejs4.3-edge"}},
	{aliases: []string{"python", "py"},
		versions: []string{"python3.12", "python3.13", "python3.14", "python3.11", "python3.10", "python3.9"},
		retired:  []string{"python3.8", "python3.7", "python3.6", "python2.7"}},
	{aliases: []string{"ruby", "rb"},
		versions: []string{"ruby3.3", "ruby3.4", "ruby3.2"},
		retired:  []string{"ruby2.7", "ruby2.5"}},
	{aliases: []string{"java"},
		versions: []string{"java21", "java25", "java17", "java11", "java8.al2"},
		retired:  []string{"java8"}},
	{aliases: []string{"dotnet", ".net"},
		versions: []string{"dotnet8", "dotnet10"},
		retired:  []string{"dotnet6", "dotnetcore3.1", "dotnetcore2.1", "dotnetcore2.0", "dotnetcore1.0"}},
	{aliases: []string{"custom", "go", "golang", "rust"},
		versions: []string{"provided.al2023", "provided.al2"},
		retired:  []string{"provided"}},
	{versions: []string{"deno"}},
}

// RuntimeNames lists what may stand after "runtime": the first alias of each
// language, then every exact name.
func RuntimeNames() []string {
	var aliases, versions []string
	for _, f := range runtimeFamilies {
		if len(f.aliases) > 0 {
			aliases = append(aliases, f.aliases[0])
		}
		versions = append(versions, f.versions...)
	}
	return append(aliases, versions...)
}

// RuntimeProblem says what is wrong with the name of a runtime, and what to
// write instead; "" when it is a runtime or an alias of one.
func RuntimeProblem(name string) (message, hint string) {
	if _, _, ok := resolveRuntime(name); ok {
		return "", ""
	}
	return runtimeProblem(name)
}

// ResolveRuntime gives the exact name of a runtime, and the alias it was written
// as; ok is false when there is none of that name.
func ResolveRuntime(text string) (name, alias string, ok bool) { return resolveRuntime(text) }

// resolveRuntime gives the exact name of a runtime, and the alias it was
// written as ("" when it was written exactly). Aliases ignore case.
func resolveRuntime(text string) (name, alias string, ok bool) {
	lower := strings.ToLower(text)
	for _, f := range runtimeFamilies {
		if slices.Contains(f.versions, text) || slices.Contains(f.retired, text) {
			return text, "", true
		}
		if slices.Contains(f.aliases, lower) {
			return f.versions[0], text, true
		}
	}
	if isTypeScript(text) {
		return DefaultRuntime, text, true
	}
	return "", "", false
}

// runtimeProblem says what is wrong with a runtime that resolveRuntime does
// not know, and what to write.
func runtimeProblem(text string) (message, hint string) {
	if text == "go1.x" {
		return "AWS has retired the runtime go1.x, and arc cannot run what is written for it", compileHint
	}
	message = "there is no runtime " + text
	for _, f := range runtimeFamilies {
		for _, v := range f.versions {
			if strings.EqualFold(v, text) || strings.EqualFold(strings.TrimSuffix(v, ".x"), text) {
				return message, "write runtime " + v
			}
		}
	}
	switch strings.ToLower(text) {
	case "lambda-go":
		return message, compileHint
	case "esbuild", "bun":
		return message, "a plugin brings that runtime; write runtime typescript, which arc bundles itself"
	}
	return message, nearHint(text, everyRuntime(), "known: "+strings.Join(RuntimeNames(), ", "))
}

// isTypeScript reports whether a runtime, as written, is the one that
// Architect's TypeScript plugin brings. It runs on Node.
func isTypeScript(written string) bool {
	lower := strings.ToLower(written)
	return lower == "typescript" || lower == "ts"
}

const compileHint = "write runtime go, which builds a folder with go.mod, or compile to a file called bootstrap and write runtime provided.al2023"

func everyRuntime() []string {
	var all []string
	for _, f := range runtimeFamilies {
		all = append(all, f.aliases...)
		all = append(all, f.versions...)
	}
	return append(all, "typescript")
}
