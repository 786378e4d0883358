package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/cfn/diff/face"
	"arc/deploy"
	"arc/deploy/queues"
	"arc/source/revision"

	"github.com/urfave/cli/v2"
)

// healthSpan is how far back arc status looks at errors.
const healthSpan = 15 * time.Minute

func (s *session) statusCommand() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "what is deployed, since when, and how it does",
		Flags: append(stageFlags(),
			&cli.BoolFlag{Name: "local"},
			&cli.BoolFlag{Name: "drift"},
			&cli.BoolFlag{Name: "json"},
		),
		Description: `Usage: arc status [flags]

Lists the stacks of the app, stages and further ones: their state, their URLs,
the last deploy that changed them, what a deploy of this folder would change in
staging and production, and how they did in the last 15 minutes: errors and
throttles of their functions, and dead letters that wait. It changes nothing.

Flags:
  -p, --production    only the stack of production
      --stage STAGE   only that of staging or production
  -n, --name NAME     only a further stack of the stage
      --preview NAME  only the stack of a pull request
      --local         in the project's local cloud
      --drift         what somebody changed past CloudFormation, which looks it
                      up for a while
      --json          print the outcome as JSON

Examples:
  arc status
  arc status --production --drift
  arc status --json | jq '.[].url'

Exit codes: 0 done, 1 an error.`,
		Action: func(ctx *cli.Context) error { return s.status(ctx) },
	}
}

// stackStatus is what there is to tell of a stack.
type stackStatus struct {
	Stack       string           `json:"stack"`
	Stage       string           `json:"stage"`
	Name        string           `json:"name,omitempty"`
	Status      string           `json:"status"`
	Changed     time.Time        `json:"changed"`
	URL         string           `json:"url,omitempty"`
	WebSocket   string           `json:"webSocket,omitempty"`
	Files       string           `json:"files,omitempty"`
	Unmarked    bool             `json:"unmarked,omitempty"` // another tool made it
	LastDeploy  *lastDeploy      `json:"lastDeploy,omitempty"`
	Pending     string           `json:"pending,omitempty"`
	Direct      []string         `json:"direct,omitempty"` // functions that arc deploy --direct changed
	Health      *stackHealth     `json:"health,omitempty"`
	Drift       []deploy.Drifted `json:"drift,omitempty"`
	DriftLooked bool             `json:"driftLooked,omitempty"`
	Unknown     []string         `json:"unknown,omitempty"` // what could not be found out, and why
}

type lastDeploy struct {
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Commit   string    `json:"commit,omitempty"`
	Dirty    bool      `json:"dirty,omitempty"`
	Arc      string    `json:"arc"`
	Template string    `json:"template"`
	Keys     []string  `json:"keys"`
	Seconds  float64   `json:"seconds"`
}

type stackHealth struct {
	Minutes     int            `json:"minutes"`
	Invocations int            `json:"invocations"`
	Errors      int            `json:"errors"`
	Throttles   int            `json:"throttles"`
	Failing     []string       `json:"failing,omitempty"`
	DeadLetters map[string]int `json:"deadLetters,omitempty"` // queue → messages
}

func (s *session) status(ctx *cli.Context) error {
	if err := noWords(ctx); err != nil {
		return err
	}
	p, err := s.openWith(&project{explicit: true, looking: true})
	if err != nil {
		return err
	}
	defer p.close()
	p.compared = true
	clients, err := s.connect(ctx, p)
	if err != nil {
		return err
	}
	stacks, err := clients.AppStacks(ctx.Context, p.app.Name)
	if err != nil {
		return err
	}
	if ctx.Bool("production") || ctx.IsSet("stage") || ctx.IsSet("preview") || ctx.IsSet("name") {
		o := stageOptions(ctx)
		only := cfn.StackName(p.app.Name, o.Stage, o.Name)
		stacks = slices.DeleteFunc(stacks, func(a deploy.AppStack) bool { return a.Name != only })
		if len(stacks) == 0 {
			return withHint(fmt.Errorf("there is no stack %s", only), "%s", deployHint(o.Stage))
		}
	}
	all := []stackStatus{}
	for _, a := range stacks {
		one, err := s.statusOf(ctx, p, clients, a)
		if err != nil {
			return err
		}
		all = append(all, one)
	}
	if ctx.Bool("json") {
		return s.printJSON(all)
	}
	if len(all) == 0 {
		s.note("nothing of %s is deployed in %s; arc deploy deploys it", p.app.Name, clients.Region)
		return nil
	}
	for i, one := range all {
		if i > 0 {
			fmt.Fprintln(s.stdout)
		}
		if _, err := fmt.Fprint(s.stdout, s.statusText(one, time.Now())); err != nil {
			return err
		}
	}
	return nil
}

// statusOf finds out what there is to tell of a stack. What cannot be found out
// is told, and hides nothing else.
func (s *session) statusOf(ctx *cli.Context, p *project, clients deploy.Clients, a deploy.AppStack) (stackStatus, error) {
	one := stackStatus{
		Stack: a.Name, Stage: a.Mark.Stage, Name: a.Mark.Name, Status: a.Status, Changed: a.Changed.UTC(), Unmarked: !a.Marked,
		URL: a.Outputs["API"], WebSocket: a.Outputs["WSS"], Files: a.Outputs["BucketURL"],
	}
	unknown := func(what string, err error) error {
		if ctx.Context.Err() != nil {
			return ctx.Context.Err()
		}
		one.Unknown = append(one.Unknown, what+": "+deploy.Why(err))
		return nil
	}
	rec, err := clients.LastDeploy(ctx.Context, p.app.Name, a.Stack)
	if err != nil {
		if err := unknown("the last deploy", err); err != nil {
			return one, err
		}
	} else if rec != nil {
		one.LastDeploy = &lastDeploy{rec.At, rec.By, rec.Commit, rec.Dirty, rec.Arc, rec.Template, rec.Keys, rec.Seconds}
	}
	if one.Stage != cfn.StagePreview && one.Stage != stageTesting && one.Name == "" {
		if one.Pending, err = s.pending(ctx.Context, p, clients, cfn.Options{Stage: one.Stage, Name: one.Name}); err != nil {
			if err := unknown("what a deploy would change", err); err != nil {
				return one, err
			}
		}
	}
	if one.Direct, err = clients.Direct(ctx.Context, a.Stack); err != nil {
		if err := unknown("what arc deploy --direct changed", err); err != nil {
			return one, err
		}
	}
	if one.Health, err = healthOf(ctx.Context, clients, a); err != nil {
		if err := unknown("how it does", err); err != nil {
			return one, err
		}
	}
	switch {
	case ctx.Bool("drift") && ctx.Bool("local"):
		one.Unknown = append(one.Unknown, "drift: the local cloud does not look for it")
	case ctx.Bool("drift"):
		if one.Drift, err = clients.Drift(ctx.Context, a.Name); err != nil {
			if err := unknown("drift", err); err != nil {
				return one, err
			}
		}
		one.DriftLooked = err == nil
	}
	return one, nil
}

// pending is what a deploy of the folder would change, in a line.
func (s *session) pending(ctx context.Context, p *project, clients deploy.Clients, opts cfn.Options) (string, error) {
	before, err := s.deployed(ctx, clients, p, opts, false)
	if err != nil {
		return "", err
	}
	opts.Env, opts.EnvVersions = before.variables(), before.deployed.variables
	after, err := s.treeSide(p, opts, before.unread)
	if code := exitCode(0); errors.As(err, &code) {
		return "", errors.New("the folder has mistakes, which arc check tells")
	}
	if err != nil {
		return "", err
	}
	review, err := compose(ctx, &before, &after, "")
	if err != nil {
		return "", err
	}
	if review.Verdict == diff.NoChanges {
		return review.Headline(), nil
	}
	return review.Headline() + "; " + face.Summary(review.Changes), nil
}

// healthOf adds up how the functions of a stack did, and counts its dead letters.
func healthOf(ctx context.Context, clients deploy.Clients, a deploy.AppStack) (*stackHealth, error) {
	found, err := clients.FunctionLogs(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	ids, names := map[string]string{}, []string(nil)
	for _, f := range found {
		ids[f.Function] = f.LogicalID
		names = append(names, f.Function)
	}
	now := time.Now()
	h, err := clients.Metrics.Health(ctx, names, now.Add(-healthSpan), now.Add(time.Minute))
	if err != nil {
		return nil, err
	}
	health := &stackHealth{Minutes: int(healthSpan / time.Minute), Invocations: h.Invocations, Errors: h.Errors, Throttles: h.Throttles}
	for _, name := range h.Failing {
		health.Failing = append(health.Failing, ids[name])
	}
	slices.Sort(health.Failing)
	for _, output := range slices.Sorted(maps.Keys(a.Outputs)) {
		if !strings.Contains(output, "DeadLetterQueue") {
			continue
		}
		q, err := clients.Queues.Describe(ctx, a.Outputs[output])
		if err != nil {
			return nil, err
		}
		if health.DeadLetters == nil {
			health.DeadLetters = map[string]int{}
		}
		health.DeadLetters[queues.NameOf(a.Outputs[output])] = q.All()
	}
	return health, nil
}

// statusText is a stack's status for people.
func (s *session) statusText(one stackStatus, now time.Time) string {
	var b strings.Builder
	line := func(label, format string, args ...any) {
		fmt.Fprintf(&b, "  %-11s %s\n", label, fmt.Sprintf(format, args...))
	}
	title := one.Stage
	if one.Name != "" {
		title += " " + one.Name
	}
	fmt.Fprintf(&b, "%s  %s\n", s.paint(bold, title), one.Stack)
	state, color := stateWords(one.Status)
	line("state", "%s, since %s (%s)", s.paint(color, state), one.Changed.Format("2006-01-02 15:04 UTC"), ago(now.Sub(one.Changed)))
	for _, u := range []struct{ label, url string }{{"http", one.URL}, {"ws", one.WebSocket}} {
		if u.url != "" {
			line(u.label, "%s", u.url)
		}
	}
	if one.Files != "" && one.URL == "" {
		line("files", "%s", one.Files)
	}
	switch d := one.LastDeploy; {
	case d != nil:
		commit := "of no known commit"
		if d.Commit != "" {
			commit = "commit " + d.Commit[:min(12, len(d.Commit))]
			if d.Dirty {
				commit += " and changes"
			}
		}
		line("last deploy", "%s by %s", commit, plainText(d.By[strings.LastIndexAny(d.By, ":/")+1:], ""))
		line("", "%s, in %s, with arc %s", d.At.Format("2006-01-02 15:04 UTC"), duration(time.Duration(d.Seconds*float64(time.Second))), plainText(d.Arc, ""))
	case one.Unmarked:
		line("last deploy", "by another tool; arc deploy --adopt takes the stack over")
	default:
		line("last deploy", "no record: the next arc deploy that changes it leaves one")
	}
	if one.Pending != "" {
		line("to deploy", "%s", one.Pending)
	}
	for _, id := range one.Direct {
		line("direct", "%s: the next arc deploy puts it right", s.paint(yellow, id))
	}
	if h := one.Health; h != nil {
		text := fmt.Sprintf("%s in %d minutes", count(h.Invocations, "call"), h.Minutes)
		bad := h.Errors + h.Throttles
		if bad > 0 {
			text += s.paint(red, fmt.Sprintf(", %s, %s", count(h.Errors, "error"), count(h.Throttles, "throttle"))) + ": " + strings.Join(h.Failing[:min(3, len(h.Failing))], ", ")
		} else {
			text += ", no error"
		}
		line("health", "%s", text)
		waiting := 0
		for _, n := range h.DeadLetters {
			waiting += n
		}
		if waiting > 0 {
			line("", "%s: arc data lists them", s.paint(yellow, count(waiting, "dead letter")))
		}
	}
	if one.DriftLooked {
		if len(one.Drift) == 0 {
			line("drift", "none that CloudFormation can see")
		}
		for _, d := range one.Drift {
			what := strings.Join(d.Properties, ", ")
			if d.Gone {
				what = "was deleted"
			}
			line("drift", "%s %s", s.paint(yellow, d.LogicalID), what)
		}
	}
	for _, u := range one.Unknown {
		line("not known", "%s", plainText(u, "\n"+strings.Repeat(" ", 14)))
	}
	return b.String()
}

// stateWords say what CloudFormation's word for a stack's state means.
func stateWords(status string) (words, color string) {
	switch {
	case status == "CREATE_COMPLETE" || status == "UPDATE_COMPLETE" || status == "IMPORT_COMPLETE":
		return "deployed", green
	case strings.HasSuffix(status, "ROLLBACK_COMPLETE"):
		return "as before a deploy that failed (" + status + ")", yellow
	case strings.HasSuffix(status, "IN_PROGRESS"):
		return "being changed (" + status + ")", cyan
	}
	return "stuck (" + status + ")", red
}

// ago is a span of time in words, roughly.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return count(int(d.Minutes()), "minute") + " ago"
	case d < 48*time.Hour:
		return count(int(d.Hours()), "hour") + " ago"
	}
	return count(int(d.Hours()/24), "day") + " ago"
}

// sourceOf is the commit that a folder is at, as far as git knows one.
func sourceOf(ctx context.Context, dir string) deploy.Source {
	from := deploy.Source{Arc: versionText()}
	commit, err := revision.Git(ctx, dir, "rev-parse", "--verify", "HEAD")
	if err != nil {
		return from
	}
	from.Commit = strings.TrimSpace(commit)
	changed, err := revision.Git(ctx, dir, "status", "--porcelain", "--", ".")
	from.Dirty = err != nil || strings.TrimSpace(changed) != ""
	return from
}
