package diff_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"arc/cfn"
	"arc/cfn/diff"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestRulesAreExplained: whatever a review warns of can be explained, and what
// is explained exists. The rules are the constants of type Rule, and the texts
// that package compare refuses by.
func TestRulesAreExplained(t *testing.T) {
	all, err := diff.Explanations()
	if err != nil {
		t.Fatal(err)
	}
	explained := map[string]bool{}
	for _, e := range all {
		if explained[string(e.Rule)] {
			t.Errorf("%s is explained twice", e.Rule)
		}
		explained[string(e.Rule)] = true
		if e.Title == "" || e.Property == "" || !strings.HasPrefix(e.Page, "https://docs.aws.amazon.com/") || len(e.Order) == 0 || len(e.Instead) == 0 {
			t.Errorf("%s: the explanation is not whole: %+v", e.Rule, e)
		}
	}
	used := map[string]bool{}
	for _, dir := range []string{".", "compare"} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				rulesIn(t, file, used)
			}
		}
	}
	for rule := range used {
		if !explained[rule] {
			t.Errorf("%s is not explained in rules.txt", rule)
		}
	}
	for rule := range explained {
		if !used[rule] {
			t.Errorf("%s is explained, and no rule", rule)
		}
	}
}

// rulesIn adds the rules that a file declares (x Rule = "id"), returns beside a
// text, or assigns to RefusedBy.
func rulesIn(t *testing.T, file string, used map[string]bool) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	literal := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if id, err := strconv.Unquote(lit.Value); err == nil && id != "" && !strings.ContainsAny(id, " :(") {
				used[id] = true
			}
		}
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			if typ, ok := n.Type.(*ast.Ident); ok && typ.Name == "Rule" {
				for _, v := range n.Values {
					literal(v)
				}
			}
		case *ast.AssignStmt:
			if to, ok := n.Lhs[0].(*ast.SelectorExpr); ok && to.Sel.Name == "RefusedBy" {
				literal(n.Rhs[0])
			}
		case *ast.FuncDecl:
			if n.Type.Results == nil || len(n.Type.Results.List) == 0 || len(n.Type.Results.List[0].Names) == 0 || n.Type.Results.List[0].Names[0].Name != "rule" {
				return true
			}
			ast.Inspect(n.Body, func(n ast.Node) bool {
				if ret, ok := n.(*ast.ReturnStmt); ok && len(ret.Results) == 2 {
					literal(ret.Results[0])
				}
				return true
			})
		}
		return true
	})
}

// TestEveryRiskHasARule: in all that the corpora hold.
func TestEveryRiskHasARule(t *testing.T) {
	all, err := diff.Explanations()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[diff.Rule]bool{}
	look := func(file string, r *diff.Review) {
		for _, g := range r.Groups {
			for _, it := range g.Items {
				for _, risk := range it.Risks {
					seen[risk.Rule] = true
					if !slices.ContainsFunc(all, func(e diff.Explanation) bool { return e.Rule == risk.Rule }) {
						t.Errorf("%s: %s %q has the rule %q, which is not explained", file, risk.Class, risk.Text, risk.Rule)
					}
				}
			}
		}
	}
	for _, pattern := range []string{"testdata/templates/*.txtar", "testdata/verdicts/*.txtar"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) < 40 {
			t.Fatal(len(files), err)
		}
		for _, file := range files {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var before, after *cfn.Document
			if strings.Contains(pattern, "verdicts") {
				before, _ = compileSide(t, ar, "before/")
				after, _ = compileSide(t, ar, "after/")
			} else {
				before, after = parse(t, ar.Files[0].Data), parse(t, ar.Files[1].Data)
			}
			look(file, diff.Compose(before, after, diff.Options{}))
		}
	}
	if len(seen) < 30 {
		t.Errorf("the corpora bring about %d rules only", len(seen))
	}
}
