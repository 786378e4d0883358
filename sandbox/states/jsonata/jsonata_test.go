package jsonata_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"arc/sandbox/states/jsonata"
)

var update = flag.Bool("update", false, "rewrite the right sides of testdata/expressions.txt")

// line is a line of testdata/expressions.txt: an expression, and what comes of it.
type line struct{ text, expression, want string }

func lines(t *testing.T) (out []line) {
	t.Helper()
	data, err := os.ReadFile("testdata/expressions.txt")
	if err != nil {
		t.Fatal(err)
	}
	for text := range strings.SplitSeq(strings.TrimSuffix(string(data), "\n"), "\n") {
		one := line{text: text}
		if text != "" && !strings.HasPrefix(text, "#") {
			one.expression, one.want, _ = strings.Cut(text, "  => ")
		}
		out = append(out, one)
	}
	return out
}

func document(t *testing.T, name string) any {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return decoded(t, data)
}

func decoded(t *testing.T, data []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// chance is always the same.
type chance struct{}

func (chance) UUID() string                { return "2f1c0fa6-4e0b-4a0e-8f0a-0d7b1e6c9d55" }
func (chance) Random(least, _ int64) int64 { return least }

func given(input any) jsonata.Given {
	return jsonata.Given{Input: input, HasInput: true, Now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), Chance: chance{}}
}

// outcome is what comes of an expression, as the files of testdata write it.
func outcome(source string, g jsonata.Given) string {
	e, err := jsonata.Parse(source)
	var v any
	if err == nil {
		v, err = e.Eval(context.Background(), g)
	}
	var wrong *jsonata.Error
	switch {
	case errors.Is(err, jsonata.ErrNothing):
		return "nothing"
	case errors.Is(err, jsonata.ErrFunction):
		return "a function"
	case errors.As(err, &wrong):
		return "error " + wrong.Code
	case err != nil:
		return err.Error()
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(out.String())
}

// same compares two outcomes: of JSON, the values.
func same(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b
	}
	p, _ := json.Marshal(x)
	q, _ := json.Marshal(y)
	return bytes.Equal(p, q)
}

// TestExpressions evaluates what the reference implementation was asked, too.
func TestExpressions(t *testing.T) {
	input := document(t, "testdata/input.json")
	n := 0
	for _, one := range lines(t) {
		if one.expression == "" {
			continue
		}
		n++
		if got := outcome(one.expression, given(input)); !same(got, one.want) {
			t.Errorf("%s\n  is %s\nwant %s", one.expression, got, one.want)
		}
	}
	if n < 400 {
		t.Errorf("there are %d expressions", n)
	}
}

// TestReference asks the npm package itself, in the version that AWS has, whether the
// right sides are its own.
// https://www.npmjs.com/package/jsonata/v/2.0.6
func TestReference(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: not installing an npm package")
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is not on the PATH: CI needs it", tool)
			}
			t.Skipf("%s is not on the PATH", tool)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	install := exec.Command("npm", "install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "jsonata@2.0.6")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("npm install: %v\n%s", err, out)
		}
		t.Skipf("npm install: %v\n%s", err, out)
	}
	all := lines(t)
	var asked struct {
		Input       any      `json:"input"`
		Expressions []string `json:"expressions"`
	}
	asked.Input = document(t, "testdata/input.json")
	for _, one := range all {
		if one.expression != "" {
			asked.Expressions = append(asked.Expressions, one.expression)
		}
	}
	in, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	node := exec.Command("node", "testdata/reference.mjs", dir)
	node.Stdin, node.Stderr = bytes.NewReader(in), os.Stderr
	out, err := node.Output()
	if err != nil {
		t.Fatal(err)
	}
	var results []string
	if err := json.Unmarshal(out, &results); err != nil || len(results) != len(asked.Expressions) {
		t.Fatalf("%d results, %v", len(results), err)
	}
	var text strings.Builder
	for _, one := range all {
		if one.expression == "" {
			text.WriteString(one.text + "\n")
			continue
		}
		if !same(results[0], one.want) && !*update {
			t.Errorf("%s: the reference says %s, the file %s", one.expression, results[0], one.want)
		}
		text.WriteString(one.expression + "  => " + results[0] + "\n")
		results = results[1:]
	}
	if *update {
		if err := os.WriteFile("testdata/expressions.txt", []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
