package cost

import (
	"cmp"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"

	"arc/cfn"
)

// Delta is what a change of an app does to its cost, in US dollars.
type Delta struct {
	Region string `json:"region"`
	// From and To are the days between which the prices were seen.
	From string `json:"pricesFrom,omitempty"`
	To   string `json:"pricesTo,omitempty"`
	// Borrowed lists what is priced as in us-east-1, since the table has no
	// price of the region.
	Borrowed []string `json:"borrowed"`
	// Before and After are what everything that is estimated costs by the month.
	Before float64 `json:"monthlyBefore"`
	After  float64 `json:"monthlyAfter"`
	// Monthly and Million list what differs: what is paid by the month, and
	// what a million calls cost.
	Monthly      []Change  `json:"monthly"`
	Million      []Change  `json:"perMillion"`
	NotEstimated []Unknown `json:"notEstimated"` // of what differs
	Assumptions  []string  `json:"assumptions"`
	LeftOut      []string  `json:"leftOut"`
}

// Change is one cost that differs.
type Change struct {
	Action  string  `json:"action"` // "add", "modify" or "remove"
	Subject string  `json:"subject"`
	Before  float64 `json:"before"`
	After   float64 `json:"after"`
	How     string  `json:"how"` // how the later figure comes about
}

// Compare tells what turns one estimate into another of the same region. name
// gives what people call a resource.
func Compare(before, after *Estimate, name func(logicalID string) string) *Delta {
	c := comparison{before: before, after: after, name: name}
	monthlyBefore, monthlyAfter := known(before.monthly, after), known(after.monthly, before)
	d := &Delta{
		Region: after.prices.region, Borrowed: []string{}, NotEstimated: []Unknown{},
		Monthly: c.changes(monthlyBefore, monthlyAfter),
		Million: c.changes(known(before.million, after), known(after.million, before)),
	}
	for _, e := range []*Estimate{before, after} {
		for _, item := range e.prices.borrowed {
			if !slices.Contains(d.Borrowed, item) {
				d.Borrowed = append(d.Borrowed, item)
			}
		}
		if from := e.prices.from; from != "" && (d.From == "" || from < d.From) {
			d.From = from
		}
		d.To = max(d.To, e.prices.to)
	}
	slices.Sort(d.Borrowed)
	d.Before, d.After = total(monthlyBefore), total(monthlyAfter)
	for _, l := range c.kept {
		d.After = round(d.After + l)
	}
	c.unknown(d)
	d.Assumptions, d.LeftOut = c.assumptions(d)
	return d
}

// known leaves out what the other side cannot tell: a cost that becomes unknown
// is neither saved nor added.
func known(lines map[string]line, other *Estimate) map[string]line {
	out := maps.Clone(lines)
	for key := range other.unknown {
		delete(out, key)
	}
	return out
}

type comparison struct {
	before, after *Estimate
	name          func(string) string
	kept          []float64 // costs of what leaves the stack and stays in the world
}

func (c *comparison) changes(before, after map[string]line) []Change {
	out := []Change{}
	for _, key := range keysOfBoth(before, after) {
		b, had := before[key]
		a, has := after[key]
		one := Change{Action: "modify", Subject: c.subject(key), Before: round(b.usd), After: round(a.usd), How: a.how}
		switch {
		case !had:
			one.Action = "add"
		case !has:
			one.Action, one.How = "remove", b.how
			if c.keeps(key) {
				one.After, one.How = one.Before, b.how+": leaves the stack, is kept and still paid for"
				c.kept = append(c.kept, b.usd)
			}
		case one.Before == one.After:
			continue
		}
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(a, b Change) int { return cmp.Compare(a.Subject, b.Subject) })
	return out
}

// keeps reports whether a resource stays when it leaves the stack.
func (c *comparison) keeps(id string) bool {
	old, had := c.before.app.Doc.Resources[id]
	_, has := c.after.app.Doc.Resources[id]
	return had && !has && strings.HasPrefix(old.DeletionPolicy, "Retain")
}

// subject names what a line is about.
func (c *comparison) subject(key string) string {
	id, use, ofTable := strings.Cut(key, "\x00")
	if ofTable {
		return c.name(id) + ", " + use
	}
	for _, e := range []*Estimate{c.after, c.before} {
		if _, ok := e.app.Doc.Resources[key]; ok {
			return c.name(key)
		}
	}
	return key
}

// unknown lists what cannot be estimated and differs.
func (c *comparison) unknown(d *Delta) {
	for _, key := range keysOfBoth(c.before.unknown, c.after.unknown) {
		old, had := c.before.app.Doc.Resources[key]
		new, has := c.after.app.Doc.Resources[key]
		if had && has && sameResource(old, new) {
			continue
		}
		u, ok := c.after.unknown[key]
		b, was := c.before.unknown[key]
		if !had && !has && ok && was { // a call
			continue
		}
		if !ok {
			u = b
		}
		u.Subject = c.subject(key)
		d.NotEstimated = append(d.NotEstimated, u)
	}
}

func sameResource(a, b cfn.ResourceDef) bool {
	return a.Type == b.Type && a.Condition == b.Condition && reflect.DeepEqual(a.Properties, b.Properties)
}

// assumptions says what the figures rest on, and what is not in them.
func (c *comparison) assumptions(d *Delta) (assumed, leftOut []string) {
	assumed = []string{"a month has 730 hours"}
	leftOut = []string{"free tiers", "data transfer", "what is stored", "logs", "discounts and further tiers", "taxes"}
	changed := map[string]bool{}
	for _, one := range slices.Concat(d.Monthly, d.Million) {
		changed[one.Subject] = true
	}
	met := map[By]bool{}
	for _, e := range []*Estimate{c.before, c.after} {
		for _, call := range e.app.Calls {
			if changed[call.Name] {
				met[call.By] = true
			}
		}
	}
	if len(met) == 0 {
		return assumed, leftOut
	}
	assumed = append(assumed, "a call lasts 100 ms and has a small payload")
	if met[Queue] || met[FIFOQueue] || met[Stream] {
		assumed = append(assumed, "messages of queues and streams come one at a time")
	}
	if met[Message] || met[Session] {
		leftOut = append(leftOut, "the minutes that WebSockets stay open, at "+USD(c.after.prices.of(websocketMinute))+" a million")
	}
	return assumed, leftOut
}

func total(lines map[string]line) float64 {
	sum := 0.0
	for _, key := range keysOfBoth(lines, nil) {
		sum += lines[key].usd
	}
	return round(sum)
}

// round takes off what arithmetic leaves behind the eighth digit.
func round(usd float64) float64 { return math.Round(usd*1e8) / 1e8 }

func keysOfBoth[V any](a, b map[string]V) []string {
	var keys []string
	for k := range a {
		keys = append(keys, k)
	}
	for k := range b {
		if _, both := a[k]; !both {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}
