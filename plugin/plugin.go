// Package plugin runs the plugins and macros of an app: the programs that
// @plugins and @macros name. Those written for Node run in one child process per
// command, in a small program of ours that it is started with; any other
// executable is a child of its own. Both speak the same JSON lines
// (docs/plugins.md), and what they print is shown with the plugin's name.
//
// A plugin can do whatever the user can who starts arc. It is handed the app's
// inventory and its template, and no secret.
package plugin

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"arc/manifest/syntax"
)

// Ref is a plugin as the manifest names it.
type Ref struct {
	Pragma  string // "plugins" or "macros"
	Name    string
	Src     string // as written below the name; "" = it is looked for by its name
	Program bool   // Src is an executable that speaks the lines itself
	Pos     syntax.Pos
}

// Plugin is one that was found.
type Plugin struct {
	Ref
	File     string   // absolute path of the file that runs
	Folder   string   // of the package it belongs to; "" = the file stands alone
	Version  string   // of that package; "" = it tells none
	Hooks    []string // "set.http", "deploy.start", …, in the order in which a plugin lists them
	Register []string // runtimes that create.handlers writes first handlers for

	child *child
}

// Has reports whether a plugin hooks into something.
func (p *Plugin) Has(hook string) bool { return slices.Contains(p.Hooks, hook) }

// Kind is what to call it: plugin or macro.
func (r Ref) Kind() string { return strings.TrimSuffix(r.Pragma, "s") }

// Error is what went wrong in or with a plugin, at its line of the manifest.
type Error struct {
	Plugin Ref
	Hook   string // "deploy.start"; "" while it was loaded
	Text   string
	Stack  string // the plugin's own, a line a frame; "" = there is none
	Hint   string
	Code   string // of the diagnostic
}

// Error is the plugin, its hook and what is wrong.
func (e *Error) Error() string {
	where := e.Plugin.Kind() + " " + e.Plugin.Name
	if e.Hook != "" {
		where += ", " + e.Hook
	}
	return where + ": " + e.Text
}

// Diagnostic is the error where the manifest names the plugin.
func (e *Error) Diagnostic() syntax.Diagnostic {
	text, more, several := strings.Cut(e.Error(), "\n")
	stack := e.Stack
	if several {
		stack = strings.TrimSpace(more + "\n" + stack)
	}
	end := e.Plugin.Pos
	end.Col += len(e.Plugin.Name)
	return syntax.Diagnostic{Pos: e.Plugin.Pos, End: end, Severity: syntax.Error, Code: e.Code, Message: text, Hint: e.Hint, Stack: stack}
}

// Timeouts of hooks, unless Options has others.
const (
	HookTimeout    = 2 * time.Minute // a compiler of many functions may need one, on a machine that does other things as well
	SandboxTimeout = time.Minute     // of sandbox.start
)

// timeoutOf is how long a hook may take.
func (h *Host) timeoutOf(hook string) time.Duration {
	switch {
	case hook == "resolve" || hook == "load": // Node may be slow to start
		return max(HookTimeout, h.options.Timeout)
	case h.options.Timeout > 0:
		return h.options.Timeout
	case hook == "sandbox.start":
		return SandboxTimeout
	}
	return HookTimeout
}

// Install is the package that a plugin which is not there comes from: names of
// scoped packages are written without the @ in a manifest.
func (r Ref) Install() string {
	if strings.Contains(r.Name, "/") && !strings.HasPrefix(r.Name, "@") {
		return "@" + r.Name
	}
	return r.Name
}

// missing says which package to install, or which file to write.
func missing(r Ref) *Error {
	e := &Error{Plugin: r, Code: "plugin-missing"}
	if r.Src != "" {
		e.Text, e.Hint = "there is no "+r.Src, "write the file, or name another one"
		return e
	}
	e.Text = "it is neither in src/" + r.Pragma + " nor an installed package"
	e.Hint = "npm install " + r.Install()
	if !strings.Contains(r.Name, "/") {
		e.Hint += ", or write src/" + r.Pragma + "/" + r.Name + ".js"
	}
	return e
}

// failure is what a child says of an error.
type failure struct {
	Message string `json:"message"`
	Stack   string `json:"stack"`
	Type    string `json:"type,omitempty"`
	Hint    string `json:"hint,omitempty"`
}

// frames are the lines of a stack below its message.
func (f failure) frames() string {
	var frames []string
	for line := range strings.SplitSeq(f.Stack, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "at ") {
			frames = append(frames, strings.TrimSpace(line))
		}
	}
	return strings.Join(frames, "\n")
}

// text is the message, one that tells nothing replaced.
func (f failure) text() string {
	if strings.TrimSpace(f.Message) == "" {
		return "it failed, and gave no reason"
	}
	return f.Message
}

// object reports whether raw is a JSON object.
func object(raw json.RawMessage) bool {
	var m map[string]json.RawMessage
	return json.Unmarshal(raw, &m) == nil && m != nil
}

// lists are the hook's result as objects: one, or a list of them.
func lists(raw json.RawMessage) ([]json.RawMessage, error) {
	var all []json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		all = []json.RawMessage{raw}
	}
	for i, one := range all {
		if !object(one) {
			return nil, fmt.Errorf("item %d of what it gave is no object", i)
		}
	}
	return all, nil
}
