package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"arc/deploy"
	"arc/deploy/tables"

	"github.com/urfave/cli/v2"
)

// printLines prints a value a line.
func (s *session) printLines(ctx context.Context, clients deploy.Clients, table string, spell func(tables.Item) (any, error)) error {
	out := bufio.NewWriter(s.stdout)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	err := clients.Tables.Items(ctx, table, func(items []tables.Item) error {
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

func (s *session) showTable(ctx context.Context, clients deploy.Clients, table string, _ *cli.Context) error {
	return s.printLines(ctx, clients, table, func(item tables.Item) (any, error) { return tables.Plain(item) })
}

// exportTable prints lines of the form that DynamoDB's own exports have.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
func (s *session) exportTable(ctx context.Context, clients deploy.Clients, table string, _ *cli.Context) error {
	return s.printLines(ctx, clients, table, func(item tables.Item) (any, error) { return map[string]any{"Item": item}, nil })
}

func (s *session) importTable(ctx context.Context, clients deploy.Clients, table, name string, from io.Reader) error {
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
	if err := clients.Tables.Put(ctx, table, items); err != nil {
		return fmt.Errorf("table %s: %w", table, err)
	}
	s.note("put %d item%s into %s", len(items), plural(len(items)), table)
	return nil
}

func (s *session) resetTable(ctx context.Context, clients deploy.Clients, table string, _ *cli.Context) error {
	n, err := clients.Tables.Empty(ctx, table)
	if err != nil {
		return fmt.Errorf("table %s: %w", table, err)
	}
	s.note("deleted %d item%s of %s", n, plural(n), table)
	return nil
}
