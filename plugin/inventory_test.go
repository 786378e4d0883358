package plugin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"arc/manifest"
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
