// Package inventory is an app in the form that docs/inventory.schema.json
// publishes.
package inventory

import (
	"net/url"
	"slices"

	"arc/manifest"
	"arc/manifest/syntax"
)

// Inventory is the App in the form that docs/inventory.schema.json publishes.
// It is a form of its own, so that the App may change shape and the programs
// that read the inventory need not. Lists are never null.
type Inventory struct {
	App         string              `json:"app"`
	Manifest    string              `json:"manifest"`
	AWS         AWS                 `json:"aws"`
	Functions   []Function          `json:"functions"`
	Routes      []Route             `json:"routes"`
	Actions     []Named             `json:"actions"`
	Events      []Named             `json:"events"`
	Queues      []Queue             `json:"queues"`
	Schedules   []Schedule          `json:"schedules"`
	Tables      []Table             `json:"tables"`
	Streams     []Stream            `json:"streams"`
	Static      *Static             `json:"static"`
	CDN         bool                `json:"cdn"`
	Proxy       *Proxy              `json:"proxy"`
	Shared      string              `json:"shared"`
	Views       string              `json:"views"`
	Environment map[string][]string `json:"environment"` // names by stage, never a value
}

// AWS is the region, the account and what is set for it.
type AWS struct {
	Region     string `json:"region"`
	Profile    string `json:"profile"`
	Bucket     string `json:"bucket"`
	APIGateway string `json:"apigateway"`
	LogDays    int    `json:"logDays"`
}

// Place is where something stands in the user's files.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"col"`
}

func placeOf(p syntax.Pos) Place { return Place{p.File, p.Line, p.Col} }

// Function is one function with its settings, defaults included.
type Function struct {
	ID            string   `json:"id"`
	Pragma        string   `json:"pragma"`
	Name          string   `json:"name"`
	Folder        string   `json:"folder"`
	Asset         bool     `json:"asset"`
	Runtime       string   `json:"runtime"`
	Handler       string   `json:"handler"`
	HandlerFile   string   `json:"handlerFile"`
	HandlerExists bool     `json:"handlerExists"`
	Memory        int      `json:"memory"`
	Timeout       int      `json:"timeout"`
	Storage       int      `json:"storage"`
	Architecture  string   `json:"architecture"`
	Concurrency   *int     `json:"concurrency"`
	Provisioned   int      `json:"provisionedConcurrency"`
	Layers        []string `json:"layers"`
	Policies      []string `json:"policies"`
	Uses          []Use    `json:"uses"` // null: the app's own role
	Shared        bool     `json:"shared"`
	Views         bool     `json:"views"`
	Env           bool     `json:"env"`
	At            Place    `json:"at"`
}

// Use is one thing that a function may use, and how.
type Use struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Action string `json:"action"`
}

// Route is a route of @http.
type Route struct {
	Method   string `json:"method"`
	Path     string `json:"path"`
	Function string `json:"function"`
	At       Place  `json:"at"`
}

// Named is an action of @ws or a topic of @events.
type Named struct {
	Name     string `json:"name"`
	Function string `json:"function"`
	At       Place  `json:"at"`
}

// Queue is a queue of @queues; a batch size or window of 0 is AWS's default.
type Queue struct {
	Named
	Fifo        bool `json:"fifo"`
	BatchSize   int  `json:"batchSize"`
	BatchWindow int  `json:"batchWindow"`
}

// Schedule is a schedule of @scheduled.
type Schedule struct {
	Named
	Expression string `json:"expression"`
	Timezone   string `json:"timezone"`
}

// Table is a table of @tables, with its indexes.
type Table struct {
	Name    string  `json:"name"`
	Keys    Keys    `json:"keys"`
	TTL     string  `json:"ttl"`
	Stream  bool    `json:"stream"`
	Encrypt bool    `json:"encrypt"`
	KMSKey  string  `json:"kmsKey"`
	PITR    bool    `json:"pitr"`
	Indexes []Index `json:"indexes"`
	At      Place   `json:"at"`
}

// Keys are the keys of a table or an index; Sort is null without one.
type Keys struct {
	Partition Key  `json:"partition"`
	Sort      *Key `json:"sort"`
}

// Key is an attribute and its type, as the manifest says it: String or Number.
type Key struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Index is an index of @tables-indexes.
type Index struct {
	Name       string   `json:"name"`
	Keys       Keys     `json:"keys"`
	Projection string   `json:"projection"`
	Attributes []string `json:"attributes"`
	At         Place    `json:"at"`
}

// Stream is a stream of @tables-streams.
type Stream struct {
	Named
	Table string `json:"table"`
}

// Static is what @static says.
type Static struct {
	Folder      string   `json:"folder"`
	Fingerprint string   `json:"fingerprint"`
	Prefix      string   `json:"prefix"`
	Prune       bool     `json:"prune"`
	Ignore      []string `json:"ignore"`
	Compression string   `json:"compression"`
	SPA         bool     `json:"spa"`
	Staging     string   `json:"staging"`
	Production  string   `json:"production"`
}

// Proxy is where @proxy leads, by stage, without passwords.
type Proxy struct {
	Testing    string `json:"testing"`
	Staging    string `json:"staging"`
	Production string `json:"production"`
}

// Of turns an App into its published form.
func Of(app *manifest.App) Inventory {
	inv := Inventory{
		App: app.Name, Manifest: app.File,
		AWS:       AWS{app.AWS.Region, app.AWS.Profile, app.AWS.Bucket, app.AWS.APIGateway, app.AWS.LogDays},
		Functions: []Function{}, Routes: []Route{}, Actions: []Named{}, Events: []Named{},
		Queues: []Queue{}, Schedules: []Schedule{}, Tables: []Table{}, Streams: []Stream{},
		CDN:         app.CDN != nil && app.CDN.Enabled,
		Environment: map[string][]string{},
	}
	for _, fn := range app.Functions() {
		inv.Functions = append(inv.Functions, functionOf(fn))
	}
	for _, r := range app.HTTP {
		inv.Routes = append(inv.Routes, Route{r.Method, r.Path, functionID(r.Function), placeOf(r.Pos)})
	}
	for _, a := range app.WS {
		inv.Actions = append(inv.Actions, Named{a.Name, functionID(a.Function), placeOf(a.Pos)})
	}
	for _, e := range app.Events {
		inv.Events = append(inv.Events, Named{e.Name, functionID(e.Function), placeOf(e.Pos)})
	}
	for _, q := range app.Queues {
		named := Named{q.Name, functionID(q.Function), placeOf(q.Pos)}
		inv.Queues = append(inv.Queues, Queue{named, q.Fifo, q.BatchSize, q.BatchWindow})
	}
	for _, s := range app.Schedules {
		zone := s.Timezone
		if zone == "" {
			zone = "UTC"
		}
		inv.Schedules = append(inv.Schedules, Schedule{Named{s.Name, functionID(s.Function), placeOf(s.Pos)}, s.Expression, zone})
	}
	for i := range app.Tables {
		inv.Tables = append(inv.Tables, tableOf(&app.Tables[i]))
	}
	for _, s := range app.Streams {
		inv.Streams = append(inv.Streams, Stream{Named{s.Name, functionID(s.Function), placeOf(s.Pos)}, s.Table})
	}
	inv.addFolders(app)
	for stage, vars := range app.Env {
		for _, v := range vars {
			inv.Environment[stage] = append(inv.Environment[stage], v.Name)
		}
		slices.Sort(inv.Environment[stage])
	}
	return inv
}

// addFolders adds what there is one of, or none.
func (inv *Inventory) addFolders(app *manifest.App) {
	if st := app.Static; st != nil {
		inv.Static = &Static{
			Folder: st.Folder, Fingerprint: st.Fingerprint, Prefix: st.Prefix, Prune: st.Prune, Ignore: list(st.Ignore),
			Compression: st.Compression, SPA: st.SPA, Staging: st.Staging, Production: st.Production,
		}
	}
	if p := app.Proxy; p != nil {
		inv.Proxy = &Proxy{withoutPassword(p.Testing), withoutPassword(p.Staging), withoutPassword(p.Production)}
	}
	if app.Shared != nil {
		inv.Shared = app.Shared.Dir
	}
	if app.Views != nil {
		inv.Views = app.Views.Dir
	}
}

// withoutPassword hides the password that a URL may hold.
func withoutPassword(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "" // the manifest's reader has refused it
	}
	return u.Redacted()
}

func functionOf(fn *manifest.Function) Function {
	c := &fn.Config
	f := Function{
		ID: functionID(fn), Pragma: fn.Pragma, Name: fn.Name, Folder: fn.Dir, Asset: fn.Asset,
		Runtime: c.Runtime, Handler: c.Handler, HandlerFile: c.HandlerFile, HandlerExists: c.HandlerExists,
		Memory: c.Memory, Timeout: c.Timeout, Storage: c.Storage, Architecture: c.Architecture,
		Concurrency: c.Concurrency, Provisioned: c.ProvisionedConcurrency,
		Layers: list(c.Layers), Policies: list(c.Policies),
		Shared: c.Shared, Views: c.Views, Env: c.Env, At: placeOf(fn.Pos),
	}
	if c.Uses != nil {
		f.Uses = []Use{}
		for _, u := range c.Uses {
			f.Uses = append(f.Uses, Use{u.Kind, u.Name, u.Action})
		}
	}
	return f
}

func tableOf(t *manifest.Table) Table {
	out := Table{
		Name: t.Name, Keys: keysOf(t.PartitionKey, t.SortKey), TTL: t.TTL, Stream: t.Stream,
		Encrypt: t.Encrypt, KMSKey: t.KMSKey, PITR: t.PITR, Indexes: []Index{}, At: placeOf(t.Pos),
	}
	for _, ix := range t.Indexes {
		out.Indexes = append(out.Indexes, Index{
			Name: ix.Name, Keys: keysOf(ix.PartitionKey, ix.SortKey), Projection: ix.Projection,
			Attributes: list(ix.Attributes), At: placeOf(ix.Pos),
		})
	}
	return out
}

func keysOf(partition manifest.Key, sort *manifest.Key) Keys {
	keys := Keys{Partition: Key{partition.Name, partition.Type}}
	if sort != nil {
		keys.Sort = &Key{sort.Name, sort.Type}
	}
	return keys
}

// list is words, never null.
func list(words []string) []string {
	if words == nil {
		return []string{}
	}
	return words
}

// functionID names a function for other parts of the inventory: its pragma and
// its name, which no other function of the app has.
func functionID(fn *manifest.Function) string { return fn.Pragma + " " + fn.Name }
