package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"arc/deploy"
	"arc/manifest"
	"arc/sandbox"
	"arc/sandbox/door"
	"arc/source"

	"github.com/urfave/cli/v2"
)

// cloud is what a command deploys to: AWS (or whatever endpoint the
// environment names), or the project's local cloud.
type cloud struct {
	clients deploy.Clients
	own     *sandbox.Cloud // set when this process runs the local cloud
	note    func(format string, args ...any)
}

// cloudFor connects to what the --local and --detach flags ask for.
func (s *session) cloudFor(ctx *cli.Context, p *project) (*cloud, error) {
	if !ctx.Bool("local") {
		clients, err := s.connectAWS(ctx.Context, p)
		return &cloud{clients: clients, note: s.note}, err
	}
	p.here = true
	running, own, err := s.localCloud(ctx.Context, p, ctx.Bool("detach"), cloudFlags{fresh: ctx.Bool("fresh"), noIAM: ctx.Bool("no-iam")})
	if err != nil {
		return nil, err
	}
	s.note("local cloud at %s", running.Endpoint)
	clients, err := deploy.Connect(ctx.Context, deploy.ConnectOptions{Region: p.app.AWS.Region, Endpoint: running.Endpoint, Cloud: running.ID()})
	if err != nil && own != nil {
		own.Close()
	}
	return &cloud{clients: clients, own: own, note: s.note}, err
}

// connect connects to AWS or, with --local, to the running local cloud.
func (s *session) connect(ctx *cli.Context, p *project) (deploy.Clients, error) {
	return s.connectLocal(ctx.Context, p, ctx.Bool("local"))
}

func (s *session) connectLocal(ctx context.Context, p *project, local bool) (deploy.Clients, error) {
	p.here = local
	if !local {
		return s.connectAWS(ctx, p)
	}
	registry, err := s.registry()
	if err != nil {
		return deploy.Clients{}, err
	}
	running, err := registry.Answer(ctx, p.dir)
	if err != nil {
		return deploy.Clients{}, notAnswering(err)
	}
	if running == nil {
		return deploy.Clients{}, withHint(errors.New("no local cloud is running for this project"), "arc sandbox, or arc deploy --local, starts one")
	}
	p.endpoint = running.Endpoint
	region := cmp.Or(p.app.AWS.Region, s.region()) // a stack of no project is where the environment says
	return deploy.Connect(ctx, deploy.ConnectOptions{Region: region, Endpoint: running.Endpoint, Cloud: running.ID()})
}

func (s *session) connectAWS(ctx context.Context, p *project) (deploy.Clients, error) {
	region := p.app.AWS.Region
	if p.app.AWS.Guessed {
		region = "" // the profile's own, if it has one
	}
	clients, err := deploy.Connect(ctx, deploy.ConnectOptions{
		Region: region, Profile: p.app.AWS.Profile, AskMFA: s.askMFA(),
		Note: func(text string) { s.note("%s", text) },
	})
	s.credentials, s.signIn = clients.Credentials, clients.SignIn
	if err == nil && p.app.AWS.Guessed {
		p.app.AWS.Region = clients.Region
	}
	if errors.Is(err, deploy.ErrNoCredentials) {
		return clients, withHint(err, "set AWS_PROFILE, or sign in with aws configure or aws sso login\nwithout an account: arc deploy --local runs the app on this machine, and arc diff --local compares with what runs there")
	}
	return clients, err
}

// localCloud finds the project's running local cloud or starts one: in this
// process, or with detach in one of its own that outlives this one. With fresh it
// is one that forgets what was kept, and with noIAM one that asks nobody for rights;
// one that runs is what it is.
func (s *session) localCloud(ctx context.Context, p *project, detach bool, flags cloudFlags) (*sandbox.Running, *sandbox.Cloud, error) {
	registry, err := s.registry()
	if err != nil {
		return nil, nil, err
	}
	running, err := registry.Answer(ctx, p.dir)
	if err == nil && running != nil && flags.fresh {
		return nil, nil, withHint(errors.New("--fresh: the local cloud runs already, with what it keeps"), "arc sandbox --stop ends it; then deploy again")
	}
	if err == nil && running != nil && flags.noIAM {
		return nil, nil, withHint(errors.New("--no-iam: the local cloud runs already, as it was started"), "arc sandbox --stop ends it; then deploy again")
	}
	if err != nil || running != nil {
		return running, nil, notAnswering(err)
	}
	if detach {
		words := []string{"--cloud-only"}
		if flags.fresh {
			words = append(words, "--fresh")
		}
		if flags.noIAM {
			words = append(words, "--no-iam")
		}
		running, err := s.startDetached(ctx, registry, p.dir, words...)
		return running, nil, err
	}
	own, err := s.startCloud(p, registry, flags)
	if errors.Is(err, sandbox.ErrRunning) {
		// Another command is just starting it.
		running, err := s.waitCloud(ctx, registry, p.dir)
		if err == nil && running == nil {
			err = errors.New("local cloud: the one that another command was starting has ended")
		}
		return running, nil, err
	}
	if err != nil {
		return nil, nil, err
	}
	own.Ready()
	r := own.Running()
	return &r, own, nil
}

// startCloud runs the project's local cloud in this process, with that many
// workers at most; 0 = as many as fit into the memory.
func (s *session) startCloud(p *project, registry sandbox.Registry, flags cloudFlags) (*sandbox.Cloud, error) {
	state, err := s.state()
	if err != nil {
		return nil, err
	}
	tables, err := tablesURL(p, flags.db)
	if err != nil {
		return nil, err
	}
	aws := append(flags.aws, p.app.Prefs.AWS...)
	if p.app.Prefs.UseAWS {
		aws = []string{"all"}
	}
	internal, err := s.port("ARC_INTERNAL_PORT")
	if err != nil {
		return nil, err
	}
	offer, err := s.offer(p)
	if err != nil {
		return nil, err
	}
	open, liberal, err := s.openings(p, flags)
	if err != nil {
		return nil, err
	}
	closed := s.screened()
	own, err := sandbox.Start(sandbox.Options{
		Project:     p.dir,
		Offer:       offer,
		AWS:         aws,
		Open:        &open,
		JWKS:        flags.jwks,
		Liberal:     liberal,
		Registry:    registry,
		Region:      p.app.AWS.Region,
		Internal:    internal,
		Path:        s.env("PATH"),
		User:        s.env,
		Self:        "/proc/self/exe", // also when a newer one was put in its place; where there is no /proc, nothing is mounted
		Warn:        func(text string) { s.note("%s %s", s.paint(yellow, "warning:"), text) },
		Cache:       filepath.Join(filepath.Dir(registry.Dir), "compiled"),
		Tell:        s.tell,
		NoSchedules: flags.silent, NoRights: flags.noIAM, As: flags.as, Workers: flags.workers, Inspect: flags.inspect,
		Tables: tables,
		State:  state,
		Fresh:  flags.fresh,
		Asleep: flags.asleep,
	})
	if err == nil {
		go func() {
			select {
			case <-closed:
				own.Close()
			case <-own.Done():
			}
		}()
	}
	if err == nil {
		s.tellOpenings(open)
	}
	if err == nil && len(aws) > 0 {
		s.note("%s functions' calls to AWS (%s) leave this machine, with your own credentials", s.paint(yellow, "warning:"), strings.Join(aws, ", "))
	}
	if _, ok := errors.AsType[*sandbox.PortBusyError](err); ok {
		return nil, withHint(err, "set ARC_INTERNAL_PORT to another port, or unset it to have the next free one")
	}
	return own, err
}

// offer gives code of a zip what its runtime would have, from the project or the
// user's cache. What was found once for a folder stays right.
func (s *session) offer(p *project) (func(dir, runtime string, names ...string) (source.Offered, error), error) {
	tree, err := p.codeTree()
	if err != nil {
		return nil, err
	}
	build := s.builder(p)
	build.Host = true
	var done sync.Map
	return func(dir, runtime string, names ...string) (source.Offered, error) {
		key := [3]string{dir, runtime, strings.Join(names, " ")}
		if o, ok := done.Load(key); ok {
			return o.(source.Offered), nil
		}
		o, err := tree.Offer(build, dir, runtime, names...)
		if err == nil && len(o.Wrong) == 0 {
			done.Store(key, o)
		}
		return o, err
	}, nil
}

// cloudFlags are what arc sandbox lets the user say of the local cloud.
type cloudFlags struct {
	inspect func(label, dir string) (port int, attach bool) // see sandbox.Options; nil = to no function
	workers int                                             // 0 = as many as fit
	db      string                                          // a DynamoDB endpoint; "" = one of the local cloud's own
	fresh   bool                                            // forget what was kept
	asleep  bool                                            // leave deployed stacks alone
	silent  bool                                            // no schedule fires
	noIAM   bool                                            // nobody is asked for rights
	as      []sandbox.As                                    // who may do what a policy says
	aws     []string                                        // services of which calls go to AWS itself
	jwks    map[string]string                               // files with key sets, by issuer
	open    door.Openings                                   // who is let in beside this machine's pages
}

// openings are who is let into the app beside this machine's pages, by the flags,
// the preferences, or the variable of Architect's sandbox, which means every page.
func (s *session) openings(p *project, flags cloudFlags) (open door.Openings, liberal bool, err error) {
	open = door.Openings{Origins: append(flags.open.Origins, p.app.Prefs.AllowOrigin...), Hosts: append(flags.open.Hosts, p.app.Prefs.AllowHost...)}
	liberal = s.env("ARC_SANDBOX_ENABLE_CORS") != "" || slices.ContainsFunc(p.app.Env["testing"], func(v manifest.EnvVar) bool {
		return v.Name == "ARC_SANDBOX_ENABLE_CORS" && v.Value != ""
	})
	if liberal {
		open.Origins = append(open.Origins, "*")
	}
	if err := open.Check(); err != nil {
		return open, liberal, withHint(err, "see arc sandbox --help, and allow-origin and allow-host under @sandbox in the preferences")
	}
	return open, liberal, nil
}

// tellOpenings says at the start who is let in.
func (s *session) tellOpenings(open door.Openings) {
	if who := open.String(); who != "" {
		s.note("%s %s may call the app, beside this machine's own", s.paint(yellow, "warning:"), who)
	}
}

// tablesURL is the DynamoDB endpoint that the user names, by --db or with
// @sandbox external-db and ports of the preferences; "" = none.
func tablesURL(p *project, flag string) (string, error) {
	if flag == "" && p.app.Prefs.ExternalDB {
		if p.app.Prefs.Ports.Tables == 0 {
			return "", withHint(errors.New("@sandbox external-db: the port is missing"), "add tables PORT below @sandbox ports, or give --db URL")
		}
		return fmt.Sprintf("http://localhost:%d", p.app.Prefs.Ports.Tables), nil
	}
	if flag == "" {
		return "", nil
	}
	u, err := url.Parse(flag)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", withHint(fmt.Errorf("--db %s: not the URL of a DynamoDB endpoint", flag), "like --db http://localhost:8000")
	}
	return flag, nil
}

// slowStart is how long a cloud may take to get ready without a word.
const slowStart = 3 * time.Second

// waitCloud waits for a cloud that runs or starts to be ready; nil when there
// is none any more.
func (s *session) waitCloud(ctx context.Context, registry sandbox.Registry, dir string) (*sandbox.Running, error) {
	said := false
	for began := time.Now(); ; {
		running, err := registry.Answer(ctx, dir)
		if err != nil || running == nil || running.Ready {
			return running, notAnswering(err)
		}
		if !said && time.Since(began) > slowStart {
			said = true
			s.note("waiting for the local cloud that process %d is starting", running.PID)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// state is the folder in which local clouds keep data between runs.
// https://specifications.freedesktop.org/basedir-spec/latest/
func (s *session) state() (sandbox.State, error) {
	dir := s.env("XDG_STATE_HOME")
	if dir == "" {
		var err error
		switch runtime.GOOS {
		case "darwin", "windows": // ~/Library/Application Support, %AppData%
			dir, err = os.UserConfigDir()
		default:
			if dir, err = os.UserHomeDir(); err == nil {
				dir = filepath.Join(dir, ".local", "state")
			}
		}
		if err != nil {
			return sandbox.State{}, withHint(fmt.Errorf("the user's folder for data: %w", err), "set HOME or XDG_STATE_HOME")
		}
	}
	if !filepath.IsAbs(dir) {
		return sandbox.State{}, withHint(fmt.Errorf("the user's folder for data: XDG_STATE_HOME=%s is not an absolute path", dir), "unset it, or write the whole path")
	}
	return sandbox.State{Dir: filepath.Join(dir, "arc")}, nil
}

// registry is the folder of running clouds in the user's cache.
func (s *session) registry() (sandbox.Registry, error) {
	dir, err := s.cacheDir()
	return sandbox.Registry{Dir: filepath.Join(dir, "local")}, err
}

// cacheDir is arc's folder in the user's cache.
func (s *session) cacheDir() (string, error) {
	dir := s.env("XDG_CACHE_HOME")
	if dir == "" {
		found, err := os.UserCacheDir()
		if err != nil {
			return "", withHint(fmt.Errorf("the user's cache folder: %w", err), "set HOME or XDG_CACHE_HOME")
		}
		dir = found
	}
	if !filepath.IsAbs(dir) {
		variable := "XDG_CACHE_HOME"
		if s.env(variable) == "" {
			variable = "HOME" // or what the system has in its place
		}
		return "", withHint(fmt.Errorf("the user's cache folder: %s=%s is not an absolute path", variable, s.env(variable)), "write the whole path")
	}
	return filepath.Join(dir, "arc"), nil
}

// startDetached runs arc sandbox in a process of its own and waits until it
// is ready.
func (s *session) startDetached(ctx context.Context, registry sandbox.Registry, dir string, flags ...string) (*sandbox.Running, error) {
	logFile, err := registry.LogFile(dir)
	if err != nil {
		return nil, err
	}
	// Two commands may start it at once; one will, and neither writes over the other.
	out, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log of the local cloud: %w", err)
	}
	defer out.Close()
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("local cloud: %w", err)
	}
	child := exec.Command(self, append([]string{"sandbox"}, flags...)...)
	child.Dir, child.Stdout, child.Stderr = dir, out, out
	child.Env = append(os.Environ(), logVariable+"="+logFile)
	child.SysProcAttr = ownSession()
	if err := child.Start(); err != nil {
		return nil, fmt.Errorf("local cloud: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	for {
		running, err := registry.Find(ctx, dir)
		if err != nil || running != nil && running.Ready {
			return running, err
		}
		select {
		case err := <-ended:
			// Another command may have been first.
			if running, err := s.waitCloud(ctx, registry, dir); err != nil || running != nil {
				return running, err
			}
			if said := saidLast(logFile); said != "" {
				return nil, fmt.Errorf("local cloud: it did not start:\n%s", indent(said))
			}
			return nil, withHint(fmt.Errorf("local cloud: it did not start, and wrote no word to %s (%v)", logFile, err), "is the disk full? arc sandbox runs it in the foreground")
		case <-ctx.Done():
			child.Process.Kill()
			return nil, context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// saidLast is why a local cloud did not start, for an error message, by its log: its
// error, else all that it said, of either the last 60 lines, from where a message
// begins. Those of a message that follow its first one are indented.
func saidLast(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	first := max(0, slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "error: ") }))
	from := max(first, len(lines)-60)
	for from > first && strings.HasPrefix(lines[from], " ") {
		from--
	}
	if from > first {
		return "… what it said before is in " + file + "\n" + strings.Join(lines[from:], "\n")
	}
	return strings.Join(lines[from:], "\n")
}

// stay keeps the local cloud of this process running until the user ends it.
func (c *cloud) stay(ctx context.Context) error {
	if c.own == nil {
		return nil
	}
	c.note("the local cloud runs until Ctrl-C; with --detach it stays by itself")
	select {
	case <-ctx.Done():
	case <-c.own.Done():
	}
	return nil
}

func (c *cloud) close() {
	if c.own != nil {
		c.own.Close()
	}
}
