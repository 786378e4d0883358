package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// expression evaluates what the workflow says within ${{ }}: names, strings,
// == != && || ! and status functions.
// https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
type expression struct {
	tokens []string
	lookup func(name string) string
}

var expressionToken = regexp.MustCompile(`'(?:[^']|'')*'|&&|\|\||==|!=|[!()]|[A-Za-z_][A-Za-z0-9_.-]*`)

// expand replaces every ${{ }} of a text.
func expand(text string, lookup func(string) string) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${{")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		inner, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return "", fmt.Errorf("%q is not closed", text)
		}
		value, err := evaluate(inner, lookup)
		if err != nil {
			return "", fmt.Errorf("%s: %w", strings.TrimSpace(inner), err)
		}
		b.WriteString(value)
		text = after
	}
}

func evaluate(text string, lookup func(string) string) (string, error) {
	if left := strings.TrimSpace(expressionToken.ReplaceAllString(text, "")); left != "" {
		return "", fmt.Errorf("the test does not know %q", left)
	}
	e := &expression{tokens: expressionToken.FindAllString(text, -1), lookup: lookup}
	value := e.or()
	if len(e.tokens) > 0 {
		return "", fmt.Errorf("the test does not know %q", e.tokens)
	}
	return value, nil
}

func (e *expression) next() string {
	if len(e.tokens) == 0 {
		return ""
	}
	return e.tokens[0]
}

func (e *expression) take(token string) bool {
	if e.next() != token || token == "" {
		return false
	}
	e.tokens = e.tokens[1:]
	return true
}

func (e *expression) or() string {
	value := e.and()
	for e.take("||") {
		if other := e.and(); !isTrue(value) {
			value = other
		}
	}
	return value
}

func (e *expression) and() string {
	value := e.comparison()
	for e.take("&&") {
		if other := e.comparison(); isTrue(value) {
			value = other
		}
	}
	return value
}

func (e *expression) comparison() string {
	value := e.unary()
	switch {
	case e.take("=="):
		return fmt.Sprint(strings.EqualFold(value, e.unary()))
	case e.take("!="):
		return fmt.Sprint(!strings.EqualFold(value, e.unary()))
	}
	return value
}

func (e *expression) unary() string {
	if e.take("!") {
		return fmt.Sprint(!isTrue(e.unary()))
	}
	if e.take("(") {
		value := e.or()
		e.take(")")
		return value
	}
	token := e.next()
	e.take(token)
	if text, ok := strings.CutPrefix(token, "'"); ok {
		return strings.ReplaceAll(strings.TrimSuffix(text, "'"), "''", "'")
	}
	if e.take("(") {
		e.take(")")
		token += "()"
	}
	return e.lookup(token)
}

func isTrue(value string) bool { return value != "" && value != "false" }

func TestExpression(t *testing.T) {
	names := map[string]string{"a.b": "x", "yes()": "true", "no": "false"}
	for text, want := range map[string]string{
		"${{ a.b }}-${{ 'it''s' }}":                        "x-it's",
		"${{ a.b == 'X' && !no }}":                         "true",
		"${{ a.b != 'x' || yes() && no }}":                 "false",
		"${{ !yes() || (a.b == 'x' && missing.c == '') }}": "true",
	} {
		if got, err := expand(text, func(name string) string { return names[name] }); err != nil || got != want {
			t.Errorf("%s: %q %v", text, got, err)
		}
	}
	if _, err := expand("${{ fromJSON(a) > 1 }}", func(string) string { return "" }); err == nil {
		t.Error("what the test does not know went through")
	}
}
