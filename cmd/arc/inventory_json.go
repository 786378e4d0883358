package main

import (
	"net/url"
	"slices"

	"arc/manifest"
	"arc/manifest/syntax"
)

// inventory is the App in the form that docs/inventory.schema.json publishes.
// It is a form of its own, so that the App may change shape and the programs
// that read the inventory need not. Lists are never null.
type inventory struct {
	App         string              `json:"app"`
	Manifest    string              `json:"manifest"`
	AWS         inventoryAWS        `json:"aws"`
	Functions   []inventoryFunction `json:"functions"`
	Routes      []inventoryRoute    `json:"routes"`
	Actions     []inventoryNamed    `json:"actions"`
	Events      []inventoryNamed    `json:"events"`
	Queues      []inventoryQueue    `json:"queues"`
	Schedules   []inventorySchedule `json:"schedules"`
	Tables      []inventoryTable    `json:"tables"`
	Streams     []inventoryStream   `json:"streams"`
	Static      *inventoryStatic    `json:"static"`
	CDN         bool                `json:"cdn"`
	Proxy       *inventoryProxy     `json:"proxy"`
	Shared      string              `json:"shared"`
	Views       string              `json:"views"`
	Environment map[string][]string `json:"environment"` // names by stage, never a value
}

type inventoryAWS struct {
	Region     string `json:"region"`
	Profile    string `json:"profile"`
	Bucket     string `json:"bucket"`
	APIGateway string `json:"apigateway"`
	LogDays    int    `json:"logDays"`
}

// place is where something stands in the user's files.
type place struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"col"`
}

func placeOf(p syntax.Pos) place { return place{p.File, p.Line, p.Col} }

type inventoryFunction struct {
	ID            string         `json:"id"`
	Pragma        string         `json:"pragma"`
	Name          string         `json:"name"`
	Folder        string         `json:"folder"`
	Asset         bool           `json:"asset"`
	Runtime       string         `json:"runtime"`
	Handler       string         `json:"handler"`
	HandlerFile   string         `json:"handlerFile"`
	HandlerExists bool           `json:"handlerExists"`
	Memory        int            `json:"memory"`
	Timeout       int            `json:"timeout"`
	Storage       int            `json:"storage"`
	Architecture  string         `json:"architecture"`
	Concurrency   *int           `json:"concurrency"`
	Provisioned   int            `json:"provisionedConcurrency"`
	Layers        []string       `json:"layers"`
	Policies      []string       `json:"policies"`
	Uses          []inventoryUse `json:"uses"` // null: the app's own role
	Shared        bool           `json:"shared"`
	Views         bool           `json:"views"`
	Env           bool           `json:"env"`
	At            place          `json:"at"`
}

type inventoryUse struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Action string `json:"action"`
}

type inventoryRoute struct {
	Method   string `json:"method"`
	Path     string `json:"path"`
	Function string `json:"function"`
	At       place  `json:"at"`
}

// inventoryNamed is an action of @ws or a topic of @events.
type inventoryNamed struct {
	Name     string `json:"name"`
	Function string `json:"function"`
	At       place  `json:"at"`
}

type inventoryQueue struct {
	inventoryNamed
	Fifo        bool `json:"fifo"`
	BatchSize   int  `json:"batchSize"`
	BatchWindow int  `json:"batchWindow"`
}

type inventorySchedule struct {
	inventoryNamed
	Expression string `json:"expression"`
	Timezone   string `json:"timezone"`
}

type inventoryTable struct {
	Name    string           `json:"name"`
	Keys    inventoryKeys    `json:"keys"`
	TTL     string           `json:"ttl"`
	Stream  bool             `json:"stream"`
	Encrypt bool             `json:"encrypt"`
	KMSKey  string           `json:"kmsKey"`
	PITR    bool             `json:"pitr"`
	Indexes []inventoryIndex `json:"indexes"`
	At      place            `json:"at"`
}

type inventoryKeys struct {
	Partition inventoryKey  `json:"partition"`
	Sort      *inventoryKey `json:"sort"`
}

type inventoryKey struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type inventoryIndex struct {
	Name       string        `json:"name"`
	Keys       inventoryKeys `json:"keys"`
	Projection string        `json:"projection"`
	Attributes []string      `json:"attributes"`
	At         place         `json:"at"`
}

type inventoryStream struct {
	inventoryNamed
	Table string `json:"table"`
}

type inventoryStatic struct {
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

type inventoryProxy struct {
	Testing    string `json:"testing"`
	Staging    string `json:"staging"`
	Production string `json:"production"`
}

// inventoryOf turns an App into its published form.
func inventoryOf(app *manifest.App) inventory {
	inv := inventory{
		App: app.Name, Manifest: app.File,
		AWS:       inventoryAWS{app.AWS.Region, app.AWS.Profile, app.AWS.Bucket, app.AWS.APIGateway, app.AWS.LogDays},
		Functions: []inventoryFunction{}, Routes: []inventoryRoute{}, Actions: []inventoryNamed{}, Events: []inventoryNamed{},
		Queues: []inventoryQueue{}, Schedules: []inventorySchedule{}, Tables: []inventoryTable{}, Streams: []inventoryStream{},
		CDN:         app.CDN != nil && app.CDN.Enabled,
		Environment: map[string][]string{},
	}
	for _, fn := range app.Functions() {
		inv.Functions = append(inv.Functions, inventoryFunctionOf(fn))
	}
	for _, r := range app.HTTP {
		inv.Routes = append(inv.Routes, inventoryRoute{r.Method, r.Path, functionID(r.Function), placeOf(r.Pos)})
	}
	for _, a := range app.WS {
		inv.Actions = append(inv.Actions, inventoryNamed{a.Name, functionID(a.Function), placeOf(a.Pos)})
	}
	for _, e := range app.Events {
		inv.Events = append(inv.Events, inventoryNamed{e.Name, functionID(e.Function), placeOf(e.Pos)})
	}
	for _, q := range app.Queues {
		named := inventoryNamed{q.Name, functionID(q.Function), placeOf(q.Pos)}
		inv.Queues = append(inv.Queues, inventoryQueue{named, q.Fifo, q.BatchSize, q.BatchWindow})
	}
	for _, s := range app.Schedules {
		zone := s.Timezone
		if zone == "" {
			zone = "UTC"
		}
		inv.Schedules = append(inv.Schedules, inventorySchedule{inventoryNamed{s.Name, functionID(s.Function), placeOf(s.Pos)}, s.Expression, zone})
	}
	for i := range app.Tables {
		inv.Tables = append(inv.Tables, inventoryTableOf(&app.Tables[i]))
	}
	for _, s := range app.Streams {
		inv.Streams = append(inv.Streams, inventoryStream{inventoryNamed{s.Name, functionID(s.Function), placeOf(s.Pos)}, s.Table})
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
func (inv *inventory) addFolders(app *manifest.App) {
	if st := app.Static; st != nil {
		inv.Static = &inventoryStatic{
			Folder: st.Folder, Fingerprint: st.Fingerprint, Prefix: st.Prefix, Prune: st.Prune, Ignore: list(st.Ignore),
			Compression: st.Compression, SPA: st.SPA, Staging: st.Staging, Production: st.Production,
		}
	}
	if p := app.Proxy; p != nil {
		inv.Proxy = &inventoryProxy{withoutPassword(p.Testing), withoutPassword(p.Staging), withoutPassword(p.Production)}
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

func inventoryFunctionOf(fn *manifest.Function) inventoryFunction {
	c := &fn.Config
	f := inventoryFunction{
		ID: functionID(fn), Pragma: fn.Pragma, Name: fn.Name, Folder: fn.Dir, Asset: fn.Asset,
		Runtime: c.Runtime, Handler: c.Handler, HandlerFile: c.HandlerFile, HandlerExists: c.HandlerExists,
		Memory: c.Memory, Timeout: c.Timeout, Storage: c.Storage, Architecture: c.Architecture,
		Concurrency: c.Concurrency, Provisioned: c.ProvisionedConcurrency,
		Layers: list(c.Layers), Policies: list(c.Policies),
		Shared: c.Shared, Views: c.Views, Env: c.Env, At: placeOf(fn.Pos),
	}
	if c.Uses != nil {
		f.Uses = []inventoryUse{}
		for _, u := range c.Uses {
			f.Uses = append(f.Uses, inventoryUse{u.Kind, u.Name, u.Action})
		}
	}
	return f
}

func inventoryTableOf(t *manifest.Table) inventoryTable {
	out := inventoryTable{
		Name: t.Name, Keys: inventoryKeysOf(t.PartitionKey, t.SortKey), TTL: t.TTL, Stream: t.Stream,
		Encrypt: t.Encrypt, KMSKey: t.KMSKey, PITR: t.PITR, Indexes: []inventoryIndex{}, At: placeOf(t.Pos),
	}
	for _, ix := range t.Indexes {
		out.Indexes = append(out.Indexes, inventoryIndex{
			Name: ix.Name, Keys: inventoryKeysOf(ix.PartitionKey, ix.SortKey), Projection: ix.Projection,
			Attributes: list(ix.Attributes), At: placeOf(ix.Pos),
		})
	}
	return out
}

func inventoryKeysOf(partition manifest.Key, sort *manifest.Key) inventoryKeys {
	keys := inventoryKeys{Partition: inventoryKey{partition.Name, partition.Type}}
	if sort != nil {
		keys.Sort = &inventoryKey{sort.Name, sort.Type}
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
