package main

import (
	"fmt"
	"strconv"
	"strings"

	"arc/manifest/inventory"

	"github.com/urfave/cli/v2"
)

func (s *session) inventoryCommand() *cli.Command {
	return &cli.Command{
		Name:  "inventory",
		Usage: "list everything the app consists of",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json"}},
		Description: `Usage: arc inventory [--json]

Lists the app as the manifest, config files and preferences together describe
it: functions with their folders, sizes and limits, then queues, schedules,
tables with their keys and indexes, streams, static files, and the names of
environment variables, never their values. Changes nothing and needs no account.

Flags:
      --json  print everything that is known of each, as JSON in the form of
              docs/inventory.schema.json

Examples:
  arc inventory
  arc inventory --json | jq -r '.functions[] | select(.timeout > 30) | .id'

Exit codes: 0 listed, 1 the project has mistakes.`,
		Action: func(ctx *cli.Context) error {
			if err := noWords(ctx); err != nil {
				return err
			}
			p, err := s.open()
			if err != nil {
				return err
			}
			defer p.close()
			if ctx.Bool("json") {
				return s.printJSON(inventory.Of(p.app))
			}
			return s.printInventory(inventory.Of(p.app))
		},
	}
}

// printInventory prints the tables that have rows.
func (s *session) printInventory(inv inventory.Inventory) error {
	bolder := func(text string) string {
		if !wantsColor(s.stdout, s.env) {
			return text
		}
		return "\x1b[" + bold + "m" + text + "\x1b[0m"
	}
	for i, t := range []table{
		projectTable(inv), functionTable(inv), queueTable(inv), scheduleTable(inv), tableTable(inv),
		streamTable(inv), staticTable(inv), environmentTable(inv),
	} {
		if len(t.rows) == 0 {
			continue
		}
		if i > 0 {
			if _, err := fmt.Fprintln(s.stdout); err != nil {
				return err
			}
		}
		if err := t.print(s.stdout, bolder); err != nil {
			return err
		}
	}
	return nil
}

func projectTable(inv inventory.Inventory) table {
	t := table{header: []string{"app", inv.App}}
	manifestFile := inv.Manifest
	if manifestFile == "" {
		manifestFile = "none: the default project"
	}
	t.add("  manifest", manifestFile)
	t.add("  region", inv.AWS.Region)
	if inv.AWS.Profile != "" {
		t.add("  profile", inv.AWS.Profile)
	}
	if inv.AWS.Bucket != "" {
		t.add("  artifact bucket", inv.AWS.Bucket)
	}
	t.add("  logs", strconv.Itoa(inv.AWS.LogDays)+" days")
	if inv.CDN {
		t.add("  cdn", "CloudFront")
	}
	if inv.Proxy != nil {
		t.add("  proxy", "testing "+inv.Proxy.Testing+", staging "+inv.Proxy.Staging+", production "+inv.Proxy.Production)
	}
	if inv.Shared != "" {
		t.add("  shared", inv.Shared)
	}
	if inv.Views != "" {
		t.add("  views", inv.Views)
	}
	return t
}

func functionTable(inv inventory.Inventory) table {
	t := table{
		header: []string{"functions", "folder", "runtime", "memory", "timeout"},
		right:  []bool{false, false, false, true, true},
	}
	pragma := ""
	for _, fn := range inv.Functions {
		if fn.Pragma != pragma {
			pragma = fn.Pragma
			t.add("@" + pragma)
		}
		folder := fn.Folder
		switch {
		case fn.Asset:
			folder = "(arc's own: static files)"
		case !fn.HandlerExists:
			folder += " (no handler)"
		}
		t.add("  "+fn.Name, folder, fn.Runtime, strconv.Itoa(fn.Memory)+" MB", strconv.Itoa(fn.Timeout)+" s")
	}
	return t
}

func queueTable(inv inventory.Inventory) table {
	t := table{header: []string{"queues", "kind", "batch", "window"}, right: []bool{false, false, true, true}}
	for _, q := range inv.Queues {
		kind, batch, window := "standard", "", ""
		if q.Fifo {
			kind = "fifo"
		}
		if q.BatchSize > 0 {
			batch = strconv.Itoa(q.BatchSize)
		}
		if q.BatchWindow > 0 {
			window = strconv.Itoa(q.BatchWindow) + " s"
		}
		t.add("  "+q.Name, kind, batch, window)
	}
	return t
}

func scheduleTable(inv inventory.Inventory) table {
	t := table{header: []string{"schedules", "expression", "timezone"}}
	for _, sc := range inv.Schedules {
		t.add("  "+sc.Name, sc.Expression, sc.Timezone)
	}
	return t
}

func tableTable(inv inventory.Inventory) table {
	t := table{header: []string{"tables", "keys", "settings"}}
	for _, tb := range inv.Tables {
		var settings []string
		if tb.TTL != "" {
			settings = append(settings, "TTL "+tb.TTL)
		}
		for _, is := range []struct {
			on   bool
			word string
		}{{tb.Stream, "stream"}, {tb.Encrypt, "encrypted"}, {tb.PITR, "PITR"}} {
			if is.on {
				settings = append(settings, is.word)
			}
		}
		t.add("  "+tb.Name, keysText(tb.Keys), strings.Join(settings, ", "))
		for _, ix := range tb.Indexes {
			projection := map[string]string{"ALL": "projects all", "KEYS_ONLY": "projects keys"}[ix.Projection]
			if projection == "" {
				projection = "projects " + strings.Join(ix.Attributes, ", ")
			}
			t.add("    index "+ix.Name, keysText(ix.Keys), projection)
		}
	}
	return t
}

// keysText writes keys as the manifest does: * for the partition key, ** for
// the sort key.
func keysText(keys inventory.Keys) string {
	text := keys.Partition.Name + " *" + keys.Partition.Type
	if keys.Sort != nil {
		text += ", " + keys.Sort.Name + " **" + keys.Sort.Type
	}
	return text
}

func streamTable(inv inventory.Inventory) table {
	t := table{header: []string{"streams", "table"}}
	for _, st := range inv.Streams {
		t.add("  "+st.Name, st.Table)
	}
	return t
}

func staticTable(inv inventory.Inventory) table {
	t := table{header: []string{"static", ""}}
	st := inv.Static
	if st == nil {
		return t
	}
	for _, row := range []struct{ key, value string }{
		{"folder", st.Folder}, {"fingerprint", st.Fingerprint}, {"prefix", st.Prefix}, {"compression", st.Compression},
		{"spa", onlyTrue(st.SPA)}, {"prune", onlyTrue(st.Prune)}, {"ignore", strings.Join(st.Ignore, ", ")},
		{"staging bucket", st.Staging}, {"production bucket", st.Production},
	} {
		if row.value != "" {
			t.add("  "+row.key, row.value)
		}
	}
	return t
}

func onlyTrue(b bool) string {
	if b {
		return "true"
	}
	return ""
}

func environmentTable(inv inventory.Inventory) table {
	t := table{header: []string{"environment", "names of variables"}}
	for _, stage := range []string{"testing", "staging", "production"} {
		if names := inv.Environment[stage]; len(names) > 0 {
			t.add("  "+stage, strings.Join(names, ", "))
		}
	}
	return t
}
