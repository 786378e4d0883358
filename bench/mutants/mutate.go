package main

import (
	"crypto/sha256"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// mutant is one edit of one file that a test should notice.
type mutant struct {
	file       string // from the repository's root
	function   string // the declaration it is in
	line       int    // where it starts
	start, end int    // bytes that are replaced
	was, is    string
	order      string // by which mutants are drawn
}

// String names the mutant without its line, which moves.
func (m mutant) String() string {
	return fmt.Sprintf("%s %s: %s → %s", m.file, m.function, short(m.was), short(m.is))
}

func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 90 {
		return string(r[:89]) + "…"
	}
	if text == "" {
		return "nothing"
	}
	return text
}

// draw lists every mutant of a package's files in an order that the seed
// decides, and that an edit elsewhere leaves as it is.
func draw(dirs []string, seed int) ([]mutant, error) {
	var all []mutant
	for _, dir := range dirs {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			compiled, err := build.Default.MatchFile(filepath.Split(file)) // on this machine
			if err != nil {
				return nil, err
			}
			if strings.HasSuffix(file, "_test.go") || !compiled {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			found, err := mutantsOf(filepath.ToSlash(file), source)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
	}
	seen := map[string]int{}
	for i, m := range all {
		seen[m.String()]++ // the second of the same words is another one
		all[i].order = fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%d %s %d", seed, m, seen[m.String()])))
	}
	slices.SortFunc(all, func(a, b mutant) int { return strings.Compare(a.order, b.order) })
	return all, nil
}

// mutantsOf lists the mutants of one file.
func mutantsOf(file string, source []byte) ([]mutant, error) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, source, 0)
	if err != nil {
		return nil, err
	}
	w := walker{set: set, source: source, file: file}
	for _, decl := range tree.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			w.function = d.Name.Name
			if d.Body != nil {
				ast.Inspect(d.Body, w.visit)
			}
		case *ast.GenDecl:
			if d.Tok == token.CONST || d.Tok == token.VAR {
				w.function = "declarations"
				ast.Inspect(d, w.visit)
			}
		}
	}
	return w.found, nil
}

type walker struct {
	set            *token.FileSet
	source         []byte
	file, function string
	found          []mutant
}

func (w *walker) text(n ast.Node) string {
	return string(w.source[w.set.Position(n.Pos()).Offset:w.set.Position(n.End()).Offset])
}

// add replaces a node by a text.
func (w *walker) add(n ast.Node, is string) {
	at := w.set.Position(n.Pos())
	w.found = append(w.found, mutant{
		file: w.file, function: w.function, line: at.Line, start: at.Offset, end: w.set.Position(n.End()).Offset, was: w.text(n), is: is,
	})
}

// other are the operators that one is replaced by: the boundary, or the opposite.
var other = map[token.Token]string{
	token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">", token.EQL: "!=", token.NEQ: "==",
	token.SUB: "+", token.MUL: "/", token.QUO: "*",
}

func (w *walker) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		x, y := w.text(n.X), w.text(n.Y)
		if op := other[n.Op]; op != "" {
			w.add(n, x+" "+op+" "+y)
		}
		if n.Op == token.LAND || n.Op == token.LOR { // without one side
			w.add(n, "("+x+")")
			w.add(n, "("+y+")")
		}
		if n.Op == token.EQL || n.Op == token.NEQ {
			w.word(n.X)
			w.word(n.Y)
		}
	case *ast.IfStmt:
		w.add(n.Cond, "false && ("+w.text(n.Cond)+")")
		w.add(n.Cond, "true || ("+w.text(n.Cond)+")")
	case *ast.CaseClause:
		for _, x := range n.List {
			w.word(x)
		}
		if len(n.List) > 1 {
			w.add(n.List[0], w.text(n.List[1]))
		}
	case *ast.IndexExpr:
		w.word(n.Index)
	case *ast.KeyValueExpr:
		w.word(n.Key)
	case *ast.BasicLit:
		if n.Kind == token.INT {
			if v, err := strconv.ParseInt(strings.ReplaceAll(n.Value, "_", ""), 0, 32); err == nil {
				w.add(n, strconv.FormatInt(v+1, 10))
			}
		}
	case *ast.Ident:
		if n.Name == "true" || n.Name == "false" {
			w.add(n, strconv.FormatBool(n.Name == "false"))
		}
	case *ast.ExprStmt:
		w.add(n, "") // a call that is not made
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE && len(n.Lhs) == 1 {
			if id, ok := n.Lhs[0].(*ast.Ident); !ok || id.Name != "_" {
				w.add(n, "_ = "+w.text(n.Rhs[0])) // a value that is not kept
			}
		}
	case *ast.CallExpr:
		if id, ok := n.Fun.(*ast.Ident); ok && len(n.Args) == 2 && (id.Name == "max" || id.Name == "min") {
			w.add(n, w.text(n.Args[0]))
			w.add(n, w.text(n.Args[1]))
		}
	}
	return true
}

// word replaces a text that decides something by another one.
func (w *walker) word(n ast.Expr) {
	if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && len(lit.Value) > 2 {
		w.add(lit, lit.Value[:len(lit.Value)-1]+"~"+lit.Value[len(lit.Value)-1:])
	}
}
