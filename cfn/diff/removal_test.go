package diff_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/cfn/registry"
)

// TestNoRemovalIsSilent takes every resource of testdata/diff/shapes.txt, templates
// as people publish them, out of its template, with what refers to it: the review
// has an item about it and a class of risk, for whatever is gone may be missed; what
// connects others or gives rights at least a word.
func TestNoRemovalIsSilent(t *testing.T) {
	data, err := os.ReadFile("../../testdata/diff/shapes.txt")
	if err != nil {
		t.Fatal(err)
	}
	templates, removals := 0, 0
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		templates++
		before := shape(line, "")
		for id := range before.Resources {
			after := shape(line, id)
			review := diff.Compose(before, after, diff.Options{})
			removals++
			told := false
			for _, g := range review.Groups {
				for _, it := range g.Items {
					told = told || slices.Contains(it.Resources, id)
				}
			}
			// What only connects others is told by these, and a function by its routes.
			d := registry.Of(before.Resources[id].Type)
			if d.Wiring || d.Rights != 0 || d.Name == registry.LambdaFunction {
				told = len(review.Groups) > 0
			} else {
				told = told && len(review.Classes) > 0
			}
			if !told || review.Verdict == diff.NoChanges {
				t.Errorf("%s of\n%s\nis told: %t; %s", id, line, told, review.Headline())
			}
		}
	}
	if t.Logf("%d templates, %d removals", templates, removals); templates < 100 || removals < 500 {
		t.Error("too few")
	}
}

// shape makes a template of a line, "R1 IAM::Role; R2 Lambda::Function
// Role=R1.Arn", without one of its resources.
func shape(line, without string) *cfn.Document {
	doc := &cfn.Document{Resources: map[string]cfn.ResourceDef{}}
	for part := range strings.SplitSeq(line, "; ") {
		words := strings.Fields(part)
		typ, policy, _ := strings.Cut(words[1], "!")
		if !strings.HasPrefix(typ, "Custom::") && strings.Count(typ, "::") == 1 {
			typ = "AWS::" + typ
		}
		def := cfn.ResourceDef{Type: typ, DeletionPolicy: policy, Properties: map[string]any{}}
		for _, word := range words[2:] {
			name, value, _ := strings.Cut(word, "=")
			list := []any{}
			for to := range strings.SplitSeq(value, "+") {
				id, attribute, has := strings.Cut(to, ".")
				switch {
				case id == without:
				case has:
					list = append(list, map[string]any{"Fn::GetAtt": []any{id, attribute}})
				default:
					list = append(list, map[string]any{"Ref": id})
				}
			}
			switch len(list) {
			case 0:
			case 1:
				def.Properties[name] = list[0]
			default:
				def.Properties[name] = list
			}
		}
		if words[0] != without {
			doc.Resources[words[0]] = def
		}
	}
	return doc
}
