package asl

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// chance is what is told of in advance.
type chance struct{}

func (chance) UUID() string                { return "the-uuid" }
func (chance) Random(least, _ int64) int64 { return least }

// table gives the lines LEFT => RIGHT of a file of testdata, and what they are about.
func table(t *testing.T, name string) (lines [][2]string, about Scope) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		key, rest, _ := strings.Cut(line, " ")
		switch left, right, ok := strings.Cut(line, " => "); {
		case strings.HasPrefix(line, "#"):
		case ok:
			lines = append(lines, [2]string{left, right})
		case rest != "":
			value, err := Decode([]byte(rest))
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			switch key {
			case "input":
				about.Input = value
			case "context":
				about.Context = value
			case "variables":
				about.Variables = value.(map[string]any)
			}
		}
	}
	if len(lines) < 20 {
		t.Fatalf("%s has %d lines", name, len(lines))
	}
	return lines, about
}

func TestPaths(t *testing.T) {
	lines, about := table(t, "paths.txt")
	for _, line := range lines {
		got := "nothing"
		if p, err := ParsePath(line[0]); err != nil {
			got = "wrong"
		} else if v, ok := p.Get(about); ok {
			got = Encode(v)
		}
		if got != line[1] {
			t.Errorf("%s is %s, want %s", line[0], got, line[1])
		}
	}
}

func TestFunctions(t *testing.T) {
	lines, about := table(t, "functions.txt")
	called := map[string]bool{}
	for _, line := range lines {
		got := "wrong"
		if e, err := parseExpression(line[0]); err == nil {
			called[e.name] = true
			v, f := e.eval("it.$", about, chance{})
			if got = Encode(v); f != nil {
				got = "fails " + f.Cause
			}
		}
		words, fails := strings.CutPrefix(line[1], "fails ")
		if got != line[1] && !(fails && strings.HasPrefix(got, "fails ") && strings.Contains(got, words)) {
			t.Errorf("%s is %s, want %s", line[0], got, line[1])
		}
	}
	for name := range functions {
		if !called[name] {
			t.Errorf("%s is not called", name)
		}
	}
	// A seed gives the same number each time.
	e, err := parseExpression("States.MathRandom(1, 1000, 7)")
	if err != nil {
		t.Fatal(err)
	}
	first, _ := e.eval("", about, chance{})
	second, _ := e.eval("", about, chance{})
	if n, ok := Whole(first); !ok || n < 1 || n >= 1000 || !Equal(first, second) {
		t.Errorf("a random number is %v, then %v", first, second)
	}
}

func TestChoices(t *testing.T) {
	lines, about := table(t, "choices.txt")
	used := map[string]bool{}
	for _, line := range lines {
		r := &reader{}
		v, err := Decode([]byte(line[0]))
		if err != nil {
			t.Fatal(err)
		}
		rule := r.rule(v, "", true)
		if len(r.problems) > 0 {
			t.Errorf("%s: %v", line[0], r.problems)
			continue
		}
		used[rule.op] = true
		yes, f := rule.Match(about)
		got := fmt.Sprint(yes)
		if f != nil {
			got = "fails " + f.Cause
		}
		if !strings.HasPrefix(got, line[1]) {
			t.Errorf("%s is %s, want %s", line[0], got, line[1])
		}
	}
	for op := range operators() {
		if !used[op] {
			t.Errorf("%s is not used", op)
		}
	}
}

func TestProblems(t *testing.T) {
	lines, _ := table(t, "problems.txt")
	for _, line := range lines {
		definition, express := strings.CutPrefix(line[0], "(")
		if express {
			definition = strings.TrimSuffix(definition, ")")
		}
		m, problems := Parse([]byte(definition), express)
		var said []string
		for _, p := range problems {
			said = append(said, p.String())
		}
		got := strings.Join(said, ", ")
		if got == "" {
			got = "fine"
		}
		if got != line[1] || (m == nil) != (got != "fine") {
			t.Errorf("%s\n is %s\nwant %s", line[0], got, line[1])
		}
	}
}

// What is put at a path is found there, and the rest stays.
func TestPut(t *testing.T) {
	for _, c := range []struct{ into, path, want string }{
		{`{"a":1}`, "$", `"x"`},
		{`{"a":1}`, "$.b", `{"a":1,"b":"x"}`},
		{`{"a":1}`, "$.b.c['d e']", `{"a":1,"b":{"c":{"d e":"x"}}}`},
		{`{"a":[1,2]}`, "$.a[1]", `{"a":[1,"x"]}`},
		{`null`, "$.a", `{"a":"x"}`},
		{`{"a":1}`, "$.a.b", ""},
		{`{"a":[1]}`, "$.a[1]", ""},
		{`[]`, "$.a", ""},
	} {
		into, err := Decode([]byte(c.into))
		if err != nil {
			t.Fatal(err)
		}
		p, err := ParsePath(c.path)
		if err != nil {
			t.Fatal(err)
		}
		got, f := p.Put(into, "x")
		if (f != nil) != (c.want == "") || f == nil && Encode(got) != c.want {
			t.Errorf("%s at %s: %s %v, want %s", c.into, c.path, Encode(got), f, c.want)
		}
		if f != nil && f.Name != ErrResultPath {
			t.Errorf("%s at %s: %v", c.into, c.path, f)
		}
		if Encode(into) != c.into {
			t.Errorf("%s at %s changed what was given: %s", c.into, c.path, Encode(into))
		}
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		names, name string
		want        bool
	}{
		{"A B", "B", true}, {"A", "B", false}, {"States.ALL", "B", true}, {"States.ALL", ErrTimeout, true}, {"States.ALL", ErrRuntime, false}, {ErrRuntime, ErrRuntime, false},
		{ErrTaskFailed, "B", true}, {ErrTaskFailed, ErrTimeout, false}, {ErrTimeout, ErrHeartbeatTimeout, true},
	} {
		if got := Matches(strings.Fields(c.names), c.name); got != c.want {
			t.Errorf("%s matches %s: %v", c.names, c.name, got)
		}
	}
}

// No definition, path or function ends the process, whatever is in it.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"problems.txt", "paths.txt", "functions.txt"} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.SplitSeq(string(text), "\n") {
			left, _, _ := strings.Cut(line, " => ")
			f.Add(left)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, problems := Parse([]byte(text), false)
		if (m == nil) != (len(problems) > 0) {
			t.Fatalf("%q: %v, %v", text, m, problems)
		}
		about := Scope{Input: map[string]any{"a": []any{"b", nil, true}}, Context: map[string]any{}}
		if e, err := parseExpression(text); err == nil {
			e.eval("", about, chance{})
		}
		if p, err := ParsePath(text); err == nil {
			if again, err := ParsePath(p.String()); err != nil || again.String() != text {
				t.Fatalf("%q is read as %q, %v", text, p, err)
			}
			p.Get(about)
			if p.reference() {
				p.Put(about.Input, 1)
			}
		}
	})
}
