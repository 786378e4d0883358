package face

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"

	"arc/cfn/cost"
	"arc/cfn/diff"
	"arc/cfn/diff/compare"
)

// Graph is a picture of the app, as SVG.
type Graph struct {
	Title string
	SVG   []byte
}

// page is parsed when the first HTML is asked for.
//
//go:embed page.html
var page string

// HTML prints a review as one page that needs nothing else: no script, no
// request. Graphs are shown as images, in which nothing runs.
func HTML(w io.Writer, r *diff.Review, graphs []Graph) error {
	t, err := template.New("page").Parse(page)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, pageOf(r, graphs)); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// What the page shows; every text has passed visible.
type (
	pageData struct {
		Title, Sides, Headline, VerdictClass, Summary string
		Dangers                                       []pageRisk // every risk, the gravest first
		Limits                                        []string
		Graphs                                        []pageGraph
		Groups                                        []pageGroup
		Changes                                       []pageChange
		Cost                                          *pageCost
	}
	pageCost struct {
		Title string
		Parts []pageCostPart
	}
	// pageCostPart is a sentence about the estimate, with the changes below it.
	pageCostPart struct {
		Text  string
		Lines []costLine
	}
	pageGraph struct {
		Title, Alt string
		Source     template.URL
	}
	pageGroup struct {
		Name  string
		Items []pageItem
	}
	pageItem struct {
		Action                  compare.Action
		Subject, Text, Position string
		Details                 []string
		Risks                   []pageRisk
	}
	pageRisk struct {
		Class          diff.Class
		Rule           diff.Rule
		Text, Position string
		Accepted       string
		Danger         bool
	}
	pageChange struct {
		Action          compare.Action
		LogicalID, Type string
		Lines           []string
	}
)

func pageOf(r *diff.Review, graphs []Graph) pageData {
	d := pageData{
		Title: visible(r.Stack), Headline: r.Headline(), Summary: Summary(r.Changes), Limits: r.Limits,
		VerdictClass: verdictClass(r.Verdict),
	}
	if d.Title == "" {
		d.Title = "arc diff"
	}
	if r.Before != "" && r.After != "" {
		d.Sides = visible(r.Before + " → " + r.After)
	}
	for _, risk := range risksOf(r) {
		entry := pageRisk{Class: risk.Class, Rule: risk.Rule, Text: visible(risk.Text), Accepted: visible(risk.accepted), Danger: risk.Class.Dangerous() && risk.accepted == ""}
		if risk.at != nil {
			entry.Position = visible(risk.at.String())
		}
		d.Dangers = append(d.Dangers, entry)
	}
	for _, g := range graphs {
		d.Graphs = append(d.Graphs, pageGraph{visible(g.Title), "picture of the app: " + visible(g.Title), template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(g.SVG))})
	}
	for _, g := range r.Groups {
		group := pageGroup{Name: g.Name}
		for _, it := range g.Items {
			item := pageItem{Action: it.Action, Subject: visible(it.Subject), Text: visible(it.Text)}
			if it.Position != nil {
				item.Position = visible(it.Position.String())
			}
			for _, text := range it.Details {
				item.Details = append(item.Details, visible(text))
			}
			for _, risk := range it.Risks {
				item.Risks = append(item.Risks, pageRisk{Class: risk.Class, Rule: risk.Rule, Text: visible(risk.Text), Danger: risk.Class.Dangerous()})
			}
			group.Items = append(group.Items, item)
		}
		d.Groups = append(d.Groups, group)
	}
	if r.Cost != nil {
		d.Cost = pageCostOf(r.Cost)
	}
	for _, c := range r.Changes {
		change := pageChange{Action: c.Action, LogicalID: visible(c.LogicalID), Type: visible(c.Type + bringer(c))}
		for _, p := range c.Properties {
			change.Lines = append(change.Lines, visible(strings.Trim(p.Path, "()")+": "+compare.Arrow(p)))
		}
		d.Changes = append(d.Changes, change)
	}
	return d
}

func pageCostOf(d *cost.Delta) *pageCost {
	page := &pageCost{Title: visible(costTitle(d))}
	for _, l := range costLines(d) {
		if l.Action == "" {
			page.Parts = append(page.Parts, pageCostPart{Text: visible(l.Text)})
			continue
		}
		last := &page.Parts[len(page.Parts)-1] // a sentence comes first
		last.Lines = append(last.Lines, costLine{l.Action, visible(l.Subject), l.Text, l.Detail})
	}
	return page
}

// verdictClass is how a verdict is painted: one that is not known as a danger.
func verdictClass(v diff.Verdict) string {
	if v == diff.Uncertain {
		v = diff.Dangerous
	}
	return strings.ReplaceAll(string(v), " ", "-")
}
