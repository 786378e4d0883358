package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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

// TestTypesAreDescribedOnce: a resource type's name stands as a literal in its
// description, in the compiler's file of its pragma and in its local service,
// and nowhere else: who wants to know something of it asks package registry.
func TestTypesAreDescribedOnce(t *testing.T) {
	literal := regexp.MustCompile("[\"`]AWS::[A-Za-z0-9]+::[A-Za-z0-9]+[\"`]")
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		path = filepath.ToSlash(strings.TrimPrefix(path, filepath.Clean("../..")+string(filepath.Separator)))
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		switch room, file := filepath.Split(path); {
		case room == "cfn/registry/":
			return nil
		case strings.HasPrefix(room, "sandbox/") && room != "sandbox/stack/":
			return nil
		case room == "cfn/":
			if _, err := os.Stat("../../manifest/" + file); err == nil {
				return nil // a pragma's
			}
		}
		data, err := os.ReadFile("../../" + path)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(data), "\n") {
			if found := literal.FindString(line); found != "" {
				t.Errorf("%s:%d: %s stands here as a literal; package registry has a name for it", path, i+1, found)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestDocstrings: every exported declaration says what it is.
func TestDocstrings(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{$dir := .Dir}}{{range .GoFiles}}{{$dir}}/{{.}}\n{{end}}", "arc/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	lacks := func(at token.Pos, name string, docs ...*ast.CommentGroup) {
		said := slices.ContainsFunc(docs, func(doc *ast.CommentGroup) bool { return doc != nil })
		if ast.IsExported(name) && !said {
			t.Errorf("%s: %s has no docstring", set.Position(at), name)
		}
	}
	for _, file := range strings.Fields(string(out)) {
		tree, err := parser.ParseFile(set, file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range tree.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil || ast.IsExported(receiver(d)) {
					lacks(d.Pos(), d.Name.Name, d.Doc)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						lacks(s.Pos(), s.Name.Name, d.Doc, s.Doc, s.Comment)
					case *ast.ValueSpec:
						lacks(s.Pos(), s.Names[0].Name, d.Doc, s.Doc, s.Comment)
					}
				}
			}
		}
	}
}

// receiver is the name of the type that a method belongs to.
func receiver(d *ast.FuncDecl) string {
	name := ""
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return true
	})
	return name
}
