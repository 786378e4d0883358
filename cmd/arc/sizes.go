package main

import (
	"encoding/json"
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
func (s *session) printSizes(b *build, asJSON bool) error {
	type zip struct {
		label  string
		bundle *source.Bundle
	}
	var zips []zip
	for key, bundle := range b.bundles {
		zips = append(zips, zip{b.labels[key], bundle})
	}
	slices.SortFunc(zips, func(a, b zip) int { return strings.Compare(a.label, b.label) })
	if asJSON {
		list := []zipSizes{}
		for _, z := range zips {
			list = append(list, sizesOf(z.label, z.bundle))
		}
		text, err := json.MarshalIndent(list, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(s.stdout, string(text))
		return err
	}
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

// zipSizes is what arc package --sizes --json prints of a zip. Sizes are bytes
// unpacked.
type zipSizes struct {
	Name     string        `json:"name"`
	Size     int64         `json:"size"`
	Code     int64         `json:"code"` // all but packages
	Packages []packageSize `json:"packages"`
	Runtime  []string      `json:"runtime"` // packages that Lambda's runtime has instead
}

type packageSize struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
	By   string `json:"by,omitempty"` // who asks for it
}

func sizesOf(label string, bundle *source.Bundle) zipSizes {
	packages, code := bundle.Packages()
	z := zipSizes{Name: label, Size: bundle.Size(), Code: code, Packages: []packageSize{}, Runtime: []string{}}
	for _, p := range packages {
		z.Packages = append(z.Packages, packageSize(p))
	}
	z.Runtime = slices.AppendSeq(z.Runtime, maps.Keys(bundle.Runtime))
	slices.Sort(z.Runtime)
	return z
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
