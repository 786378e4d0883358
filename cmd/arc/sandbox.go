package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"arc/cfn"
	"arc/deploy"
	"arc/manifest"
	"arc/manifest/syntax"
	"arc/sandbox"
	"arc/sandbox/activity"
	"arc/sandbox/door"
	"arc/source"

	"github.com/urfave/cli/v2"
)

func (s *session) sandboxCommand() *cli.Command {
	inspect := &inspectFlag{}
	return &cli.Command{
		Name:  "sandbox",
		Usage: "run the app on this machine",
		Flags: append(s.pluginFlags(),
			&cli.IntFlag{Name: "port", Aliases: []string{"p"}},
			&cli.BoolFlag{Name: "detach"},
			&cli.BoolFlag{Name: "cloud-only"},
			&cli.IntFlag{Name: "max-workers"},
			&cli.GenericFlag{Name: "inspect", Value: inspect},
			&cli.StringFlag{Name: "db"},
			&cli.StringFlag{Name: "aws"},
			&cli.StringFlag{Name: "allow-origin"},
			&cli.StringFlag{Name: "allow-host"},
			&cli.StringSliceFlag{Name: "jwks"},
			&cli.BoolFlag{Name: "fresh"},
			&cli.BoolFlag{Name: "no-schedules"},
			&cli.BoolFlag{Name: "no-iam"},
			&cli.StringFlag{Name: "as"},
			&cli.BoolFlag{Name: "stop"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}},
			&cli.BoolFlag{Name: "json"},
		),
		Description: `Usage: arc sandbox [--port PORT] [--detach | --json]
       arc sandbox --stop

Runs the app at http://localhost:3333 and ws://localhost:3333/testing, from its
source folders: a saved file is live with the next request, a saved manifest a
moment later. No account, no Docker and no network are needed. The same
process is the project's local cloud, which arc deploy --local deploys to.

Flags:
  -p, --port PORT   port of the app (default @sandbox ports of the preferences,
                    ARC_HTTP_PORT, PORT, or else 3333)
      --detach      run in the background
      --cloud-only  run the local cloud without the app
      --max-workers N
                    run at most N functions' processes, idle ones included
                    (default: those that fit into half of the free memory)
      --inspect[=NAME]
                    let a debugger attach to all functions, or to one
                    (--inspect="get /"); they have no timeout then
      --db URL      keep tables at this DynamoDB endpoint
      --aws SERVICES
                    let functions call these services of AWS itself, with your
                    own credentials: bedrock,cognito-idp; or all
      --allow-origin ORIGINS
                    let pages of other origins call the app, each by name:
                    https://example.com,null,capacitor://localhost; or '*'
      --allow-host HOSTS
                    let others call the app by these names, through a tunnel of
                    yours: abc.ngrok.app
      --jwks ISSUER=FILE
                    check tokens of this issuer by the key set in the file; one
                    on this machine is asked itself
      --fresh       forget the stacks and data of earlier runs
      --no-schedules
                    let no schedule fire; arc invoke runs one
      --no-iam      ask nobody for rights: no role what it may, no policy of a
                    function, queue, topic, bucket or API whom it lets in
      --as POLICY   make keys of a caller who may do what this file, a policy
                    in JSON, allows; they are printed
      --stop        end the local cloud that runs for this project
  -q, --quiet       print warnings and errors only, as all commands do with
                    ARC_QUIET=1 in the environment
      --json        print what happens as JSON, an event a line
      --plugin-timeout N  seconds that each hook of a plugin may take (120;
                    60 of sandbox.start)

Examples:
  arc sandbox
  arc sandbox --port 8080

Exit codes: 0 ended by Ctrl-C or --stop, 1 an error.`,
		Action: func(ctx *cli.Context) error {
			if err := noWords(ctx); err != nil {
				return err
			}
			if ctx.Bool("stop") {
				if ctx.NumFlags() > 1 {
					return withHint(errors.New("--stop goes alone"), "arc sandbox --stop ends the local cloud of the current folder")
				}
				return s.stopCloud(ctx.Context)
			}
			return s.sandbox(ctx, inspect)
		},
	}
}

func (s *session) stopCloud(ctx context.Context) error {
	dir, err := projectDir()
	if err != nil {
		return err
	}
	registry, err := s.registry()
	if err != nil {
		return err
	}
	running, err := registry.Answer(ctx, dir)
	if err == nil && running == nil {
		s.note("no local cloud is running for this project")
		return nil
	}
	if err == nil {
		err = registry.Stop(ctx, running)
	}
	hung, ok := errors.AsType[*sandbox.HungError](err)
	switch {
	case ok && hung.PID != 0:
		if err := registry.End(ctx, dir, hung); err != nil {
			return err
		}
		s.note("%v", hung)
		s.note("ended process %d", hung.PID)
	case err != nil:
		return err
	default:
		s.note("stopped the local cloud at %s", running.Endpoint)
	}
	return nil
}

// notAnswering says what to do about a local cloud that does not answer.
func notAnswering(err error) error {
	hung, ok := errors.AsType[*sandbox.HungError](err)
	switch {
	case !ok:
		return err
	case hung.PID == 0:
		return withHint(err, "end that process")
	case hung.Stopped:
		return withHint(err, "fg in its terminal, or kill -CONT %d, lets it go on; arc sandbox --stop ends it", hung.PID)
	}
	return withHint(err, "arc sandbox --stop ends it")
}

// goneHint says what has become of a local cloud that did answer, and what to do.
func (s *session) goneHint() string {
	dir, errDir := projectDir()
	registry, errRegistry := s.registry()
	if errDir == nil && errRegistry == nil {
		if hung := registry.Hung(s.ctx, dir); hung != nil {
			var h hinted
			errors.As(notAnswering(hung), &h)
			return hung.Error() + "\n" + h.hint
		}
	}
	return "it was stopped or has ended, and what was under way with it; start it again and repeat this"
}

func (s *session) sandbox(ctx *cli.Context, inspect *inspectFlag) error {
	if !ctx.Bool("detach") {
		s.keys = s.newKeyboard()
		defer s.keys.close()
		context.AfterFunc(ctx.Context, s.keys.close) // a second Ctrl-C ends the program at once
	}
	p, err := s.open()
	if err != nil {
		return err
	}
	defer p.close()
	registry, err := s.registry()
	if err != nil {
		return err
	}
	if port := ctx.Int("port"); ctx.IsSet("port") && !isPort(port) {
		return withHint(fmt.Errorf("--port %d: not a port", port), "choose one from 1 to 65535")
	}
	if _, _, err := s.appPort(p.app, ctx.Int("port")); err != nil {
		return err
	}
	inspected, err := inspect.chosen(p)
	if err != nil {
		return err
	}
	as, err := s.callers(ctx.String("as"))
	if err != nil {
		return err
	}
	if ctx.Bool("detach") {
		if ctx.Bool("json") {
			return withHint(errors.New("--json and --detach do not go together"), "what happens in the background is in its log, as text")
		}
		return s.sandboxDetached(ctx, registry, p, inspect)
	}
	if ctx.IsSet("max-workers") && ctx.Int("max-workers") < 1 {
		return withHint(fmt.Errorf("--max-workers %d: no function could run", ctx.Int("max-workers")), "give a number from 1 on, or leave it out")
	}
	jwks, err := keySets(ctx.StringSlice("jwks"))
	if err != nil {
		return err
	}
	if file := s.env(logVariable); file != "" {
		s.stderr = newBoundedLog(s.stderr, file, maxLog)
	}
	s.muted = s.muted || ctx.Bool("quiet")
	s.processors = newProcessors(s.env)
	flags := cloudFlags{
		inspect: inspected, workers: ctx.Int("max-workers"), db: ctx.String("db"), fresh: ctx.Bool("fresh"), silent: ctx.Bool("no-schedules"), aws: commaList(ctx.String("aws")),
		open: openFlags(ctx), jwks: jwks, noIAM: ctx.Bool("no-iam"), as: as,
	}
	local, err := s.startCloud(p, registry, flags)
	for tries := 0; errors.Is(err, sandbox.ErrRunning); tries++ {
		running, wrong := registry.Answer(ctx.Context, p.dir)
		if wrong != nil {
			return notAnswering(wrong)
		}
		if running != nil || tries == 3 {
			return s.alreadyRunning(ctx.Context, err, p, running)
		}
		local, err = s.startCloud(p, registry, flags) // the other one was ending
	}
	if err != nil {
		return err
	}
	defer local.Close()
	s.note("local cloud at %s", local.Running().Endpoint)
	if !ctx.Bool("cloud-only") {
		err := s.runLive(ctx.Context, p, local, ctx.Int("port"))
		if local.Stopping() {
			return nil // whoever ended it knows; what was under way then is no mistake
		}
		return err
	}
	s.flush()
	local.Ready()
	defer s.processors.share()()
	select {
	case <-ctx.Context.Done():
	case <-local.Done():
	}
	return nil
}

// openFlags are the openings that the flags ask for.
func openFlags(ctx *cli.Context) door.Openings {
	return door.Openings{Origins: commaList(ctx.String("allow-origin")), Hosts: commaList(ctx.String("allow-host"))}
}

// keySets reads ISSUER=FILE; an issuer may have = in its query, a file may not.
func keySets(values []string) (map[string]string, error) {
	sets := map[string]string{}
	for _, value := range values {
		at := strings.LastIndex(value, "=")
		if at < 1 || value[at+1:] == "" {
			return nil, withHint(fmt.Errorf("--jwks %s: not ISSUER=FILE", value), "--jwks https://login.example.com/=keys.json")
		}
		file, err := filepath.Abs(value[at+1:])
		if err != nil {
			return nil, fmt.Errorf("--jwks: %w", err)
		}
		sets[value[:at]] = file
	}
	return sets, nil
}

// portBusy says how to have another port than a busy one.
func portBusy(err error) error {
	if busy, ok := errors.AsType[*sandbox.PortBusyError](err); ok {
		return withHint(err, "choose another one: arc sandbox --port %d", busy.Port%65535+1)
	}
	return err
}

// runLive brings the app up from its source folders, prints where it answers,
// and keeps it up to date while files change.
func (s *session) runLive(ctx context.Context, p *project, local *sandbox.Cloud, port int) error {
	if err := s.warnMissing(p); err != nil {
		return err
	}
	apply := func() error {
		if err := s.warnMissing(p); err != nil {
			return err
		}
		if _, err := s.applyLive(ctx, p, local, port); err != nil {
			return err
		}
		s.seed(ctx, p, local, liveStack(p))
		return nil
	}
	watch := s.newWatch(p, local, apply)
	outputs, err := s.applyLive(ctx, p, local, port)
	if err != nil {
		return portBusy(err)
	}
	s.seed(ctx, p, local, liveStack(p))
	s.startSandboxPlugins(ctx, p, local)
	defer func() { s.endSandboxPlugins(ctx, p) }()
	s.flush()
	local.Ready()
	defer s.processors.share()()
	s.startup(ctx, p, local)
	s.listRoutes(p.app)
	if s.events != nil {
		s.tell(activity.Event{Kind: activity.Ready, Time: time.Now().UTC(), Outputs: outputs})
	} else if err := s.printURLs(outputs); err != nil {
		return err
	}
	s.tellDeadLetters(outputs, "")
	return watch.loop(ctx)
}

// liveStack is the name of the stack of arc sandbox.
func liveStack(p *project) string { return cfn.StackName(p.app.Name, "testing", "") }

// warnMissing names functions that have no code yet. The sandbox runs without
// them: they can be written while it does.
func (s *session) warnMissing(p *project) error {
	ds := p.missingHandlers()
	for i := range ds {
		ds[i].Severity = syntax.Warning
	}
	return s.diagnose(p, ds)
}

// applyLive compiles the app for this machine and hands it to the local cloud.
func (s *session) applyLive(ctx context.Context, p *project, local *sandbox.Cloud, port int) (map[string]string, error) {
	variables := p.app.Env["testing"]
	assetKey, err := artifactKey(source.Asset())
	if err != nil {
		return nil, err
	}
	opts := cfn.Options{Stage: "testing", Code: func(fn *manifest.Function) string {
		if fn.Asset {
			return assetKey
		}
		return "" // run from where it is written
	}}
	// What .env names and no deploy could take is set here all the same, beside
	// the template; what arc or Lambda sets itself is not.
	parameters, here := map[string]string{}, ""
	for _, v := range variables {
		if manifest.EnvNameProblem(v.Name) != "" {
			if !manifest.EnvNameReserved(v.Name) {
				here += v.Name + "=" + v.Value + "\x00"
			}
			continue
		}
		opts.Env = append(opts.Env, v.Name)
		parameters[cfn.EnvParameter(v.Name)] = v.Value
	}
	if usesAppSecret(p.app) && !slices.Contains(opts.Env, deploy.AppSecret) {
		opts.Env = append(opts.Env, deploy.AppSecret)
		parameters[cfn.EnvParameter(deploy.AppSecret)] = s.localAppSecret(p)
	}
	p.sandbox = true
	opts = s.withPlugins(p, opts)
	stack, ds := cfn.Compile(p.app, opts)
	if err := s.diagnose(p, ds); err != nil {
		return nil, err
	}
	template, err := stack.Template.JSON()
	if err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	p.compiled = stack
	functions, err := s.liveFunctions(p, stack, local, here, opts)
	if err != nil {
		return nil, err
	}
	app := sandbox.App{
		StackName:  stack.Name,
		Template:   template,
		Parameters: parameters,
		Functions:  functions,
		APIType:    p.app.AWS.APIGateway,
		Reload:     p.app.Prefs.LiveReload == nil || *p.app.Prefs.LiveReload,
		Objects:    map[string][]byte{},
		Uses:       stack.Uses,
	}
	if p.app.Static != nil {
		app.Static, app.Bucket, app.Prefix = p.path(p.app.Static.Folder), "StaticBucket", p.app.Static.Prefix
		if app.Published, _, err = p.liveManifest(local.Scratch()); err != nil {
			return nil, err
		}
	}
	s.tellRecorded(p, stack, local)
	for _, part := range stack.Parts {
		app.Objects[part.Key] = part.Body
	}
	app.AssetKey = opts.ArtifactKey(assetKey)
	app.Warm = firstCalled(stack)
	if app.Port, app.Exact, err = s.appPort(p.app, port); err != nil {
		return nil, err
	}
	return local.Run(ctx, app)
}

// liveFunctions says where the code of each function stands, and which
// variables it has on this machine only.
func (s *session) liveFunctions(p *project, stack *cfn.Stack, local *sandbox.Cloud, here string, opts cfn.Options) (map[string]sandbox.LiveFunction, error) {
	tree, err := p.codeTree()
	if err != nil {
		return nil, err
	}
	live := map[string]sandbox.LiveFunction{}
	copies, err := s.pluginCopies(p)
	if err != nil {
		return nil, err
	}
	published, names, err := p.liveManifest(local.Scratch())
	if err != nil {
		return nil, err
	}
	build := s.builder(p)
	build.Host, build.Live, build.Busy = true, true, s.processors.whole
	for _, fn := range stack.Functions {
		if fn.Asset {
			continue
		}
		f := sandbox.LiveFunction{Dir: p.path(fn.Code()), Label: "@" + fn.Pragma + " " + fn.Name, Config: path.Join(fn.Dir, "config.arc"), Remedy: handlerRemedy(fn.Function)}
		if !fn.Config.HandlerExists {
			f.Remedy = p.remedy(fn.Function, p.ignoredByGit(handlerPath(fn.Function)))
		}
		if fn.Config.Env {
			f.Env = here
		}
		if p.app.Shared != nil && fn.Config.Shared {
			f.Shared = p.path(p.app.Shared.Dir)
		}
		if p.app.Views != nil && fn.Config.Views {
			f.Views = p.path(p.app.Views.Dir)
		}
		code := sourceFunction(p.app, fn.Function)
		code = code.With(copies)
		code.Build = build
		if fn.Config.Shared {
			code.StaticManifest, code.StaticFile = names, published
		}
		f.Code = source.NewLive(tree, code, filepath.Join(local.Scratch(), "built", fn.LogicalID))
		live[fn.LogicalID] = f
	}
	for _, fn := range p.broughtFunctions(opts) {
		code := fn.source.With(copies)
		code.Build = build
		live[fn.id] = sandbox.LiveFunction{
			Dir: p.path(code.Dir), Label: fn.id, Remedy: "a plugin put it into the template: does " + code.Dir + " hold its handler?",
			Code: source.NewLive(tree, code, filepath.Join(local.Scratch(), "built", fn.id)),
		}
	}
	return live, nil
}

// firstCalled are the functions that somebody who opens the app meets first:
// the page at / and the socket's connect and default.
func firstCalled(stack *cfn.Stack) []string {
	var ids []string
	for _, fn := range stack.Functions {
		switch fn.Pragma + " " + fn.Name {
		case "http get /", "http any /", "http get /*", "ws connect", "ws default":
			ids = append(ids, fn.LogicalID)
		}
	}
	return ids
}

// path is a project path in the system's own form.
func (p *project) path(slash string) string {
	return filepath.Join(p.dir, filepath.FromSlash(path.Clean(slash)))
}

// appPort is the first port that somebody asked for: --port, preferences,
// ARC_HTTP_PORT, PORT (sandbox reference, 2, but for the first two, which Architect
// has the other way round: a flag would be silently dropped). A port that was asked for is the
// only one that will do; so is 3333, which everybody's bookmarks name.
func (s *session) appPort(app *manifest.App, flag int) (port int, exact bool, err error) {
	if port = flag; port == 0 {
		port = app.Prefs.Ports.HTTP
	}
	for _, variable := range []string{"ARC_HTTP_PORT", "PORT"} {
		if port == 0 && err == nil {
			port, err = s.port(variable)
		}
	}
	if port == 0 {
		port = sandbox.DefaultAppPort
	}
	return port, true, err
}

// port reads a port from the environment; 0 when there is none.
func (s *session) port(variable string) (int, error) {
	text := s.env(variable)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || !isPort(n) {
		return 0, withHint(fmt.Errorf("%s=%s: not a port", variable, text), "unset the variable, or set it to a number from 1 to 65535")
	}
	return n, nil
}

func isPort(n int) bool { return n >= 1 && n <= 65535 }

// listRoutes prints what the app answers to.
func (s *session) listRoutes(app *manifest.App) {
	for _, r := range app.HTTP {
		from := r.Function.Dir
		if r.Function.Asset {
			from = app.Static.Folder + "/"
		}
		s.note("  %-7s %-30s %s", r.Method, r.Path, from)
	}
	for _, a := range app.WS {
		s.note("  %-7s %-30s %s", "ws", a.Name, a.Function.Dir)
	}
	for _, schedule := range app.Schedules {
		s.note("  %-7s %-30s %s", schedule.Name, strings.TrimSpace(schedule.Expression+" "+schedule.Timezone), schedule.Function.Dir)
	}
}

// commaList reads a list with commas, as flags take it.
func commaList(text string) (list []string) {
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word != "" {
			list = append(list, word)
		}
	}
	return list
}
