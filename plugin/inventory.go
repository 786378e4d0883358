package plugin

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"arc/manifest"
)

// Project is what the inventory of plugins is made of.
type Project struct {
	Dir    string // the project's folder, absolute
	Home   string // the user's folder, absolute; "" = not known
	Stage  string // "staging" or "production"; "" = nothing is deployed
	Result manifest.Result
}

// Inventory is the app as Architect 12 gives it to plugins, {"inv": …}, and the
// manifest as its parser gives it. Values of environment variables are left
// empty, but those that plugins set: a plugin is told no secret.
// docs/plugins.md lists where it differs.
func (p Project) Inventory() (json.RawMessage, error) {
	app := p.Result.App
	i := &inventory{Project: p, app: app}
	functions := map[string][]any{}
	for _, fn := range app.Functions() {
		l := i.lambda(fn)
		functions[fn.Pragma] = append(functions[fn.Pragma], l)
		if !fn.Asset {
			i.source(i.path(fn.Dir), l)
		}
	}
	inv := ordered{
		{"_arc", ordered{
			{"version", "12.0.1"},
			{"defaultFunctionConfig", i.config(builtIn(), "", nil)},
			{"pragmas", pragmas},
			{"deployStage", orNull(p.Stage)},
		}},
		{"_project", i.project()},
		{"app", app.Name},
		{"aws", i.aws()},
		{"cdn", cdn(app)},
	}
	for _, pragma := range []string{"events", "http"} {
		inv = append(inv, member{pragma, listOrNull(functions[pragma])})
	}
	inv = append(inv, member{"plugins", nil}, member{"proxy", proxy(app)})
	for _, pragma := range []string{"queues", "scheduled"} {
		inv = append(inv, member{pragma, listOrNull(functions[pragma])})
	}
	inv = append(inv,
		member{"shared", i.folder(app.Shared, "shared", func(c *manifest.Config) bool { return c.Shared })},
		member{"static", static(app)},
		member{"tables", tables(app)},
		member{"tables-indexes", indexes(app)},
		member{"tables-streams", listOrNull(functions["tables-streams"])},
		member{"views", i.folder(app.Views, "views", func(c *manifest.Config) bool { return c.Views })},
		member{"ws", listOrNull(functions["ws"])},
		member{"customLambdas", listOrNull(functions["customLambdas"])},
	)
	dirs, byDir := i.sources()
	inv = append(inv, member{"lambdaSrcDirs", dirs}, member{"lambdasBySrcDir", byDir})
	raw, err := json.Marshal(ordered{{"inv", inv}})
	if err != nil {
		return nil, fmt.Errorf("inventory for plugins: %w", err)
	}
	return raw, nil
}

// inventory is one on its way.
type inventory struct {
	Project
	app   *manifest.App
	byDir map[string][]any
}

// pragmas is Architect's own register of what pragmas there are.
var pragmas = ordered{
	{"all", []string{"app", "aws", "cdn", "events", "http", "plugins", "proxy", "queues", "scheduled", "shared", "static", "tables", "tables-indexes", "tables-streams", "views", "ws"}},
	{"lambdas", []string{"events", "http", "queues", "scheduled", "tables-streams", "ws"}},
	{"reserved", []string{"customLambdas"}},
	{"retired", []string{"indexes", "macros", "slack", "streams", "css", "html", "js", "json", "jsonapi", "text", "xml"}},
}

// path is a path of the project as plugins see it: absolute.
func (p Project) path(slash string) string {
	return filepath.Join(p.Dir, filepath.FromSlash(slash))
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func listOrNull(list []any) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

func words(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func builtIn() *manifest.Config {
	c := manifest.DefaultConfig()
	return &c
}

// config is a function's configuration, with the names that Architect has for it.
func (i *inventory) config(c *manifest.Config, pragma string, fn *manifest.Function) ordered {
	out := ordered{
		{"timeout", c.Timeout},
		{"memory", c.Memory},
		{"runtime", c.Runtime},
		{"architecture", c.Architecture},
		{"handler", c.Handler},
		{"state", "n/a"},
		{"concurrency", "unthrottled"},
		{"storage", c.Storage},
		{"layers", words(c.Layers)},
		{"policies", words(c.Policies)},
		{"shared", c.Shared},
		{"env", c.Env},
	}
	if c.Concurrency != nil {
		out = out.with("concurrency", *c.Concurrency)
	}
	if c.RuntimeAlias != "" {
		if c.Custom != nil {
			out = out.with("runtime", c.RuntimeAlias)
		}
		out = out.with("runtimeAlias", c.RuntimeAlias)
	}
	if c.Custom != nil {
		out = append(out, member{"runtimeConfig", c.Custom})
	}
	if c.ProvisionedConcurrency > 0 {
		out = append(out, member{"provisionedConcurrency", c.ProvisionedConcurrency})
	}
	if fn == nil {
		return out
	}
	out = i.withAWS(out, pragma)
	switch pragma {
	case "http":
		if strings.HasPrefix(fn.Name, "get ") || strings.HasPrefix(fn.Name, "any ") || c.Views {
			out = append(out, member{"views", c.Views})
		}
	case "queues":
		for _, q := range i.app.Queues {
			if q.Function == fn {
				out = append(out, member{"fifo", q.Fifo})
			}
		}
	}
	return out
}

// withAWS adds what else stands below @aws, which Architect takes for settings of
// functions as well: the region, the bucket. apigateway is for routes only.
func (i *inventory) withAWS(out ordered, pragma string) ordered {
	if i.Result.Tree == nil || i.Result.Tree.Pragma("aws") == nil {
		return out
	}
	for _, it := range i.Result.Tree.Pragma("aws").Items {
		key := it.Values[0].Text
		if out.get(key) != nil || len(it.Values) == 1 || key == "apigateway" && pragma != "http" && pragma != "" {
			continue
		}
		var v any = wordList(it.Values[1:])
		if len(it.Values) == 2 {
			v = word(it.Values[1])
		}
		out = append(out, member{key, v})
	}
	return out
}

// asap is where Architect keeps its own asset function: arc has one of its own,
// which is no folder.
const asap = "node_modules/@architect/asap/src"

// lambda is a function, with what triggers it.
func (i *inventory) lambda(fn *manifest.Function) ordered {
	out := ordered{{"name", fn.Name}}
	out = append(out, i.trigger(fn)...)
	out = append(out, member{"config", i.config(&fn.Config, fn.Pragma, fn)})
	dir, code := fn.Dir, fn.Code()
	if fn.Asset {
		dir, code = asap, asap
	}
	out = append(out, member{"src", i.path(dir)})
	if fn.Build != "" {
		out = append(out, member{"build", i.path(fn.Build)})
	}
	file, method := fn.Config.HandlerFile, "handler"
	if _, after, ok := strings.Cut(path.Ext(fn.Config.Handler), "."); ok && after != "" {
		method = after
	}
	out = append(out, member{"handlerFile", i.path(path.Join(code, file))}, member{"handlerMethod", method})
	if strings.HasPrefix(fn.Config.Runtime, "nodejs") {
		out = append(out, member{"handlerModuleSystem", moduleSystem(file)})
	}
	if fn.Asset {
		out = append(out, member{"arcStaticAssetProxy", true})
	}
	var file2 any
	if fn.Config.Pos.IsValid() {
		file2 = i.path(fn.Config.Pos.File)
	}
	var pragma any = fn.Pragma
	if fn.Pragma == "customLambdas" {
		pragma = nil
	}
	return append(out, member{"configFile", file2}, member{"pragma", pragma})
}

// moduleSystem is told by a file's ending; index.js is CommonJS, unless the
// package.json beside it says otherwise, which plugins can read themselves.
func moduleSystem(file string) string {
	switch path.Ext(file) {
	case ".js", ".cjs":
		return "cjs"
	}
	return "esm"
}

// trigger is what Architect tells of what calls a function.
func (i *inventory) trigger(fn *manifest.Function) ordered {
	switch fn.Pragma {
	case "http":
		method, route, _ := strings.Cut(fn.Name, " ")
		return ordered{{"method", method}, {"path", route}}
	case "ws":
		return ordered{{"route", fn.Name}}
	case "queues":
		for _, q := range i.app.Queues {
			if q.Function == fn {
				return ordered{{"batchSize", numberOrNull(q.BatchSize)}, {"batchWindow", numberOrNull(q.BatchWindow)}, {"fifo", q.Fifo}}
			}
		}
	case "scheduled":
		for _, s := range i.app.Schedules {
			if s.Function == fn {
				return schedule(&s)
			}
		}
	case "tables-streams":
		for _, s := range i.app.Streams {
			if s.Function == fn {
				return ordered{{"table", s.Table}}
			}
		}
	}
	return nil
}

func numberOrNull(n int) any {
	if n == 0 {
		return nil
	}
	return n
}

// schedule takes an expression apart.
func schedule(s *manifest.Schedule) ordered {
	kind, inner, _ := strings.Cut(strings.TrimSuffix(s.Expression, ")"), "(")
	parts := strings.Fields(inner)
	values := make([]any, len(parts))
	for i, part := range parts {
		values[i] = part
		if n, err := strconv.Atoi(part); err == nil {
			values[i] = n
		}
	}
	taken := ordered{{"expression", inner}}
	names := []string{"value", "interval"}
	if kind == "cron" {
		names = []string{"minutes", "hours", "dayOfMonth", "month", "dayOfWeek", "year"}
	}
	for i, name := range names {
		if i < len(values) {
			taken = append(taken, member{name, values[i]})
		}
	}
	out := ordered{{"cron", nil}, {"rate", nil}, {"timezone", orNull(s.Timezone)}}
	return out.with(kind, taken)
}

// source notes a function under its folder.
func (i *inventory) source(dir string, lambda ordered) {
	if i.byDir == nil {
		i.byDir = map[string][]any{}
	}
	i.byDir[dir] = append(i.byDir[dir], lambda)
}

// sources are the folders of functions; those that several share hold a list.
func (i *inventory) sources() (dirs, byDir any) {
	if len(i.byDir) == 0 {
		return nil, nil
	}
	sorted := slices.Sorted(maps.Keys(i.byDir))
	all := ordered{}
	for _, dir := range sorted {
		var v any = i.byDir[dir]
		if len(i.byDir[dir]) == 1 {
			v = i.byDir[dir][0]
		}
		all = append(all, member{dir, v})
	}
	return sorted, all
}

// folder is shared code, and the folders of who gets it.
func (i *inventory) folder(f *manifest.SharedFolder, name string, gets func(*manifest.Config) bool) any {
	if f == nil {
		return nil
	}
	list := []string{}
	for _, pragma := range []string{"events", "http", "queues", "scheduled", "tables-streams", "ws", "customLambdas"} {
		for _, fn := range i.app.Functions() {
			if dir := i.path(fn.Dir); fn.Pragma == pragma && !fn.Asset && gets(&fn.Config) && !slices.Contains(list, dir) {
				list = append(list, dir)
			}
		}
	}
	src := i.path(f.Dir)
	if i.Result.Tree != nil && i.Result.Tree.Pragma(name) != nil {
		for _, it := range i.Result.Tree.Pragma(name).Items {
			if it.Values[0].Text == "src" {
				src = f.Dir // as it is written
			}
		}
	}
	return ordered{{"src", src}, {name, list}}
}

func (i *inventory) aws() ordered {
	a := i.app.AWS
	out := ordered{
		{"apigateway", nil}, {"bucket", orNull(a.Bucket)}, {"concurrency", nil}, {"layers", nil}, {"memory", nil}, {"policies", nil},
		{"profile", orNull(a.Profile)}, {"region", a.Region}, {"runtime", nil}, {"timeout", nil},
	}
	if i.Result.Tree == nil || i.Result.Tree.Pragma("aws") == nil {
		return out
	}
	for _, it := range i.Result.Tree.Pragma("aws").Items {
		values := it.Values[1:]
		switch key := it.Values[0].Text; {
		case len(it.List) > 0:
			out = out.with(key, wordList(it.List))
		case key == "layers" || key == "policies":
			out = out.with(key, wordList(values))
		case len(values) == 1 && key != "region":
			out = out.with(key, word(values[0]))
		}
	}
	return out
}

func (i *inventory) project() ordered {
	app := i.app
	var build any
	runtimes := ordered{}
	names, brought := []string{}, ordered{}
	for _, r := range app.Runtimes {
		if r.Build != "" {
			build = i.path(r.Build)
		}
		names = append(names, r.Name)
		brought = append(brought, member{r.Name, r.Plugin})
		runtimes = append(runtimes, member{r.Name, r})
	}
	var custom any
	if len(names) > 0 {
		custom = append(ordered{{"runtimes", names}, {"runtimePlugins", brought}}, runtimes...)
	}
	functionConfig := i.withAWS(i.config(&i.Result.Defaults, "", nil), "")
	var file any
	if app.File != "" {
		file = i.path(app.File)
	}
	prefs := i.preferences()
	project := ordered{
		{"type", "aws"}, {"cwd", i.Dir}, {"src", i.path("src")}, {"build", build}, {"manifest", file},
		{"preferences", prefs.all}, {"localPreferences", prefs.local}, {"localPreferencesFile", prefs.localFile},
		{"globalPreferences", prefs.global}, {"globalPreferencesFile", prefs.globalFile},
		{"defaultFunctionConfig", functionConfig},
		{"rootHandler", rootHandler(app)},
		{"env", ordered{{"local", variables(app.Env, app.Set)}, {"plugins", variables(app.Set, app.Set)}, {"aws", nil}}},
		{"customRuntimes", custom},
		{"arc", arcModel(i.Result.Tree)},
		{"raw", string(i.Result.Sources[app.File])},
	}
	for _, fn := range app.Functions() {
		if fn.Asset {
			project = project.with("asapSrc", i.path(asap))
		}
	}
	return project
}

// rootHandler is how Architect calls what answers at /.
func rootHandler(app *manifest.App) any {
	switch root := app.RootRoute(); {
	case app.Proxy != nil:
		return "proxy"
	case root != nil && root.Function.Asset, root == nil && app.Static != nil:
		return "arcStaticAssetProxy"
	case root != nil:
		return root.Function.Name
	}
	return nil
}

// variables are named by stage. Only those that plugins set have their value.
func variables(all, set map[string][]manifest.EnvVar) any {
	if len(all) == 0 {
		return nil
	}
	out := ordered{}
	for _, stage := range stages {
		if len(all[stage]) == 0 {
			out = append(out, member{stage, nil})
			continue
		}
		vars := ordered{}
		for _, v := range all[stage] {
			value := ""
			if slices.Contains(set[stage], v) {
				value = v.Value
			}
			vars = append(vars, member{v.Name, value})
		}
		out = append(out, member{stage, vars})
	}
	return out
}

func cdn(app *manifest.App) any {
	if app.CDN == nil {
		return nil
	}
	return app.CDN.Enabled
}

func proxy(app *manifest.App) any {
	if app.Proxy == nil {
		return nil
	}
	return ordered{{"testing", app.Proxy.Testing}, {"staging", app.Proxy.Staging}, {"production", app.Proxy.Production}}
}

func static(app *manifest.App) any {
	s := app.Static
	if s == nil {
		return nil
	}
	var fingerprint, ignore, prune any
	switch s.Fingerprint {
	case "true":
		fingerprint = true
	case "external":
		fingerprint = "external"
	}
	if len(s.Ignore) > 0 {
		ignore = s.Ignore
	}
	if s.Prune {
		prune = true
	}
	var compression any = false
	if s.Compression != "" {
		compression = s.Compression
	}
	return ordered{
		{"compression", compression}, {"fingerprint", fingerprint}, {"folder", s.Folder}, {"ignore", ignore}, {"prefix", orNull(s.Prefix)},
		{"prune", prune}, {"spa", s.SPA}, {"staging", orNull(s.Staging)}, {"production", orNull(s.Production)},
	}
}

func tables(app *manifest.App) any {
	var list []any
	for i := range app.Tables {
		t := &app.Tables[i]
		out := append(ordered{{"name", t.Name}}, keys(t.PartitionKey, t.SortKey)...)
		var stream, encrypt, pitr any
		for _, s := range app.Streams {
			if s.Table == t.Name && s.Name == t.Name && t.Stream {
				stream = true
			}
		}
		if t.Encrypt {
			encrypt = true
			if t.KMSKey != "" {
				encrypt = t.KMSKey
			}
		}
		if t.PITR {
			pitr = true
		}
		list = append(list, append(out, member{"stream", stream}, member{"ttl", orNull(t.TTL)}, member{"encrypt", encrypt}, member{"pitr", pitr}))
	}
	return listOrNull(list)
}

func keys(partition manifest.Key, sort *manifest.Key) ordered {
	out := ordered{{"partitionKey", partition.Name}, {"partitionKeyType", partition.Type}, {"sortKey", nil}, {"sortKeyType", nil}}
	if sort != nil {
		out = out.with("sortKey", sort.Name).with("sortKeyType", sort.Type)
	}
	return out
}

func indexes(app *manifest.App) any {
	var list []any
	for i := range app.Tables {
		t := &app.Tables[i]
		for _, ix := range t.Indexes {
			var attributes any
			if len(ix.Attributes) > 0 {
				attributes = ix.Attributes
			}
			out := append(ordered{{"name", t.Name}}, keys(ix.PartitionKey, ix.SortKey)...)
			list = append(list, append(out, member{"indexName", indexName(&ix)}, member{"projectionType", ix.Projection}, member{"projectionAttributes", attributes}))
		}
	}
	return listOrNull(list)
}

// indexName is an index's name where the manifest gives it one.
func indexName(ix *manifest.Index) any {
	usual := ix.PartitionKey.Name
	if ix.SortKey != nil {
		usual += "-" + ix.SortKey.Name
	}
	if ix.Name == usual+"-index" {
		return nil
	}
	return ix.Name
}
