package source

import (
	"embed"
	"fmt"
	"path"
	"strings"
)

// Each template is a whole handler that runs as it is, one for a pragma and a
// language: boilerplate/ws.py.
//
//go:embed boilerplate
var boilerplate embed.FS

// HasBoilerplate reports whether there are first handlers for a runtime.
func HasBoilerplate(runtime string) bool {
	_, _, err := Boilerplate("http", "get /", runtime, false)
	return err == nil
}

// Boilerplate is a first handler for a function: the name of its file in the
// function's folder, and what to write there. pragma is without the @, name as
// the manifest spells it ("get /", "default"), runtime as deployed
// ("nodejs22.x"). Node handlers are ES modules. In an app with @ws, talks, the
// page at / and the default action make an echo of each other. A runtime that
// has no templates is an error.
func Boilerplate(pragma, name, runtime string, talks bool) (file string, body []byte, err error) {
	switch {
	case strings.HasPrefix(runtime, "nodejs"):
		file = "index.mjs"
	case strings.HasPrefix(runtime, "python"):
		file = "lambda.py"
	case strings.HasPrefix(runtime, "ruby"):
		file = "lambda.rb"
	case strings.HasPrefix(runtime, "deno"):
		file = "mod.ts"
	default:
		return "", nil, fmt.Errorf("arc has no first handler for runtime %s: write one by hand", runtime)
	}
	body, err = BoilerplateFile(file, pragma, name, runtime, talks)
	return file, body, err
}

// BoilerplateFile is Boilerplate for a file whose name is settled, as by the
// handler setting; its extension says the language. A .js file is CommonJS, as
// Node reads it without a package.json.
func BoilerplateFile(file, pragma, name, runtime string, talks bool) ([]byte, error) {
	ext := path.Ext(file)
	switch {
	case ext == ".js":
		ext = ".cjs"
	case isTypeScript(file) && strings.HasPrefix(runtime, "nodejs"):
		ext = ".mjs" // valid TypeScript as well
	}
	special := ""
	switch {
	case talks && pragma == "http" && name == "get /":
		special = "http-ws"
	case pragma == "ws" && name == "default":
		special = "ws-default"
	}
	// Not every language has the special ones: Deno's Lambda has no SDK.
	body, err := boilerplate.ReadFile("boilerplate/" + special + ext)
	if err != nil {
		body, err = boilerplate.ReadFile("boilerplate/" + pragma + ext)
	}
	if err != nil {
		return nil, fmt.Errorf("arc has no first handler for @%s in %s: write one by hand", pragma, file)
	}
	return fill(body, path.Base(file), name), nil
}

// IndexPage is a first index.html for the folder of static files.
func IndexPage(app string) []byte {
	body, _ := boilerplate.ReadFile("boilerplate/index.html") // embedded, so always there
	return fill(body, "index.html", app)
}

// quoting makes a name harmless in HTML and, at the same time, in the strings
// and comments of every language that the HTML sits in.
var quoting = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;",
	"`", "&#96;", `\`, "&#92;", "$", "&#36;", "#", "&#35;", "\n", " ", "\r", " ")

func fill(body []byte, file, name string) []byte {
	return []byte(strings.NewReplacer("__NAME__", quoting.Replace(name), "__FILE__", quoting.Replace(file)).Replace(string(body)))
}
