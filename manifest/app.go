// Package manifest reads a project's manifest and its neighbours (config.arc
// beside each function, preferences, .env) into an App: plain values with
// positions that everything downstream works from. One file a pragma: its
// type, how it is read, what is checked. Nobody past this package looks at
// manifest syntax again, and this package knows nothing of CloudFormation.
package manifest

import "arc/manifest/syntax"

// App is the whole project as the manifest describes it. Lists are in the
// order of the manifest, except HTTP, which is in routing order.
type App struct {
	Name string
	Pos  syntax.Pos // of the name below @app
	File string     // "app.arc"; "" for the default project, when there is no manifest

	AWS AWS // @aws: account, region, defaults of every function

	HTTP      []Route             // @http, with the asset function's route when no root route is written
	WS        []Action            // @ws; connect, default and disconnect come first
	Events    []Event             // @events
	Queues    []Queue             // @queues
	Schedules []Schedule          // @scheduled
	Tables    []Table             // @tables, with their @tables-indexes
	Streams   []Stream            // @tables-streams and "stream true"
	Custom    []Custom            // functions that plugins set, and give a trigger
	Static    *Static             // nil when off; implied by @http
	CDN       *CDN                // nil when not asked for
	Proxy     *Proxy              // nil when not asked for
	Shared    *SharedFolder       // src/shared, nil when there is none
	Views     *SharedFolder       // src/views, nil when there is none
	Plugins   []PluginRef         // @plugins and @macros
	Runtimes  []CustomRuntime     // that plugins bring
	Env       map[string][]EnvVar // local variables by stage: testing, staging, production; Set is among them
	Set       map[string][]EnvVar // variables by stage that plugins set
	Prefs     Preferences
}

// Functions lists every function of the app in a fixed order: http, ws,
// events, queues, scheduled, tables-streams, those that plugins set by themselves,
// each in App order.
func (a *App) Functions() []*Function {
	var fns []*Function
	for i := range a.HTTP {
		fns = append(fns, a.HTTP[i].Function)
	}
	for i := range a.WS {
		fns = append(fns, a.WS[i].Function)
	}
	for i := range a.Events {
		fns = append(fns, a.Events[i].Function)
	}
	for i := range a.Queues {
		fns = append(fns, a.Queues[i].Function)
	}
	for i := range a.Schedules {
		fns = append(fns, a.Schedules[i].Function)
	}
	for i := range a.Streams {
		fns = append(fns, a.Streams[i].Function)
	}
	for i := range a.Custom {
		fns = append(fns, a.Custom[i].Function)
	}
	return fns
}

// Function is one unit of code: what a route, action or event source runs.
type Function struct {
	Pragma string // "http", "ws", "events", "queues", "scheduled", "tables-streams", "customLambdas"
	Name   string // "get /", "default", "my-event": as the manifest spells it
	Dir    string // slash path relative to the project root: "src/http/get-index"
	Build  string // folder of what a plugin builds of it, likewise; "" = Dir is what runs
	Asset  bool   // arc's own asset function; Dir is empty
	Config Config
	Pos    syntax.Pos
}

// Code is the folder of what runs.
func (f *Function) Code() string {
	if f.Build != "" {
		return f.Build
	}
	return f.Dir
}

// Config is a function's settings after layering: built-in defaults, @aws of
// the manifest, then config.arc's @aws and @arc (manifest reference, 7).
type Config struct {
	Runtime                string         // resolved: "nodejs22.x", "python3.13", "provided.al2023", "deno"
	RuntimeAlias           string         // as written when it was an alias: "node"
	Custom                 *CustomRuntime // that a plugin brings, under its name RuntimeAlias; nil = Lambda's own
	Memory                 int            // MB
	Timeout                int            // seconds
	Storage                int            // MB of /tmp
	Architecture           string         // "arm64" or "x86_64"
	Handler                string         // as deployed: "index.handler", "lambda.handler"
	HandlerFile            string         // slash path relative to Dir of the file that holds it: "index.mjs"
	HandlerExists          bool           // whether HandlerFile is on disk
	Concurrency            *int           // reserved concurrency; nil = unthrottled
	ProvisionedConcurrency int            // 0 = none
	Layers                 []string
	Policies               []string
	Uses                   []Use // @uses of config.arc: an own role with only this; nil = not given
	Fifo                   *bool
	ReportsFailures        *bool // of queues and streams; nil = not set
	Shared                 bool  // gets src/shared
	Views                  bool  // gets src/views
	Env                    bool  // sees the user's environment variables
	Hydrate                bool
	Bundle                 bool     // a Node handler is bundled with what it imports; TypeScript always is
	External               []string // packages that a bundle leaves as they are
	IgnoreDependencies     []string
	Pos                    syntax.Pos // of the config file, when there is one
}
