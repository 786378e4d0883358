package face

import (
	"slices"
	"strings"

	"arc/cfn/diff"
)

// ranked is a risk with the line that it stands on.
type ranked struct {
	diff.Risk
	at       *diff.Position
	accepted string // why it is not counted; "" = it is
}

// risksOf lists every risk of a review, the gravest class first, and otherwise in
// the order of the review: what a reader is to look at before anything else.
func risksOf(r *diff.Review) []ranked {
	var all []ranked
	for _, g := range r.Groups {
		for _, it := range g.Items {
			for _, risk := range it.Risks {
				// What CloudFormation says is not of what: in the item that follows from
				// where it stands.
				if risk.Class == diff.Refused && !strings.Contains(risk.Text, it.Subject) {
					risk.Text = it.Subject + ": " + risk.Text
				}
				all = append(all, ranked{risk, it.Position, ""})
			}
			for _, risk := range it.Accepted {
				all = append(all, ranked{risk.Risk, it.Position, acceptedText(risk)})
			}
		}
	}
	order := diff.AllClasses()
	slices.SortStableFunc(all, func(a, b ranked) int { return slices.Index(order, a.Class) - slices.Index(order, b.Class) })
	return all
}

// acceptedText says until when and why a risk is accepted.
func acceptedText(risk diff.AcceptedRisk) string {
	return ", accepted until " + risk.Until + ": " + risk.Because
}
