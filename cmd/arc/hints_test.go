package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestHints runs testdata/hints/*.txtar: each provokes faults, takes the command
// that the hint names from what was printed, runs it, and sees the fault gone.
func TestHints(t *testing.T) {
	t.Parallel()
	params := scripts(t, "../../testdata/hints")
	params.Cmds["follow"] = follow
	testscript.Run(t, params)
}

// follow REGEXP [NAME=VALUE...] runs the command of arc that REGEXP finds in what
// the last command printed on stderr or stdout, with values for the words that
// stand for something else (NAME=<FILE takes what a file holds), with +VALUE
// behind them and ^FLAG in front. "! follow" is for one that still has to fail.
func follow(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: follow regexp [name=value...]")
	}
	said := ts.ReadFile("stderr") + "\n" + ts.ReadFile("stdout")
	command := regexp.MustCompile(args[0]).FindString(said)
	if command == "" {
		ts.Fatalf("%s is not in\n%s", args[0], said)
	}
	words := strings.Fields(command)
	for i, word := range words {
		for _, arg := range args[1:] {
			if name, value, _ := strings.Cut(arg, "="); name == word {
				if file, ok := strings.CutPrefix(value, "<"); ok {
					value = strings.TrimSpace(ts.ReadFile(file))
				}
				words[i] = value
			}
		}
	}
	for _, arg := range args[1:] {
		if more, ok := strings.CutPrefix(arg, "+"); ok {
			words = append(words, more)
		}
		if flag, ok := strings.CutPrefix(arg, "^"); ok {
			words = slices.Insert(words, min(2, len(words)), flag)
		}
	}
	if words[0] != "arc" {
		ts.Fatalf("%q is no command of arc", command)
	}
	if err := ts.Exec(words[0], words[1:]...); (err != nil) != neg {
		ts.Fatalf("%s: %v", strings.Join(words, " "), err)
	}
}

// TestEveryHintIsFollowed finds every text of the program that names a command,
// and wants each in a line "# hint: TEXT" of a script that follows it, or in
// testdata/hints/others.md with the reason why it is followed nowhere. -update
// puts it there, at the end, among those that nobody has followed yet.
func TestEveryHintIsFollowed(t *testing.T) {
	var known []string
	files, err := filepath.Glob("../../testdata/hints/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if hint, ok := strings.CutPrefix(strings.TrimSpace(line), "# hint: "); ok {
				known = append(known, hint)
			}
		}
	}
	hints := hintsOf(t, "../..")
	if *update {
		others := filepath.FromSlash("../../testdata/hints/others.md")
		text, err := os.ReadFile(others)
		if err != nil {
			t.Fatal(err)
		}
		for _, hint := range hints {
			if !slices.Contains(known, hint) {
				text = append(text, "# hint: "+hint+"\n"...)
				known = append(known, hint)
			}
		}
		if err := os.WriteFile(others, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, hint := range hints {
		if !slices.Contains(known, hint) {
			t.Errorf("no script of testdata/hints follows this hint: write one, with the line\n# hint: %s", hint)
		}
	}
	for _, hint := range known {
		if !slices.Contains(hints, hint) {
			t.Errorf("testdata/hints has a hint that the program gives no more:\n# hint: %s", hint)
		}
	}
}

// hintsOf are the texts of the program that name a command, in one line each.
// Help is none: it is read before, and every example in it is tested as such.
func hintsOf(t *testing.T, dir string) []string {
	t.Helper()
	names := regexp.MustCompile(`\barc (init|create|sandbox|data|invoke|check|fmt|inventory|graph|package|diff|deploy|env|destroy|ci|logs|status|why)\b`)
	found := map[string]bool{}
	for _, room := range []string{"cmd/arc", "ci", "cfn", "deploy", "manifest", "sandbox", "source", "graph"} {
		err := filepath.WalkDir(filepath.Join(dir, room), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if field, ok := n.(*ast.KeyValueExpr); ok {
					if key, ok := field.Key.(*ast.Ident); ok && (key.Name == "Description" || key.Name == "doc") {
						return false
					}
				}
				literal, ok := n.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					return true
				}
				text, err := strconv.Unquote(literal.Value)
				if err == nil && names.MatchString(text) && !strings.Contains(text, "Usage:") && strings.Count(text, "\n") < 4 {
					found[strings.TrimSpace(strings.ReplaceAll(text, "\n", `\n`))] = true
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var hints []string
	for hint := range found {
		hints = append(hints, hint)
	}
	slices.Sort(hints)
	return hints
}
