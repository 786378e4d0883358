package diff

import (
	"slices"
	"strings"

	"arc/cfn"
)

// model is a template seen as an app.
type model struct {
	doc      *cfn.Document
	names    map[string]string   // what the manifest calls tables, queues, topics: logical ID → "notes"
	triggers map[string][]string // what invokes a function: logical ID → "@http get /notes", …
	routes   map[string]route    // "get /notes" → where it leads; @http
	actions  map[string]route    // "$default" → where it leads; @ws
	byType   map[string][]string // logical IDs, sorted
	via      map[string]string   // alias or version → its function
}

func newModel(doc *cfn.Document) *model {
	m := &model{
		doc: doc, names: map[string]string{}, triggers: map[string][]string{},
		routes: map[string]route{}, actions: map[string]route{}, byType: map[string][]string{}, via: map[string]string{},
	}
	for _, id := range keysOfBoth(nil, doc.Resources) {
		typ := doc.Resources[id].Type
		m.byType[typ] = append(m.byType[typ], id)
	}
	for _, typ := range []string{"AWS::Lambda::Alias", "AWS::Lambda::Version"} {
		for _, id := range m.byType[typ] {
			for _, target := range cfn.References(doc.Resources[id].Properties["FunctionName"]) {
				m.via[id] = target
			}
		}
	}
	m.readNames()
	m.readRoutes()
	m.readTriggers()
	for id := range m.triggers {
		slices.Sort(m.triggers[id])
		m.triggers[id] = slices.Compact(m.triggers[id])
	}
	return m
}

// readNames finds what the manifest calls a resource: a parameter
// /STACK/tables/notes holds the name of the table that is called notes there.
func (m *model) readNames() {
	for _, id := range m.byType["AWS::SSM::Parameter"] {
		props := m.doc.Resources[id].Properties
		path := strings.Split(plainText(props["Name"]), "/")
		targets := cfn.References(props["Value"])
		if len(path) >= 3 && len(targets) == 1 {
			m.names[targets[0]] = path[len(path)-1]
			if path[len(path)-2] == "static" {
				m.names[targets[0]] = "of static files"
			}
		}
	}
	for _, id := range m.byType["AWS::SQS::Queue"] {
		redrive, _ := m.doc.Resources[id].Properties["RedrivePolicy"].(map[string]any)
		for _, dead := range cfn.References(redrive["deadLetterTargetArn"]) {
			if m.names[dead] == "" {
				m.names[dead] = m.nameOf(id) + " (dead letters)"
			}
		}
	}
}

// includes reports whether a part of the template is put in by a macro.
func (m *model) includes() bool {
	var has func(v any) bool
	has = func(v any) bool {
		switch v := v.(type) {
		case map[string]any:
			for name, x := range v {
				if name == "Fn::Transform" || has(x) {
					return true
				}
			}
		case []any:
			return slices.ContainsFunc(v, has)
		}
		return false
	}
	for _, def := range m.doc.Resources {
		if has(def.Properties) {
			return true
		}
	}
	return false
}

// nameOf is what people call a resource.
func (m *model) nameOf(id string) string {
	if name := m.names[id]; name != "" {
		return name
	}
	return bare(id)
}

// bare is a logical ID without the nested stack it is in.
func bare(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// readTriggers finds what invokes each function, beside routes and actions.
func (m *model) readTriggers() {
	add := func(v any, text string) {
		if id := m.functionOf(v); id != "" {
			m.triggers[id] = append(m.triggers[id], text)
		}
	}
	for _, id := range m.byType["AWS::SNS::Subscription"] {
		p := m.doc.Resources[id].Properties
		add(p["Endpoint"], "@events "+m.nameOfTarget(p["TopicArn"]))
	}
	for _, id := range m.byType["AWS::Lambda::EventSourceMapping"] {
		p := m.doc.Resources[id].Properties
		kind := "@queues "
		if source := cfn.References(p["EventSourceArn"]); len(source) == 1 && strings.Contains(m.doc.Resources[source[0]].Type, "DynamoDB") {
			kind = "@tables-streams "
		}
		add(p["FunctionName"], kind+m.nameOfTarget(p["EventSourceArn"]))
	}
	for _, s := range m.readSchedules() {
		if s.function != "" {
			m.triggers[s.function] = append(m.triggers[s.function], "@scheduled "+s.name)
		}
	}
}

func (m *model) nameOfTarget(v any) string {
	for _, id := range cfn.References(v) {
		if _, ok := m.doc.Resources[id]; ok {
			return m.nameOf(id)
		}
	}
	return plainText(v)
}

// functionOf is the function that a value refers to; "" = none.
func (m *model) functionOf(v any) string {
	for _, id := range cfn.References(v) {
		if to := m.via[id]; to != "" {
			id = to
		}
		if m.doc.Resources[id].Type == "AWS::Lambda::Function" {
			return id
		}
	}
	return ""
}

// plainText is a string of a template with its references written in: ${A.Arn}.
func plainText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case map[string]any:
		if name, ok := v["Ref"].(string); ok {
			return "${" + name + "}"
		}
		if text, ok := exactText(v); ok {
			return text
		}
		if sub := list(v["Fn::Sub"]); len(sub) == 2 {
			return plainText(sub[0])
		}
		if arg, ok := v["Fn::GetAtt"].([]any); ok && len(arg) == 2 {
			return "${" + plainText(arg[0]) + "." + plainText(arg[1]) + "}"
		}
		if arg, ok := v["Fn::Join"].([]any); ok && len(arg) == 2 {
			var parts []string
			for _, part := range list(arg[1]) {
				parts = append(parts, plainText(part))
			}
			return strings.Join(parts, plainText(arg[0]))
		}
	}
	if s, ok := spelled(v); ok {
		return s
	}
	return brief(v)
}

// kinds are what people call resources of the types they know.
var kinds = map[string]string{
	"AWS::ApiGatewayV2::Api":        "API",
	"AWS::CloudFront::Distribution": "CDN",
	"AWS::DynamoDB::Table":          "table",
	"AWS::Events::Rule":             "schedule",
	"AWS::IAM::Group":               "group",
	"AWS::IAM::Role":                "role",
	"AWS::IAM::User":                "user",
	"AWS::Logs::LogGroup":           "log group",
	"AWS::S3::Bucket":               "bucket",
	"AWS::SNS::Topic":               "topic",
	"AWS::SQS::Queue":               "queue",
	"AWS::Scheduler::Schedule":      "schedule",
}

// describe names a resource in a sentence: "table notes".
func (r *reviewer) describe(id string) string {
	m := r.after
	def, ok := m.doc.Resources[id]
	if !ok {
		m = r.before
		def = m.doc.Resources[id]
	}
	if def.Type == "AWS::Lambda::Function" {
		return r.function(id)
	}
	if strings.HasPrefix(def.Type, "AWS::Logs::") {
		if group := r.logsOf(m, id); group != "" {
			return "the log of " + group
		}
	}
	if kind := kinds[def.Type]; kind != "" && strings.EqualFold(kind, m.nameOf(id)) {
		return "the " + kind
	} else if strings.HasPrefix(m.nameOf(id), "of ") {
		return "the " + kind + " " + m.nameOf(id)
	} else if kind != "" {
		return kind + " " + m.nameOf(id)
	}
	return bare(id)
}

// logsOf names the function that writes to a log group.
func (r *reviewer) logsOf(m *model, group string) string {
	if fn, ok := strings.CutSuffix(group, "LogGroup"); ok && m.doc.Resources[fn].Type == "AWS::Lambda::Function" {
		return r.function(fn)
	}
	return ""
}

// function names a function by what invokes it: "@http get /notes".
func (r *reviewer) function(id string) string {
	if r.opts.Name != nil {
		if name := r.opts.Name(id); name != "" {
			return name
		}
	}
	for _, m := range []*model{r.after, r.before} {
		if triggers := m.triggers[id]; len(triggers) > 0 {
			if len(triggers) > 2 {
				triggers = append(slices.Clone(triggers[:2]), "…")
			}
			return strings.Join(triggers, ", ")
		}
	}
	return bare(id)
}
