package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// readRooms reads the table of CONTRIBUTING.md: which of our packages each room
// (a folder with everything below it) may import beside itself. A room that may
// import everything has nil.
func readRooms(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "\n| room | what lives there | may import |\n|---|---|---|\n")
	table, _, closed := strings.Cut(table, "\n\n")
	if !found || !closed {
		t.Fatal("CONTRIBUTING.md has no table of rooms")
	}
	rooms := map[string][]string{}
	for line := range strings.SplitSeq(table, "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 3 {
			t.Fatalf("a row of the table of rooms has %d cells: %s", len(cells), line)
		}
		name, may := strings.Trim(cells[0], " `"), strings.TrimSpace(cells[2])
		if info, err := os.Stat("../../" + name); err != nil || !info.IsDir() {
			t.Errorf("the room %s is no folder", name)
		}
		switch imports := []string{}; may {
		case "everything":
			rooms["arc/"+name] = nil
		case "nothing of ours":
			rooms["arc/"+name] = imports
		default:
			for word := range strings.SplitSeq(may, ", ") {
				imports = append(imports, "arc/"+strings.Trim(word, "`"))
			}
			rooms["arc/"+name] = imports
		}
	}
	for name, imports := range rooms {
		for _, to := range imports {
			if _, ok := rooms[to]; !ok {
				t.Errorf("the room %s may import %s, which is no room", name, to)
			}
		}
	}
	return rooms
}

// room is the longest entry of the table that holds the package.
func room(rooms map[string][]string, pkg string) string {
	best := ""
	for r := range rooms {
		if (pkg == r || strings.HasPrefix(pkg, r+"/")) && len(r) > len(best) {
			best = r
		}
	}
	return best
}

// TestRooms: every package stands in a room of CONTRIBUTING.md, and imports no
// other than the table allows.
func TestRooms(t *testing.T) {
	rooms := readRooms(t)
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
		from := room(rooms, pkg.ImportPath)
		if from == "" {
			t.Errorf("%s stands in no room: add it to the table of CONTRIBUTING.md", pkg.ImportPath)
		}
		for _, to := range pkg.Imports {
			if r := room(rooms, to); r != "" && r != from && rooms[from] != nil && !slices.Contains(rooms[from], r) {
				t.Errorf("%s imports %s, which %s may not", pkg.ImportPath, to, from)
			}
		}
		// The parent package links every AWS service: 13 MB and a slow start.
		if slices.Contains(pkg.Deps, "github.com/awslabs/goformation/v7/cloudformation") {
			t.Errorf("%s imports goformation's top-level cloudformation package; import its sub-packages only", pkg.ImportPath)
		}
	}
}
