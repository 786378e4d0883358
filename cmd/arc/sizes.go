package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"arc/source"
)

// most is how many packages of a zip are named.
const most = 10

// printSizes tells what is in each zip and why: its largest packages, who asks
// for them, and what Lambda's runtime has instead.
func (s *session) printSizes(b *build) error {
	type zip struct {
		label  string
		bundle *source.Bundle
	}
	var zips []zip
	for key, bundle := range b.bundles {
		zips = append(zips, zip{b.labels[key], bundle})
	}
	slices.SortFunc(zips, func(a, b zip) int { return strings.Compare(a.label, b.label) })
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, z := range zips {
		fmt.Fprintf(w, "%s  %s unpacked\n", z.label, bytesText(z.bundle.Size()))
		list, rest := z.bundle.Packages()
		fmt.Fprintf(w, "  %s\town code\t\n", bytesText(rest))
		for i, p := range list {
			if i == most {
				var more int64
				for _, p := range list[most:] {
					more += p.Size
				}
				fmt.Fprintf(w, "  %s\t%d more packages\t\n", bytesText(more), len(list)-most)
				break
			}
			by := p.By
			if by != "" {
				by = "for " + by
			}
			fmt.Fprintf(w, "  %s\t%s\t%s\n", bytesText(p.Size), strings.TrimPrefix(p.Path, "node_modules/"), by)
		}
		for _, name := range slices.Sorted(maps.Keys(z.bundle.Runtime)) {
			fmt.Fprintf(w, "  -\t%s\tin Lambda's runtime\n", name)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(out.String()) {
		if _, err := fmt.Fprintln(s.stdout, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// bytesText words a size as people read it.
func bytesText(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
