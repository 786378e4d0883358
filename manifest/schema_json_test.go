package manifest

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The schemas in docs are printed from the tables in schema.go, so that an
// editor completes and checks what the reader reads.

type object = map[string]any

const draft = "https://json-schema.org/draft/2020-12/schema"

// manifestSchema describes arc.json and arc.yaml.
func manifestSchema() object {
	properties, defs := pragmaSchemas(pragmas)
	return object{
		"$schema": draft, "$defs": defs, "title": "Manifest of an arc project (arc.json, arc.yaml)",
		"type": "object", "properties": properties, "required": []string{"app"}, "additionalProperties": false,
	}
}

// configSchema describes arc.json or config.yaml beside a function.
func configSchema() object {
	properties, defs := pragmaSchemas(configPragmas)
	return object{
		"$schema": draft, "$defs": defs, "title": "Settings of one function (arc-config.json, config.yaml)",
		"type": "object", "properties": properties, "additionalProperties": false,
	}
}

// pragmaSchemas describes each pragma, and apart the settings of each, to which
// the shapes refer.
func pragmaSchemas(specs []pragmaSpec) (properties, defs object) {
	properties, defs = object{}, object{}
	for i := range specs {
		p := &specs[i]
		properties[p.name] = pragmaSchema(p)
		if p.form != formName && p.form != formSwitch && p.form != formList {
			defs[p.name] = settingsSchema(p)
		}
	}
	return properties, defs
}

func settingsRef(p *pragmaSpec) object { return object{"$ref": "#/$defs/" + p.name} }

// pragmaSchema gives the shapes that the JSON spelling of a pragma may have;
// null is an empty pragma.
func pragmaSchema(p *pragmaSpec) object {
	var shapes []any
	switch p.form {
	case formName:
		name := object{"type": "string", "pattern": "^[a-z][a-zA-Z0-9_-]+$", "maxLength": 100}
		return object{"description": p.doc, "anyOf": []any{name,
			object{"type": "array", "items": name, "minItems": 1, "maxItems": 1}}}
	case formSettings:
		shapes = append(shapes, settingsRef(p), object{"type": "array", "items": settingItem(p)})
	case formNamed:
		shapes = append(shapes, object{"type": "object", "additionalProperties": itemSchema(p)}, object{"type": "array", "items": namedItemSchema(p)})
	case formRoutes:
		shapes = append(shapes, routesSchema(p), object{"type": "array", "items": routeItemSchema(p)})
	case formSwitch:
		shapes = append(shapes, object{"type": "array", "items": object{"enum": []any{true, false, "true", "false", "disable", "disabled"}}, "maxItems": 1},
			object{"type": "object", "maxProperties": 0})
	case formList:
		shapes = append(shapes, object{"type": "array"}, object{"type": "object"})
	}
	return object{"description": p.doc, "anyOf": append(shapes, object{"type": "null"})}
}

// settingsSchema is the object of a pragma's settings, in all their spellings.
func settingsSchema(p *pragmaSpec) object {
	properties := object{}
	var required []string
	for i := range p.keys {
		s := &p.keys[i]
		for _, name := range append([]string{s.name}, s.also...) {
			properties[name] = valueSchema(s)
		}
		if s.required {
			required = append(required, s.name)
		}
	}
	schema := object{"type": "object", "properties": properties, "additionalProperties": false}
	if p.open {
		schema["additionalProperties"] = object{"type": []string{"string", "number", "boolean"}}
	}
	if required != nil {
		schema["required"] = required
	}
	return schema
}

// settingItem is one line of settings in a list: ["memory", 256], or an object
// with a list or map.
func settingItem(p *pragmaSpec) object {
	var names []string
	for _, s := range p.keys {
		names = append(append(names, s.name), s.also...)
	}
	lines := []any{
		object{"type": "array", "prefixItems": []any{object{"enum": names}}, "minItems": 2},
		object{"type": "object", "propertyNames": object{"enum": names}},
	}
	if p.name == "static" {
		lines = append(lines, object{"enum": []any{false, "false", "disable", "disabled"}})
	}
	return object{"anyOf": lines}
}

func valueSchema(s *setting) object {
	schema := object{"description": s.doc}
	word := object{"type": []string{"string", "number", "boolean"}}
	switch s.typ {
	case textValue:
		schema["type"] = []string{"string", "number", "boolean"}
	case booleanValue:
		schema["enum"] = []any{true, false, "true", "false"}
	case listValue:
		schema["anyOf"] = []any{word, object{"type": "array", "items": word, "minItems": 1}}
	case stagesValue:
		schema["type"] = "object"
	case choiceValue:
		schema["enum"] = choicesOf(s)
	case integerValue:
		number := object{"type": "integer", "minimum": s.min, "maximum": s.max}
		if len(s.choices) == 0 {
			number["description"] = s.doc
			return number
		}
		schema["anyOf"] = []any{number, object{"enum": s.choices}}
	}
	return schema
}

// choicesOf are a setting's choices, with true and false as JSON has them too.
func choicesOf(s *setting) []any {
	var all []any
	for _, c := range s.choices {
		all = append(all, c)
		if c == "true" || c == "false" {
			all = append(all, c == "true")
		}
	}
	return all
}

// itemSchema is what may stand after a name.
func itemSchema(p *pragmaSpec) object {
	shapes := []any{settingsRef(p)}
	if p.name == "scheduled" {
		shapes = append(shapes, object{"type": "string", "pattern": `^(rate|cron)\([^)]*\)$`})
	}
	return object{"anyOf": shapes}
}

func namedItemSchema(p *pragmaSpec) object {
	shapes := []any{object{"type": "object", "additionalProperties": itemSchema(p), "minProperties": 1, "maxProperties": 1}}
	switch p.name {
	case "tables", "tables-indexes":
	case "scheduled":
		shapes = append(shapes, object{"type": "array", "items": object{"type": []string{"string", "number"}}, "minItems": 2})
	default:
		shapes = append(shapes, object{"type": "string"})
	}
	return object{"anyOf": shapes}
}

// routesSchema is {"get": "/path"} or {"/path": {"method": "get"}}.
func routesSchema(p *pragmaSpec) object {
	return object{"type": "object",
		"properties":           methodProperties(),
		"patternProperties":    object{"^/": settingsRef(p)},
		"additionalProperties": false,
	}
}

func routeItemSchema(p *pragmaSpec) object {
	one := routesSchema(p)
	one["minProperties"], one["maxProperties"] = 1, 1
	pair := object{"type": "array", "prefixItems": []any{
		object{"type": "string", "pattern": "^(?i:" + strings.Join(methods, "|") + ")$"}, pathSchema(),
	}, "minItems": 2, "maxItems": 2}
	return object{"anyOf": []any{one, pair}}
}

func methodProperties() object {
	properties := object{}
	for _, m := range methods {
		properties[m] = pathSchema()
	}
	return properties
}

func pathSchema() object {
	return object{"type": "string", "pattern": `^/[a-zA-Z0-9/\-:._*]*$`}
}

func TestSchemas(t *testing.T) {
	for file, schema := range map[string]object{
		"../docs/manifest.schema.json": manifestSchema(),
		"../docs/config.schema.json":   configSchema(),
	} {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(schema); err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(file, b.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s is out of date; run with -update:\n%s", file, diff)
		}
	}
}

// TestSchemaAgrees holds each document of schemaCases against the schema
// and against the reader: both must say yes, or both must have a complaint.

func TestSchemaAgrees(t *testing.T) {
	manifest, config := compileSchema(t, "../docs/manifest.schema.json"), compileSchema(t, "../docs/config.schema.json")
	for _, c := range schemaCases {
		against := manifest
		files := map[string]string{"arc.json": c.json}
		if c.config {
			against = config
			files = map[string]string{"app.arc": "@app\nmy-app\n@events\nping\n", "src/events/ping/arc.json": c.json}
		}
		var doc any
		d := json.NewDecoder(strings.NewReader(c.json))
		if err := d.Decode(&doc); err != nil {
			t.Fatalf("%s: %v", c.json, err)
		}
		invalid := against.Validate(doc)
		r := Load(mapFS(files), Options{})
		if (invalid == nil) != c.good || (len(r.Diagnostics) == 0) != c.good {
			t.Errorf("%s\nwant good = %t\nschema: %v\nreader: %s", c.json, c.good, invalid, rendered(r))
		}
	}
}

func compileSchema(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(file)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

var schemaCases = []struct {
	good, config bool
	json         string
}{
	{true, false, `{"app": "my-app"}`},
	{true, false, `{"app": ["my-app"], "ws": null, "http": {}, "static": {}}`},
	{true, false, `{"app": "my-app", "aws": {"region": "eu-west-1", "memory": 512, "timeout": 30, "policies": ["a", "b"], "concurrency": "unthrottled"}}`},
	{true, false, `{"app": "my-app", "aws": [["region", "eu-west-1"], ["memory", 512], {"policies": ["a", "b"]}]}`},
	{true, false, `{"app": "my-app", "http": {"get": "/", "/x": {"method": "post", "src": "src/x"}}}`},
	{true, false, `{"app": "my-app", "http": [{"get": "/"}, {"get": "/y"}, ["post", "/x"], {"/z": {"method": "put"}}]}`},
	{true, false, `{"app": "my-app", "events": ["ping", {"pong": {"src": "src/pong"}}], "queues": {"jobs": {"fifo": false, "batchSize": 5}}}`},
	{true, false, `{"app": "my-app", "scheduled": {"daily": "rate(1 day)", "nightly": {"cron": "0 3 * * ? *", "timezone": "Europe/Berlin"}}}`},
	{true, false, `{"app": "my-app", "tables": {"accounts": {"id": "*String", "ends": "TTL", "stream": true}}, "tables-indexes": [{"accounts": {"mail": "*String", "projection": ["a", "b"]}}]}`},
	{true, false, `{"app": "my-app", "tables": [{"accounts": {"id": "*String"}}], "tables-streams": {"audit": {"table": "accounts"}}}`},
	{true, false, `{"app": "my-app", "http": [], "static": {"folder": "dist", "fingerprint": true, "spa": true, "ignore": [".map"]}, "cdn": [true]}`},
	{true, false, `{"app": "my-app", "http": {"get": "/"}, "proxy": {"testing": "http://localhost:1", "staging": "https://s.example.com", "production": "https://example.com"}}`},
	{false, false, `{"http": {"get": "/"}}`},
	{false, false, `{"app": "My App"}`},
	{false, false, `{"app": "my-app", "htpp": {"get": "/"}}`},
	{false, false, `{"app": "my-app", "aws": {"memory": 64}}`},
	{false, false, `{"app": "my-app", "aws": {"memroy": 512}}`},
	{false, false, `{"app": "my-app", "aws": {"architecture": "arm"}}`},
	{false, false, `{"app": "my-app", "http": {"gte": "/"}}`},
	{false, false, `{"app": "my-app", "http": {"/x": {"src": "src/x"}}}`},
	{false, false, `{"app": "my-app", "http": [["get", "/", "x"]]}`},
	{false, false, `{"app": "my-app", "scheduled": {"daily": "every day"}}`},
	{false, false, `{"app": "my-app", "queues": {"jobs": {"fifo": "maybe"}}}`},
	{false, false, `{"app": "my-app", "static": {"fingerprint": "yes"}}`},
	{false, false, `{"app": "my-app", "http": {}, "proxy": {"testing": "http://localhost:1"}}`},
	{true, true, `{"aws": {"memory": 512, "runtime": "python"}, "arc": {"shared": false}}`},
	{true, true, `{"aws": [["timeout", 20]], "uses": [["ws", "send"]]}`},
	{false, true, `{"aws": {"timeout": 901}}`},
	{false, true, `{"http": {"get": "/"}}`},
	{false, true, `{"aws": {"memroy": 512}}`},
}

// TestSchemaTable checks the table that both are made from.
func TestSchemaTable(t *testing.T) {
	for _, specs := range [][]pragmaSpec{pragmas, configPragmas, preferencePragmas} {
		for _, p := range specs {
			if p.doc == "" {
				t.Errorf("@%s has no description", p.name)
			}
			names := p.keyNames()
			slices.Sort(names)
			if len(slices.Compact(names)) != len(p.keys) {
				t.Errorf("@%s has a setting twice", p.name)
			}
			for _, s := range p.keys {
				if s.doc == "" || s.typ == integerValue && s.min >= s.max || s.typ == choiceValue && len(s.choices) == 0 {
					t.Errorf("@%s %s is not described well", p.name, s.name)
				}
			}
		}
	}
}
