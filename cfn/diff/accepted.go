package diff

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Acceptance is a danger that is known and accepted, for a reason and until a day.
type Acceptance struct {
	Rule      Rule
	Resources string // logical IDs with commas between them; "-" = it is of no resource
	// Rights tells which rights are accepted: a fingerprint of what is said of
	// them. The same rule for the same role may mean others tomorrow.
	Rights  string
	Until   string // the last day, "2027-01-31"
	Because string
}

// ParseAccepted reads a file of acceptances, one a line:
//
//	RULE LOGICAL-ID[,LOGICAL-ID] [#RIGHTS] until YYYY-MM-DD because REASON
//
// Empty lines and those that begin with # are comments. All mistakes are told.
func ParseAccepted(file, text string) ([]Acceptance, error) {
	all, err := Explanations()
	if err != nil {
		return nil, err
	}
	var out []Acceptance
	var mistakes []string
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		head, because, reasoned := strings.Cut(line, " because ")
		words := strings.Fields(head)
		a := Acceptance{Because: strings.TrimSpace(because)}
		if len(words) == 5 && strings.HasPrefix(words[2], "#") {
			a.Rights = words[2][1:]
			words = slices.Delete(words, 2, 3)
		}
		if len(words) != 4 || words[2] != "until" || !reasoned || a.Because == "" {
			mistakes = append(mistakes, fmt.Sprintf("%s:%d: not RULE LOGICAL-ID until YYYY-MM-DD because REASON", file, i+1))
			continue
		}
		a.Rule, a.Resources, a.Until = Rule(words[0]), words[1], words[3]
		if !slices.ContainsFunc(all, func(e Explanation) bool { return e.Rule == a.Rule }) {
			mistakes = append(mistakes, fmt.Sprintf("%s:%d: %s is no rule; arc diff --explain all lists them", file, i+1, a.Rule))
		}
		if _, err := time.Parse(time.DateOnly, a.Until); err != nil {
			mistakes = append(mistakes, fmt.Sprintf("%s:%d: %s is no day: write it as 2027-01-31", file, i+1, a.Until))
		}
		out = append(out, a)
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("%s", strings.Join(mistakes, "\n"))
	}
	return out, nil
}

// AcceptedRisk is a risk that somebody accepted.
type AcceptedRisk struct {
	Risk
	Until   string `json:"until"`
	Because string `json:"because"`
}

// accept takes the risks out of items that are accepted. What an acceptance no
// longer covers is said among the limits.
func (r *reviewer) accept(items []Item) {
	for i := range items {
		it := &items[i]
		var left []Risk
		for _, risk := range it.Risks {
			a := r.acceptanceOf(*it, risk)
			if a == nil {
				left = append(left, risk)
				continue
			}
			it.Accepted = append(it.Accepted, AcceptedRisk{risk, a.Until, a.Because})
		}
		it.Risks = left
	}
}

// acceptanceOf is the acceptance that covers a risk; nil = none does.
func (r *reviewer) acceptanceOf(it Item, risk Risk) *Acceptance {
	for _, a := range r.opts.Accepted {
		if a.Rule != risk.Rule || !a.covers(it.Resources) {
			continue
		}
		print := rightsPrint(it, risk)
		switch {
		case r.opts.Now.UTC().Format(time.DateOnly) > a.Until:
			r.lapsed = append(r.lapsed, fmt.Sprintf("%s of %s was accepted until %s, and is no more", a.Rule, a.Resources, a.Until))
		case (risk.Class == Rights || risk.Class == Exposure) && a.Rights != print:
			r.lapsed = append(r.lapsed, fmt.Sprintf("%s of %s is accepted for other rights than these, which are #%s", a.Rule, a.Resources, print))
		default:
			return &a
		}
	}
	return nil
}

// covers reports whether an acceptance names all resources of an item.
func (a Acceptance) covers(resources []string) bool {
	if a.Resources == "-" {
		return len(resources) == 0
	}
	named := strings.Split(a.Resources, ",")
	for _, id := range resources {
		if !slices.Contains(named, id) {
			return false
		}
	}
	return len(resources) > 0
}

// rightsPrint is what tells the rights of an item from others.
func rightsPrint(it Item, risk Risk) string {
	sum := sha256.Sum256([]byte(string(risk.Rule) + "\x00" + risk.Text + "\x00" + strings.Join(it.Details, "\x00")))
	return hex.EncodeToString(sum[:4])
}
