package face

import (
	"fmt"
	"strings"

	"arc/cfn/cost"
	"arc/cfn/diff/compare"
)

// costLine is a line of the estimate for people: a change, or with no Action
// something about the estimate as a whole.
type costLine struct {
	Action                compare.Action
	Subject, Text, Detail string
}

// costTitle heads the estimate.
func costTitle(d *cost.Delta) string {
	title := "Cost, estimated for " + d.Region
	switch {
	case d.From == "":
	case d.From == d.To:
		title += " at prices of " + d.From
	default:
		title += " at prices of " + d.From + " to " + d.To
	}
	return title
}

// costSummary is the estimate in a few words.
func costSummary(d *cost.Delta) string {
	return "Cost (estimate): " + cost.Signed(d.After-d.Before) + " a month"
}

// costLines writes the estimate. Changes that are alike share a line, so that
// another memory size for a hundred routes is one.
func costLines(d *cost.Delta) []costLine {
	var out []costLine
	changes := len(d.Monthly)+len(d.Million) > 0
	if !changes {
		out = append(out, costLine{Text: "nothing that is estimated changes"})
	}
	if len(d.Monthly) > 0 {
		total := cost.USD(d.Before) + " → " + cost.USD(d.After) + " (" + cost.Signed(d.After-d.Before) + ")"
		out = append(out, costLine{Text: "a month, used or not: " + total})
		out = append(out, foldCosts(d.Monthly)...)
	}
	if len(d.Million) > 0 {
		out = append(out, costLine{Text: "a million calls:"})
		out = append(out, foldCosts(d.Million)...)
	}
	for _, u := range d.NotEstimated {
		text := u.Subject
		if u.Type != "" {
			text += " (" + u.Type + ")"
		}
		out = append(out, costLine{Text: "not estimated: " + text + ": " + u.Why})
	}
	if len(d.Borrowed) > 0 && changes {
		out = append(out, costLine{Text: "priced as in us-east-1: " + strings.ReplaceAll(strings.Join(d.Borrowed, ", "), "-", " ")})
	}
	return append(out,
		costLine{Text: "assumed: " + strings.Join(d.Assumptions, "; ")},
		costLine{Text: "not in it: " + strings.Join(d.LeftOut, ", ")})
}

// shownSubjects is how many names a folded line gives.
const shownSubjects = 3

// foldCosts writes changes, those that are alike on one line.
func foldCosts(changes []cost.Change) []costLine {
	type alike struct {
		action, how   string
		before, after float64
	}
	var order []alike
	subjects := map[alike][]string{}
	for _, c := range changes {
		if compare.Action(c.Action) == compare.Modify && cost.USD(c.Before) == cost.USD(c.After) {
			continue // less than is written
		}
		key := alike{c.Action, c.How, c.Before, c.After}
		if subjects[key] == nil {
			order = append(order, key)
		}
		subjects[key] = append(subjects[key], c.Subject)
	}
	var out []costLine
	for _, key := range order {
		names := subjects[key]
		line := costLine{Action: compare.Action(key.action), Subject: strings.Join(names, ", "), Detail: key.how}
		if more := len(names) - shownSubjects; more > 0 {
			line.Subject = fmt.Sprintf("%s and %d more", strings.Join(names[:shownSubjects], ", "), more)
		}
		switch {
		case line.Action == compare.Add:
			line.Text = cost.USD(key.after)
		case line.Action == compare.Remove && key.after == 0:
			line.Text = "was " + cost.USD(key.before)
		default:
			line.Text = cost.USD(key.before) + " → " + cost.USD(key.after)
		}
		if len(names) > 1 {
			line.Text += " each"
		}
		out = append(out, line)
	}
	return out
}
