package manifest

import "slices"

// This file is the one list of everything a project may say: which pragmas
// there are, which settings each has, and which values those take. The checks
// read it, "did you mean" searches it, and the JSON schemas for editors are
// printed from it.

// form is how the lines below a pragma are to be read.
type form int

const (
	formName     form = iota // one word: @app
	formSettings             // lines of "key value": @aws, @static
	formNamed                // names, or maps named after the thing: @events, @tables
	formRoutes               // "get /path", or maps named after the path: @http
	formSwitch               // nothing, true or false: @cdn
	formList                 // anything; the pragma's own reader decides
)

// valueType is what a setting's value must look like.
type valueType int

const (
	textValue    valueType = iota
	integerValue           // whole number from min to max, in unit
	booleanValue           // true or false
	choiceValue            // one of choices; true and false are choices too
	listValue              // one or more words
	stagesValue            // a map or tuple of its own; see the pragma's reader
)

// setting is one key that may stand below a pragma, or in a map below it.
type setting struct {
	name     string
	doc      string // one sentence, shown by editors
	typ      valueType
	min, max int // integerValue
	unit     string
	example  string // a usual value; min when empty
	choices  []string
	also     []string // other spellings with the same meaning
	required bool
	// instead is the remedy of a setting that nothing here reads: what arc does in
	// its place. Whoever turns it on is warned.
	instead string
}

// pragmaSpec is one section of a manifest, config or preferences file.
type pragmaSpec struct {
	name string
	doc  string
	form form
	keys []setting
	// open pragmas take any further key: attribute names, environment variables.
	open bool
}

func (p *pragmaSpec) setting(name string) *setting {
	for i := range p.keys {
		if s := &p.keys[i]; s.name == name || slices.Contains(s.also, name) {
			return s
		}
	}
	return nil
}

func (p *pragmaSpec) keyNames() []string {
	var names []string
	for _, s := range p.keys {
		names = append(names, s.name)
	}
	return names
}

func findPragma(specs []pragmaSpec, name string) *pragmaSpec {
	for i := range specs {
		if specs[i].name == name {
			return &specs[i]
		}
	}
	return nil
}

func pragmaNames(specs []pragmaSpec) []string {
	var names []string
	for _, p := range specs {
		names = append(names, p.name)
	}
	return names
}

var srcSetting = setting{name: "src", doc: "Folder of the function's code, relative to the project.", typ: textValue}

// reportFailuresSetting is of functions that get batches, those of queues and
// streams; it may stand below their names, too.
var reportFailuresSetting = setting{
	name: "reportBatchItemFailures", typ: booleanValue,
	doc: "Whether the function's result names the messages it failed on, as batchItemFailures: only those come again.",
}

// functionSettings may stand in @aws of the manifest, for every function, and
// in @aws or @arc of a config file, for one.
var functionSettings = []setting{
	{name: "runtime", doc: "Lambda runtime or its alias: nodejs22.x, python, ruby, deno.", typ: textValue},
	{name: "memory", doc: "Memory in MB.", typ: integerValue, min: 128, max: 10240, unit: "MB"},
	{name: "timeout", doc: "Longest run in seconds.", typ: integerValue, min: 1, max: 900, unit: "seconds"},
	{name: "storage", doc: "Size of /tmp in MB.", typ: integerValue, min: 512, max: 10240, unit: "MB"},
	{name: "architecture", doc: "Processor.", typ: choiceValue, choices: []string{"arm64", "x86_64"}},
	{name: "handler", doc: "File and function that Lambda calls: index.handler.", typ: textValue},
	{name: "concurrency", doc: "Reserved concurrency, or unthrottled.", typ: integerValue, min: 0, max: 1 << 20, example: "10", choices: []string{"unthrottled"}},
	{name: "provisionedConcurrency", doc: "Instances that are kept ready.", typ: integerValue, min: 1, max: 1 << 20},
	{name: "layers", doc: "ARNs of Lambda layers, five at most.", typ: listValue, also: []string{"layer"}},
	{name: "policies", doc: "IAM policies, by name or ARN.", typ: listValue, also: []string{"policy"}},
	{name: "fifo", doc: "Whether a queue keeps the order of its messages.", typ: booleanValue},
	reportFailuresSetting,
	{name: "shared", doc: "Whether the function gets src/shared.", typ: booleanValue},
	{name: "views", doc: "Whether the function gets src/views.", typ: booleanValue},
	{name: "env", doc: "Whether the function sees the project's environment variables.", typ: booleanValue},
	{name: "hydrate", doc: "Whether the function's dependencies are found by reading its code.", typ: booleanValue},
	{name: "bundle", doc: "Whether a Node handler is bundled into one file with what it imports, as TypeScript always is.", typ: booleanValue},
	{name: "external", doc: "Packages that a bundle leaves as they are, in node_modules: those that read files of their own.", typ: listValue},
	{name: "ignoreDependencies", doc: "Packages that are not added to the function's code.", typ: listValue, also: []string{"ignoredDependencies"}},
}

// projectSettings may stand in @aws of the manifest only.
var projectSettings = []setting{
	{name: "region", doc: "AWS region the app lives in.", typ: textValue},
	{name: "profile", doc: "Named profile of the AWS configuration.", typ: textValue},
	{name: "bucket", doc: "Existing S3 bucket for deployment artifacts.", typ: textValue},
	{name: "boundary", doc: "What no function's role may go beyond: the ARN of a policy, or NAME for the policies NAME-preview, NAME-staging and NAME-production.", typ: textValue},
	{name: "apigateway", doc: "Kind of HTTP API.", typ: choiceValue, choices: []string{"http", "httpv1", "httpv2", "rest"}},
	{name: "logs", doc: "Days that logs are kept.", typ: integerValue, min: 1, max: 3653, unit: "days"},
}

// keyTypes are the spellings of key attributes in @tables and @tables-indexes.
var keyTypes = []string{"*String", "*Number", "**String", "**Number"}

// pragmas is what a manifest may hold, in the order that arc prints them.
var pragmas = []pragmaSpec{
	{name: "app", doc: "Name of the app.", form: formName},
	{name: "aws", doc: "Where the app lives, and defaults of every function.", form: formSettings,
		keys: slices.Concat(projectSettings, functionSettings)},
	{name: "http", doc: "HTTP routes, each with a function.", form: formRoutes, keys: []setting{
		{name: "method", doc: "HTTP method.", typ: choiceValue, choices: methods, required: true},
		srcSetting,
	}},
	{name: "ws", doc: "WebSocket actions; connect, default and disconnect come by themselves.", form: formNamed, keys: []setting{srcSetting}},
	{name: "events", doc: "Topics, each with a subscriber function.", form: formNamed, keys: []setting{srcSetting}},
	{name: "queues", doc: "Queues, each with a consumer function.", form: formNamed, keys: []setting{
		srcSetting,
		{name: "fifo", doc: "Whether the queue keeps the order of its messages.", typ: booleanValue},
		{name: "batchSize", doc: "Messages a call.", typ: integerValue, min: 1, max: 10000},
		{name: "batchWindow", doc: "Seconds to wait for a batch to fill.", typ: integerValue, min: 0, max: 300, unit: "seconds"},
		reportFailuresSetting,
	}},
	{name: "scheduled", doc: "Functions that run by the clock.", form: formNamed, keys: []setting{
		srcSetting,
		{name: "rate", doc: "Interval: 1 day.", typ: listValue},
		{name: "cron", doc: "Six cron fields: 0 6 * * ? *.", typ: listValue},
		{name: "timezone", doc: "IANA time zone that cron fields mean.", typ: textValue},
	}},
	{name: "tables", doc: "DynamoDB tables and their keys.", form: formNamed, open: true, keys: []setting{
		{name: "stream", doc: "Whether src/tables-streams/<table> gets every change.", typ: booleanValue},
		{name: "encrypt", doc: "true, or the id or ARN of a KMS key.", typ: textValue},
		{name: "PITR", doc: "Point-in-time recovery.", typ: booleanValue, also: []string{"pitr", "PointInTimeRecovery"}},
	}},
	{name: "tables-indexes", doc: "Global secondary indexes, named after their table.", form: formNamed, open: true, keys: []setting{
		{name: "name", doc: "Name of the index.", typ: textValue},
		{name: "projection", doc: "all, keys, or the attributes to copy.", typ: listValue},
	}},
	{name: "tables-streams", doc: "Functions that get a table's changes.", form: formNamed, keys: []setting{
		{name: "table", doc: "Table whose changes the function gets.", typ: textValue},
		srcSetting,
		{name: "retries", doc: "How often changes that the function fails on are tried again.", typ: integerValue, min: 0, max: 10000},
		{name: "age", doc: "How old a change may be before it is given up.", typ: integerValue, min: 60, max: 604800, unit: "seconds", example: "3600"},
		{name: "bisect", doc: "Whether a batch that fails is tried again in two halves.", typ: booleanValue},
		{name: "onFailure", doc: "Where changes that are given up go: their place in the stream to a queue, or they themselves to a bucket.", typ: choiceValue, choices: []string{"queue", "bucket"}},
		reportFailuresSetting,
	}},
	{name: "static", doc: "Files served under /_static/; false turns it off.", form: formSettings, keys: []setting{
		{name: "folder", doc: "Folder of the files.", typ: textValue},
		{name: "fingerprint", doc: "true puts a hash into each file name; external leaves that to your build.", typ: choiceValue, choices: []string{"true", "false", "external"}},
		{name: "prefix", doc: "Prefix of the keys in the bucket.", typ: textValue},
		{name: "prune", doc: "Whether files that are gone are removed from the bucket.", typ: booleanValue},
		{name: "ignore", doc: "Files whose path holds one of these words are not published.", typ: listValue},
		{name: "compression", doc: "How text files are compressed.", typ: choiceValue, choices: []string{"true", "false", "br", "gzip"}},
		{name: "spa", doc: "Whether unknown paths get index.html.", typ: booleanValue},
		{name: "staging", doc: "Existing bucket for staging.", typ: textValue},
		{name: "production", doc: "Existing bucket for production.", typ: textValue},
	}},
	{name: "cdn", doc: "A CloudFront distribution in front of the app.", form: formSwitch},
	{name: "proxy", doc: "Where requests go that no route takes.", form: formSettings, keys: []setting{
		{name: "testing", doc: "URL used by the sandbox.", typ: textValue, required: true},
		{name: "staging", doc: "URL used by staging.", typ: textValue, required: true},
		{name: "production", doc: "URL used by production.", typ: textValue, required: true},
	}},
	{name: "shared", doc: "Code that functions share, and which functions get it.", form: formList, keys: []setting{
		{name: "src", doc: "Folder of the code (default src/shared).", typ: textValue},
	}},
	{name: "views", doc: "View code, and which routes get it.", form: formList, keys: []setting{
		{name: "src", doc: "Folder of the code (default src/views).", typ: textValue},
	}},
	{name: "typescript", doc: "Settings of Architect's TypeScript plugin.", form: formSettings, keys: []setting{
		{name: "base-runtime", doc: "Node runtime of the functions with runtime typescript.", typ: textValue},
		{name: "build", doc: "Has no effect: nothing is written into the project.", typ: textValue},
		{name: "sourcemaps", doc: "Has no effect: bundles always have a source map.", typ: listValue},
		{name: "esbuild-config", doc: "Settings of esbuild, in JavaScript: has architect/plugin-typescript itself compile.", typ: textValue},
	}},
	{name: "plugins", doc: "Plugins, which change the app and its template.", form: formList, keys: []setting{
		{name: "src", doc: "File of the plugin: JavaScript, or any executable.", typ: textValue},
	}},
	{name: "macros", doc: "Macros, which change the app's template.", form: formList, keys: []setting{
		{name: "src", doc: "File of the macro.", typ: textValue},
	}},
}

// configPragmas is what a function's config file may hold.
var configPragmas = []pragmaSpec{
	{name: "aws", doc: "Settings of the function.", form: formSettings, keys: functionSettings},
	{name: "arc", doc: "Settings of the function.", form: formSettings, keys: functionSettings},
	{name: "uses", doc: "All that the function may touch: it gets a role with only this.", form: formList},
}

// preferencePragmas is what a preferences file may hold.
var preferencePragmas = []pragmaSpec{
	{name: "create", doc: "How arc init writes handlers.", form: formSettings, keys: []setting{
		{name: "autocreate", doc: "Whether missing handlers are written by themselves.", typ: booleanValue,
			instead: "arc init writes the missing handlers, whenever it is asked to"},
		{name: "templates", doc: "Boilerplate file for each pragma.", typ: stagesValue,
			instead: "copy them over what arc init writes"},
	}},
	{name: "env", doc: "Local environment variables by stage.", form: formSettings, keys: []setting{
		{name: "testing", doc: "Variables of the sandbox.", typ: stagesValue},
		{name: "staging", doc: "Variables for ARC_ENV staging.", typ: stagesValue},
		{name: "production", doc: "Variables for ARC_ENV production.", typ: stagesValue},
	}},
	{name: "sandbox", doc: "How the sandbox runs.", form: formSettings, keys: []setting{
		{name: "env", doc: "Forces ARC_ENV.", typ: choiceValue, choices: stages,
			instead: "arc sandbox is always testing; arc deploy --local runs staging, with --production production"},
		{name: "useAWS", doc: "Services of which functions' calls go to AWS itself, with your own credentials; true = all.", typ: listValue, example: "bedrock cognito-idp"},
		{name: "allow-origin", doc: "Origins of pages that may call the app beside those of this machine; * = all.", typ: listValue, example: "https://example.com null"},
		{name: "allow-host", doc: "Names by which others may call the app, as through a tunnel.", typ: listValue, example: "abc.ngrok.app"},
		{name: "livereload", doc: "Reload the browser when a file changes.", typ: booleanValue},
		{name: "ports", doc: "Fixed ports.", typ: stagesValue},
		{name: "external-db", doc: "Use a table emulator that runs already.", typ: booleanValue},
		{name: "seed-data", doc: "File of items that fill the tables.", typ: textValue},
		{name: "coldstart", doc: "Imitate cold starts.", typ: booleanValue,
			instead: "every worker's first call is a cold start here; save a file of the function to have another"},
		{name: "delete-vendor", doc: "Whether vendored code is removed at the end.", typ: booleanValue,
			instead: "remove the line: arc writes no vendored code into the project"},
		{name: "no-hydrate", doc: "Do not add shared code and dependencies.", typ: booleanValue,
			instead: "remove the line: arc copies nothing into functions' folders; shared false in config.arc leaves shared code out"},
	}},
	{name: "sandbox-start", doc: "Shell commands that run when the sandbox starts.", form: formList},
	{name: "sandbox-startup", doc: "The same as @sandbox-start.", form: formList},
}

var stages = []string{"testing", "staging", "production"}

// retiredPragmas were pragmas of earlier versions of Architect. They have no
// effect, there as here; the text says what took their place.
var retiredPragmas = map[string]string{
	"indexes": "write @tables-indexes instead",
	"streams": "write @tables-streams instead",
	"slack":   "write the routes in @http",
	"css":     "write the routes in @http, or put the files into the static folder",
	"html":    "write the routes in @http",
	"js":      "write the routes in @http, or put the files into the static folder",
	"json":    "write the routes in @http",
	"jsonapi": "write the routes in @http",
	"text":    "write the routes in @http",
	"xml":     "write the routes in @http",
}

// foreignPragmas are what people write that never was a pragma of Architect's
// own; the text says what to do.
var foreignPragmas = map[string]string{
	"begin":  "it was for Begin's hosting; remove it",
	"domain": "point the domain at the app's URL, outside the manifest",
	"dns":    "point the domain at the app's URL, outside the manifest",
	"index":  "write @tables-indexes",
	"layers": "write layers in @aws",
	"import": "a manifest is one file; write the lines here",
	"rest":   "write @http",
}

// misplacedPragmas belong into another file.
var misplacedPragmas = map[string]string{
	"arc":             "config.arc beside a function",
	"uses":            "config.arc beside a function",
	"create":          "preferences.arc",
	"env":             "preferences.arc",
	"sandbox":         "preferences.arc",
	"sandbox-start":   "preferences.arc",
	"sandbox-startup": "preferences.arc",
}
