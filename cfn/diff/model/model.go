// Package model reads a CloudFormation template as the app that it is: its
// routes, schedules, triggers and rights, by whatever tool it was written.
package model

import (
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/diff/values"
	"arc/cfn/registry"
)

// FunctionType is the type of Lambda functions.
const FunctionType = registry.LambdaFunction

// App is a template seen as an app.
type App struct {
	Doc      *cfn.Document
	names    map[string]string   // what the manifest calls tables, queues, topics: logical ID → "notes"
	Triggers map[string][]string // what invokes a function: logical ID → "@http get /notes", …
	Routes   map[string]Route    // "get /notes" → where it leads; @http
	Actions  map[string]Route    // "$default" → where it leads; @ws
	ByType   map[string][]string // logical IDs, sorted
	Via      map[string]string   // alias or version → its function
}

// New reads a template.
func New(doc *cfn.Document) *App {
	m := &App{
		Doc: doc, names: map[string]string{}, Triggers: map[string][]string{},
		Routes: map[string]Route{}, Actions: map[string]Route{}, ByType: map[string][]string{}, Via: map[string]string{},
	}
	for _, id := range values.KeysOfBoth(nil, doc.Resources) {
		typ := doc.Resources[id].Type
		m.ByType[typ] = append(m.ByType[typ], id)
	}
	for _, typ := range []string{registry.LambdaAlias, registry.LambdaVersion} {
		for _, id := range m.ByType[typ] {
			for _, target := range cfn.References(doc.Resources[id].Properties["FunctionName"]) {
				m.Via[id] = target
			}
		}
	}
	m.readNames()
	m.readRoutes()
	m.readTriggers()
	for id := range m.Triggers {
		slices.Sort(m.Triggers[id])
		m.Triggers[id] = slices.Compact(m.Triggers[id])
	}
	return m
}

// readNames finds what the manifest calls a resource: a parameter
// /STACK/tables/notes holds the name of the table that is called notes there.
func (m *App) readNames() {
	for _, id := range m.ByType[registry.SSMParameter] {
		props := m.Doc.Resources[id].Properties
		path := strings.Split(values.PlainText(props["Name"]), "/")
		targets := cfn.References(props["Value"])
		if len(path) >= 3 && len(targets) == 1 && slices.Contains([]string{registry.DynamoDBTable, registry.SNSTopic, registry.SQSQueue, registry.S3Bucket}, m.Doc.Resources[targets[0]].Type) {
			m.names[targets[0]] = path[len(path)-1]
			if path[len(path)-2] == "static" {
				m.names[targets[0]] = "of static files"
			}
		}
	}
	for _, id := range m.ByType[registry.SQSQueue] {
		redrive, _ := m.Doc.Resources[id].Properties["RedrivePolicy"].(map[string]any)
		for _, dead := range cfn.References(redrive["deadLetterTargetArn"]) {
			if m.names[dead] == "" {
				m.names[dead] = m.NameOf(id) + " (dead letters)"
			}
		}
	}
}

// NameOf is what people call a resource.
func (m *App) NameOf(id string) string {
	if name := m.names[id]; name != "" {
		return name
	}
	return Bare(id)
}

// Bare is a logical ID without the nested stack it is in.
func Bare(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// readTriggers finds what invokes each function, beside routes and actions.
func (m *App) readTriggers() {
	add := func(v any, text string) {
		if id := m.FunctionOf(v); id != "" {
			m.Triggers[id] = append(m.Triggers[id], text)
		}
	}
	for _, id := range m.ByType[registry.SNSSubscription] {
		p := m.Doc.Resources[id].Properties
		add(p["Endpoint"], "@events "+m.NameOfTarget(p["TopicArn"]))
	}
	for _, id := range m.ByType[registry.LambdaEventSourceMapping] {
		p := m.Doc.Resources[id].Properties
		kind := "@queues "
		if source := cfn.References(p["EventSourceArn"]); len(source) == 1 && strings.Contains(m.Doc.Resources[source[0]].Type, "DynamoDB") {
			kind = "@tables-streams "
		}
		add(p["FunctionName"], kind+m.NameOfTarget(p["EventSourceArn"]))
	}
	for _, s := range m.ReadSchedules() {
		if s.Function != "" {
			m.Triggers[s.Function] = append(m.Triggers[s.Function], "@scheduled "+s.Name)
		}
	}
}

// NameOfTarget is what people call the resource that a value refers to; the
// value itself when it refers to none of the template.
func (m *App) NameOfTarget(v any) string {
	for _, id := range cfn.References(v) {
		if _, ok := m.Doc.Resources[id]; ok {
			return m.NameOf(id)
		}
	}
	if text := values.PlainText(v); !strings.HasPrefix(text, "{") {
		return text
	}
	return "of what " + functionName(v) + " gives"
}

// functionName is the name of the function that a value calls: "Fn::If".
func functionName(v any) string {
	m, _ := v.(map[string]any)
	for name := range m {
		return name
	}
	return "the template"
}

// FunctionOf is the function that a value refers to; "" = none.
func (m *App) FunctionOf(v any) string {
	for _, id := range cfn.References(v) {
		if to := m.Via[id]; to != "" {
			id = to
		}
		if m.Doc.Resources[id].Type == registry.LambdaFunction {
			return id
		}
	}
	return ""
}

// SourceOf is the resource that feeds an event source mapping.
func (m *App) SourceOf(arn any) cfn.ResourceDef {
	for _, id := range cfn.References(arn) {
		if def, ok := m.Doc.Resources[id]; ok {
			return def
		}
	}
	return cfn.ResourceDef{}
}

// First is the resource of a type that one of the values refers to.
func (m *App) First(typ string, values ...any) string {
	for _, v := range values {
		for _, id := range cfn.References(v) {
			if m.Doc.Resources[id].Type == typ {
				return id
			}
		}
	}
	return ""
}
