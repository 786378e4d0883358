package lambda

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/door"
	"arc/sandbox/invoke"
	"arc/sandbox/lambda/opt"
	"arc/sandbox/stack"
	"arc/source"
	"arc/source/interpreter"
)

// bootstraps are the Runtime API clients of the languages that Lambda brings
// its own for.
//
//go:embed bootstrap
var bootstraps embed.FS

// unpackBootstraps writes the bootstraps into a new scratch folder.
func unpackBootstraps(scratch string) error {
	if err := os.CopyFS(scratch, bootstraps); err != nil {
		return fmt.Errorf("bootstraps of the runtimes: %w", err)
	}
	if err := os.Mkdir(filepath.Join(scratch, "home"), 0o700); err != nil {
		return fmt.Errorf("home of the functions: %w", err)
	}
	return nil
}

// language is how the functions of a family of runtimes are run.
type language struct {
	prefix string   // of the runtimes
	args   []string // before the bootstrap
	script string
	files  []string // what may follow the path in the handler
	pipes  bool     // it speaks to the Runtime API through those as well
}

var languages = []language{
	{"nodejs", nil, "node.cjs", []string{"", ".js", ".mjs", ".cjs"}, true},
	{"python", []string{"-X", "utf8", "-S"}, "python.py", []string{".py", "/__init__.py"}, false},
	{"ruby", []string{"-Eutf-8"}, "ruby.rb", []string{".rb"}, false},
	{"deno", []string{"run", "--quiet", "--no-prompt", "--allow-all"}, "deno.mjs", []string{".ts", ".tsx", ".js", ".mjs"}, false},
}

func languageOf(runtime string) *language {
	for i := range languages {
		if strings.HasPrefix(runtime, languages[i].prefix) {
			return &languages[i]
		}
	}
	return nil
}

// command makes the command that runs the worker.
func (w *worker) command() (*exec.Cmd, error) {
	fn := w.fn
	scratch, err := w.service.scratch()
	if err != nil {
		return nil, &startError{invoke.InitFailed, "Runtime.Unknown", err}
	}
	if err := fn.lacksHandler(); err != nil {
		return nil, &startError{invoke.HandlerMissing, "Runtime.ImportModuleError", err}
	}
	if err := w.build(); err != nil {
		return nil, &startError{invoke.InitFailed, "Runtime.UserCodeSyntaxError", err}
	}
	fn = w.fn
	env := w.environment(scratch)
	w.search(env)
	var cmd *exec.Cmd
	switch l := languageOf(fn.Runtime); {
	case strings.HasPrefix(fn.Runtime, "python2"):
		return nil, &startError{invoke.RuntimeMissing, "Runtime.InvalidEntrypoint", fmt.Errorf("runtime %q does not run locally: Python has ended version 2, and AWS takes no functions for it; write it for a newer one", fn.Runtime)}
	case l != nil:
		found, err := w.service.machine().Find(context.Background(), fn.Runtime)
		if err != nil {
			return nil, &startError{invoke.RuntimeMissing, "Runtime.InvalidEntrypoint", err}
		}
		if err := w.prepare(l, env, scratch); err != nil {
			return nil, &startError{invoke.InitFailed, "Runtime.Unknown", err}
		}
		args := slices.Clone(l.args)
		if l.prefix == "nodejs" {
			args = append(args, turnedOff(fn.Runtime, found.Version, env["NODE_OPTIONS"])...)
		}
		if l.prefix == "nodejs" && w.place.Stands() {
			// Its modules are at their links, not at what those lead to.
			args = append(args, "--preserve-symlinks", "--preserve-symlinks-main")
		}
		if args, err = w.debugged(found.Program, args, env); err != nil {
			return nil, &startError{invoke.RuntimeMissing, "Runtime.InvalidEntrypoint", err}
		}
		args = append(args, filepath.Join(scratch, "bootstrap", l.script))
		wrapper, err := w.wrapper(env)
		switch {
		case err != nil:
			return nil, &startError{invoke.RuntimeMissing, "Runtime.InvalidEntrypoint", err}
		case wrapper != "":
			cmd = exec.Command(wrapper, append([]string{found.Program}, args...)...)
		default:
			cmd = exec.Command(found.Program, args...)
			w.piped = l.pipes // a wrapper may hand on no other files than the three that all have
		}
	case strings.HasPrefix(fn.Runtime, "provided"):
		program, err := w.bootstrap()
		if err != nil {
			return nil, &startError{invoke.HandlerMissing, "Runtime.InvalidEntrypoint", err}
		}
		cmd = exec.Command(program)
	default:
		return nil, &startError{invoke.RuntimeMissing, "Runtime.InvalidEntrypoint", fmt.Errorf("runtime %q does not run locally: nodejs, python, ruby, deno and provided do", fn.Runtime)}
	}
	cmd.Dir = fn.Dir
	cmd.Env = pairs(env)
	return cmd, nil
}

// slowBuild is how long a build may take without a word.
const slowBuild = 2 * time.Second

// build has the function's code built, when it must be, and goes on with where
// that is. Who ends the worker ends the building.
func (w *worker) build() error {
	if w.fn.Code == nil {
		return w.offer()
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-w.doom:
			cancel()
		case <-ctx.Done():
		}
	}()
	slow := time.AfterFunc(slowBuild, func() {
		w.service.options.Log(w.fn.Label, "", "is not ready yet: its code is being built, or its packages are being installed; calls wait for it")
	})
	defer slow.Stop()
	place, err := w.fn.Code.Make(ctx)
	if err == nil {
		w.place = place
		w.fn.Dir, w.packages = place.Dir, place.Packages
		if place.Stands() {
			w.fn.Shared, w.fn.Views = "", "" // they are in it
		}
	}
	return err
}

// prepare adds what a language's bootstrap is told by variables.
func (w *worker) prepare(l *language, env map[string]string, scratch string) error {
	switch l.prefix {
	case "python":
		if w.packages != "" {
			env["ARC_PACKAGES"] = w.packages
		}
		if o := w.place.Offered; len(o.Folders) > 0 {
			env["ARC_RUNTIME"] = o.Folders[0] + "\n" + strings.Join(o.Modules, ",")
		}
		env["PYTHONDONTWRITEBYTECODE"] = "1" // never a __pycache__ among the sources
		if path, ok := env["PYTHONPATH"]; ok {
			env["PYTHONPATH"] = strings.ReplaceAll(path, "/var/task", w.fn.Dir)
		}
	case "ruby":
		// Where Lambda looks for gems, of which the zip has its own. Those of this
		// machine are not there.
		own := filepath.Join(w.fn.Dir, "vendor", "bundle", "ruby", interpreter.Wanted(w.fn.Runtime)+".0")
		if w.packages != "" {
			own = w.packages
		}
		env["GEM_HOME"] = own
		env["GEM_PATH"] = strings.Join(slices.Concat([]string{own}, w.gems(), w.place.Offered.Folders), string(filepath.ListSeparator))
	case "deno":
		if cache := w.service.options.Cache; cache != "" {
			env["DENO_DIR"] = filepath.Join(cache, "deno")
		}
	}
	links, err := linkFolders(scratch, w.fn)
	if err == nil && links != "" {
		env["ARC_LINKS"] = links
	}
	return cmp.Or(err, w.linkStatic(env["ARC_STATIC_BUCKET"]))
}

// offer has what code of a zip asks of its runtime put where it finds it.
func (w *worker) offer() (err error) {
	if w.service.options.Offer == nil || languageOf(w.fn.Runtime) == nil {
		return nil
	}
	w.place.Offered, err = w.service.options.Offer(w.fn.Dir, w.fn.Runtime)
	w.place.Wrong = w.place.Offered.Wrong
	return err
}

// packagePath is where our own Node bootstrap asks for a package of the runtime by
// whose name only running code asks: "@aws-sdk/client-sns" made of parts.
const packagePath = "arc/package/"

// sdkPackage are the names by which code may ask.
var sdkPackage = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^@aws-sdk/[a-z0-9-]+$`) })

// offerPackage puts a package beside the function's code, and answers with its folder.
// What the packages of a live function ask for under a condition comes with the first
// of it: each installation takes seconds. They are not the function's.
func (w *worker) offerPackage(t *door.Talk, name string) {
	offer := w.service.options.Offer
	tried := slices.ContainsFunc(w.place.Wrong, func(f source.Finding) bool { return f.Package == name }) // before the code started, and told
	if offer == nil || tried || !sdkPackage().MatchString(name) {
		refuse(t, http.StatusNotFound, "NotFound", "nothing is offered")
		return
	}
	defer w.service.pause(w)()
	dir, names := w.fn.Dir, []string{name}
	if w.fn.Code != nil {
		// A live function's folder may be a link into the project, where nothing is written.
		dir = filepath.Join(filepath.Dir(filepath.Dir(dir)), "offered", "task")
		names = w.fn.Code.Perhaps(name)
	}
	offered, err := offer(dir, w.fn.Runtime, names...)
	if len(names) > 1 && (err != nil || len(offered.Wrong) > 0) {
		offered, err = offer(dir, w.fn.Runtime, name)
	}
	for _, f := range offered.Wrong {
		err = errors.Join(err, errors.New(f.Text+": "+f.Hint))
	}
	if err != nil {
		w.service.options.Tell.Or()(activity.Event{Kind: activity.Notice, Function: w.fn.Label, Text: err.Error()})
		refuse(t, http.StatusNotFound, "NotFound", err.Error())
		return
	}
	t.Answer(http.StatusOK, []byte(filepath.Join(filepath.Dir(dir), "node_modules", filepath.FromSlash(name))))
}

// bootstrap is the program of a function with a runtime of its own: its zip has it,
// or else its layers.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
func (w *worker) bootstrap() (string, error) {
	program := filepath.Join(w.fn.Dir, "bootstrap")
	shown := program
	if _, err := os.Stat(program); err != nil && isThere(w.fn.Opt, "bootstrap") {
		program, shown = filepath.Join(w.fn.Opt, "bootstrap"), w.inLayers("/opt/bootstrap")
	}
	info, err := os.Stat(program)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: a function with a provided runtime is an executable of that name, which is missing%s", shown, w.elsewhere())
	case info.IsDir() || info.Mode()&0o111 == 0 && filepath.Separator == '/':
		return "", fmt.Errorf("%s: is not executable: chmod +x it", shown)
	}
	return shown, nil
}

// wrapper is the script that a function asks to be started through, which is given
// the interpreter and its arguments; "" = none.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html
func (w *worker) wrapper(env map[string]string) (string, error) {
	name := env["AWS_LAMBDA_EXEC_WRAPPER"]
	if name == "" {
		return "", nil
	}
	if rest, ok := strings.CutPrefix(name, "/var/task/"); ok {
		return filepath.Join(w.fn.Dir, filepath.FromSlash(rest)), nil
	}
	rest, ok := strings.CutPrefix(name, opt.Folder+"/")
	if ok && !isThere(w.fn.Opt, rest) {
		return "", fmt.Errorf("AWS_LAMBDA_EXEC_WRAPPER=%s: no layer has that file%s", name, w.elsewhere())
	}
	return w.inLayers(name), nil
}

// linkFolders makes, once, a folder with links to shared code and views under
// the names by which functions find them when deployed; "" when there are none.
func linkFolders(scratch string, fn Function) (string, error) {
	targets := map[string]string{}
	if fn.Shared != "" {
		targets["shared"] = fn.Shared
	}
	if fn.Views != "" {
		targets["views"] = fn.Views
	}
	if len(targets) == 0 {
		return "", nil
	}
	dir := filepath.Join(scratch, "links", digest(fn.Shared, fn.Views))
	for _, parent := range []string{filepath.Join(dir, "node_modules", "@architect"), filepath.Join(dir, "vendor")} {
		if err := os.MkdirAll(parent, 0o700); err != nil {
			return "", fmt.Errorf("links to shared code: %w", err)
		}
		for _, name := range slices.Sorted(maps.Keys(targets)) {
			err := os.Symlink(targets[name], filepath.Join(parent, name))
			if err != nil && !errors.Is(err, fs.ErrExist) {
				return "", fmt.Errorf("links to shared code: %w", err)
			}
		}
	}
	return dir, nil
}

// linkStatic has code find the static files that takes the name of their bucket for
// their folder, as Architect's sandbox has it and @architect/asap does where ARC_ENV is
// testing. Where the code runs from stands for its zip, and is ours.
// https://github.com/architect/asap/blob/main/src/read/_local.js
func (w *worker) linkStatic(bucket string) error {
	if !w.place.Stands() || w.fn.Static == "" || bucket == "" || bucket != filepath.Base(bucket) || !filepath.IsLocal(bucket) {
		return nil
	}
	to := w.fn.Static
	object := stack.ARN(regionOf(w.fn.ARN), "s3", "", "", bucket+"/index.html")
	if lets := w.service.options.Lets; lets != nil && !lets(w.service.errand(w.fn, "s3:GetObject", object)) {
		to = ""
	}
	link := filepath.Join(w.fn.Dir, bucket)
	before, err := os.Readlink(link)
	if before == to || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil // or the code has a file of that name
	}
	if before != "" {
		os.Remove(link) // what was right before
	}
	if to == "" {
		return nil
	}
	if err := os.Symlink(to, link); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("link to static files: %w", err)
	}
	return nil
}

// kindOf tells a handler that is not there from one that cannot be loaded.
func kindOf(fn Function, errorType string, otherwise invoke.Kind) invoke.Kind {
	switch errorType {
	case "Runtime.HandlerNotFound":
		return invoke.HandlerMissing
	case "Runtime.ImportModuleError":
		if !hasHandlerFile(fn) {
			return invoke.HandlerMissing
		}
	}
	return otherwise
}

func hasHandlerFile(fn Function) bool {
	l := languageOf(fn.Runtime)
	return l == nil || fn.hasFile(l.files)
}

// hasFile reports whether the path in the handler leads to a file, with one of
// the endings.
func (fn Function) hasFile(endings []string) bool {
	dir, base := filepath.Split(filepath.FromSlash(fn.Handler))
	stem, _, _ := strings.Cut(base, ".")
	return slices.ContainsFunc(endings, func(end string) bool {
		info, err := os.Stat(filepath.Join(fn.Dir, dir, stem+end))
		return err == nil && !info.IsDir()
	})
}

// sources are endings of files that become a handler once they are compiled.
var sources = []string{".ts", ".mts", ".cts", ".tsx"}

// lacksHandler says what is missing where a function has no code at all, and
// what brings it.
func (fn Function) lacksHandler() error {
	why := ""
	if info, err := os.Stat(fn.Dir); err != nil || !info.IsDir() {
		why = fn.Dir + ": the function has no folder"
	} else if l := languageOf(fn.Runtime); fn.Remedy != "" && l != nil && !fn.hasFile(l.files) && !fn.hasFile(sources) {
		why = fmt.Sprintf("%s: the folder has no file for the handler %s", fn.Dir, fn.Handler)
	}
	switch {
	case why == "":
		return nil
	case fn.Remedy == "":
		return errors.New(why)
	}
	return fmt.Errorf("%s: %s", why, fn.Remedy)
}
