package plugin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"arc/manifest"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestInventory: every field of the inventory of testdata/apps/every, beside
// Architect 12's own (testdata/inventory-architect.json, which its packages made
// of the same files). What differs is listed in differences.txt, and nothing else
// does.
func TestInventory(t *testing.T) {
	const app = "../testdata/apps/every"
	dir, err := filepath.Abs(app)
	if err != nil {
		t.Fatal(err)
	}
	result := manifest.Load(os.DirFS(app), manifest.Options{Region: "us-west-2"})
	if result.App == nil {
		t.Fatal(result.Diagnostics)
	}
	raw, err := Project{Dir: dir, Stage: "staging", Result: result}.Inventory()
	if err != nil {
		t.Fatal(err)
	}
	quoted, err := json.Marshal(dir)
	if err != nil {
		t.Fatal(err)
	}
	raw = bytes.ReplaceAll(raw, quoted[1:len(quoted)-1], []byte("<CWD>"))
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/inventory.golden", pretty.String()+"\n")
	var ours struct{ Inv any }
	if err := json.Unmarshal(raw, &ours); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile("testdata/inventory-architect.json")
	if err != nil {
		t.Fatal(err)
	}
	var theirs any
	if err := json.Unmarshal(body, &theirs); err != nil {
		t.Fatal(err)
	}
	var lines []string
	differ(&lines, "inv", theirs, ours.Inv)
	golden(t, "testdata/inventory-differences.txt", strings.Join(lines, "\n")+"\n")
}

// TestInventories: further apps, of which testdata/inventories has what Architect
// 12's packages make (architect.json), and what differs.
func TestInventories(t *testing.T) {
	files, err := filepath.Glob("testdata/inventories/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir, _ := project(t, file)
			result := manifest.Load(os.DirFS(dir), manifest.Options{Region: "us-west-2"})
			raw, err := Project{Dir: dir, Stage: "staging", Result: result}.Inventory()
			if err != nil {
				t.Fatal(err)
			}
			var ours struct{ Inv map[string]any }
			if err := json.Unmarshal(bytes.ReplaceAll(raw, []byte(dir), []byte("<CWD>")), &ours); err != nil {
				t.Fatal(err)
			}
			besideArchitect(t, file, archive, ours.Inv)
		})
	}
}

// besideArchitect compares what an archive has of Architect with ours, and keeps
// what differs.
func besideArchitect(t *testing.T, file string, archive *txtar.Archive, ours map[string]any) {
	t.Helper()
	var theirs map[string]any
	for _, f := range archive.Files {
		if f.Name == "architect.json" {
			if err := json.Unmarshal(f.Data, &theirs); err != nil {
				t.Fatal(err)
			}
		}
	}
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(theirs)) {
		differ(&lines, key, theirs[key], ours[key])
	}
	got := strings.Join(lines, "\n") + "\n"
	for i, f := range archive.Files {
		if f.Name != "differences.txt" || string(f.Data) == got {
			continue
		}
		if !*update {
			t.Errorf("%s, differences.txt (-update rewrites it):\n%s", file, got)
			continue
		}
		archive.Files[i].Data = []byte(got)
		if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPreferences: preferences are given as Architect 12 gives them, but for the
// values of variables, which are secrets: each archive of testdata/preferences
// has what its packages make of the files (architect.json), with the user's
// folder in home, and what differs.
func TestPreferences(t *testing.T) {
	files, err := filepath.Glob("testdata/preferences/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir, _ := project(t, file)
			home := filepath.Join(dir, "home")
			root := filepath.Join(dir, "project")
			result := manifest.Load(os.DirFS(root), manifest.Options{Region: "us-west-2", Home: os.DirFS(home)})
			if result.App == nil || len(result.Diagnostics) > 0 {
				t.Fatal(result.Diagnostics)
			}
			raw, err := Project{Dir: root, Home: home, Stage: "staging", Result: result}.Inventory()
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(raw, []byte("secret")) {
				t.Errorf("a plugin is told a secret: %s", raw)
			}
			raw = bytes.ReplaceAll(raw, []byte(dir), []byte("<DIR>"))
			var ours struct {
				Inv struct {
					Project map[string]any `json:"_project"`
				}
			}
			if err := json.Unmarshal(raw, &ours); err != nil {
				t.Fatal(err)
			}
			besideArchitect(t, file, archive, ours.Inv.Project)
		})
	}
}

// differ lists what differs: Architect's value, then ours.
func differ(lines *[]string, path string, theirs, ours any) {
	a, isMap := theirs.(map[string]any)
	b, alsoMap := ours.(map[string]any)
	if isMap && alsoMap {
		var keys []string
		for key := range a {
			keys = append(keys, key)
		}
		for key := range b {
			if _, both := a[key]; !both {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		for _, key := range keys {
			x, inA := a[key]
			y, inB := b[key]
			switch {
			case !inA:
				*lines = append(*lines, fmt.Sprintf("%s.%s: only ours: %s", path, key, brief(y)))
			case !inB:
				*lines = append(*lines, fmt.Sprintf("%s.%s: only Architect's: %s", path, key, brief(x)))
			default:
				differ(lines, path+"."+key, x, y)
			}
		}
		return
	}
	x, isList := theirs.([]any)
	y, alsoList := ours.([]any)
	if isList && alsoList && len(x) == len(y) {
		for i := range x {
			differ(lines, fmt.Sprintf("%s[%d]", path, i), x[i], y[i])
		}
		return
	}
	if !reflect.DeepEqual(theirs, ours) {
		*lines = append(*lines, fmt.Sprintf("%s: %s, ours %s", path, brief(theirs), brief(ours)))
	}
}

func brief(v any) string {
	text, _ := json.Marshal(v)
	if len(text) > 120 {
		return string(text[:117]) + "..."
	}
	return string(text)
}
