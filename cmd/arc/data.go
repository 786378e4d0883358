package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/registry"
	"arc/deploy"
	"arc/deploy/queues"
	"arc/sandbox"

	"github.com/urfave/cli/v2"
)

func (s *session) dataCommand() *cli.Command {
	every := []storedKind{storedTable, storedQueue, storedBucket}
	fixtures := []storedKind{storedTable, storedBucket}
	return &cli.Command{
		Name:        "data",
		Usage:       "look at tables, buckets and dead letters, fill and empty them",
		Description: dataHelp,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "stage"},
			&cli.StringFlag{Name: "name"},
			&cli.BoolFlag{Name: "local"},
		},
		Subcommands: []*cli.Command{
			s.dataOf("show", "TABLE|BUCKET|QUEUE", "print items, objects or dead letters as JSON, one a line", every, s.show),
			s.dataOf("export", "TABLE|BUCKET", "print a table's items as DynamoDB has them, or a bucket's objects", fixtures, s.export),
			s.dataOf("import", "TABLE|BUCKET", "put what was exported, from a file or stdin", fixtures, s.importData),
			s.dataOf("reset", "TABLE|BUCKET|QUEUE", "delete all items, objects or messages", every, s.reset),
			s.dataOf("redrive", "QUEUE", "try again what a dead-letter queue holds", []storedKind{storedQueue}, s.redrive),
		},
		Action: func(ctx *cli.Context) error {
			if err := noWords(ctx); err != nil {
				return err
			}
			return s.withData(ctx, func(d *data) error { return s.listData(ctx.Context, d) })
		},
	}
}

const dataHelp = `Usage: arc data
       arc data show TABLE|BUCKET|QUEUE
       arc data export TABLE|BUCKET > FILE
       arc data import TABLE|BUCKET [FILE]
       arc data reset TABLE|BUCKET|QUEUE
       arc data redrive QUEUE

Works on what the project's local cloud holds, which is started for as long as
that takes when it does not run. TABLE, BUCKET and QUEUE are a name, or a part
of it that no other has: notes, JobsDeadLetter.

Of queues, show and redrive take those that keep dead letters. What a queue's
function failed on goes back to that queue; what came by an event or a schedule
is given to its function here and now, and stays where that fails again.

Flags:
      --stage STAGE the queues of the deployed staging or production; its
                    tables are left to other tools
      --name NAME   of a further stack of the stage
      --local       with --stage: as arc deploy --local deployed it

Examples:
  arc data
  arc data show notes
  arc data export notes > test/notes.jsonl
  arc data reset notes && arc data import notes test/notes.jsonl
  arc data show jobsdead --stage production
  arc data redrive jobsdead --stage production

Exit codes: 0 done, 1 an error, or something failed again.`

// data is where arc data works.
type data struct {
	p       *project
	clients deploy.Clients
	stage   string // whose stack's queues alone; "" = all of the local cloud
	name    string
}

// local tells that all of the local cloud is meant.
func (d *data) local() bool { return d.stage == "" }

// storedKind is what holds data.
type storedKind string

const (
	storedTable  storedKind = "table"
	storedBucket storedKind = "bucket"
	storedQueue  storedKind = "queue"
)

// stored is a table, a bucket or a queue.
type stored struct {
	storedKind
	name string
	url  string // of a queue
}

func (s *session) dataOf(name, of, usage string, kinds []storedKind, do func(context.Context, *data, stored, *cli.Context) error) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, OnUsageError: usageError,
		Description: "Usage: arc data " + name + " " + of + "\n\n" + dataHelp,
		Action: func(ctx *cli.Context) error {
			return s.withData(ctx, func(d *data) error {
				found, err := s.findStored(ctx.Context, d, ctx.Args().First(), name, kinds)
				if err != nil {
					return err
				}
				return do(ctx.Context, d, found, ctx)
			})
		},
	}
}

// withData connects to the local cloud, or to where a stage is deployed.
func (s *session) withData(ctx *cli.Context, do func(*data) error) error {
	d := &data{stage: ctx.String("stage"), name: ctx.String("name")}
	switch {
	case d.stage == "" && (d.name != "" || ctx.Bool("local")):
		return withHint(errors.New("--name and --local go with --stage"), "arc data --stage staging")
	case d.stage != "" && !slices.Contains([]string{"staging", "production", cfn.StagePreview}, d.stage):
		return withHint(fmt.Errorf("--stage %s: no such stage", d.stage), "staging, production, or preview with the --name of one")
	}
	p, err := s.openWith(&project{looking: true})
	if err != nil {
		return err
	}
	defer p.close()
	d.p = p
	if d.stage != "" {
		if d.clients, err = s.connectLocal(ctx.Context, p, ctx.Bool("local")); err != nil {
			return err
		}
		return do(d)
	}
	registry, err := s.registry()
	if err != nil {
		return err
	}
	running, err := registry.Find(ctx.Context, p.dir)
	if err != nil {
		return err
	}
	if running == nil {
		quiet := *s
		quiet.stderr = io.Discard
		own, err := quiet.startCloud(p, registry, cloudFlags{
			// Functions run for dead letters alone.
			asleep: ctx.Command.Name != "redrive", silent: true,
		})
		if errors.Is(err, sandbox.ErrRunning) {
			return withHint(errors.New("the local cloud is just starting"), "try again in a moment")
		}
		if err != nil {
			return err
		}
		defer own.Close()
		r := own.Running()
		running = &r
	}
	if d.clients, err = deploy.Connect(ctx.Context, deploy.ConnectOptions{Region: p.app.AWS.Region, Endpoint: running.Endpoint, Cloud: running.ID()}); err != nil {
		return err
	}
	return do(d)
}

// all lists the tables, buckets and queues, in this order.
func (d *data) all(ctx context.Context, kinds []storedKind) (list []stored, err error) {
	var names, buckets, urls []string
	if d.local() && slices.Contains(kinds, storedTable) {
		if names, err = d.clients.Tables.Names(ctx); err != nil {
			return nil, err
		}
	}
	if d.local() && slices.Contains(kinds, storedBucket) {
		if buckets, err = d.clients.Objects.ListBuckets(ctx); err != nil {
			return nil, err
		}
	}
	switch {
	case !slices.Contains(kinds, storedQueue):
	case d.local():
		urls, err = d.clients.Queues.URLs(ctx)
	default:
		var found map[string]string
		found, err = d.clients.Resources(ctx, d.stackName(d.stage), registry.SQSQueue)
		urls = slices.Sorted(maps.Values(found))
	}
	for _, name := range names {
		list = append(list, stored{storedTable, name, ""})
	}
	for _, name := range buckets {
		list = append(list, stored{storedBucket, name, ""})
	}
	for _, url := range urls {
		list = append(list, stored{storedQueue, queues.NameOf(url), url})
	}
	return list, err
}

func (d *data) stackName(stage string) string { return cfn.StackName(d.p.app.Name, stage, d.name) }

// findStored finds the one table, bucket or queue that a word means. Where a part of a
// name is that of a queue and of its dead letters, show and redrive mean these.
func (s *session) findStored(ctx context.Context, d *data, word, command string, kinds []storedKind) (stored, error) {
	what := string(kinds[0])
	for i, kind := range kinds[1:] {
		what += map[bool]string{true: " or ", false: ", "}[i == len(kinds)-2] + string(kind)
	}
	switch {
	case word == "":
		return stored{}, withHint(fmt.Errorf("arc data: the %s is missing", what), "arc data lists them")
	case !d.local() && (command == "reset" || !slices.Contains(kinds, storedQueue)):
		return stored{}, withHint(fmt.Errorf("arc data %s works on the local cloud alone", command), "leave --stage out; aws dynamodb, aws s3 and aws sqs reach what is deployed")
	}
	all, err := d.all(ctx, kinds)
	if err != nil {
		return stored{}, err
	}
	var found []stored
	for _, one := range all {
		if one.name == word {
			return one, nil
		}
		name, part := strings.ToLower(one.name), strings.ToLower(word)
		if strings.Contains(name, part) || strings.Contains(name, strings.ReplaceAll(part, "-", "")) {
			found = append(found, one)
		}
	}
	if len(found) > 1 && (command == "show" || command == "redrive") {
		var kept []stored
		for _, one := range found {
			if one.storedKind == storedQueue {
				q, err := d.clients.Queues.Describe(ctx, one.url)
				if err != nil {
					return stored{}, err
				}
				if q.DeadLetters != "" {
					continue
				}
			}
			kept = append(kept, one)
		}
		if len(kept) > 0 {
			found = kept
		}
	}
	var names []string
	for _, one := range found {
		names = append(names, one.name)
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return stored{}, withHint(fmt.Errorf("%s is a part of several names: %s", word, strings.Join(names, ", ")), "say more of the name")
	case !d.local():
		return stored{}, withHint(fmt.Errorf("the stack %s has no queue %s", d.stackName(d.stage), word), "arc data --stage %s lists them", d.stage)
	}
	return stored{}, withHint(fmt.Errorf("the local cloud has no %s %s", what, word), "arc data lists them; arc sandbox makes those of the manifest")
}

func (s *session) listData(ctx context.Context, d *data) error {
	all, err := d.all(ctx, []storedKind{storedTable, storedBucket, storedQueue})
	if err != nil {
		return err
	}
	described := map[string]queues.Queue{}
	dead := map[string]bool{} // ARNs of dead-letter queues
	for _, one := range all {
		if one.storedKind != storedQueue {
			continue
		}
		q, err := d.clients.Queues.Describe(ctx, one.url)
		if err != nil {
			return fmt.Errorf("queue %s: %w", one.name, err)
		}
		described[one.url], dead[q.DeadLetters] = q, true
	}
	for _, one := range all {
		line := ""
		if q, is := described[one.url]; is {
			line = fmt.Sprintf("%8d  %s  %s", q.All(), one.name, queueNote(q, dead[q.ARN]))
		} else if one.storedKind == storedBucket {
			n, err := countObjects(ctx, d.clients, one.name)
			if err != nil {
				return err
			}
			line = fmt.Sprintf("%8d  %s  bucket", n, one.name)
		} else {
			n, err := d.clients.Tables.Count(ctx, one.name)
			if err != nil {
				return fmt.Errorf("table %s: %w", one.name, err)
			}
			line = fmt.Sprintf("%8d  %s", n, one.name)
		}
		if _, err := fmt.Fprintln(s.stdout, line); err != nil {
			return err
		}
	}
	switch {
	case len(all) == 0 && d.local():
		s.note("the local cloud has no tables, buckets and queues; arc sandbox makes those of the manifest")
	case len(all) == 0:
		s.note("the stack %s has no queues", d.stackName(d.stage))
	}
	return nil
}

// queueNote says what a queue is for, and where its messages are.
func queueNote(q queues.Queue, dead bool) string {
	note := "queue"
	if dead || strings.Contains(q.Name, "DeadLetter") {
		note = "dead letters"
	}
	if q.InFlight > 0 {
		note += fmt.Sprintf(", %d in flight", q.InFlight)
	}
	if q.Delayed > 0 {
		note += fmt.Sprintf(", %d delayed", q.Delayed)
	}
	return note
}

func (s *session) show(ctx context.Context, d *data, found stored, c *cli.Context) error {
	switch found.storedKind {
	case storedTable:
		return s.showTable(ctx, d.clients, found.name, c)
	case storedBucket:
		return s.showBucket(ctx, d.clients, found.name)
	}
	return s.showQueue(ctx, d, found)
}

func (s *session) export(ctx context.Context, d *data, found stored, c *cli.Context) error {
	if found.storedKind == storedBucket {
		return s.exportBucket(ctx, d.clients, found.name)
	}
	return s.exportTable(ctx, d.clients, found.name, c)
}

// importData reads a file, or stdin where none is named.
func (s *session) importData(ctx context.Context, d *data, found stored, c *cli.Context) error {
	from, name := s.stdin, "stdin"
	if c.Args().Len() > 1 {
		name = c.Args().Get(1)
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		from = file
	}
	if found.storedKind == storedBucket {
		return s.importBucket(ctx, d.clients, found.name, name, from)
	}
	return s.importTable(ctx, d.clients, found.name, name, from)
}

func (s *session) reset(ctx context.Context, d *data, found stored, c *cli.Context) error {
	switch found.storedKind {
	case storedTable:
		return s.resetTable(ctx, d.clients, found.name, c)
	case storedBucket:
		return s.resetBucket(ctx, d.clients, found.name)
	}
	return s.resetQueue(ctx, d, found)
}
