package main

import (
	"fmt"
	"slices"
	"strings"

	"arc/cfn"
	"arc/manifest"
	"arc/manifest/syntax"
	"arc/sandbox"
)

// tellRecorded says once which pragmas' resources the local cloud keeps in mind
// and does not run, and what comes of that.
func (s *session) tellRecorded(p *project, st *cfn.Stack, local *sandbox.Cloud) {
	lines := notRun(p.app, st, local.Recorded)
	if p.plugins != nil {
		lines = append(lines, broughtTypes(p.plugins.edits[st.Name], st, local.Recorded)...)
	}
	if text := strings.Join(lines, "; "); text != "" && text != s.notRun {
		s.notRun = text
		s.note("does not run on this machine yet: %s", text)
		s.note("  hint: their resources are made in name only, and nothing reaches or leaves them; the rest of the app works, and a deploy runs all of it")
	}
}

// notRun lists the pragmas of an app of which a resource type is only recorded,
// with the names that they concern: "@queues jobs, mails".
func notRun(app *manifest.App, st *cfn.Stack, recorded func(resourceType string) bool) []string {
	at := map[syntax.Pos]bool{}
	for id, r := range st.Template.Resources {
		if recorded(r.AWSCloudFormationType()) {
			at[st.Origins[id]] = true
		}
	}
	var lines []string
	add := func(pragma string, names []string) {
		if len(names) > 0 {
			lines = append(lines, strings.TrimSuffix("@"+pragma+" "+strings.Join(names, ", "), " "))
		}
	}
	for _, pragma := range []string{"events", "queues", "scheduled", "tables-streams", "ws", "http"} {
		var names []string
		for _, fn := range app.Functions() {
			if fn.Pragma == pragma && !fn.Asset && at[fn.Pos] && !slices.Contains(names, fn.Name) {
				names = append(names, fn.Name)
			}
		}
		add(pragma, names)
	}
	if app.CDN != nil && at[app.CDN.Pos] {
		add("cdn", []string{""})
	}
	return lines
}

// broughtTypes are the types of resources that plugins brought and that are only
// recorded, with the plugins: "AWS::SES::Template (plugin mails)".
func broughtTypes(e *edit, st *cfn.Stack, recorded func(resourceType string) bool) []string {
	if e == nil {
		return nil
	}
	var list []string
	for id, r := range st.Template.Resources {
		if by := e.Bringer("Resources." + id); by != nil && recorded(r.AWSCloudFormationType()) {
			list = append(list, fmt.Sprintf("%s (%s %s)", r.AWSCloudFormationType(), by.Kind(), by.Name))
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(list)))
}
