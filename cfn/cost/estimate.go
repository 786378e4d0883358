// Package cost estimates what a template costs: what is paid by the month, used
// or not, and what a million calls of each route, action, queue, topic and
// stream come to. It knows a small table of prices (prices.txt), and says of
// everything else that it is not estimated.
package cost

import (
	"maps"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/registry"
)

// App is a template with the calls that can happen in it.
type App struct {
	Doc   *cfn.Document
	Calls []Call
}

// Estimate is what an App costs in one region.
type Estimate struct {
	app     App
	prices  *priceList
	monthly map[string]line    // by logical ID, or the name of a schedule
	million map[string]line    // by the name of a call
	unknown map[string]Unknown // by logical ID, or the name of a call
}

// line is one cost.
type line struct {
	usd float64
	how string
}

// Unknown is something whose cost cannot be told.
type Unknown struct {
	Subject string `json:"subject"`
	Type    string `json:"type,omitempty"` // of a resource
	Why     string `json:"why"`
}

// estimator makes an Estimate.
type estimator struct {
	doc    *cfn.Document
	scope  cfn.Scope
	prices *priceList
	ready  map[string]bool // functions with instances that are kept ready
}

// Of estimates an app in a region ("eu-west-1").
func Of(app App, region string) *Estimate {
	if app.Doc == nil {
		app.Doc = &cfn.Document{}
	}
	prices := newPriceList(region)
	e := &estimator{doc: app.Doc, scope: scopeOf(app.Doc, region), prices: prices, ready: map[string]bool{}}
	out := &Estimate{app: app, prices: prices, monthly: map[string]line{}, million: map[string]line{}, unknown: map[string]Unknown{}}
	ids := slices.Sorted(maps.Keys(app.Doc.Resources))
	for _, id := range ids {
		e.estimate(id, out)
	}
	for _, c := range app.Calls {
		if e.exists(app.Doc.Resources[c.Function]) {
			e.call(c, out)
		}
	}
	for _, id := range ids {
		if def := app.Doc.Resources[id]; def.Type == registry.DynamoDBTable && e.exists(def) {
			e.tableUse(id, out)
		}
	}
	return out
}

// exists reports whether a resource is made: its condition may forbid it.
func (e *estimator) exists(def cfn.ResourceDef) bool {
	if def.Condition == "" {
		return true
	}
	yes, err := cfn.EvalCondition(def.Condition, e.scope)
	return yes || err != nil
}

// estimate prices what a resource costs by the month.
func (e *estimator) estimate(id string, out *Estimate) {
	def := e.doc.Resources[id]
	price := chargeOf(def.Type)
	known := price != nil
	if !known && registry.IsFree(def.Type) {
		return
	}
	var c charge
	why := "its type is not in the table of prices"
	if known {
		var err error
		if c, err = price(resource{e, id, def}); err != nil {
			why = reason(err)
			known = false
		}
	}
	if def.Condition != "" && (!known || c.usd > 0) {
		yes, err := cfn.EvalCondition(def.Condition, e.scope)
		if err == nil && !yes {
			return
		}
		if err != nil {
			known, why = false, "whether it is made is known only when it is deployed"
		}
	}
	if !known {
		out.unknown[id] = Unknown{Subject: id, Type: def.Type, Why: why}
		return
	}
	if c.usd == 0 {
		return
	}
	out.monthly[id] = line{c.usd, c.how}
	if def.Type == registry.LambdaAlias || def.Type == registry.LambdaVersion {
		for _, fn := range cfn.References(def.Properties["FunctionName"]) {
			e.ready[fn] = true
		}
	}
}

// reason is the last part of an error: where in the template it is says the
// resource.
func reason(err error) string {
	text := err.Error()
	return strings.TrimSpace(text[strings.LastIndex(text, ": ")+1:])
}

// call prices a million calls, or what a schedule comes to in a month.
func (e *estimator) call(c Call, out *Estimate) {
	parts, err := e.parts(c)
	if err != nil {
		out.unknown[c.Name] = Unknown{Subject: c.Name, Why: reason(err)}
		return
	}
	if len(parts) == 0 {
		return
	}
	l := line{}
	var names []string
	for _, p := range parts {
		l.usd += p.usd
		names = append(names, p.name+" "+USD(p.usd))
	}
	l.how = strings.Join(names, " + ")
	if c.By != Schedule && c.By != Rule {
		out.million[c.Name] = l
		return
	}
	if c.Invocations < 0 {
		out.unknown[c.Name] = Unknown{Subject: c.Name, Why: "how often it fires in a month is not known"}
		return
	}
	if c.Invocations > 0 {
		out.monthly[c.Name] = line{l.usd / million * c.Invocations, count(c.Invocations) + " firings, at " + USD(l.usd) + " a million"}
	}
}

// tableUse prices a million reads and writes of a table on demand.
func (e *estimator) tableUse(id string, out *Estimate) {
	if onDemand, err := (resource{e, id, e.doc.Resources[id]}).onDemand(); err != nil || !onDemand {
		return
	}
	out.million[id+readsOf] = line{e.prices.of(dynamoRead), "of up to 4 KB"}
	out.million[id+writesOf] = line{e.prices.of(dynamoWrite), "of up to 1 KB, and as much for each index"}
}

// What follows a table's logical ID in Estimate.million.
const (
	readsOf  = "\x00reads"
	writesOf = "\x00writes"
)
