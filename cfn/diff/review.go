// Package diff reviews what turns one CloudFormation template into another: what
// changes for the app's people (routes, code, tables, rights) and how dangerous
// that is.
//
// Package values reads the values of templates, compare finds the resources that
// differ and what becomes of them, model reads a template as an app. Compose
// makes a Review of these, a file for each kind of change; the faces print it.
package diff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"arc/cfn"
	"arc/cfn/cost"
	"arc/cfn/diff/compare"
	"arc/cfn/diff/model"
	"arc/cfn/diff/values"
	"arc/cfn/registry"
)

// Review is a comparison in the words of the app's people, with a verdict.
type Review struct {
	Stack    string           `json:"stack"`
	Before   string           `json:"before"` // what the two sides are: "deployed", "working tree"
	After    string           `json:"after"`
	Verdict  Verdict          `json:"verdict"`
	Classes  []ClassCount     `json:"classes"`            // of all risks, the gravest first
	Accepted int              `json:"accepted,omitempty"` // risks that are accepted, and not in Classes
	Groups   []Group          `json:"groups"`             // what changed, by kind; only those with items
	Limits   []string         `json:"limits"`             // what could not be judged
	Changes  []compare.Change `json:"resources"`          // the same as resources, sorted by logical ID
	Cost     *cost.Delta      `json:"cost,omitempty"`
}

// Verdict is what a review comes to.
type Verdict string

// The verdicts.
const (
	NoChanges Verdict = "no changes"
	Safe      Verdict = "safe"
	Dangerous Verdict = "dangerous"
	// Uncertain is that of a change of which nobody here can know what it does.
	Uncertain Verdict = "unknown"
)

// Class is a kind of risk.
type Class string

// The classes, from the gravest.
const (
	DataLoss     Class = "data-loss"    // data is deleted
	Replaced     Class = "replacement"  // what holds data, or what clients address, becomes another one
	Rights       Class = "rights"       // something may do more than before
	Exposure     Class = "exposure"     // something is newly open to the public, or no longer asks who it is
	Refused      Class = "refused"      // CloudFormation or the service will not do it, so the deploy fails
	Unknown      Class = "unknown"      // nobody here can know: a macro or a function of the user's decides
	Protection   Class = "protection"   // a safeguard goes: retention, recovery, encryption
	Interruption Class = "interruption" // something does not answer for a while
	Removal      Class = "removal"      // something that others may use is gone
	Public       Class = "public"       // a further public route of an API that is public already
)

// classes in order; the first of them are dangerous.
var classes = []Class{DataLoss, Replaced, Rights, Exposure, Refused, Unknown, Protection, Interruption, Removal, Public}

// DangerousClasses are those that make a change dangerous unless told otherwise.
func DangerousClasses() []Class { return slices.Clone(classes[:6]) }

// Dangerous reports whether the class is one of DangerousClasses.
func (c Class) Dangerous() bool { return slices.Contains(classes[:6], c) }

// AllClasses lists every class, the gravest first.
func AllClasses() []Class { return slices.Clone(classes) }

// ClassCount is how many risks of a class there are.
type ClassCount struct {
	Class Class `json:"class"`
	Count int   `json:"count"`
}

// Group is the changes of one kind.
type Group struct {
	Name  string `json:"name"` // "Routes"
	Items []Item `json:"items"`
}

// Item is one change as the app's people see it.
type Item struct {
	Action    compare.Action `json:"action"`
	Subject   string         `json:"subject"`        // "get /notes", "table notes"
	Text      string         `json:"text,omitempty"` // what happens to it
	Details   []string       `json:"details,omitempty"`
	Risks     []Risk         `json:"risks,omitempty"`
	Accepted  []AcceptedRisk `json:"accepted,omitempty"`  // risks that are known, and not counted
	Position  *Position      `json:"position,omitempty"`  // its line of the manifest
	Resources []string       `json:"resources,omitempty"` // logical IDs

	functions []string // logical IDs of the functions that it is about
}

// Risk is a reason to look twice.
type Risk struct {
	Rule  Rule   `json:"rule"` // that arc diff --explain explains
	Class Class  `json:"class"`
	Text  string `json:"text"`
}

// Position is a line of the manifest. Lines and columns start at 1.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Plugin string `json:"plugin,omitempty"` // what that line names, and what brought the resource: "plugin search", "macro uploads"
}

// Options tell what templates do not. Every field may be left out.
type Options struct {
	Stack         string
	Before, After string
	Was, Is       Identity                                // of the stack that there is, and of the one that a deploy goes to
	Origin        func(logicalID string) (Position, bool) // of the after side's resources
	Name          func(logicalID string) string           // what the manifest calls a function: "@http get /"
	Code          func(key string) (code Code, ok bool)   // what is in a bundle
	// Packages are the versions that the lock file has of each npm package.
	PackagesBefore, PackagesAfter map[string]string
	Unread                        []string     // nested stacks whose templates are not at hand
	Region                        string       // where the stack is; "" = not known
	Cost                          string       // the region whose prices to estimate with; "" = no estimate
	Values                        []string     // environment variables of which one or more get another value; which ones is not known
	Limits                        []string     // what else could not be compared, and why
	Accepted                      []Acceptance // of the base, or of a file that somebody named
	// Retired says what keeps Lambda from taking a function with a runtime, new or
	// not, and what AWS no longer does for one; nil = not known.
	Retired func(runtime string, create bool) (refused, warning string)
	Now     time.Time                                 // when schedules are looked at; zero = not at all
	Zone    func(name string) (*time.Location, error) // nil = time.LoadLocation
}

// Compose reviews what turns before into after. A nil before means that
// nothing is deployed.
func Compose(before, after *cfn.Document, opts Options) *Review {
	if before == nil {
		before = &cfn.Document{}
	}
	if after == nil {
		after = &cfn.Document{}
	}
	before, after = compare.Plain(before), compare.Plain(after)
	after, assumed := compare.Settle(before, after, opts.Region)
	before, after, unknown, doubtful := compare.Evaluate(before, after, opts.Region)
	after, later := compare.Resettle(before, after, opts.Region)
	assumed = slices.Compact(slices.Sorted(slices.Values(slices.Concat(assumed, later))))
	r := &reviewer{
		opts: opts, before: model.New(before), after: model.New(after),
		changes: map[string]*compare.Change{}, told: map[string]bool{},
		first: len(before.Resources) == 0,
	}
	out := &Review{
		Stack: opts.Stack, Before: opts.Before, After: opts.After, Changes: compare.AddUndecided(compare.Templates(before, after), doubtful, before, after),
		Classes: []ClassCount{}, Groups: []Group{}, Limits: r.limits(unknown, assumed),
	}
	for i := range out.Changes {
		c := &out.Changes[i]
		r.changes[c.LogicalID] = c
		if opts.Origin != nil {
			if at, ok := opts.Origin(c.LogicalID); ok {
				c.Plugin = at.Plugin
			}
		}
	}
	for _, g := range []struct {
		name  string
		items func() []Item
	}{
		{"Stack", r.stack},
		{"Routes", r.routes},
		{"WebSocket actions", r.actions},
		{"Functions", r.functions},
		{"Packages", r.packages},
		{"Environment", r.environment},
		{"Tables", r.tables},
		{"Queues", r.queues},
		{"Topics", r.topics},
		{"Schedules", r.schedules},
		{"Logs", r.logs},
		{"Permissions", r.permissions},
		{"Exposure", r.exposure},
		{"Deployments", r.deployments},
		{"Outputs", r.outputs},
		{"Other resources", r.otherResources},
	} {
		items := g.items()
		r.accept(items)
		if g.name != "Environment" { // whose items are variables
			items = r.alike(g.name, items)
		}
		if len(items) > 0 {
			out.Groups = append(out.Groups, Group{Name: g.name, Items: items})
		}
	}
	out.Limits = append(out.Limits, slices.Compact(r.lapsed)...)
	if opts.Cost != "" {
		out.Cost = r.cost(opts.Cost)
	}
	if len(out.Groups) == 0 && len(out.Changes) > 0 {
		out.Groups = append(out.Groups, Group{Name: "Other resources", Items: r.plainly()})
	}
	out.conceal()
	out.count()
	return out
}

// conceal hides what of any text is a secret by its form.
func (out *Review) conceal() {
	for _, g := range out.Groups {
		for i := range g.Items {
			it := &g.Items[i]
			it.Text = values.Conceal(it.Text)
			for j := range it.Details {
				it.Details[j] = values.Conceal(it.Details[j])
			}
			for j := range it.Risks {
				it.Risks[j].Text = concealRisk(it.Risks[j].Text)
			}
		}
	}
}

// concealRisk hides what of a risk's text is a secret by its form. Before the colon
// stands what the risk is about, which may be called a secret and is none.
func concealRisk(text string) string {
	if subject, rest, ok := strings.Cut(text, ": "); ok && !strings.ContainsAny(subject, "=\"'{") {
		return subject + ": " + values.Conceal(rest)
	}
	return values.Conceal(text)
}

// maxPlain bounds what plainly lists.
const maxPlain = 20

// plainly names the resources that change when there is nothing to say of any:
// a review with changes is never without a word.
func (r *reviewer) plainly() []Item {
	var items []Item
	for _, id := range ids(r.changes) {
		c := r.changes[id]
		it := Item{Action: c.Action, Subject: r.describe(id), Resources: []string{id}}
		if strings.HasPrefix(c.Type, "AWS::IAM::") {
			it.Text = "allows the same as before"
		}
		it.place(r, id)
		items = append(items, it)
	}
	if more := len(items) - maxPlain; more > 0 {
		items = append(items[:maxPlain], Item{Action: compare.Modify, Subject: fmt.Sprintf("%d more", more), Text: "--resources lists them"})
	}
	return items
}

// reviewer holds one review. Each kind of change has a file that adds methods.
type reviewer struct {
	opts          Options
	before, after *model.App
	changes       map[string]*compare.Change // by logical ID
	told          map[string]bool            // logical IDs that an item has
	lapsed        []string                   // acceptances that do not hold
	first         bool                       // nothing was there before
	comings       map[string]bool            // the contents of what comes; nil = not asked for yet
}

// count settles the verdict.
func (out *Review) count() {
	n := map[Class]int{}
	for _, g := range out.Groups {
		for _, it := range g.Items {
			out.Accepted += len(it.Accepted)
			for _, risk := range it.Risks {
				n[risk.Class]++
			}
		}
	}
	for _, c := range classes {
		if n[c] > 0 {
			out.Classes = append(out.Classes, ClassCount{c, n[c]})
		}
	}
	switch {
	case out.Has(classes[:5]):
		out.Verdict = Dangerous
	case out.Has([]Class{Unknown}):
		out.Verdict = Uncertain
	case len(out.Changes) == 0 && len(out.Groups) == 0:
		out.Verdict = NoChanges
	default:
		out.Verdict = Safe
	}
}

// Has reports whether any risk is of one of the classes.
func (out *Review) Has(list []Class) bool {
	return slices.ContainsFunc(out.Classes, func(c ClassCount) bool { return slices.Contains(list, c.Class) })
}

// item makes an item about resources, with the risks that their changes bear
// and that no item has told yet.
func (r *reviewer) item(action compare.Action, subject, text string, ids ...string) Item {
	it := Item{Action: action, Subject: subject, Text: text}
	for _, id := range ids {
		it.add(r, id)
	}
	return it
}

// add lets the item stand for one more resource.
func (it *Item) add(r *reviewer, id string) {
	if id == "" || slices.Contains(it.Resources, id) {
		return
	}
	it.Resources = append(it.Resources, id)
	if it.Position == nil && r.opts.Origin != nil {
		if p, ok := r.opts.Origin(id); ok {
			it.Position = &p
		}
	}
	if r.told[id] {
		return
	}
	r.told[id] = true
	if c := r.changes[id]; c != nil {
		it.Risks = append(it.Risks, r.risksOf(*c, r.describe(id))...)
	}
}

// limits says what the review cannot see.
func (r *reviewer) limits(conditions, assumed []string) []string {
	out := []string{}
	if len(assumed) > 0 {
		out = append(out, "something is the same as before only where parameters have their defaults: "+few(assumed))
	}
	for _, name := range conditions {
		out = append(out, "the condition "+name+" is another one, and depends on what no template tells: what it brings or takes is not compared")
	}
	for _, path := range r.opts.Unread {
		out = append(out, "the template of the nested stack "+path+" is not at hand: what is in it is not compared")
	}
	for _, id := range r.after.ByType[registry.ApiGatewayRestApi] {
		if r.after.Doc.Resources[id].Properties["BodyS3Location"] != nil {
			out = append(out, "the routes of "+r.describe(id)+" are in a file that the template names, and are not compared")
		}
	}
	if names := respelled(r.before.Doc.Doubtful, r.after.Doc.Doubtful); len(names) > 0 {
		out = append(out, "without quotes, "+few(names)+" may be a number or a text to CloudFormation, which nobody tells: no verdict is from that alone; quotes make it sure")
	}
	if note := r.unknownParts(); note != "" {
		out = append(out, note)
	}
	if names := macrosOf(r.before.Doc, r.after.Doc); len(names) > 0 {
		out = append(out, "a template needs a macro ("+strings.Join(names, ", ")+"), which only CloudFormation runs: what it makes is not compared")
	}
	return slices.Compact(append(out, r.opts.Limits...))
}

func sortItems(items []Item) []Item {
	order := map[compare.Action]int{compare.Add: 0, compare.Modify: 1, compare.Remove: 2}
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(order[a.Action]-order[b.Action], cmp.Compare(a.Subject, b.Subject))
	})
	return items
}

// String is the position as editors take it: "app.arc:3".
func (p Position) String() string {
	place := fmt.Sprintf("%s:%d", p.File, p.Line)
	if p.Plugin != "" {
		place += ", " + p.Plugin
	}
	return place
}

// Headline is the verdict in one line: "dangerous: 1 data-loss, 2 rights".
func (r *Review) Headline() string {
	if len(r.Classes) == 0 && r.Accepted == 0 {
		return string(r.Verdict)
	}
	var parts []string
	for _, c := range r.Classes {
		parts = append(parts, fmt.Sprintf("%d %s", c.Count, c.Class))
	}
	if r.Accepted > 0 {
		parts = append(parts, fmt.Sprintf("%d accepted", r.Accepted))
	}
	return string(r.Verdict) + ": " + strings.Join(parts, ", ")
}

// respelled are the numbers of doubtful spelling that only one of two templates has.
func respelled(before, after map[string]string) []string {
	var names []string
	for _, name := range values.KeysOfBoth(before, after) {
		_, had := before[name]
		if _, has := after[name]; had != has {
			names = append(names, name)
		}
	}
	return names
}
