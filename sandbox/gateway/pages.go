package gateway

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"strings"

	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
)

// failure is an answer that did not come from the function.
type failure struct {
	status  int
	message string // what AWS says; "" for Internal Server Error
	title   string // of the explaining page; "" for the message
	why     string // one sentence for the page and the log
	detail  string // further lines: a stack trace, the manifest line to add
	// reason is why no function answered, for programs of the developer's: code
	// that cannot be loaded never comes as far as a deploy.
	reason string
}

// fail answers with the failure: as AWS does, or, for a developer's browser,
// with a page that explains it. It returns the reason for the log.
func (g *Gateway) fail(w http.ResponseWriter, c *call, f failure) string {
	if f.message == "" {
		f.message = "Internal Server Error"
	}
	if c.stage != nil && c.stage.cors != nil {
		c.stage.cors.apply(w.Header(), c.request)
	}
	if !g.options.Developer {
		f.reason = ""
	}
	if !g.options.Developer || !strings.Contains(c.request.Header.Get("Accept"), "text/html") {
		writeMessage(w, f.status, f.message, f.reason)
		return f.why
	}
	if f.title == "" {
		f.title = f.message
	}
	page := fmt.Sprintf(errorPage, html.EscapeString(f.title), f.status, html.EscapeString(f.title), html.EscapeString(f.why), html.EscapeString(f.detail))
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(f.status)
	w.Write([]byte(page))
	return f.why
}

const errorPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>%s</title>
<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:3rem auto;padding:0 1rem;color:#222;background:#fff}
h1{font-size:1.4rem}pre{background:#f3f3f3;padding:1rem;overflow:auto;white-space:pre-wrap}pre:empty{display:none}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}pre{background:#262626}}</style></head>
<body><h1>%d %s</h1><p>%s</p><pre>%s</pre></body></html>
`

// noRoute names the line that the manifest lacks.
func noRoute(method, path string) failure {
	path = ingress.Unescape(path)
	return failure{
		status: http.StatusNotFound, message: "Not Found",
		why:    "no route for " + method + " " + path,
		detail: "Add to the project manifest, and then write the handler (arc init makes one):\n\n@http\n" + strings.ToLower(method) + " " + path,
	}
}

// thrown explains a function's error object.
func thrown(called string, result invoke.Result) *failure {
	var object struct {
		Type    string   `json:"errorType"`
		Message string   `json:"errorMessage"`
		Stack   []string `json:"stackTrace"`
		Trace   []string `json:"trace"`
	}
	f := &failure{status: http.StatusInternalServerError, title: titles[result.Kind], why: called + ": " + result.Failed}
	if json.Unmarshal(result.Payload, &object) != nil || object.Message == "" && object.Type == "" {
		f.detail = string(result.Payload)
		return f
	}
	f.why = called + ": " + strings.TrimPrefix(object.Type+": "+object.Message, ": ")
	f.detail = strings.Join(append(object.Stack, object.Trace...), "\n")
	switch result.Kind {
	case invoke.HandlerMissing, invoke.InitFailed, invoke.RuntimeMissing:
		f.reason = f.why
	}
	return f
}

// titles are those of the pages for failed functions.
var titles = map[invoke.Kind]string{
	"":                    "Lambda error",
	invoke.Thrown:         "Lambda error",
	invoke.TimedOut:       "Timeout error",
	invoke.Crashed:        "Lambda ended without a result",
	invoke.TooLarge:       "Invalid payload size",
	invoke.InitFailed:     "Lambda init error",
	invoke.HandlerMissing: "Lambda handler not found",
	invoke.RuntimeMissing: "Runtime not found",
}
