package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCodes: docs/codes.md is the one list of exit codes and of the codes of
// mistakes and warnings. It is read off the code; -update writes it.
func TestCodes(t *testing.T) {
	const file = "../../docs/codes.md"
	var b strings.Builder
	b.WriteString("# Codes\n\n## Exit codes\n\nThe same for every command; `arc help <command>` names those it uses.\n\n| code | meaning |\n|---|---|\n")
	exits := exitCodes(t)
	for _, code := range exits {
		fmt.Fprintf(&b, "| %s | %s |\n", code[0], code[1])
	}
	b.WriteString("\n## Codes of mistakes and warnings\n\nThey stay as they are; `--json` has them, and so may a script. … stands for what differs.\n\n| code | says |\n|---|---|\n")
	for _, code := range mistakeCodes(t) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", code[0], strings.ReplaceAll(code[1], "|", "\\|"))
	}
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("docs/codes.md is not what the code says: run go test ./cmd/arc -run TestCodes -update\n%s", d)
	}
	s := &session{}
	for _, c := range s.app().Commands {
		_, codes, _ := strings.Cut(c.Description, "Exit codes:")
		codes, _, _ = strings.Cut(codes, "\n\n")
		for _, n := range regexp.MustCompile(`(?:^|[ ,;])(\d)(?: |$)`).FindAllStringSubmatch(codes, -1) {
			if !slices.ContainsFunc(exits, func(code [2]string) bool { return code[0] == n[1] }) {
				t.Errorf("arc help %s names the exit code %s, which is none", c.Name, n[1])
			}
		}
	}
}

// exitCodes reads the constants exit… with their comments.
func exitCodes(t *testing.T) [][2]string {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), "run.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var codes [][2]string
	ast.Inspect(tree, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "exit") && len(spec.Values) == 1 {
			codes = append(codes, [2]string{spec.Values[0].(*ast.BasicLit).Value, strings.TrimSpace(spec.Comment.Text())})
		}
		return true
	})
	if len(codes) < 4 {
		t.Fatalf("exit codes: %v", codes)
	}
	return codes
}

var (
	kebab = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
	verb  = regexp.MustCompile(`%[-+#]*[\[\]0-9.]*[a-z]`)
)

// mistakeCodes finds every code that a mistake is given, with the first message
// that stands beside it.
func mistakeCodes(t *testing.T) [][2]string {
	t.Helper()
	says := map[string]string{}
	for _, dir := range []string{"../../manifest/syntax", "../../manifest", "../../cfn", "../../source", "../../plugin", "."} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(tree, func(n ast.Node) bool {
				code, message := codeBeside(n)
				if code != "" && (says[code] == "" || message != "" && message < says[code]) {
					says[code] = message
				}
				return true
			})
		}
	}
	var codes [][2]string
	for code, message := range says {
		if message == "" {
			message = "in the words of the case"
		}
		codes = append(codes, [2]string{code, verb.ReplaceAllString(message, "…")})
	}
	slices.SortFunc(codes, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return codes
}

// codeBeside is the code and the message of a call, a literal or a result that
// makes a mistake: of the texts beside a code, the last that has no words of a
// remedy.
func codeBeside(n ast.Node) (code, message string) {
	var parts []ast.Expr
	switch n := n.(type) {
	case *ast.CallExpr:
		name := ""
		switch f := n.Fun.(type) {
		case *ast.Ident:
			name = f.Name
		case *ast.SelectorExpr:
			name = f.Sel.Name
		}
		if !slices.Contains([]string{"errorf", "warnf", "missing", "report", "errorAt", "refuse", "fail"}, name) {
			return "", ""
		}
		parts = n.Args
	case *ast.ReturnStmt:
		if len(n.Results) != 3 {
			return "", ""
		}
		parts = n.Results
	case *ast.CompositeLit:
		for _, el := range n.Elts {
			pair, ok := el.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			if key, ok := pair.Key.(*ast.Ident); ok && slices.Contains([]string{"Code", "code", "Message", "Text", "why"}, key.Name) {
				parts = append(parts, pair.Value)
			}
		}
	}
	for _, part := range parts {
		text := leading(part)
		switch {
		case code == "" && kebab.MatchString(text):
			code = text
		case code != "" && strings.Contains(text, " "):
			message = text
		}
	}
	return code, message
}

// leading is the text that an expression begins with.
func leading(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.BasicLit:
		if x.Kind == token.STRING {
			text, _ := strconv.Unquote(x.Value)
			return text
		}
	case *ast.BinaryExpr:
		if x.Op == token.ADD {
			left, right := leading(x.X), leading(x.Y)
			if left == "" {
				left = "…"
			}
			if right == "" {
				right = "…"
			}
			return left + right
		}
	case *ast.CallExpr:
		if f, ok := x.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Sprintf" && len(x.Args) > 0 {
			return leading(x.Args[0])
		}
	}
	return ""
}
