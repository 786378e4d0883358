package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"arc/deploy"
	"arc/deploy/tables"
	"arc/sandbox"

	"github.com/urfave/cli/v2"
)

func (s *session) dataCommand() *cli.Command {
	table := func(name, usage string, do func(context.Context, *tables.Client, string, *cli.Context) error) *cli.Command {
		return &cli.Command{
			Name: name, Usage: usage, OnUsageError: usageError,
			Description: "Usage: arc data " + name + " TABLE\n\n" + dataHelp,
			Action: func(ctx *cli.Context) error {
				return s.withTables(ctx.Context, func(client *tables.Client) error {
					found, err := s.findTable(ctx.Context, client, ctx.Args().First())
					if err != nil {
						return err
					}
					return do(ctx.Context, client, found, ctx)
				})
			},
		}
	}
	return &cli.Command{
		Name:        "data",
		Usage:       "look at the tables of the local cloud, and fill or empty them",
		Description: dataHelp,
		Subcommands: []*cli.Command{
			table("show", "print a table's items as plain JSON, one a line", s.showTable),
			table("export", "print a table's items as DynamoDB has them, one a line", s.exportTable),
			table("import", "put the items of an export, from a file or stdin", s.importTable),
			table("reset", "delete all items of a table", s.resetTable),
		},
		Action: func(ctx *cli.Context) error {
			if err := noWords(ctx); err != nil {
				return err
			}
			return s.withTables(ctx.Context, func(client *tables.Client) error { return s.listTables(ctx.Context, client) })
		},
	}
}

const dataHelp = `Usage: arc data
       arc data show TABLE
       arc data export TABLE > FILE
       arc data import TABLE [FILE]
       arc data reset TABLE

Works on the tables of the project's local cloud, which is started for as long
as that takes when it does not run. TABLE is a table's name, or a part of it
that no other table has: notes, NotesTesting.

Examples:
  arc data
  arc data show notes
  arc data export notes > test/notes.jsonl
  arc data reset notes && arc data import notes test/notes.jsonl

Exit codes: 0 done, 1 an error.`

// withTables connects to the local cloud's tables.
func (s *session) withTables(ctx context.Context, do func(*tables.Client) error) error {
	p, err := s.open()
	if err != nil {
		return err
	}
	defer p.close()
	registry, err := s.registry()
	if err != nil {
		return err
	}
	running, err := registry.Find(ctx, p.dir)
	if err != nil {
		return err
	}
	if running == nil {
		quiet := *s
		quiet.muted = true
		own, err := quiet.startCloud(p, registry, cloudFlags{})
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
	clients, err := deploy.Connect(ctx, deploy.ConnectOptions{Region: p.app.AWS.Region, Endpoint: running.Endpoint, Answered: true})
	if err != nil {
		return err
	}
	return do(clients.Tables)
}

// findTable finds the one table that a word means.
func (s *session) findTable(ctx context.Context, client *tables.Client, word string) (string, error) {
	if word == "" {
		return "", withHint(errors.New("arc data: the table is missing"), "arc data lists them")
	}
	names, err := client.Names(ctx)
	if err != nil {
		return "", err
	}
	var found []string
	for _, name := range names {
		if name == word {
			return name, nil
		}
		if strings.Contains(strings.ToLower(name), strings.ToLower(strings.ReplaceAll(word, "-", ""))) {
			found = append(found, name)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", withHint(fmt.Errorf("the local cloud has no table %s", word), "arc data lists them; arc sandbox makes those of the manifest")
	}
	return "", withHint(fmt.Errorf("%s is a part of several tables' names: %s", word, strings.Join(found, ", ")), "say more of the name")
}

func (s *session) listTables(ctx context.Context, client *tables.Client) error {
	names, err := client.Names(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		n, err := client.Count(ctx, name)
		if err != nil {
			return fmt.Errorf("table %s: %w", name, err)
		}
		if _, err := fmt.Fprintf(s.stdout, "%8d  %s\n", n, name); err != nil {
			return err
		}
	}
	if len(names) == 0 {
		s.note("the local cloud has no tables; arc sandbox makes those of the manifest")
	}
	return nil
}

// printLines prints a value a line.
func (s *session) printLines(ctx context.Context, client *tables.Client, table string, spell func(tables.Item) (any, error)) error {
	out := bufio.NewWriter(s.stdout)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	err := client.Items(ctx, table, func(items []tables.Item) error {
		for _, item := range items {
			value, err := spell(item)
			if err == nil {
				err = enc.Encode(value)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("table %s: %w", table, err)
	}
	return out.Flush()
}

func (s *session) showTable(ctx context.Context, client *tables.Client, table string, _ *cli.Context) error {
	return s.printLines(ctx, client, table, func(item tables.Item) (any, error) { return tables.Plain(item) })
}

// exportTable prints lines of the form that DynamoDB's own exports have.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
func (s *session) exportTable(ctx context.Context, client *tables.Client, table string, _ *cli.Context) error {
	return s.printLines(ctx, client, table, func(item tables.Item) (any, error) { return map[string]any{"Item": item}, nil })
}

func (s *session) importTable(ctx context.Context, client *tables.Client, table string, cli *cli.Context) error {
	from, name := s.stdin, "stdin"
	if cli.Args().Len() > 1 {
		name = cli.Args().Get(1)
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		from = file
	}
	var items []tables.Item
	d := json.NewDecoder(from)
	for {
		var line struct{ Item tables.Item }
		err := d.Decode(&line)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && line.Item == nil {
			err = errors.New(`it has no "Item"`)
		}
		if err != nil {
			return withHint(fmt.Errorf("%s: item %d: %w", name, len(items)+1, err), "arc data export writes what this reads; nothing was put")
		}
		items = append(items, line.Item)
	}
	if err := client.Put(ctx, table, items); err != nil {
		return fmt.Errorf("table %s: %w", table, err)
	}
	s.note("put %d item%s into %s", len(items), plural(len(items)), table)
	return nil
}

func (s *session) resetTable(ctx context.Context, client *tables.Client, table string, _ *cli.Context) error {
	n, err := client.Empty(ctx, table)
	if err != nil {
		return fmt.Errorf("table %s: %w", table, err)
	}
	s.note("deleted %d item%s of %s", n, plural(n), table)
	return nil
}
