package inventory

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"arc/manifest"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const inventorySchema = "../../docs/inventory.schema.json"

// TestInventorySchema holds the inventory of every project that package
// manifest is tested with against the published schema.
func TestInventorySchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(inventorySchema)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../testdata/projects/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no projects to list: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			project := fstest.MapFS{}
			for _, f := range archive.Files {
				project[f.Name] = &fstest.MapFile{Data: f.Data}
			}
			result := manifest.Load(project, manifest.Options{})
			if result.App == nil || result.Diagnostics.HasErrors() {
				t.Skip("the project has mistakes")
			}
			var out bytes.Buffer
			if err := json.NewEncoder(&out).Encode(Of(result.App)); err != nil {
				t.Fatal(err)
			}
			value, err := jsonschema.UnmarshalJSON(&out)
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(value); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestInventorySchemaIsExact wants every object of the schema to require what
// it names and to allow nothing else, so that the schema and the inventory
// cannot drift apart unseen.
func TestInventorySchemaIsExact(t *testing.T) {
	var schema any
	data, err := os.ReadFile(inventorySchema)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	var visit func(path string, value any)
	visit = func(path string, value any) {
		switch v := value.(type) {
		case []any:
			for _, e := range v {
				visit(path, e)
			}
		case map[string]any:
			properties, ok := v["properties"].(map[string]any)
			if ok && v["type"] == "object" {
				var required []string
				list, _ := v["required"].([]any)
				for _, name := range list {
					required = append(required, name.(string))
				}
				slices.Sort(required)
				if path != "/properties/environment" && !slices.Equal(required, slices.Sorted(maps.Keys(properties))) {
					t.Errorf("%s: required %v", path, required)
				}
				if v["additionalProperties"] != false {
					t.Errorf("%s: allows properties that it does not name", path)
				}
			}
			for name, e := range v {
				visit(path+"/"+name, e)
			}
		}
	}
	visit("", schema)
}
