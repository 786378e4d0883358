package jsonata

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// suiteCase is a case of the language's own test suite.
type suiteCase struct {
	Expr     string
	ExprFile string `json:"expr-file"`
	Data     json.RawMessage
	Dataset  *string
	Bindings json.RawMessage
	Result   json.RawMessage
	Nothing  *bool `json:"undefinedResult"`
	Code     string
	Error    struct{ Code string }
}

// otherwise are the cases of the suite that come out otherwise here.
var otherwise = []string{
	// Half of a pair of UTF-16 in JSON is read as U+FFFD.
	"function-encodeUrl/case002.json", "function-encodeUrlComponent/case002.json",
	// A list holds as many values as on AWS.
	"range-operator/case021.json", "range-operator/case024.json",
	// The suite's runner sets limits of its own.
	"tail-recursion/case002.json", "tail-recursion/case006.json",
}

// TestSuite runs the language's own test suite: the folder test/test-suite of
// https://github.com/jsonata-js/jsonata at v2.0.6, which JSONATA_SUITE names. It is not
// kept here; expressions.txt is what every run of the tests compares.
func TestSuite(t *testing.T) {
	dir := os.Getenv("JSONATA_SUITE")
	if dir == "" {
		t.Skip("JSONATA_SUITE names no test suite")
	}
	files, err := filepath.Glob(filepath.Join(dir, "groups", "*", "*.json"))
	if err != nil || len(files) < 1000 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	n := 0
	for _, file := range files {
		name, err := filepath.Rel(filepath.Join(dir, "groups"), file)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Dir(name) == "function-eval" { // which AWS has not
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases []suiteCase
		if json.Unmarshal(data, &cases) != nil {
			cases = make([]suiteCase, 1)
			if err := json.Unmarshal(data, &cases[0]); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		for _, c := range cases {
			n++
			if wrong := c.run(t, dir, filepath.Dir(file)); (wrong != "") != slices.Contains(otherwise, name) {
				t.Errorf("%s: %s\n%s", name, c.Expr, wrong)
			}
		}
	}
	t.Logf("%d cases", n)
}

// run says how a case comes out otherwise; "" = it does not.
func (c *suiteCase) run(t *testing.T, dir, group string) string {
	read := func(elem ...string) []byte {
		data, err := os.ReadFile(filepath.Join(elem...))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	if c.ExprFile != "" {
		c.Expr = string(read(group, c.ExprFile))
	}
	in := c.Data
	if in == nil && c.Dataset != nil {
		in = read(dir, "datasets", *c.Dataset+".json")
	}
	value := func(text []byte) any {
		if text == nil {
			return nil
		}
		v, err := decoded(string(text))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	f := &frame{vars: map[string]any{}, outer: library()}
	if vars, ok := value(c.Bindings).(*object); ok {
		vars.each(f.bind)
	}
	input := value(in)
	f.bind("$", input)
	if list, ok := input.(*array); ok {
		input = &array{items: []any{list}, sequence: true, outer: true}
	}
	var got any
	e, err := Parse(c.Expr)
	if err == nil {
		got, err = (&evaluation{ctx: context.Background(), now: time.Now(), deepest: 3000}).eval(e.root, input, f)
	}
	var wrong *Error
	switch {
	case c.Result != nil:
		if err == nil && equal(got, value(c.Result)) {
			return ""
		}
	case c.Nothing != nil:
		if err == nil && got == nil {
			return ""
		}
	case errors.As(err, &wrong) && (wrong.Code == c.Code || wrong.Code == c.Error.Code):
		return ""
	}
	return "is " + shown(got) + ", want " + string(c.Result) + c.Code + c.Error.Code
}
