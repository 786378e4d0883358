package iam

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestCompare reads testdata/pairs.txt: per line a verdict, two policies and
// optionally a witness, separated by " | ". A policy is a list of statements
// in short: "+" allows and "-" denies; then actions, "on" resources, "for"
// principals and "if" conditions. "!" before actions, resources or principals
// negates them.
func TestCompare(t *testing.T) {
	f, err := os.Open("testdata/pairs.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	n, pairs := 0, 0
	for lines.Scan() {
		n++
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		pairs++
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			t.Fatalf("line %d: needs verdict | before | after", n)
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		r := Compare(short(t, n, cells[1]), short(t, n, cells[2]))
		want, unsure := strings.CutSuffix(cells[0], "?")
		if string(r.Verdict) != want || r.Sure == unsure {
			t.Errorf("line %d: %s\n  got %s (sure: %t), added %v, removed %v", n, line, r.Verdict, r.Sure, r.Added, r.Removed)
		}
		if back := Compare(short(t, n, cells[2]), short(t, n, cells[1])); string(back.Verdict) != turned[want] {
			t.Errorf("line %d: %s\n  backwards: %s, added %v, removed %v", n, line, back.Verdict, back.Added, back.Removed)
		}
		if len(cells) > 3 {
			var all []string
			for _, g := range r.Added {
				all = append(all, g.Action+" on "+g.Resource)
			}
			if !strings.Contains(strings.Join(all, "\n"), cells[3]) {
				t.Errorf("line %d: %s\n  witnesses: %q", n, line, all)
			}
		}
	}
	if pairs < 200 {
		t.Errorf("%d pairs, want 200 at least", pairs)
	}
}

var turned = map[string]string{"equal": "equal", "widened": "narrowed", "narrowed": "widened", "both": "both"}

// short reads the short form of a policy.
func short(t *testing.T, line int, text string) Policy {
	t.Helper()
	statements := []any{}
	var p Policy
	for _, part := range strings.Split(text, ";") {
		words := strings.Fields(part)
		if len(words) == 0 || words[0] == "nothing" {
			continue
		}
		if words[0] == "managed" {
			p = p.And(Named(words[1]))
			continue
		}
		if words[0] == "raw" {
			var v any
			if err := json.Unmarshal([]byte(strings.Join(words[1:], " ")), &v); err != nil {
				t.Fatalf("line %d: %v", line, err)
			}
			p = p.And(Parse(v))
			continue
		}
		s := map[string]any{"Effect": map[string]string{"+": "Allow", "-": "Deny"}[words[0]], "Resource": "*"}
		key, not := "Action", false
		for _, w := range words[1:] {
			switch w {
			case "on":
				delete(s, "Resource")
				key, not = "Resource", false
				continue
			case "for":
				key, not = "Principal", false
				continue
			case "if":
				key, not = "Condition", false
				continue
			case "!":
				not = true
				continue
			}
			put(t, line, s, key, not, w)
		}
		statements = append(statements, s)
	}
	if len(statements) == 0 {
		return p
	}
	return p.And(Parse(map[string]any{"Version": "2012-10-17", "Statement": statements}))
}

func put(t *testing.T, line int, s map[string]any, key string, not bool, word string) {
	t.Helper()
	name := key
	if not {
		name = "Not" + key
	}
	switch key {
	case "Action", "Resource":
		var v any = word
		if strings.Contains(word, "${") {
			v = map[string]any{"Fn::Sub": word}
		}
		l, _ := s[name].([]any)
		s[name] = append(l, v)
	case "Principal":
		if word == "*" {
			s[name] = "*"
			return
		}
		kind, value, _ := strings.Cut(word, "=")
		m, _ := s[name].(map[string]any)
		if m == nil {
			m = map[string]any{}
		}
		l, _ := m[kind].([]any)
		m[kind] = append(l, value)
		s[name] = m
	case "Condition":
		parts := strings.SplitN(word, ",", 3)
		if len(parts) != 3 {
			t.Fatalf("line %d: a condition is operator,key,values", line)
		}
		block, _ := s[key].(map[string]any)
		if block == nil {
			block = map[string]any{}
		}
		keys, _ := block[parts[0]].(map[string]any)
		if keys == nil {
			keys = map[string]any{}
		}
		var values []any
		for _, v := range strings.Split(parts[2], ",") {
			values = append(values, v)
		}
		keys[parts[1]] = values
		block[parts[0]] = keys
		s[key] = block
	}
}

// TestManyGrants: a comparison gives so many examples and no more.
func TestManyGrants(t *testing.T) {
	var statements []any
	for i := range 2*maxGrants + 1 {
		statements = append(statements, map[string]any{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket-" + string(rune('a'+i%26)) + string(rune('a'+i/26)) + "/*"})
	}
	if r := Compare(Policy{}, Parse(map[string]any{"Statement": statements})); len(r.Added) != 100 {
		t.Errorf("%d examples", len(r.Added))
	}
}

// Whom a grant is for is said as the statement says it: everyone stays everyone,
// also where another statement names somebody.
func TestGrantOfEveryone(t *testing.T) {
	after := short(t, 0, "+ s3:GetObject for * ; - s3:PutObject for AWS=1")
	for _, g := range Compare(Policy{}, after).Added {
		if g.Principal != "*" {
			t.Errorf("%+v", g)
		}
	}
	for _, g := range Compare(Policy{}, short(t, 0, "+ s3:GetObject for AWS=1 AWS=2")).Added {
		if g.Principal != "AWS:1" && g.Principal != "AWS:2" {
			t.Errorf("%+v", g)
		}
	}
}
