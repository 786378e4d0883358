package source

import (
	"bytes"
	"context"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"arc/sandbox/child"
	"arc/source/interpreter"

	"golang.org/x/sync/errgroup"
)

// Whether Lambda can load a function: that its code parses, and that its handler
// is there. Both are told for sure or not at all, as a deploy ends with them:
// JavaScript that esbuild does not read must be refused by Node, or Deno, as well, and of
// what code may make while it runs nothing is said. Nothing of it is run.
//
// What Lambda says of them is Runtime.UserCodeSyntaxError and Runtime.HandlerNotFound:
// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.

// maxParsed is the largest file that is parsed, in bytes. Larger ones are
// written by compilers, which parse what they write.
const maxParsed = 512 << 10

//go:embed loads
var looks embed.FS

// ownModule is a JavaScript file of the user's that is evaluated when a
// function is loaded.
type ownModule struct {
	file  string // in the collector's tree
	esm   bool   // Node takes it for an ES module by its name or package.json; else for CommonJS
	sure  bool   // that this is known
	asked bool   // a file of the user's imports it, and may add to what it exports
}

// loads adds to the bundles what keeps Lambda from loading their functions.
// Functions without a Builder are left out: nobody deploys them.
func (c *collector) loads(fns []Function, bundles []*Bundle) error {
	var node jsLook
	others := map[string]*scriptLook{} // by runtime
	for i, fn := range fns {
		if bundles[i] == nil || fn.Build == nil || fn.HandlerFile == "" {
			continue
		}
		switch {
		case strings.HasPrefix(fn.Runtime, "nodejs"), fn.Runtime == "deno":
			node.add(c, fn, bundles[i])
		case fn.interpreted():
			if others[fn.Runtime] == nil {
				others[fn.Runtime] = &scriptLook{c: c, build: fn.Build, runtime: fn.Runtime}
			}
			others[fn.Runtime].add(fn, bundles[i])
		}
	}
	if len(node.files) == 0 && len(others) == 0 {
		return nil
	}
	i := slices.IndexFunc(fns, func(fn Function) bool { return fn.Build != nil })
	known := fns[i].Build.before()
	defer known.keep()
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, look := range others {
		look.skip(known)
		g.Go(look.run)
	}
	if err := node.read(known); err != nil {
		return err
	}
	node.parse(&g)
	if err := g.Wait(); err != nil {
		return err
	}
	for _, look := range others {
		look.tell(known)
	}
	return node.tell(known)
}

// ask has one of our scripts look at texts. It gives what the script answers.
func (b *Builder) ask(program, script string, args []string, in, out any) error {
	code, err := looks.ReadFile("loads/" + script)
	if err != nil {
		return err
	}
	text, err := json.Marshal(in)
	if err != nil {
		return err
	}
	ctx := b.Context
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(program, append(slices.Clone(args), string(code))...)
	// These have programs load code of the user's.
	cmd.Env = append(os.Environ(), "NODE_OPTIONS=", "RUBYOPT=")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), &stdout, &stderr
	if err := child.Run(ctx, cmd); err != nil {
		if _, ended := errors.AsType[*exec.ExitError](err); ended {
			return toolError{filepath.Base(program), stderr.String()}
		}
		return err
	}
	return json.Unmarshal(stdout.Bytes(), out)
}

// scriptLook has the Python or Ruby of this machine look at the handlers of one
// runtime, all at once.
type scriptLook struct {
	c       *collector
	build   *Builder
	runtime string
	of      []scriptOf
	found   interpreter.Found
	err     error // why nothing was looked at
	answers []scriptAnswer
}

type scriptOf struct {
	fn     Function
	bundle *Bundle
	body   []byte
	sum    string
}

type scriptAsk struct {
	Text   string `json:"text"` // base64
	Method string `json:"method"`
}

type scriptAnswer struct {
	Line, Col, End int
	Error          string
	Lacks          bool
}

func (l *scriptLook) add(fn Function, b *Bundle) {
	body, err := fs.ReadFile(l.c.files, path.Join(l.c.base, fn.Dir, fn.HandlerFile))
	if err != nil || len(body) > maxParsed {
		return // who packs it says why
	}
	l.of = append(l.of, scriptOf{fn: fn, bundle: b, body: body})
}

// skip finds the interpreter, and leaves out what it found nothing in before.
func (l *scriptLook) skip(known *before) {
	if l.found, l.err = l.build.machine().Find(context.Background(), l.runtime); l.err != nil {
		return
	}
	for i := range l.of {
		l.of[i].sum = knownSum(l.runtime, l.found.Version, l.of[i].fn.method(), string(l.of[i].body))
	}
	l.of = slices.DeleteFunc(l.of, func(of scriptOf) bool { return known.known[of.sum] })
}

// run asks the interpreter.
func (l *scriptLook) run() error {
	if len(l.of) == 0 || l.err != nil {
		return nil
	}
	script, args := "ruby.rb", []string{"-W0", "-e"}
	if strings.HasPrefix(l.runtime, "python") {
		script, args = "python.py", []string{"-I", "-S", "-W", "ignore", "-c"}
	}
	var asks []scriptAsk
	for _, of := range l.of {
		asks = append(asks, scriptAsk{base64.StdEncoding.EncodeToString(of.body), of.fn.method()})
	}
	l.err = l.build.ask(l.found.Program, script, args, asks, &l.answers)
	if ctx := l.build.Context; ctx != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if l.err == nil && len(l.answers) != len(l.of) {
		l.err = fmt.Errorf("%s gave no answer", filepath.Base(l.found.Program))
	}
	return nil
}

// tell adds the findings. Where this machine has no interpreter, a note of the first
// function says so for all of the runtime.
func (l *scriptLook) tell(known *before) {
	if len(l.of) == 0 {
		return
	}
	if l.err != nil {
		first := l.of[0]
		first.bundle.Findings = append(first.bundle.Findings, Finding{File: path.Join(first.fn.Dir, first.fn.HandlerFile), Severity: Note, Code: "code-unread",
			Text: fmt.Sprintf("whether the handlers of %s parse was not looked at: %v", l.runtime, l.err)})
		return
	}
	for i, a := range l.answers {
		of := l.of[i]
		if f := l.finding(of, a); f != nil {
			of.bundle.Findings = append(of.bundle.Findings, *f)
		} else {
			known.fine(of.sum)
		}
	}
}

func (l *scriptLook) finding(of scriptOf, a scriptAnswer) *Finding {
	f := &Finding{File: path.Join(of.fn.Dir, of.fn.HandlerFile)}
	switch {
	case a.Error != "" || a.Line > 0:
		f.Code, f.Line, f.Col, f.EndCol = "code-syntax", max(a.Line, 1), max(a.Col, 1), max(a.End, a.Col+1)
		if a.Col == 0 { // Ruby tells lines only
			f.Col, f.EndCol = wholeLine(of.body, f.Line)
		}
		f.Text, f.Hint = "does not parse: "+lowerFirst(strings.TrimSpace(a.Error)), "correct it: Lambda cannot load the function"
		f.Text = strings.TrimSuffix(f.Text, ": ")
		if older(l.found) {
			// What it does not know may be newer than it is.
			f.Severity = Warning
			f.Hint += fmt.Sprintf(", unless %s reads what this machine's %s does not", l.runtime, l.found.Version)
		}
		return f
	case a.Lacks:
		f.Code, f.Line, f.Col, f.EndCol = "handler-export", 1, 1, 2
		f.Text = fmt.Sprintf("has no function %s, which Lambda calls as %s", of.fn.method(), of.fn.Handler)
		f.Hint = fmt.Sprintf("write %s, or name the function that is there: handler %s.NAME below @aws in its config.arc", of.fn.definition(), strings.TrimSuffix(of.fn.Handler, "."+of.fn.method()))
		return f
	}
	return nil
}

// definition is how the function that Lambda calls begins, in Python or Ruby.
func (fn Function) definition() string {
	if strings.HasPrefix(fn.Runtime, "python") {
		return "def " + fn.method() + "(event, context):"
	}
	of, name, in := strings.Cut(fn.method(), ".")
	if !in {
		return "def " + of + "(event:, context:)"
	}
	return "def self." + name + "(event:, context:) in " + of
}

// older reports whether an interpreter is older than the runtime that it stands for.
func older(f interpreter.Found) bool {
	var is, wanted [2]int
	fmt.Sscanf(f.Version, "%d.%d", &is[0], &is[1])
	fmt.Sscanf(f.Wanted, "%d.%d", &wanted[0], &wanted[1])
	return slices.Compare(is[:], wanted[:]) < 0
}

// wholeLine is where the text of a line begins and ends, in columns.
func wholeLine(body []byte, line int) (col, end int) {
	lines := bytes.Split(body, []byte("\n"))
	if line > len(lines) {
		return 1, 2
	}
	text := bytes.TrimRight(lines[line-1], " \t\r")
	col = 1 + len(text) - len(bytes.TrimLeft(text, " \t"))
	return col, max(1+len(text), col+1)
}
