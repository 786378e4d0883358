package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rooms is the import table of CONTRIBUTING.md: which of our packages a room
// (a folder with everything below it) may import beside itself.
var rooms = map[string][]string{
	"arc/cmd/arc":         {"arc/manifest", "arc/manifest/syntax", "arc/graph", "arc/cfn", "arc/cfn/diff", "arc/source", "arc/deploy", "arc/sandbox", "arc/ci"},
	"arc/manifest/syntax": {},
	"arc/manifest":        {"arc/manifest/syntax"},
	"arc/graph":           {"arc/manifest"},
	"arc/cfn":             {"arc/manifest", "arc/manifest/syntax"},
	"arc/cfn/cost":        {"arc/cfn"},
	"arc/cfn/diff":        {"arc/cfn", "arc/cfn/cost", "arc/graph"},
	"arc/source":          {},
	"arc/deploy":          {"arc/cfn", "arc/source"},
	"arc/sandbox":         {"arc/cfn", "arc/source"},
	"arc/ci":              {"arc/manifest", "arc/cfn", "arc/deploy"},
	"arc/bench":           {},
}

// room is the longest entry of the table that holds the package.
func room(pkg string) string {
	best := ""
	for r := range rooms {
		if (pkg == r || strings.HasPrefix(pkg, r+"/")) && len(r) > len(best) {
			best = r
		}
	}
	return best
}

func TestRooms(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", "arc/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var pkg struct {
			ImportPath    string
			Imports, Deps []string
		}
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		from := room(pkg.ImportPath)
		if from == "" {
			t.Errorf("%s stands in no room: add it to the table here and in CONTRIBUTING.md", pkg.ImportPath)
		}
		for _, to := range pkg.Imports {
			if r := room(to); r != "" && r != from && !slices.Contains(rooms[from], to) && !slices.Contains(rooms[from], r) {
				t.Errorf("%s imports %s, which %s may not", pkg.ImportPath, to, from)
			}
		}
		// The parent package links every AWS service: 13 MB and a slow start.
		if slices.Contains(pkg.Deps, "github.com/awslabs/goformation/v7/cloudformation") {
			t.Errorf("%s imports goformation's top-level cloudformation package; import its sub-packages only", pkg.ImportPath)
		}
	}
}
