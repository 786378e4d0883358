package plugin

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
)

//go:embed host.cjs
var script string

// Options say how plugins are run.
type Options struct {
	Dir  string   // the project's folder, absolute: where plugins run
	Env  []string // NAME=VALUE
	Node string   // the program that runs Node; "" = there is none
	Args []string // the command's name, and flags without their values: what plugins find in process.argv
	// Timeout of every hook, but of those of the sandbox; 0 = the usual ones.
	Timeout time.Duration
	// Output is told each line that a plugin prints; name is "" when nobody can
	// tell which plugin it was.
	Output func(name, line string)
	// Failed is told what fails in a plugin between calls.
	Failed func(text string)
	// Terminal is what plugins of the sandbox may read; nil = nobody can type.
	Terminal *Terminal
	// Invoke calls a function of the app for a plugin of the sandbox; nil = no app
	// runs.
	Invoke Invoke
}

// Invoke calls a function of the app by its pragma and name.
type Invoke func(ctx context.Context, pragma, name string, payload json.RawMessage) (json.RawMessage, error)

// InvokeError is an error of the function itself that was called.
type InvokeError struct{ Type, Message, Stack string }

// Error is the function's own message.
func (e *InvokeError) Error() string { return e.Message }

// Host runs the plugins of an app. Close it.
type Host struct {
	options  Options
	Plugins  []*Plugin // in the order of the manifest
	node     *child    // of all that run in Node; nil until one does
	children []*child
	painted  painted
}

// New gives a host that runs nothing yet.
func New(options Options) *Host { return &Host{options: options} }

// Find says where each plugin is, and loads none. Those that are not there are
// errors (*Error), all at once.
func (h *Host) Find(ctx context.Context, refs []Ref) error {
	var wrong []error
	for _, ref := range refs {
		p, err := h.find(ctx, ref)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		h.Plugins = append(h.Plugins, p)
	}
	return errors.Join(wrong...)
}

func (h *Host) find(ctx context.Context, ref Ref) (*Plugin, error) {
	p := &Plugin{Ref: ref}
	if ref.Program {
		p.File = filepath.Join(h.options.Dir, filepath.FromSlash(ref.Src))
		if info, err := os.Stat(p.File); err != nil || info.IsDir() {
			return nil, missing(ref)
		}
		return p, nil
	}
	if err := h.startNode(ref); err != nil {
		return nil, err
	}
	p.child = h.node
	raw, err := h.call(ctx, p, request{Call: "resolve", Plugin: ref.Name, Kind: ref.Pragma, Src: ref.Src})
	if err != nil {
		return nil, err
	}
	var found *struct{ File, Folder, Version string }
	if err := json.Unmarshal(raw, &found); err != nil || found == nil {
		return nil, missing(ref)
	}
	p.File, p.Folder, p.Version = found.File, found.Folder, found.Version
	if p.Folder == h.options.Dir || ref.Src != "" || !strings.Contains(p.File, "node_modules") {
		p.Folder, p.Version = "", ""
	}
	return p, nil
}

// Load loads every plugin and asks what it hooks into.
func (h *Host) Load(ctx context.Context) error {
	var wrong []error
	for _, p := range h.Plugins {
		if err := h.load(ctx, p); err != nil {
			wrong = append(wrong, err)
			if own, ok := errors.AsType[*Error](err); ok && own.Code == "plugin-hung" {
				break // the others were in the process that was ended
			}
		}
	}
	return errors.Join(wrong...)
}

func (h *Host) load(ctx context.Context, p *Plugin) error {
	if p.Program {
		if err := h.startProgram(p); err != nil {
			return err
		}
	}
	raw, err := h.call(ctx, p, request{Call: "load", Plugin: p.Name, Kind: p.Pragma})
	if err != nil {
		return err
	}
	var loaded struct {
		Hooks, Wrong, Register []string
	}
	if err := json.Unmarshal(raw, &loaded); err != nil {
		return &Error{Plugin: p.Ref, Code: "plugin-answer", Text: "what it answers to load is not {\"hooks\": [...]}: " + err.Error(), Hint: answerHint}
	}
	p.Hooks, p.Register = loaded.Hooks, loaded.Register
	slices.SortFunc(p.Hooks, func(a, b string) int { return slices.Index(Hooks, a) - slices.Index(Hooks, b) })
	if p.Hooks = slices.DeleteFunc(p.Hooks, func(hook string) bool {
		return !slices.Contains(Hooks, hook)
	}); len(loaded.Wrong) > 0 {
		return &Error{Plugin: p.Ref, Code: "plugin-answer", Text: strings.Join(loaded.Wrong, "; "), Hint: "a hook is a function; docs/plugins.md lists them"}
	}
	if len(p.Hooks) == 0 {
		return &Error{Plugin: p.Ref, Code: "plugin-answer", Text: "it has no hook that there is", Hint: "hooks are " + strings.Join(Hooks, ", ")}
	}
	return nil
}

const answerHint = "docs/plugins.md has the lines that a plugin answers with"

// Hooks are all that plugins hook into, in the order in which a command comes to
// them.
var Hooks = []string{
	"set.env", "set.runtimes", "set.events", "set.http", "set.queues", "set.scheduled", "set.tables-streams", "set.ws", "set.customLambdas",
	"set.tables", "set.tables-indexes", "set.static", "set.proxy", "set.shared", "set.views",
	"create.register", "create.handlers", "hydrate.copy",
	"deploy.start", "deploy.services", "deploy.target", "deploy.end",
	"sandbox.start", "sandbox.watcher", "sandbox.end",
}

// With lists the plugins that hook into something, in the order of the manifest.
func (h *Host) With(hook string) []*Plugin {
	if h == nil {
		return nil
	}
	var list []*Plugin
	for _, p := range h.Plugins {
		if p.Has(hook) {
			list = append(list, p)
		}
	}
	return list
}

func (h *Host) startNode(ref Ref) error {
	if h.node != nil {
		return nil
	}
	if h.options.Node == "" {
		return &Error{Plugin: ref, Code: "plugin-node", Text: "Node runs it, and there is no node on the PATH", Hint: "install Node.js from https://nodejs.org"}
	}
	// The descriptors past the first three keep what plugins and their own children
	// print apart from the lines; Windows hands on no others.
	apart := runtime.GOOS != "windows"
	from, to := "0", "1"
	if apart {
		from, to = "3", "4"
	}
	terminal := "none"
	if h.options.Terminal != nil && h.options.Terminal.Paint != nil && apart {
		terminal = "terminal"
	}
	cmd := exec.Command(h.options.Node, append([]string{"-e", script, "--", from, to, terminal}, h.options.Args...)...)
	c, err := h.start(cmd, apart, "")
	if err != nil {
		return &Error{Plugin: ref, Code: "plugin-node", Text: fmt.Sprintf("Node does not start: %v", err), Hint: "does node --version answer?"}
	}
	h.node = c
	return nil
}

// startProgram starts a plugin that is a program of its own. Scripts run in
// what runs their language, where they are not executable.
func (h *Host) startProgram(p *Plugin) error {
	command := []string{p.File}
	if info, err := os.Stat(p.File); err == nil && runtime.GOOS != "windows" && info.Mode()&0o111 == 0 {
		with := interpreters[filepath.Ext(p.File)]
		if with == "" {
			return &Error{Plugin: p.Ref, Code: "plugin-failed", Text: p.Src + " is not executable", Hint: "chmod +x " + p.Src}
		}
		command = []string{with, p.File}
	}
	c, err := h.start(exec.Command(command[0], command[1:]...), false, p.Name)
	if err != nil {
		return &Error{Plugin: p.Ref, Code: "plugin-failed", Text: fmt.Sprintf("it does not start: %v", err), Hint: "does " + strings.Join(command, " ") + " run?"}
	}
	p.child = c
	return nil
}

// interpreters run scripts by their ending.
var interpreters = map[string]string{".py": "python3", ".rb": "ruby", ".sh": "sh"}

func (h *Host) start(cmd *exec.Cmd, apart bool, name string) (*child, error) {
	cmd.Dir, cmd.Env = h.options.Dir, h.options.Env
	c, err := startChild(cmd, apart, name, h)
	if err != nil {
		return nil, err
	}
	h.children = append(h.children, c)
	return c, nil
}

// Close ends the children.
func (h *Host) Close() {
	if h == nil {
		return
	}
	for _, c := range h.children {
		c.close()
	}
	h.asksNoMore()
	h.children, h.node = nil, nil
}

// Call calls a hook of a plugin and gives what it answers. Errors are *Error.
func (h *Host) Call(ctx context.Context, p *Plugin, hook string, args Args) (json.RawMessage, error) {
	r := request{Call: hook, Plugin: p.Name, Args: args}
	return h.call(ctx, p, r)
}

// call sends a line and waits for its answer, as long as the hook may take.
func (h *Host) call(ctx context.Context, p *Plugin, r request) (json.RawMessage, error) {
	hook := r.Call
	if hook == "load" || hook == "resolve" {
		hook = ""
	}
	limit := h.timeoutOf(r.Call)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if over := p.child.over.Load(); over != nil {
		return nil, over
	}
	answer, err := p.child.call(ctx, r)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		over := &Error{Plugin: p.Ref, Hook: hook, Code: "plugin-hung", Text: fmt.Sprintf("it did not end in %s, and was ended", seconds(limit)),
			Hint: "does it wait for something? --plugin-timeout SECONDS gives it longer"}
		p.child.over.Store(over)
		p.child.kill()
		return nil, over
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		p.child.over.CompareAndSwap(nil, &Error{Plugin: p.Ref, Hook: hook, Code: "plugin-failed", Text: err.Error(), Hint: "its output may tell why"})
		return nil, p.child.over.Load()
	case answer.Error != nil:
		return nil, &Error{Plugin: p.Ref, Hook: hook, Code: "plugin-failed", Text: answer.Error.text(), Stack: answer.Error.frames(),
			Hint: cmp.Or(answer.Error.Hint, failedHint(p, answer.Error.text()))}
	}
	return answer.Result, nil
}

// notInstalled finds the package that Node did not.
var notInstalled = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^Cannot find (?:module|package) '((?:@[\w.-]+/)?[\w][\w.-]*)[/']`)
})

// failedHint says what to do about an error of a plugin, whose text it is.
func failedHint(p *Plugin, text string) string {
	if m := notInstalled().FindStringSubmatch(text); m != nil {
		hint := "npm install --save-dev " + m[1]
		if strings.HasPrefix(m[1], "@architect/") {
			hint += ": the plugin asks for it, and Architect brought it along"
		}
		return hint
	}
	if p.Folder != "" {
		return "the plugin failed, not arc: its own repository may know"
	}
	return "correct the plugin, or remove it from @" + p.Pragma
}

func seconds(d time.Duration) string {
	return strings.TrimSuffix(fmt.Sprintf("%g", d.Seconds()), ".0") + " s"
}

// Args are what a hook is called with. Hooks get of it what theirs is.
type Args struct {
	Arc            json.RawMessage   `json:"arc,omitempty"`
	Inventory      json.RawMessage   `json:"inventory,omitempty"` // {"inv": …}
	CloudFormation json.RawMessage   `json:"cloudformation,omitempty"`
	DryRun         *bool             `json:"dryRun,omitempty"`
	StackName      string            `json:"stackName,omitempty"`
	Stage          string            `json:"stage,omitempty"`
	Lambda         json.RawMessage   `json:"lambda,omitempty"`
	Filename       string            `json:"filename,omitempty"`
	Event          string            `json:"event,omitempty"`
	Environment    map[string]string `json:"environment,omitempty"`
}

// print hands what a plugin prints to Output, a line at a time.
func (h *Host) print(name, text string) {
	if h.options.Output == nil {
		return
	}
	for line := range strings.Lines(text) {
		if plain := plainLine(line); plain != "" {
			h.options.Output(name, plain)
		}
	}
}

// plainLine is a line without what moves the cursor or colours: several
// processes print at a time, and a terminal obeys whoever prints.
func plainLine(line string) string {
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		if line[i] != 0x1b {
			b.WriteByte(line[i])
			continue
		}
		if i++; i < len(line) && line[i] == '[' {
			for i++; i < len(line) && (line[i] < '@' || line[i] > '~'); i++ {
			}
		}
	}
	plain := strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return -1
	}, b.String())
	return strings.TrimRight(plain, " \t")
}

// copyOutput reads what a child prints until it has ended.
func (h *Host) copyOutput(name string, from io.Reader) {
	scan := lineScanner(from)
	for scan.Scan() {
		h.print(name, scan.Text())
	}
}
