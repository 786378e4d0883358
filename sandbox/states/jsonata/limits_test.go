package jsonata_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"arc/sandbox/states/jsonata"
)

// TestAdded evaluates what only AWS has.
func TestAdded(t *testing.T) {
	data, err := os.ReadFile("testdata/added.txt")
	if err != nil {
		t.Fatal(err)
	}
	for text := range strings.SplitSeq(string(data), "\n") {
		expression, want, ok := strings.Cut(text, "  => ")
		if !ok {
			continue
		}
		if got := outcome(expression, given(map[string]any{})); !same(got, want) {
			t.Errorf("%s\n  is %s\nwant %s", expression, got, want)
		}
	}
}

// An expression is as deep as its terms: AWS takes a sum of a hundred.
// https://github.com/floci-io/floci/issues/2737
func TestDepth(t *testing.T) {
	sum := func(n int) string { return outcome(strings.TrimSuffix(strings.Repeat("1+", n), "+"), given(nil)) }
	if got := sum(100); got != "100" {
		t.Errorf("a hundred terms are %s", got)
	}
	if got := sum(101); got != "error U1001" {
		t.Errorf("a hundred and one are %s", got)
	}
	for _, source := range []string{strings.Repeat("[", 100000), strings.Repeat("(", 100000), strings.Repeat("-", 100000) + "1", strings.Repeat("$f(", 100000), strings.Repeat("a.", 100000) + "a", "$parse('" + strings.Repeat("[", 100000) + "')"} {
		if got := outcome(source, given(nil)); !strings.HasPrefix(got, "error ") && got != "nothing" {
			t.Errorf("%.10s…: %s", source, got)
		}
	}
}

// What ends an evaluation from outside is told as its taking too long.
func TestEnds(t *testing.T) {
	e, err := jsonata.Parse("$map([1..100000], function($x){$x * 2})")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	end()
	if _, err := e.Eval(ctx, given(nil)); err == nil || err.Error() != "Expression evaluation timeout: Check for infinite loop" {
		t.Errorf("it is %v", err)
	}
}

// The words are those that AWS tells with the code.
func TestWords(t *testing.T) {
	for source, want := range map[string]string{
		`$sum(["a"])`:        `T0412: Argument 1 of function "sum" must be an array of "numbers"`,
		`$abs("a")`:          `T0410: Argument 1 of function "abs" does not match function signature`,
		`$nope(1)`:           `T1006: Attempted to invoke a non-function`,
		`uppercase("a")`:     `T1005: Attempted to invoke a non-function. Did you mean $uppercase?`,
		`1 + "a"`:            `T2002: The right side of the "+" operator must evaluate to a number`,
		`"a" < 1`:            `T2009: The values "a" and 1 either side of operator "<" must be of the same data type`,
		`{1: 2}`:             `T1003: Key in object structure must evaluate to a string; got: 1`,
		`$error("it is")`:    `D3137: it is`,
		`$error()`:           `D3137: $error() function evaluated`,
		`$assert(false)`:     `D3141: $assert() statement failed`,
		`$number("a")`:       `D3030: Unable to cast value to a number: "a"`,
		`$power(9, 9999)`:    `D3061: The power function has resulted in a value that cannot be represented as a JSON number: base=9, exponent=9999`,
		`a[1,2)`:             `S0202: Expected "]", got ","`,
		`1 +`:                `S0207: Unexpected end of expression`,
		`{"a":}`:             `S0211: The symbol "}" cannot be used as a unary operator`,
		`"open`:              `S0101: String literal must be terminated by a matching quote`,
		`$match("a", /abc`:   `S0302: No terminating / in regular expression`,
		`$match("a", /(/)`:   `S0302: No terminating / in regular expression`,
		`$match("a", /a**/)`: "S0303: The regular expression cannot be read: \"error parsing regexp: invalid nested repetition operator in `a**`\"",
	} {
		e, err := jsonata.Parse(source)
		if err == nil {
			_, err = e.Eval(context.Background(), given(map[string]any{}))
		}
		if err == nil || err.Error() != want {
			t.Errorf("%s\n  is %v\nwant %s", source, err, want)
		}
	}
}

// A regular expression that would try for ages is given up.
func TestSlowRegex(t *testing.T) {
	if got := outcome(`$contains("`+strings.Repeat("a", 40)+`!", /^(a+)+$/)`, given(nil)); got != "error U1002" {
		t.Errorf("it is %s", got)
	}
}

// What an expression looks for where there is nothing is known without evaluating it.
func TestContext(t *testing.T) {
	for source, want := range map[string]string{
		"phone":                              "phone",
		"phone.home & name":                  "phone name",
		"$states.input.phone":                "",
		"$states.input[phone = 1].name":      "",
		"$states.input.{phone: name}":        "",
		"{phone: 1}":                         "phone",
		"[phone, phone]":                     "phone",
		"$":                                  "$",
		"$.a":                                "$",
		"$$":                                 "$$",
		"$states.input.$$":                   "$$",
		"$states.input.($)":                  "",
		"$map($a, function($x){$x.phone})":   "",
		"$a ? phone : $b":                    "phone",
		"($x := phone; $x)":                  "phone",
		"$states.input^(phone)":              "",
		"$states.input{phone: name}":         "",
		"sum([1])":                           "sum",
		"$sum(numbers)":                      "numbers",
		`$contains("a", /phone/)`:            "",
		"$a ~> |phone|{'b': name}, missing|": "",
		"-phone":                             "phone",
		"phone[0]":                           "phone",
		"$x[phone]":                          "",
	} {
		e, err := jsonata.Parse(source)
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		if got := strings.Join(e.Context(), " "); got != want {
			t.Errorf("%s looks for %q, want %q", source, got, want)
		}
	}
	e, err := jsonata.Parse("$states.input & $map($states.result, function($x){$states.errorOutput.Cause & $other.name})")
	if err != nil {
		t.Fatal(err)
	}
	if got := e.Fields("states"); !slices.Equal(got, []string{"input", "result", "errorOutput"}) {
		t.Errorf("its fields are %v", got)
	}
}

func FuzzEval(f *testing.F) {
	data, err := os.ReadFile("testdata/expressions.txt")
	if err != nil {
		f.Fatal(err)
	}
	for text := range strings.SplitSeq(string(data), "\n") {
		expression, _, _ := strings.Cut(text, "  => ")
		f.Add(expression)
	}
	f.Fuzz(func(t *testing.T, source string) {
		e, err := jsonata.Parse(source)
		if err != nil {
			return
		}
		e.Context()
		e.Fields("states")
		ctx, end := context.WithTimeout(context.Background(), 2e9)
		defer end()
		e.Eval(ctx, given(map[string]any{"shop": "x", "orders": []any{map[string]any{"id": "1"}}, "numbers": []any{}}))
	})
}
